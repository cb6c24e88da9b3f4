"""Listeners and connections of the endpoint: HTTP, logins, sealing, counting, faults.

It must not know what WSMan says: it takes an envelope out of a request, asks the service, and puts the answer
back. Behaves as http.sys in front of WinRM with AllowUnencrypted=false.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from spnego.channel_bindings import GssChannelBindings

from provision.lab.winrm import sealing
from provision.lab.winrm.accounts import Account
from provision.lab.winrm.authentication import Accepted, Challenge, Login, Refused
from provision.lab.winrm.service import WSManService

SOAP = "application/soap+xml;charset=UTF-8"
MAX_BODY_BYTES = 4 * 1024 * 1024
IDLE_SECONDS = 120.0
"""http.sys closes a connection that said nothing for two minutes."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the endpoint right now; asked for again with every request.

    `latency_seconds` passes before each answer; `reject_logins` refuses every password, as if it had been
    changed. A closed port is `WinRMServer.close()`.
    """

    latency_seconds: float = 0.0
    reject_logins: bool = False


def no_faults() -> Faults:
    """Nothing is wrong."""
    return Faults()


class RequestCounter:
    """Counts HTTP requests, in all and for each connection, in the order in which connections were made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_connection: list[int] = []

    def connect(self) -> int:
        """Number of a new connection."""
        with self._lock:
            self._by_connection.append(0)
            return len(self._by_connection) - 1

    def count(self, connection: int) -> None:
        """One more request on `connection`."""
        with self._lock:
            self._by_connection[connection] += 1

    def read(self) -> tuple[int, ...]:
        """Requests of each connection so far."""
        with self._lock:
            return tuple(self._by_connection)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What every connection of one listener shares."""

    service: WSManService
    accounts: tuple[Account, ...]
    faults: Callable[[], Faults]
    counter: RequestCounter
    bindings: GssChannelBindings | None
    encrypted: bool
    idle_seconds: float
    sleep: Callable[[float], None]


class Listener(ThreadingHTTPServer):
    """One listening socket, a thread for each connection; closing it closes the connections too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: str, port: int, endpoint: Endpoint, tls: ssl.SSLContext | None) -> None:
        self.endpoint = endpoint
        self._tls = tls
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__((address, port), _Connection)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True, name="winrm")
        self._thread.start()

    def server_bind(self) -> None:
        """Without the reverse name lookup that HTTPServer does here."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept; the TLS handshake is left to the connection's thread, so that a slow one delays nobody."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """The end of one connection."""
        if isinstance(request, socket.socket):
            with self._lock:
                self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up or failed its handshake is no news."""

    def stop(self) -> None:
        """Stop listening and reset every connection. Waking the accept takes no time, unlike `shutdown()`."""
        self._stopping.set()
        _hang_up(self.socket)
        self._thread.join()
        self.server_close()
        with self._lock:
            connections, self._connections = list(self._connections), set()
        for connection in connections:
            _hang_up(connection)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, address = self.get_request()
            except OSError:
                self._stopping.wait(0.05)  # the end, a client that is gone again, or no descriptors left
            else:
                self.process_request(connection, address)


class _Connection(BaseHTTPRequestHandler):
    """One connection: its login, and its requests one after the other."""

    server: Listener
    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def setup(self) -> None:
        """Handshake (in this thread), buffers, and a login that starts from nothing."""
        endpoint = self.server.endpoint
        self.request.settimeout(endpoint.idle_seconds)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()
        self._login = Login(endpoint.accounts, encrypted=endpoint.encrypted, bindings=endpoint.bindings)
        self._number = endpoint.counter.connect()

    def do_POST(self) -> None:
        """One request: count, suffer the faults, log in, answer."""
        endpoint = self.server.endpoint
        endpoint.counter.count(self._number)
        faults = endpoint.faults()
        if faults.latency_seconds > 0:
            endpoint.sleep(faults.latency_seconds)
        body = self._body()
        if body is None:
            return
        match self._login.step(self.headers.get("Authorization"), reject=faults.reject_logins):
            case Refused():
                self._reply(HTTPStatus.UNAUTHORIZED, challenges=self._login.methods)
            case Challenge(token=token):
                self._reply(HTTPStatus.UNAUTHORIZED, challenges=(_negotiate(token),))
            case Accepted(account=account, token=token):
                challenges = (_negotiate(token),) if token else ()
                self._serve(account, body, challenges)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: bodies and headers hold logins."""

    def _body(self) -> bytes | None:
        """The request's body; None when the request was refused for its form."""
        length = self.headers.get("Content-Length", "0")
        if self.path.rstrip("/").lower() != "/wsman":
            self._refuse(HTTPStatus.NOT_FOUND)
        elif "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > MAX_BODY_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            return self.rfile.read(int(length))
        return None

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._reply(status)

    def _serve(self, account: Account, body: bytes, challenges: tuple[str, ...]) -> None:
        """Answer a request of a caller who is logged in. An empty body only establishes the keys."""
        sealed = sealing.is_sealed(self.headers.get("Content-Type", ""))
        if not body:
            self._reply(HTTPStatus.OK, challenges=challenges)
        elif sealed:
            self._serve_sealed(account, body, challenges)
        elif self.server.endpoint.encrypted:
            status, answer = self.server.endpoint.service.answer(body, account, str(self.client_address[0]))
            self._reply(HTTPStatus(status), answer, SOAP, challenges)
        else:
            self._reply(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _serve_sealed(self, account: Account, body: bytes, challenges: tuple[str, ...]) -> None:
        sealer = self._login.sealer
        if sealer is None:
            return self._refuse(HTTPStatus.BAD_REQUEST)
        try:
            plain = sealing.open_body(body, sealer)
        except sealing.BadSeal:
            return self._refuse(HTTPStatus.BAD_REQUEST)
        status, answer = self.server.endpoint.service.answer(plain, account, str(self.client_address[0]))
        sealed = sealing.seal_body(answer, sealer)
        return self._reply(HTTPStatus(status), sealed, sealing.SEALED_CONTENT_TYPE, challenges)

    def _reply(
        self, status: HTTPStatus, body: bytes = b"", content_type: str = "", challenges: tuple[str, ...] = ()
    ) -> None:
        self.send_response(status)
        for challenge in challenges:
            self.send_header("WWW-Authenticate", challenge)
        if body:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _negotiate(token: bytes) -> str:
    return "Negotiate " + base64.b64encode(token).decode()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
