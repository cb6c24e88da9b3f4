"""The gate: what firewalld, SELinux or a VIP that is elsewhere forbid, the lab's copy of haproxy.cfg refuses.

Lists in files, read by haproxy when it starts and changed through its admin socket while it runs, so that a change of the
firewall never reloads haproxy. A refused client sees its connection closed at once; a real firewall would refuse it before
(an ordinary user cannot). A connection that SELinux keeps haproxy from making to a server is refused at the same place.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path

from provision.lab.balancer import adminsocket, selinux
from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.firewall import Interval, open_tcp, source_networks
from provision.lab.balancer.settings import Settings
from provision.lab.balancer.state import HostState

CLASSES = 8
"""How many different sources the firewall may tell apart: everybody, and seven networks."""
_OWN = 99
_EVERYTHING: tuple[Interval, ...] = ((1, 65535),)


class TooManySources(ValueError):
    """The firewall names more networks than the lab has classes for."""


def _spans(intervals: tuple[Interval, ...]) -> frozenset[str]:
    return frozenset(f"{low}:{high}" for low, high in intervals)


def lists(state: HostState, settings: Settings, filtering: bool) -> dict[str, frozenset[str]]:
    """File name -> entries. `filtering`: firewalld runs. A source's class is the longest network that holds it."""
    wall = state.firewall.runtime
    networks = source_networks(wall) if filtering else ()
    if len(networks) > CLASSES:
        raise TooManySources(
            f"the lab tells {CLASSES - 1} source networks apart, the firewall names {len(networks) - 1}"
        )
    sources = {f"{network} {number}" for number, network in enumerate(networks)}
    sources |= {f"{address}/32 {_OWN}" for address in settings.own_addresses}
    made: dict[str, frozenset[str]] = {}
    for number in range(CLASSES):
        known = number < len(networks)
        ports = open_tcp(wall, networks[number], settings.interface, settings.port) if known else ()
        made[f"class{number}.acl"] = _spans(ports)
    made["connect.acl"] = _spans(selinux.CONNECT if selinux.confines(state.selinux) else _EVERYTHING)
    held = {cidr.partition("/")[0] for cidr in state.addresses}
    made["sources.map"] = frozenset(sources)  # last, so that a class is complete before a client falls into it
    made["absent.acl"] = frozenset(address for address in (settings.vip, settings.address) if address not in held)
    return made


class Gate:
    """The lists of one balancer, on disk and in the haproxy that runs."""

    def __init__(self, folder: Path, admin_socket: Path) -> None:
        self._folder = folder
        self._socket = admin_socket
        self._lock = threading.Lock()

    def rules(self) -> tuple[str, ...]:
        """What stands in each section that listens."""
        sources = self._folder / "sources.map"
        by_class = tuple(
            f"tcp-request connection reject if {{ src,map_ip_int({sources},{_OWN}) eq {number} }} "
            f"!{{ dst_port -m int -f {self._folder / f'class{number}.acl'} }}"
            for number in range(CLASSES)
        )
        return (f"tcp-request connection reject if {{ dst -m ip -f {self._folder / 'absent.acl'} }}", *by_class)

    def connect_rules(self) -> tuple[str, ...]:
        """What stands, beside that, in sections that reach servers."""
        return (f"tcp-request connection reject if !{{ dst_port -m int -f {self._folder / 'connect.acl'} }}",)

    def set(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """Write the lists, and bring a haproxy that runs to them. Saying it twice does no harm."""
        with self._lock:
            for name, entries in wanted.items():
                write_text(self._folder / name, "".join(f"{entry}\n" for entry in sorted(entries)))
            with contextlib.suppress(OSError):  # nobody runs; the files are read at the next start
                self._bring(wanted)

    def _bring(self, wanted: Mapping[str, frozenset[str]]) -> None:
        """One question for all lists, one command for each entry that differs."""
        shown = adminsocket.ask(self._socket, ";".join(f"show {_kind(name)} {self._folder / name}" for name in wanted))
        for (name, entries), answer in zip(wanted.items(), _answers(shown, len(wanted)), strict=True):
            for command in _commands(_kind(name), self._folder / name, entries, answer):
                adminsocket.ask(self._socket, command)


def _kind(name: str) -> str:
    return "map" if name.endswith(".map") else "acl"


def _answers(text: str, count: int) -> list[frozenset[str]]:
    """What each `show` listed; an empty line ends one."""
    blocks: list[set[str]] = [set()]
    for line in text.splitlines():
        if line.startswith("0x"):
            blocks[-1].add(line.partition(" ")[2])
        elif not line:
            blocks.append(set())
    return [frozenset(block) for block in blocks[:count]]


def _commands(kind: str, path: Path, entries: frozenset[str], present: frozenset[str]) -> list[str]:
    keys = {entry.partition(" ")[0] for entry in entries}
    known = {entry.partition(" ")[0] for entry in present}
    found: list[str] = []
    for entry in sorted(entries - present):
        verb = "set" if kind == "map" and entry.partition(" ")[0] in known else "add"
        found.append(f"{verb} {kind} {path} {entry}")
    return [*found, *(f"del {kind} {path} {key}" for key in sorted(known - keys))]
