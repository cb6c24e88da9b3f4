"""The unit rsyslog: the lab's own syslog daemon as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from provision.lab.balancer.journal import Journal
from provision.lab.balancer.services import ServiceFailed, end
from provision.lab.balancer.unitfile import UnitFile

UNIT = "rsyslog.service"


@dataclass(slots=True)
class LogService:
    """See `syslogd`. A configuration with errors is complained of in the journal, and the rest of it is used, as rsyslog does."""

    root: Path
    journal: Journal
    _process: subprocess.Popen[str] | None = None

    def start(self, unit: UnitFile) -> int:
        """Ready when its sockets are bound."""
        errors = self.root / "lab" / "rsyslogd.err"
        with errors.open("w", encoding="utf-8") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "provision.lab.balancer.syslogd", str(self.root)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                start_new_session=True,
            )
        process = self._process
        line = process.stdout.readline() if process.stdout else ""
        self.journal.add(UNIT, "rsyslogd", process.pid, errors.read_text(encoding="utf-8"))
        if line != "ready\n":
            end(process)
            raise ServiceFailed("ExecStart", process.returncode or 1)
        return process.pid

    def stop(self) -> None:
        """Its sockets stay as names; nobody answers there."""
        end(self._process)

    def reload(self, unit: UnitFile) -> None:
        """rsyslog.service has no ExecReload, so nobody calls this."""
        raise ServiceFailed("ExecReload", 1)

    def exit_status(self) -> int | None:
        """None while it runs."""
        return 0 if self._process is None else self._process.poll()

    def note(self) -> str:
        """It tells systemd nothing."""
        return ""
