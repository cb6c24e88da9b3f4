"""systemd's manager, as far as one balancer shows it: units, their state and their enablement.

It knows what happened and when; the words of `systemctl` are in `words/systemctl.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from provision.lab.balancer import enablement, unitfile
from provision.lab.balancer.journal import Journal
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.services import Service, ServiceFailed
from provision.lab.balancer.unitfile import UnitFile


@dataclass(frozen=True, slots=True)
class Status:
    """How a unit stands. `since` and `main_since` are (Unix seconds, CLOCK_MONOTONIC microseconds); (0, 0) for never."""

    active: str = "inactive"
    sub: str = "dead"
    main_pid: int = 0
    since: tuple[float, int] = (0.0, 0)
    main_since: tuple[float, int] = (0.0, 0)
    inactive_since: tuple[float, int] = (0.0, 0)
    exit_code: int = 0
    result: str = "success"
    restarts: int = 0


class NoSuchUnit(Exception):
    """No unit file has that name."""


class NotActive(Exception):
    """A reload of something that does not run."""


class CannotReload(Exception):
    """The unit has no ExecReload."""


class Units:
    """All units of one host. Starting and stopping is serialised, as jobs of one unit are in systemd."""

    def __init__(self, layout: Layout, journal: Journal, services: Mapping[str, Service]) -> None:
        self._layout = layout
        self._journal = journal
        self._services = services
        self._status: dict[str, Status] = {}
        self._loaded: dict[str, UnitFile] = {}
        self._seen = unitfile.drop_in_folders(self.folders)
        self._lock = threading.RLock()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where unit files are looked for, the administrator's first."""
        return self._layout.unit_overrides, self._layout.units

    def names(self) -> tuple[str, ...]:
        """Every unit that could be started."""
        return tuple(name for name in self._services if unitfile.find(name, self.folders))

    def unit(self, name: str) -> UnitFile:
        """The unit as systemd has it in mind: as it was loaded last, or loaded now. NoSuchUnit."""
        with self._lock:
            if name in self._loaded and not self._is_kept(name):
                del self._loaded[name]
                self._status.pop(name, None)
            if name not in self._loaded:
                found = unitfile.load(name, self.folders, self._seen)
                if found is None or name not in self._services:
                    raise NoSuchUnit(name)
                self._loaded[name] = found
            return self._loaded[name]

    def _is_kept(self, name: str) -> bool:
        """systemd forgets a unit that neither runs, nor failed, nor starts at boot, and reads it anew when it is named."""
        wanted = enablement.state(self.folders[0], self._loaded[name]) == "enabled"
        return wanted or self.status(name).active != "inactive"

    def daemon_reload(self) -> None:
        """Load what is kept anew. A folder of drop-ins that was not there before counts from now on."""
        with self._lock:
            self._loaded.clear()
            self._seen = unitfile.drop_in_folders(self.folders)
            for name in self.names():
                self.unit(name)

    def needs_daemon_reload(self, name: str) -> bool:
        """Did the unit's files change since they were loaded?"""
        return self.unit(name).stamp != unitfile.stamp(name, self.folders, self._seen)

    def status(self, name: str) -> Status:
        """The state now; a main process that died is noticed here."""
        with self._lock:
            status = self._status.get(name, Status())
            code = self._services[name].exit_status() if name in self._services else None
            if status.active == "active" and code is not None:
                status = _ended(status, code)
                self._status[name] = status
            return status

    def start(self, name: str) -> None:
        """Start it unless it runs; NoSuchUnit or ServiceFailed."""
        with self._lock:
            unit = self.unit(name)
            if self.status(name).active == "active":
                return
            began = _now()
            _note(self._journal, name, f"Starting {unit.description}...")
            try:
                pid = self._services[name].start(unit)
            except ServiceFailed as failure:
                which = "Main" if failure.step == "ExecStart" else "Control"
                _note(
                    self._journal, name, f"{name}: {which} process exited, code=exited, status={failure.status}/FAILURE"
                )
                _note(self._journal, name, f"{name}: Failed with result 'exit-code'.")
                _note(self._journal, name, f"Failed to start {unit.description}.")
                self._status[name] = Status(
                    "failed", "failed", 0, inactive_since=_now(), exit_code=failure.status, result="exit-code"
                )
                raise
            self._status[name] = Status("active", "running", pid, _now(), began)
            _note(self._journal, name, f"Started {unit.description}.")

    def stop(self, name: str) -> None:
        """Stop it if it runs. One that failed stays so."""
        with self._lock:
            before, unit = self.status(name), self.unit(name)
            if before.active == "active":
                _note(self._journal, name, f"Stopping {unit.description}...")
                self._services[name].stop()
                _note(self._journal, name, f"{name}: Deactivated successfully.")
                _note(self._journal, name, f"Stopped {unit.description}.")
                self._status[name] = replace(
                    before, active="inactive", sub="dead", main_pid=0, inactive_since=_now(), result="success"
                )

    def reload(self, name: str) -> None:
        """ExecReload; NotActive, CannotReload or ServiceFailed, and in each case what ran goes on."""
        with self._lock:
            unit = self.unit(name)
            if not unit.all("Service.ExecReload"):
                raise CannotReload(name)
            if self.status(name).active != "active":
                _note(self._journal, name, f"{name}: Unit cannot be reloaded because it is inactive.")
                raise NotActive(name)
            _note(self._journal, name, f"Reloading {unit.description}...")
            try:
                self._services[name].reload(unit)
            except ServiceFailed as failure:
                _note(
                    self._journal, name, f"{name}: Control process exited, code=exited, status={failure.status}/FAILURE"
                )
                _note(self._journal, name, f"Reload failed for {unit.description}.")
                raise
            _note(self._journal, name, f"Reloaded {unit.description}.")

    def reset_failed(self, name: str) -> bool:
        """Forget a failure; was there anything to be kept in mind of this unit?"""
        with self._lock:
            status = self.status(name)
            if status.active == "failed":
                self._status[name] = replace(status, active="inactive", sub="dead", result="success")
            return status.active != "inactive"

    def service_note(self, name: str) -> str:
        """What the service told systemd."""
        return self._services[name].note()

    def shut_down(self) -> None:
        """Stop everything, the last started first."""
        for name in reversed(list(self._status)):
            if self.status(name).active == "active":
                self.stop(name)
        self._status.clear()
        self.daemon_reload()


def start_enabled(units: Units, first: tuple[str, ...], failed: Callable[[str], None]) -> None:
    """What a boot starts: `first` in that order, then the rest; a unit that does not start does not stop the others."""
    others = tuple(name for name in units.names() if name not in first)
    for name in (*first, *others):
        if name in units.names() and enablement.state(units.folders[0], units.unit(name)) == "enabled":
            try:
                units.start(name)
            except ServiceFailed:
                failed(name)


def _ended(status: Status, code: int) -> Status:
    clean = code in (0, 143, -15)
    return replace(
        status,
        active="inactive" if clean else "failed",
        sub="dead" if clean else "failed",
        main_pid=0,
        inactive_since=_now(),
        exit_code=abs(code),
        result="success" if clean else ("signal" if code < 0 else "exit-code"),
    )


def _now() -> tuple[float, int]:
    return time.time(), time.monotonic_ns() // 1000


def _note(journal: Journal, name: str, text: str) -> None:
    journal.add(name, "systemd", 1, text)
