"""One Windows server: its folder, its configuration and state, its services and its FTP server.

It must not know PowerShell or WinRM. Whatever changes the machine goes through here; whatever reads it sees the
files as they are at that moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from provision.lab.windows import firewall
from provision.lab.windows.apphost import Document
from provision.lab.windows.ftp.listener import Surroundings
from provision.lab.windows.ftp.service import FtpService
from provision.lab.windows.ftp.settings import FtpSettings, read_settings
from provision.lab.windows.paths import WindowsPaths
from provision.lab.windows.seed import CONFIG_NAME, STATE_NAME, thumbprint, write_fresh
from provision.lab.windows.services import ServiceControl
from provision.lab.windows.settings import load_settings
from provision.lab.windows.state import EventRecord, StateStore, WindowsState


class WindowsHost:
    """The server in DIRECTORY; a fresh one is made when the folder holds only host.json.

    CLOCK gives seconds since the epoch.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.directory = directory
        self.clock = clock
        self.settings = load_settings(directory)
        self.config_path = directory / CONFIG_NAME
        if not (directory / STATE_NAME).exists():
            write_fresh(directory, self.settings)
        self.store = StateStore(directory / STATE_NAME)
        shares = None if self.settings.shares is None else directory / self.settings.shares
        self.paths = WindowsPaths(directory, shares)
        self.ftp = FtpService(self._surroundings())
        self.services = ServiceControl(self.store, {"ftpsvc": self.ftp}, clock)

    @property
    def state(self) -> WindowsState:
        """The state as it is on disk now."""
        return self.store.read()

    def passwords(self) -> dict[str, str]:
        """Lower-case account name -> password, read now."""
        return {login.name.lower(): (self.directory / login.password_file).read_text("utf-8").rstrip("\n")
                for login in self.settings.logins}

    def report(self, message: str) -> None:
        """An error of the FTP service in the event log."""
        event = EventRecord("System", "Microsoft-Windows-IIS-FTP", 2, 2, self.clock(), message)
        self.store.change(lambda state: state.with_event(event))

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            address=self.settings.address,
            settings=self._ftp_settings,
            admits=self._admits,
            reserved_ports=lambda: self.state.unbindable_ports,
            accounts=self.passwords,
            certificate=self._certificate,
            report=self.report,
        )

    def _admits(self, remote: str, port: int) -> bool:
        """Windows does not filter what a machine says to itself."""
        return remote == self.settings.address or firewall.admits(self.state, remote, port, "ftpsvc")

    def _ftp_settings(self) -> FtpSettings:
        return read_settings(Document.load(self.config_path), self.paths.local)

    def _certificate(self, wanted: str) -> tuple[Path, Path] | None:
        """Certificate and key with that thumbprint, from the machine's only store."""
        own = self.settings
        if own.certificate is None or own.certificate_key is None:
            return None
        if thumbprint(self.directory, own) != wanted.upper():
            return None
        return self.directory / own.certificate, self.directory / own.certificate_key
