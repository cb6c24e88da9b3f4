"""Byte streams for FTP: what a dial returns, a deadline over it, and TLS that needs no real socket beneath.

A paramiko channel is no socket, so TLS runs over memory buffers (`ssl.MemoryBIO`), the same way on every stream.
Knows nothing of FTP's commands.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

from provision.remote.deadline import Deadline

T = TypeVar("T")
CHUNK = 65536
FAREWELL = 1.0


class Stream(Protocol):
    """What sockets and SSH channels have in common. `recv` gives b"" at the end; a timeout raises TimeoutError."""

    def recv(self, count: int, /) -> bytes:
        """At most `count` bytes, at least one, or b"" at the end."""
        ...

    def sendall(self, data: bytes, /) -> object:
        """Send all of `data`."""
        ...

    def settimeout(self, seconds: float, /) -> object:
        """How long `recv` and `sendall` may take from now on."""
        ...

    def shutdown(self, how: int, /) -> object:
        """Send nothing more (`how` is SHUT_WR); reading goes on."""
        ...

    def close(self) -> object:
        """End the stream; what was sent still arrives."""
        ...


Dial = Callable[[str, int, float], Stream]
"""Connects to an address and port within some seconds. Raises OSError, or HostError when the way there is broken."""


def socket_dial(source: str | None = None) -> Dial:
    """A dial from this machine, from the address `source` if given."""

    def dial(address: str, port: int, seconds: float) -> Stream:
        own = (source, 0) if source else None
        return socket.create_connection((address, port), seconds, source_address=own)

    return dial


def local_end(stream: Stream) -> tuple[str, int] | None:
    """Our address and port of a connection from this machine; None for one that starts elsewhere."""
    if not isinstance(stream, socket.socket):
        return None
    address, port = stream.getsockname()[:2]
    return str(address), int(port)


class TimedStream:
    """A stream whose every operation ends by `deadline`, which may be moved between operations."""

    def __init__(self, stream: Stream, deadline: Deadline) -> None:
        self._stream = stream
        self.deadline = deadline

    def recv(self, count: int, /) -> bytes:
        """As `Stream.recv`; raises TimeoutError at the deadline."""
        self._arm()
        return self._stream.recv(count)

    def sendall(self, data: bytes, /) -> None:
        """As `Stream.sendall`; raises TimeoutError at the deadline."""
        self._arm()
        self._stream.sendall(data)

    def settimeout(self, seconds: float, /) -> None:
        """Moves the deadline to `seconds` from now."""
        self.deadline = Deadline.after(seconds, self.deadline.clock)

    def shutdown(self, how: int, /) -> None:
        """As `Stream.shutdown`."""
        self._stream.shutdown(how)

    def close(self) -> None:
        """Close the stream; one that is broken already is closed enough."""
        with suppress(OSError):
            self._stream.close()

    def _arm(self) -> None:
        if self.deadline.passed:
            raise TimeoutError("the deadline passed")
        self._stream.settimeout(self.deadline.left)


def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or newer without a look at the certificate: a probe's is self-signed as a rule, and nobody named a CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsStream:
    """TLS over any stream. `session` is that of the control channel: many servers want data channels to resume it."""

    def __init__(self, stream: Stream, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=False, session=session)
        self._pump(self._tls.do_handshake)

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session to resume on another stream; under TLS 1.3 it comes with the first data, not the handshake."""
        return self._tls.session

    @property
    def resumed(self) -> bool:
        """Whether the server accepted the session that was offered."""
        return bool(self._tls.session_reused)

    def recv(self, count: int, /) -> bytes:
        """As `Stream.recv`. A peer that closes without a goodbye (IIS does) ended the stream all the same."""
        try:
            return self._pump(lambda: self._tls.read(count))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, data: bytes, /) -> None:
        """As `Stream.sendall`."""
        rest = memoryview(data)
        while rest:
            sent = self._pump(partial(self._tls.write, rest))
            rest = rest[sent:]

    def settimeout(self, seconds: float, /) -> None:
        """As `Stream.settimeout`."""
        self._stream.settimeout(seconds)

    def shutdown(self, how: int, /) -> None:
        """As `Stream.shutdown`, with TLS's own goodbye first."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        self._stream.shutdown(how)

    def close(self) -> None:
        """Say goodbye, read what still comes for at most FAREWELL seconds, close.

        Closing with something unread (the tickets of TLS 1.3) would reset the connection and lose what was sent.
        """
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            self._stream.settimeout(FAREWELL)
            while self._stream.recv(CHUNK):
                pass
        self._stream.close()

    def _pump(self, act: Callable[[], T]) -> T:
        """Do `act`, carrying bytes between TLS and the stream until it can be done."""
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            else:
                self._flush()
                return result

    def _feed(self) -> None:
        data = self._stream.recv(CHUNK)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._stream.sendall(self._outgoing.read())
