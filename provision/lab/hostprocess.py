"""One process of the lab: start it apart from us, know it again, ask it, end it, and never end another.

It must not know what the process does. A process is known by its id *and* its start time: an id that was given to
somebody else since is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provision.errors import LabError
from provision.lab.windows.apphost import replace_file
from provision.lab.windows.control import ask

RECORD = "process.json"
LOG = "host.log"
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
POLL_SECONDS = 0.02
GRACE_SECONDS = 5.0
LOG_TAIL = 600      # characters of the log that an error quotes
ADDRESS_TAKEN = ("Errno 98]", "Errno 48]", "address already in use", "Address already in use")
"""How Linux, macOS and the libraries between say in a log that a port is taken."""


@dataclass(frozen=True, slots=True)
class HostProcess:
    """The process of the host in DIRECTORY. MODULE is started with `python -m MODULE --directory DIRECTORY`."""

    name: str
    directory: Path
    module: str

    def start(self) -> None:
        """Start it, unless it runs; it outlives us. `wait_ready` tells when it serves."""
        if self.running_pid() is not None:
            return
        environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        with (self.directory / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", self.module, "--directory", str(self.directory)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd="/", env=environment, start_new_session=True)
        record = {"pid": process.pid, "started": start_time(process.pid)}
        replace_file(self.directory / RECORD, json.dumps(record).encode())

    def wait_ready(self, deadline: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Until it answers that it is ready. Raises LabError at DEADLINE (of CLOCK) or when it ended."""
        while not self.is_ready():
            if self.running_pid() is None:
                raise LabError("P802", "the host did not start", where=self.name, why=self._last_words(),
                               next=f"see {self.directory / LOG}")
            if clock() > deadline:
                raise LabError("P802", "the host is not ready in time", where=self.name, why=self._last_words(),
                               next=f"see {self.directory / LOG}")
            time.sleep(POLL_SECONDS)

    def is_ready(self) -> bool:
        """Whether it runs and serves."""
        try:
            return self.running_pid() is not None and bool(self.ask({"do": "status"}, timeout=2.0).get("ready"))
        except (OSError, ValueError):
            return False

    def ask(self, question: dict[str, object], timeout: float = 15.0) -> dict[str, Any]:
        """A question to its control socket. Raises OSError, ValueError."""
        return ask(self.directory, question, timeout)

    def running_pid(self) -> int | None:
        """Its id while it runs, None when it ended or its id belongs to another process now."""
        try:
            record = json.loads((self.directory / RECORD).read_bytes())
            pid, started = int(record["pid"]), record["started"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)        # ours when the same program started it: leave no zombie
        return pid if started is not None and start_time(pid) == started else None

    def stop(self, clock: Callable[[], float] = time.monotonic) -> None:
        """End it: ask, then SIGTERM, then SIGKILL, each with some seconds' grace. Harmless when it does not run."""
        steps: tuple[Callable[[int], object], ...] = (
            lambda _pid: self.ask({"do": "stop"}, timeout=2.0),
            lambda pid: os.kill(pid, signal.SIGTERM),
            lambda pid: os.kill(pid, signal.SIGKILL),
        )
        for step in steps:
            pid = self.running_pid()
            if pid is None:
                break
            with contextlib.suppress(OSError, ValueError):
                step(pid)
            self._wait_gone(clock() + GRACE_SECONDS, clock)
        (self.directory / RECORD).unlink(missing_ok=True)

    def _wait_gone(self, deadline: float, clock: Callable[[], float]) -> None:
        while self.running_pid() is not None and clock() < deadline:
            time.sleep(POLL_SECONDS)

    def _last_words(self) -> str:
        try:
            text = (self.directory / LOG).read_text("utf-8", "replace")[-LOG_TAIL:]
        except OSError:
            return ""
        return text.strip().splitlines()[-1] if text.strip() else ""


def start_time(pid: int) -> str | None:
    """When the process began, in whatever words the system has for it; None when there is none or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    shown = subprocess.run(["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True,
                           check=False).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.partition(" ")[2].strip()
