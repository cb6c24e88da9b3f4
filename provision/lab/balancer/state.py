"""What a balancer of the lab remembers: one JSON file, `lab/state.json` under its root, replaced atomically.

```
firewall   default_zone, runtime {zone: {...}}, permanent {zone: {...}}
selinux    mode (now), booleans (now), persistent (booleans after a boot), permissive (domains)
addresses  CIDRs that the interface holds now; connection: those that NetworkManager gives it at boot
packages   names that were installed on top of the minimal install
```

An edit of the file from outside is seen by the next command. Everything else is real files under the root: units and
their enablement below etc/systemd and usr/lib/systemd, SELinux's mode after a boot in etc/selinux/config, kernel parameters in
proc/sys, haproxy's files where the package puts them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.firewall import Firewall, Zone, boot, stock_zones
from provision.lab.balancer.settings import Settings

STOCK_BOOLEANS: Mapping[str, bool] = {
    "daemons_dump_core": False,
    "haproxy_connect_any": False,
    "httpd_can_network_connect": False,
    "keepalived_connect_any": False,
    "nis_enabled": False,
}


@dataclass(frozen=True, slots=True)
class SELinux:
    """`mode` is Enforcing, Permissive or Disabled."""

    mode: str = "Enforcing"
    booleans: Mapping[str, bool] = field(default_factory=dict)
    persistent: Mapping[str, bool] = field(default_factory=dict)
    permissive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostState:
    """All of it. A change makes a new one."""

    firewall: Firewall
    selinux: SELinux
    addresses: tuple[str, ...]
    connection: tuple[str, ...]
    packages: tuple[str, ...]


def fresh(settings: Settings) -> HostState:
    """A minimal install: ssh is open, SELinux enforces, the boolean is off, nothing of ours is there."""
    held = [f"{settings.address}/24"]
    if settings.vip_held and settings.vip != settings.address:
        held.append(f"{settings.vip}/32")
    firewall = Firewall(permanent=stock_zones())
    selinux = SELinux(booleans=dict(STOCK_BOOLEANS), persistent=dict(STOCK_BOOLEANS))
    return HostState(boot(firewall, settings.interface), selinux, tuple(held), (held[0],), ())


def _zone(data: Mapping[str, Any]) -> Zone:
    return Zone(
        data["target"],
        tuple(data["interfaces"]),
        tuple(data["sources"]),
        tuple(data["services"]),
        tuple(data["ports"]),
        tuple(data["rich_rules"]),
    )


def _zones(data: Mapping[str, Any]) -> dict[str, Zone]:
    return {name: _zone(zone) for name, zone in data.items()}


def decode(data: Mapping[str, Any]) -> HostState:
    """The state that state.json holds; KeyError or TypeError when somebody edited it into something else."""
    wall, selinux = data["firewall"], data["selinux"]
    return HostState(
        firewall=Firewall(wall["default_zone"], _zones(wall["runtime"]), _zones(wall["permanent"])),
        selinux=SELinux(
            selinux["mode"], dict(selinux["booleans"]), dict(selinux["persistent"]), tuple(selinux["permissive"])
        ),
        addresses=tuple(data["addresses"]),
        connection=tuple(data["connection"]),
        packages=tuple(data["packages"]),
    )


class Store:
    """The state on disk, with one lock for those who change it."""

    def __init__(self, root: Path) -> None:
        self._path = root / "lab" / "state.json"
        self._lock = threading.RLock()
        self._seen: tuple[int, int] | None = None
        self._state: HostState | None = None

    @property
    def exists(self) -> bool:
        """Was this host ever installed?"""
        return self._path.exists()

    def read(self) -> HostState:
        """The state as it is on disk now."""
        with self._lock:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_ino)
            if self._state is None or mark != self._seen:
                self._state = decode(json.loads(self._path.read_text(encoding="utf-8")))
                self._seen = mark
            return self._state

    def write(self, state: HostState) -> None:
        """Replace it."""
        with self._lock:
            write_text(self._path, json.dumps(asdict(state), indent=1))

    def change(self, make: Callable[[HostState], HostState]) -> HostState:
        """Read, make a new one, write; nobody else changes it in between. What `make` raises is passed on."""
        with self._lock:
            state = make(self.read())
            self.write(state)
            return state
