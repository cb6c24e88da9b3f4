"""One balancer put together: its files, its state, its services, and how it boots.

It knows nothing of SSH, and nothing of the words by which it is spoken to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from provision.lab.balancer import firewall, haproxytool, install, proxyservice
from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.gate import Gate, lists
from provision.lab.balancer.haproxycfg import Surroundings
from provision.lab.balancer.journal import Journal
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.logservice import LogService
from provision.lab.balancer.proxyservice import ProxyService
from provision.lab.balancer.services import PlainService, Service
from provision.lab.balancer.settings import Settings
from provision.lab.balancer.state import HostState, SELinux, Store, fresh
from provision.lab.balancer.units import Units, start_enabled

FIREWALLD = "firewalld.service"


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything that the words of the host act on."""

    layout: Layout
    settings: Settings
    store: Store
    journal: Journal
    units: Units
    gate: Gate
    tool: haproxytool.Tool

    @property
    def state(self) -> HostState:
        """What the host remembers, as it is on disk now."""
        return self.store.read()

    @property
    def firewall_runs(self) -> bool:
        """Does firewalld filter?"""
        return self.units.status(FIREWALLD).active == "active"

    def change(self, make: Callable[[HostState], HostState]) -> HostState:
        """Change the state, and let haproxy follow."""
        state = self.store.change(make)
        self.open_gate()
        return state

    def open_gate(self) -> None:
        """Bring haproxy's gate to what firewalld, SELinux and the addresses say now."""
        self.gate.set(lists(self.state, self.settings, self.firewall_runs))

    def admits(self, client: str, port: int) -> bool:
        """May `client` (an IPv4 address) reach a TCP port of this host?"""
        if not self.firewall_runs or client in self.settings.own_addresses:
            return True
        spans = firewall.open_tcp(
            self.state.firewall.runtime, f"{client}/32", self.settings.interface, self.settings.port
        )
        return any(low <= port <= high for low, high in spans)

    def reload_firewall(self) -> None:
        """Permanent becomes runtime."""
        self.change(lambda state: replace(state, firewall=firewall.boot(state.firewall, self.settings.interface)))

    def boot(self) -> None:
        """What a boot does: what is permanent, persistent and enabled comes to be, all else is gone."""
        mode = boot_mode(self.layout.root)
        self.store.change(
            lambda state: replace(
                state,
                firewall=firewall.boot(state.firewall, self.settings.interface),
                addresses=_boot_addresses(state, self.settings),
                selinux=SELinux(
                    mode, dict(state.selinux.persistent), dict(state.selinux.persistent), state.selinux.permissive
                ),
            )
        )
        _boot_kernel(self.layout)
        first = (FIREWALLD, "rsyslog.service")
        start_enabled(self.units, first, lambda name: self.journal.add(name, "systemd", 1, f"{name} did not start"))

    def shut_down(self) -> None:
        """Stop all services, haproxy's and rsyslogd's processes with them."""
        self.units.shut_down()


def boot_mode(root: Path) -> str:
    """SELinux's mode after a boot, from etc/selinux/config; Enforcing where it says nothing."""
    text = (root / "etc/selinux/config").read_text(encoding="utf-8")
    match = re.search(r"^SELINUX=(\w+)\s*$", text, re.MULTILINE)
    return match.group(1).capitalize() if match else "Enforcing"


def _boot_addresses(state: HostState, settings: Settings) -> tuple[str, ...]:
    """NetworkManager's own, and the VIP where something outside (keepalived, a cloud) holds it for us."""
    held = list(state.connection)
    if settings.vip_held and not any(cidr.startswith(f"{settings.vip}/") for cidr in held):
        held.append(f"{settings.vip}/32")
    return tuple(held)


def _boot_kernel(layout: Layout) -> None:
    for key, value in install.KERNEL.items():
        if value:
            write_text(layout.root / "proc/sys" / key.replace(".", "/"), f"{value}\n")
    for path in sysctl_files(layout.root):
        apply_sysctl_file(layout.root, path)


def sysctl_files(root: Path) -> tuple[Path, ...]:
    """The files of `sysctl --system`, in the order in which they count."""
    found = {
        path.name: path for folder in ("usr/lib/sysctl.d", "etc/sysctl.d") for path in (root / folder).glob("*.conf")
    }
    return (*(found[name] for name in sorted(found)), root / "etc/sysctl.conf")


def apply_sysctl_file(root: Path, path: Path) -> list[tuple[str, str]]:
    """Set what a file of sysctl.d says; returns what was set, unknown keys left out."""
    done: list[tuple[str, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        entry = root / "proc/sys" / key.strip().lstrip("-").replace(".", "/")
        if equals and not line.lstrip().startswith(("#", ";")) and entry.is_file():
            write_text(entry, f"{value.strip()}\n")
            done.append((key.strip(), value.strip()))
    return done


def build(root: Path, settings: Settings, log: Callable[[str], None]) -> Machine:
    """The host whose root is `root`, installed if it never was; not booted yet. FileNotFoundError without haproxy."""
    layout = Layout(root)
    binary, version = haproxytool.locate()
    store = Store(root)
    if not store.exists:
        install.fresh_root(layout, settings)
        store.write(fresh(settings))
    layout.lab.joinpath("lo").mkdir(parents=True, exist_ok=True)
    proxyservice.end_orphan(layout)
    journal = Journal(log)
    around = Surroundings(root, tuple(dict.fromkeys((settings.address, settings.vip))))
    tool = haproxytool.Tool(binary, version, around, settings.shape.haproxy_text)
    gate = Gate(layout.gate, layout.admin_socket)
    services: dict[str, Service] = {}
    units = Units(layout, journal, services)
    machine = Machine(layout, settings, store, journal, units, gate, tool)
    services |= {
        FIREWALLD: PlainService(os.getpid(), lambda running: _firewall_changed(machine, running)),
        "NetworkManager.service": PlainService(os.getpid()),
        "sshd.service": PlainService(os.getpid()),
        "rsyslog.service": LogService(root, journal),
        proxyservice.UNIT: ProxyService(layout, tool, gate, journal, lambda: machine.state, machine.open_gate, settings.name),
    }
    return machine


def _firewall_changed(machine: Machine, running: bool) -> None:
    state = machine.store.change(
        lambda state: replace(state, firewall=firewall.boot(state.firewall, machine.settings.interface))
    )
    machine.gate.set(lists(state, machine.settings, running))
