"""The WinRM side of a host's process: the endpoint with the host's accounts and faults, opened again when they change.

It must not know WSMan or PowerShell.
"""

from __future__ import annotations

from provision.lab.windows.faultfile import FaultFile
from provision.lab.windows.host import WindowsHost
from provision.lab.winrm.accounts import Account
from provision.lab.winrm.connection import Faults
from provision.lab.winrm.scripthost import ScriptHost
from provision.lab.winrm.server import Settings, WinRMServer
from provision.lab.winrm.tls import TlsFiles


class Endpoint:
    """WinRM of HOST, with SCRIPTS behind it."""

    def __init__(self, host: WindowsHost, scripts: ScriptHost) -> None:
        self._host = host
        self._scripts = scripts
        self._faults = FaultFile(host.directory)
        self._server: WinRMServer | None = None
        self._passwords: dict[str, str] = {}
        self._before = 0

    @property
    def requests(self) -> int:
        """HTTP requests answered since the process began."""
        return self._before + (0 if self._server is None else self._server.requests)

    @property
    def is_open(self) -> bool:
        """Whether the ports are open."""
        return self._server is not None

    def reload(self) -> None:
        """Take accounts and faults as they are now: close, or open with the new passwords. Raises OSError."""
        closed = self._faults.read().closed or self._host.settings.winrm_http_port is None
        passwords = self._host.passwords()
        if self._server is not None and (closed or passwords != self._passwords):
            self.close()
        if self._server is None and not closed:
            self._passwords = passwords
            self._server = self._make(passwords)
            self._server.start()

    def close(self) -> None:
        """Close the ports and reset what is connected."""
        if self._server is not None:
            self._before += self._server.requests
            self._server.close()
            self._server = None

    def _make(self, passwords: dict[str, str]) -> WinRMServer:
        settings, machine = self._host.settings, self._host.state.computer_name
        accounts = [Account(login.name, passwords[login.name.lower()], machine, login.administrator)
                    for login in settings.logins]
        tls = self._tls()
        return WinRMServer(settings.address, settings.winrm_http_port or 0,
                           None if tls is None else settings.winrm_https_port, tls, accounts, self._current_faults,
                           self._scripts, Settings(machine=machine))

    def _tls(self) -> TlsFiles | None:
        settings = self._host.settings
        if settings.ca is None or settings.certificate is None or settings.certificate_key is None:
            return None
        return TlsFiles(*(self._host.directory / part
                          for part in (settings.ca, settings.certificate, settings.certificate_key)))

    def _current_faults(self) -> Faults:
        now = self._faults.read()
        return Faults(now.latency_seconds, now.reject_logins)
