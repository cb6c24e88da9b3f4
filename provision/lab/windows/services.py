"""The service control manager: which services run, since when, and what happens when one does not start.

It must not know what a service does: a program is two functions. Every outcome is in the event log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from provision.lab.windows.apphost import NotWellFormed
from provision.lab.windows.ftp.settings import BadFtpConfiguration
from provision.lab.windows.schema import SchemaViolation
from provision.lab.windows.sectionreader import SectionRefused
from provision.lab.windows.state import EventRecord, Service, StateStore

CONTROL_MANAGER = "Service Control Manager"
START_FAILURES = (BadFtpConfiguration, SectionRefused, SchemaViolation, NotWellFormed, OSError, ValueError)


class ServiceFailed(Exception):
    """A service did not start; the text is the reason as Windows words it."""


class Program(Protocol):
    """What runs inside a service. `start` may raise one of START_FAILURES."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class ServiceControl:
    """Starts and stops the services in STORE. PROGRAMS by lower-case service name; CLOCK in seconds since the epoch.

    One caller at a time; the others wait.
    """

    def __init__(self, store: StateStore, programs: Mapping[str, Program], clock: Callable[[], float]) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock
        self._control = threading.RLock()

    def boot(self) -> None:
        """Power on: every service is stopped, then the automatic ones start. One that fails leaves an event."""
        now = self._clock()
        with self._control:
            self._store.change(lambda state: replace(state, booted_at=now, services={
                key: replace(each, status="Stopped", process_id=0, started_at=None)
                for key, each in state.services.items()}))
            for service in tuple(self._store.read().services.values()):
                if service.start_type == "Automatic":
                    self._start_at_boot(service.name)

    def shut_down(self) -> None:
        """Power off: programs end; what the state says of services is settled at the next boot."""
        with self._control:
            for program in self._programs.values():
                program.stop()

    def start(self, name: str) -> None:
        """Start NAME; nothing happens when it runs. Raises KeyError, ServiceFailed."""
        with self._control:
            service = self._store.read().services[name.lower()]
            if service.status == "Running":
                return
            if service.start_type == "Disabled":
                raise ServiceFailed("The service cannot be started, either because it is disabled or because it has "
                                    "no enabled devices associated with it")
            self._run_program(service)
            started = replace(service, status="Running", process_id=self._new_process_id(), started_at=self._clock())
            self._store.change(lambda state: state.with_service(started).with_event(self._event(
                7036, 4, f"The {service.display_name} service entered the running state.")))

    def stop(self, name: str) -> None:
        """Stop NAME; nothing happens when it is stopped. Raises KeyError."""
        with self._control:
            service = self._store.read().services[name.lower()]
            if service.status == "Stopped":
                return
            program = self._programs.get(service.name.lower())
            if program is not None:
                program.stop()
            stopped = replace(service, status="Stopped", process_id=0, started_at=None)
            self._store.change(lambda state: state.with_service(stopped).with_event(self._event(
                7036, 4, f"The {service.display_name} service entered the stopped state.")))

    def _start_at_boot(self, name: str) -> None:
        try:
            self.start(name)
        except ServiceFailed:
            return      # the event log says why, as on a machine that nobody watches while it boots

    def _run_program(self, service: Service) -> None:
        program = self._programs.get(service.name.lower())
        if program is None:
            return
        try:
            program.start()
        except START_FAILURES as error:
            event = self._event(
                7023, 2, f"The {service.display_name} service terminated with the following error: {error}")
            self._store.change(lambda state: state.with_event(event))
            raise ServiceFailed(str(error)) from error

    def _event(self, event_id: int, level: int, message: str) -> EventRecord:
        return EventRecord("System", CONTROL_MANAGER, event_id, level, self._clock(), message)

    def _new_process_id(self) -> int:
        return self._store.change(lambda state: state.with_new_process()).last_process_id
