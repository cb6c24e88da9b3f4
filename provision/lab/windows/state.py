"""What a Windows server is, apart from IIS's own configuration: services, firewall, registry, ports, events.

Frozen values, kept in `windows.json` by `StateStore`. It must not know what a cmdlet calls them or how FTP works.
A person (or `lab break`) may edit the file: the next reader sees it, and a value that does not fit is refused.
Times are seconds since the epoch, UTC.
"""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from provision.lab.windows.apphost import Stamp, replace_file

log = logging.getLogger("provision.lab.windows")
StartType = Literal["Automatic", "Manual", "Disabled"]
ServiceStatus = Literal["Running", "Stopped"]
ProfileName = Literal["Domain", "Private", "Public"]
Value = int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A Windows service. STARTED_AT and PROCESS_ID are None and 0 while it is stopped."""

    name: str
    display_name: str
    start_type: StartType = "Automatic"
    status: ServiceStatus = "Stopped"
    process_id: int = 0
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule of Windows Firewall with Advanced Security, in the words of the NetSecurity module.

    Ports are texts: "21", "10000-10020" or "Any"; addresses: IPv4, network, range or "Any". SERVICE is a short
    service name or "Any". STORE says who set it: the machine's own policy, or group policy.
    """

    name: str
    display_name: str
    enabled: bool = True
    direction: Literal["Inbound", "Outbound"] = "Inbound"
    action: Literal["Allow", "Block"] = "Allow"
    protocol: str = "TCP"
    local_ports: tuple[str, ...] = ("Any",)
    remote_ports: tuple[str, ...] = ("Any",)
    local_addresses: tuple[str, ...] = ("Any",)
    remote_addresses: tuple[str, ...] = ("Any",)
    service: str = "Any"
    program: str = "Any"
    profiles: tuple[ProfileName, ...] = ()          # empty: any
    group: str = ""
    display_group: str = ""
    description: str = ""
    store: Literal["Local", "GroupPolicy"] = "Local"


@dataclass(frozen=True, slots=True)
class FirewallProfile:
    """One of the three profiles. ALLOW_LOCAL_RULES False is a group policy that ignores the machine's own rules."""

    name: ProfileName
    enabled: bool = True
    inbound: Literal["Allow", "Block"] = "Block"
    allow_local_rules: bool | None = None           # None: not configured, which means allowed


@dataclass(frozen=True, slots=True)
class ExcludedPorts:
    """TCP ports that Windows hands to nobody, inclusive. An ADMINISTERED range (made with netsh) can still be bound
    by who asks for its ports; the others (Hyper-V and such) cannot: 10013."""

    low: int
    high: int
    administered: bool = False


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An entry of an event log. LEVEL 2 is an error, 3 a warning, 4 information."""

    log: str
    provider: str
    event_id: int
    level: int
    time: float
    message: str


@dataclass(frozen=True, slots=True)
class WindowsState:
    """One Windows server. PORTS are TCP; DYNAMIC_PORTS is (first, count), as netsh prints it."""

    computer_name: str
    address: str
    os_caption: str = "Microsoft Windows Server 2016 Standard"
    os_version: str = "10.0.14393"
    ps_version: str = "5.1.14393.5582"
    is_64bit: bool = True
    elevated: bool = True
    features: tuple[str, ...] = ("Web-Server", "Web-Ftp-Server", "Web-Ftp-Service", "Web-Mgmt-Console")
    booted_at: float = 0.0
    last_process_id: int = 1200
    network: ProfileName = "Private"
    services: Mapping[str, Service] = field(default_factory=dict)
    rules: tuple[FirewallRule, ...] = ()
    profiles: tuple[FirewallProfile, ...] = ()
    stateful_ftp: bool = False
    registry: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    excluded_ports: tuple[ExcludedPorts, ...] = ()
    dynamic_ports: tuple[int, int] = (49152, 16384)
    listeners: tuple[tuple[int, int], ...] = ()     # (port, process id) of listening sockets of other programs
    inherited_counts_as_default: bool = True        # what IsInheritedFromDefaultValue says of a siteDefaults value
    events: tuple[EventRecord, ...] = ()

    @property
    def unbindable_ports(self) -> tuple[tuple[int, int], ...]:
        """Excluded ranges that refuse a bind."""
        return tuple((each.low, each.high) for each in self.excluded_ports if not each.administered)

    @property
    def has_ftp(self) -> bool:
        """Whether the FTP service is installed."""
        return "Web-Ftp-Server" in self.features

    def service(self, name: str) -> Service | None:
        """A service by its short name, any case."""
        return self.services.get(name.lower())

    def with_service(self, service: Service) -> WindowsState:
        """The same server with SERVICE replaced or added."""
        return replace(self, services={**self.services, service.name.lower(): service})

    def with_new_process(self) -> WindowsState:
        """The same server with one more process started; ids are multiples of four and do not come again."""
        return replace(self, last_process_id=self.last_process_id + 4)

    def with_event(self, event: EventRecord) -> WindowsState:
        """The same server with EVENT logged; the log keeps the last 200."""
        return replace(self, events=(*self.events, event)[-200:])


_CODEC: TypeAdapter[WindowsState] = TypeAdapter(WindowsState)


class StateStore:
    """windows.json: read when it changed on disk, written in one step, one writer at a time on the whole machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.RLock()
        self._stamp: Stamp | None = None
        self._state: WindowsState | None = None

    def read(self) -> WindowsState:
        """The state as the file has it now.

        A hand edit that does not fit is refused: the last good state stays in force, and the log says so. The first
        reading raises pydantic.ValidationError instead, and OSError when there is no file.
        """
        with self._guard:
            stamp = Stamp.of(self.path)
            if self._state is None or stamp != self._stamp:
                self._state = self._parse(self._state)
                self._stamp = stamp
            return self._state

    def _parse(self, last_good: WindowsState | None) -> WindowsState:
        try:
            return _CODEC.validate_json(self.path.read_bytes())
        except ValidationError as error:
            if last_good is None:
                raise
            log.warning("%s was edited into something that does not fit: %s", self.path, error)
            return last_good

    def write(self, state: WindowsState) -> None:
        """Replace the whole state."""
        with self._guard:
            replace_file(self.path, _CODEC.dump_json(state, indent=2) + b"\n")
            self._state, self._stamp = state, Stamp.of(self.path)

    def change(self, how: Callable[[WindowsState], WindowsState]) -> WindowsState:
        """Read, change, write, with other writers (also in other processes) kept out meanwhile."""
        with self._guard, locked(self.path.with_suffix(".lock")):
            state = how(self.read())
            if state != self._state:
                self.write(state)
            return state


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock on PATH; the kernel frees it when the holder dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
