"""What every verb needs, passed in and never global: clock, events, interruption, deadlines, secrets, sessions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

from provision.errors import ProvisionError
from provision.model.cluster import Balancer, Server
from provision.model.secret import Secret, SecretRef
from provision.remote.session import PowerShellSession
from provision.remote.ssh import ShellSession


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened during a run, for whoever watches. `host` is empty for the run as a whole.

    `level` is that of a check of FTP.
    """

    kind: Literal["reading", "read", "unread", "step", "done", "failed", "undo", "note", "verify"]
    host: str
    text: str
    level: Literal["ok", "note", "warn", "failed"] = "ok"


class Opener(Protocol):
    """Makes sessions. Opening is lazy: nothing is contacted before the first run on a session."""

    def shell(self, balancer: Balancer) -> ShellSession:
        """A session to a balancer."""
        ...

    def powershell(self, server: Server) -> PowerShellSession:
        """A session to a Windows server."""
        ...


class Interrupted(ProvisionError):
    """The operator asked to stop: raised between steps, never inside one."""

    exit_code = 130


class StopRequest:
    """Set by the first Ctrl-C or TERM; the rollout looks at it between steps."""

    def __init__(self) -> None:
        self._signal = 0
        self._set = threading.Event()

    def ask(self, signal: int) -> None:
        """Ask to stop after the step at work; `signal` is the number to exit by (128 + signal)."""
        self._signal = self._signal or signal
        self._set.set()

    @property
    def asked(self) -> bool:
        """Whether anybody asked."""
        return self._set.is_set()

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells count."""
        return 128 + self._signal


@dataclass(frozen=True, slots=True)
class Limits:
    """`parallel` hosts are read at a time; deadlines in seconds: for reading one host, for changing one."""

    parallel: int = 16
    read: float = 60.0
    change: float = 600.0


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def _unheard(_event: Event) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one run."""

    opener: Opener
    secrets: Mapping[SecretRef, Secret]
    say: Callable[[Event], None] = _unheard
    stop: StopRequest = field(default_factory=StopRequest)
    limits: Limits = Limits()
    now: Callable[[], datetime] = utc_now
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
