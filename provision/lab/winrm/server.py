"""The WinRM endpoint as the lab starts and stops it: ports, TLS, accounts, and the request count.

It must not know HTTP or WSMan; `connection` and `service` do.
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from provision.lab.winrm.accounts import Account, publish_ntlm_accounts
from provision.lab.winrm.connection import IDLE_SECONDS, Endpoint, Faults, Listener, RequestCounter
from provision.lab.winrm.scripthost import ScriptHost
from provision.lab.winrm.service import WSManService
from provision.lab.winrm.shells import Quotas
from provision.lab.winrm.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class Settings:
    """How the endpoint behaves where a stock server would be impractical. Times are seconds.

    `machine` is the name that faults carry. With `strict_bindings` a login over https must carry the channel
    binding (CbtHardeningLevel=Strict). `clock` and `sleep` are the time of shells and of injected latency.
    """

    machine: str = "WIN-LAB"
    quotas: Quotas = Quotas()
    idle_seconds: float = IDLE_SECONDS
    strict_bindings: bool = False
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


STOCK = Settings()


class WinRMServer:
    """A WinRM endpoint on one address. Ports of 0 are chosen by the system; read them after `start()`.

    One a process: pyspnego's acceptor finds accounts through the process's environment. `close()` refuses new
    connections and resets the old ones, `start()` opens again, with no shells.
    """

    def __init__(
        self,
        address: str,
        http_port: int,
        https_port: int | None,
        tls: TlsFiles | None,
        accounts: Sequence[Account],
        faults: Callable[[], Faults],
        host: ScriptHost,
        settings: Settings = STOCK,
    ) -> None:
        if https_port is not None and tls is None:
            raise ValueError("https needs TLS files")
        self.address = address
        self.http_port = http_port
        self.https_port = https_port
        self._tls = tls
        self._accounts = tuple(accounts)
        self._faults = faults
        self._settings = settings
        self._service = WSManService(host, machine=settings.machine, quotas=settings.quotas, clock=settings.clock)
        self._counter = RequestCounter()
        self._listeners: list[Listener] = []
        self._private: Path | None = None

    @property
    def requests(self) -> int:
        """HTTP requests answered since the server was made, logins included."""
        return sum(self._counter.read())

    @property
    def requests_by_connection(self) -> tuple[int, ...]:
        """The same, for each connection in the order in which they came."""
        return self._counter.read()

    @property
    def open_shells(self) -> int:
        """Shells that clients have not deleted."""
        return self._service.open_shells

    def start(self) -> None:
        """Listen. Raises OSError when a port is taken, RuntimeError when it is already listening."""
        if self._listeners:
            raise RuntimeError("the endpoint is already listening")
        self._private = Path(tempfile.mkdtemp(prefix="winrm-"))
        publish_ntlm_accounts(self._accounts, self._private / "accounts")
        try:
            plain = Listener(self.address, self.http_port, self._endpoint(encrypted=False), None)
            self._listeners.append(plain)
            self.http_port = plain.server_port
            if self.https_port is not None and self._tls is not None:
                secure = Listener(
                    self.address, self.https_port, self._endpoint(encrypted=True), _tls_context(self._tls)
                )
                self._listeners.append(secure)
                self.https_port = secure.server_port
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Stop listening, reset the connections, close the shells. Harmless when it is not listening."""
        listeners, self._listeners = self._listeners, []
        self._service.close()
        for listener in listeners:
            listener.stop()
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)
            self._private = None

    def _endpoint(self, *, encrypted: bool) -> Endpoint:
        bindings = None
        if encrypted and self._settings.strict_bindings and self._tls is not None:
            bindings = _channel_bindings(self._tls.certificate)
        return Endpoint(
            service=self._service,
            accounts=self._accounts,
            faults=self._faults,
            counter=self._counter,
            bindings=bindings,
            encrypted=encrypted,
            idle_seconds=self._settings.idle_seconds,
            sleep=self._settings.sleep,
        )


def _tls_context(tls: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    return context


def _channel_bindings(certificate: Path) -> GssChannelBindings:
    """tls-server-end-point of RFC 5929 for a certificate signed with SHA-256."""
    fingerprint = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    return GssChannelBindings(application_data=b"tls-server-end-point:" + fingerprint)
