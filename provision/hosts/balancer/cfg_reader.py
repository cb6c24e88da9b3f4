"""Reads any haproxy.cfg, ours or not, as far as we must know it: sections, binds, servers. Tolerant by design.

It must not be used to change a foreign file: what it does not understand it keeps as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from provision.model.ports import PortRange

_SECTIONS = frozenset({
    "global", "defaults", "listen", "frontend", "backend", "peers", "userlist", "resolvers", "mailers", "program",
    "cache", "http-errors", "ring", "log-forward", "fcgi-app", "crt-store", "traces", "log-profile", "acme",
})
_WORD = re.compile(r"""(?:[^\s\\'"#]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+""")
_ADDRESS = re.compile(r"(?:ipv4@)?(?P<address>[^:]*):(?P<low>\d{1,5})(?:-(?P<high>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Bind:
    """Where a section listens; `address` is `*` for every one.

    `reversed_range`: it is written high to low, which 1.5 and 1.8 let pass.
    """

    section: str
    address: str
    ports: PortRange
    reversed_range: bool = False

    def meets(self, other: Bind) -> bool:
        """Whether both listen on one address and port."""
        same = self.address == other.address or "*" in (self.address, other.address)
        return same and self.ports.low <= other.ports.high and other.ports.low <= self.ports.high


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its kind, its name (empty where it has none), its lines as words."""

    kind: str
    name: str
    lines: tuple[tuple[str, ...], ...]

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Every `bind` with an IPv4 address and ports; sockets, IPv6 and variables are not ours to judge."""
        return tuple(_binds(self))

    @property
    def unchecked_servers(self) -> tuple[str, ...]:
        """Servers that ask for a check and give no port to check: 1.5 says nothing, 1.8 switches the check off."""
        servers = (words for words in self.lines if words[0] == "server" and len(words) > 2)
        return tuple(words[1] for words in servers if "check" in words[3:] and not _has_port(words))


def read_cfg(text: str) -> tuple[Section, ...]:
    """The sections of a configuration, in order."""
    found: list[tuple[str, str, list[tuple[str, ...]]]] = []
    for raw in text.split("\n"):
        words = tuple(_WORD.findall(re.sub(r"(?<!\\)#.*", "", raw)))
        if words and words[0] in _SECTIONS and not raw[:1].isspace():
            found.append((words[0], words[1] if len(words) > 1 else "", []))
        elif words and found:
            found[-1][2].append(words)
    return tuple(Section(kind, name, tuple(lines)) for kind, name, lines in found)


def _binds(section: Section) -> Iterator[Bind]:
    for words in section.lines:
        if words[0] != "bind" or len(words) < 2:
            continue
        for part in words[1].split(","):
            match = _ADDRESS.fullmatch(part)
            if match is None:
                continue
            low, high = int(match["low"]), int(match["high"] or match["low"])
            ports = PortRange(min(low, high, 65535), min(max(low, high), 65535))
            yield Bind(section.name, match["address"] or "*", ports, low > high)


def _has_port(words: tuple[str, ...]) -> bool:
    return "port" in words[3:] or bool(re.search(r":\d+$", words[2]))
