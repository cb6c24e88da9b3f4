"""What stands behind a unit: a real process, or only the fact that it is on.

A service starts, stops and reloads; the sentences of systemd around that are elsewhere.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from provision.lab.balancer.unitfile import UnitFile

STOP_SECONDS = 5.0


class ServiceFailed(Exception):
    """The control process of a unit failed; `status` is its exit status, `step` the Exec key that ran it."""

    def __init__(self, step: str, status: int) -> None:
        super().__init__(f"{step} exited with status {status}")
        self.step = step
        self.status = status


class Service(Protocol):
    """One unit's inside."""

    def start(self, unit: UnitFile) -> int:
        """Start it and return the main pid once it is ready; ServiceFailed when it is not."""
        ...

    def stop(self) -> None:
        """Stop it; at once true, also when it was not running."""
        ...

    def reload(self, unit: UnitFile) -> None:
        """Take up what is on disk; ServiceFailed when a command of ExecReload fails."""
        ...

    def exit_status(self) -> int | None:
        """None while it runs; otherwise what its main process ended with."""
        ...

    def note(self) -> str:
        """What it tells systemd about itself ('' for nothing)."""
        ...


@dataclass(slots=True)
class PlainService:
    """A service of which only its being on matters; `pid` is the process that stands for it."""

    pid: int
    on_change: Callable[[bool], None] = lambda running: None
    running: bool = False

    def start(self, unit: UnitFile) -> int:
        """On."""
        self.running = True
        self.on_change(True)
        return self.pid

    def stop(self) -> None:
        """Off."""
        self.running = False
        self.on_change(False)

    def reload(self, unit: UnitFile) -> None:
        """The same as starting: what is on disk is taken up."""
        self.on_change(True)

    def exit_status(self) -> int | None:
        """It never ends by itself."""
        return None if self.running else 0

    def note(self) -> str:
        """Nothing to tell."""
        return ""


def end(process: subprocess.Popen[str] | None) -> None:
    """Ask a child to end, and make it end when it does not within STOP_SECONDS."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
