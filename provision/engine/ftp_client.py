"""An FTP client that verifies: it asks PASV (never EPSV), reads the 227 itself, and keeps deadlines.

Built over ftplib's reading of replies; ftplib's own data connections ignore the address in the 227 and want real
sockets. Works over any `Dial`, so also through an SSH channel. Judges nothing: `verify` does.
"""

from __future__ import annotations

import errno
import ftplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, TextIO, TypeVar, cast

from provision.engine.ftp_stream import CHUNK, Dial, Stream, TimedStream, TlsStream, tls_context
from provision.errors import HostError
from provision.model.secret import Secret
from provision.remote.deadline import Deadline

Step = Literal[
    "connect", "greeting", "tls", "login", "directory", "pasv", "data", "list", "store", "retrieve", "delete"
]
Way = Literal["refused", "unreachable", "timeout", "closed", "reply", "tls", "dial"]

MOST = 16 * 1024 * 1024
"""Bytes of one listing or file beyond which reading stops: a probe's directory is small."""

GOODBYE = 1.0

T = TypeVar("T")


class FtpFailure(Exception):
    """A step failed. `reply`: the server's three digits where it answered, else 0; `text`: its words or the error's."""

    def __init__(self, step: Step, way: Way, text: str, reply: int = 0) -> None:
        super().__init__(step, way, text, reply)
        self.step, self.way, self.text, self.reply = step, way, text, reply

    def __str__(self) -> str:
        return f"{self.step}: {self.text}"


@dataclass(frozen=True, slots=True)
class Passive:
    """What a 227 says: where to open the data connection."""

    address: str
    port: int


@contextmanager
def failing(step: Step) -> Iterator[None]:
    """Turns every way in which a step can fail into FtpFailure."""
    try:
        yield
    except ftplib.Error as error:
        digits = re.match(r"\d{3}", str(error))
        raise FtpFailure(step, "reply", str(error), int(digits[0]) if digits else 0) from error
    except ssl.SSLError as error:
        raise FtpFailure(step, "tls", str(error)) from error
    except HostError as error:
        raise FtpFailure(step, "dial", str(error)) from error
    except EOFError as error:
        raise FtpFailure(step, "closed", "the connection was closed") from error
    except ValueError as error:
        raise FtpFailure(step, "reply", str(error)) from error
    except OSError as error:
        raise FtpFailure(step, _way(error), str(error) or type(error).__name__) from error


def _way(error: OSError) -> Way:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "unreachable" if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH) else "closed"


class _Lines:
    """The reading half of a control channel, in the shape in which ftplib reads lines."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._held = b""

    def readline(self, limit: int) -> str:
        """A line with its end, at most `limit` bytes of it, or "" at the end of the stream."""
        while b"\n" not in self._held and len(self._held) < limit:
            data = self._stream.recv(CHUNK)
            if not data:
                break
            self._held += data
        end = min(self._held.find(b"\n") + 1 or len(self._held), limit)
        line, self._held = self._held[:end], self._held[end:]
        return line.decode(errors="replace")

    @property
    def idle(self) -> bool:
        """Whether everything that came was read."""
        return not self._held


class FtpSession:
    """One FTP session. A step takes at most `step` seconds, all together at most `whole`; failures are FtpFailure."""

    def __init__(self, dial: Dial, address: str, port: int, *, step: float = 10.0, whole: float = 120.0) -> None:
        """Connect and read the greeting."""
        self._step = step
        self._end = Deadline.after(whole)
        self._tls: ssl.SSLContext | None = None
        with failing("connect"):
            self.raw = dial(address, port, step)
        self._timed = TimedStream(self.raw, self._end)
        self._channel: TimedStream | TlsStream = self._timed
        self._ftp = ftplib.FTP(encoding="utf-8")  # noqa: S321  # FTP is what is verified
        self._read_from(self._timed)
        try:
            with self._doing("greeting"):
                self.greeting = self._ftp.voidresp()
        except FtpFailure:
            self._timed.close()
            raise

    def _read_from(self, channel: TimedStream | TlsStream) -> None:
        """Let ftplib talk over `channel`; it asks no more of a socket and a file than these have."""
        self._channel, self._lines = channel, _Lines(channel)
        self._ftp.sock = cast("socket.socket", channel)
        self._ftp.file = cast("TextIO", self._lines)

    @contextmanager
    def _doing(self, step: Step) -> Iterator[None]:
        self._timed.deadline = self._by()
        with failing(step):
            yield

    def _by(self) -> Deadline:
        """When a step that starts now must be over."""
        own = Deadline.after(self._step)
        return own if own.expires < self._end.expires else self._end

    def secure(self) -> None:
        """Explicit TLS: AUTH TLS, then PBSZ 0 and PROT P for the data channels."""
        with self._doing("tls"):
            self._ftp.voidcmd("AUTH TLS")
            if not self._lines.idle:
                raise ssl.SSLError("the server went on talking in plain text")
            self._tls = tls_context()
            self._read_from(TlsStream(self._timed, self._tls))
            self._ftp.voidcmd("PBSZ 0")
            self._ftp.voidcmd("PROT P")

    def login(self, user: str, password: Secret) -> None:
        """USER and PASS, and binary mode."""
        with self._doing("login"):
            if self._ftp.sendcmd(f"USER {user}").startswith("3"):
                self._ftp.voidcmd(f"PASS {password.reveal()}")
            self._ftp.voidcmd("TYPE I")

    def enter(self, directory: str) -> None:
        """Go to `directory`; all names after it are meant in it."""
        with self._doing("directory"):
            self._ftp.voidcmd(f"CWD {directory}")

    def passive(self) -> Passive:
        """Ask PASV, and read what the 227 says."""
        with self._doing("pasv"):
            address, port = ftplib.parse227(self._ftp.sendcmd("PASV"))  # noqa: S321  # same
            return Passive(address, port)

    def list(self, data: Callable[[float], Stream]) -> bytes:
        """LIST over the connection that `data` opens within the seconds it is given."""
        return self._transfer("list", "LIST", data, _read_all)

    def store(self, name: str, content: bytes, data: Callable[[float], Stream]) -> None:
        """STOR `content` as `name`."""
        self._transfer("store", f"STOR {name}", data, lambda stream: stream.sendall(content))

    def retrieve(self, name: str, data: Callable[[float], Stream]) -> bytes:
        """RETR `name`."""
        return self._transfer("retrieve", f"RETR {name}", data, _read_all)

    def delete(self, name: str) -> None:
        """DELE `name`."""
        with self._doing("delete"):
            self._ftp.voidcmd(f"DELE {name}")

    def close(self) -> None:
        """QUIT, if the server answers it within GOODBYE seconds, and close."""
        with suppress(FtpFailure), failing("connect"):
            self._timed.deadline = Deadline.after(GOODBYE)
            self._ftp.voidcmd("QUIT")
        self._channel.close()

    def _transfer(self, step: Step, command: str, data: Callable[[float], Stream], move: Callable[[Stream], T]) -> T:
        """`command` with its data connection, which is opened first: IIS waits for it before it answers 125 or 150."""
        with failing("data"):
            opened = TimedStream(data(min(self._step, self._end.left)), self._by())
        try:
            with self._doing(step):
                self._ftp.sendcmd(command)
                channel = self._covered(opened)
                result = move(channel)
                channel.close()
        finally:
            opened.close()
        with self._doing(step):
            self._ftp.voidresp()
        return result

    def _covered(self, stream: TimedStream) -> TimedStream | TlsStream:
        """The data channel in TLS if the control channel is, resuming its session."""
        if self._tls is None or not isinstance(self._channel, TlsStream):
            return stream
        return TlsStream(stream, self._tls, self._channel.session)


def _read_all(stream: Stream) -> bytes:
    content = bytearray()
    while data := stream.recv(CHUNK):
        content += data
        if len(content) > MOST:
            raise OSError(f"more than {MOST} bytes")
    return bytes(content)
