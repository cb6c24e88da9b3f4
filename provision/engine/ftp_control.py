"""An FTP control channel: commands and replies over any stream, with deadlines, and what can go wrong with them.

ftplib reads the replies; it is given a stream and lines in place of its socket and file. Knows no data channels and
no order of commands: `ftp_client` does.
"""

from __future__ import annotations

import errno
import ftplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal, TextIO, cast

from provision.engine.ftp_stream import CHUNK, Dial, Stream, TimedStream, TlsStream, tls_context
from provision.errors import HostError, NoChannel
from provision.remote.deadline import Deadline

Step = Literal[
    "connect", "greeting", "tls", "login", "directory", "pasv", "data", "list", "store", "retrieve", "delete"
]
Way = Literal["refused", "unreachable", "timeout", "closed", "reply", "tls", "dial", "ssh"]

GOODBYE = 1.0
"""Seconds in which a server may answer QUIT."""


class FtpFailure(Exception):
    """A step failed. `reply`: the server's three digits where it answered, else 0; `text`: its words or the error's."""

    def __init__(self, step: Step, way: Way, text: str, reply: int = 0) -> None:
        super().__init__(step, way, text, reply)
        self.step, self.way, self.text, self.reply = step, way, text, reply

    def __str__(self) -> str:
        return f"{self.step}: {self.text}"


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
        raise FtpFailure(step, "dial" if isinstance(error, NoChannel) else "ssh", str(error)) from error
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


class Control:
    """One control channel. A step takes at most `step` seconds, all together at most `whole`; failures: FtpFailure."""

    def __init__(self, dial: Dial, address: str, port: int, step: float, whole: float) -> None:
        """Connect and read the greeting."""
        self._step = step
        self._end = Deadline.after(whole)
        with failing("connect"):
            self.raw = dial(address, port, step)
        self._timed = TimedStream(self.raw, self._end)
        self.ftp = ftplib.FTP(encoding="utf-8")
        self._talk_over(self._timed)
        try:
            with self.doing("greeting"):
                self.greeting = self.ftp.voidresp()
        except FtpFailure:
            self._timed.close()
            raise

    def _talk_over(self, stream: TimedStream | TlsStream) -> None:
        """Let ftplib use `stream`: it asks no more of a socket and a file than a stream and its lines have."""
        self._stream, self._lines = stream, _Lines(stream)
        self.ftp.sock = cast("socket.socket", stream)
        self.ftp.file = cast("TextIO", self._lines)

    @contextmanager
    def doing(self, step: Step) -> Iterator[None]:
        """A step: its deadline runs from here, and its failures are FtpFailure."""
        self._timed.deadline = self.deadline()
        with failing(step):
            yield

    def deadline(self) -> Deadline:
        """When a step that starts now must be over."""
        own = Deadline.after(self._step)
        return own if own.expires < self._end.expires else self._end

    def encrypt(self) -> None:
        """Go on in TLS. What came in the clear before it and was not asked for is refused, not read as if in TLS."""
        if not self._lines.idle:
            raise ssl.SSLError("the server went on talking in plain text")
        self._context = tls_context()
        self._talk_over(TlsStream(self._timed, self._context))

    def covered(self, stream: TimedStream) -> TimedStream | TlsStream:
        """A data channel in TLS if this channel is, resuming its session."""
        if not isinstance(self._stream, TlsStream):
            return stream
        return TlsStream(stream, self._context, self._stream.session)

    def close(self) -> None:
        """QUIT, if the server answers it in time, and close."""
        with suppress(FtpFailure), failing("connect"):
            self._timed.deadline = Deadline.after(GOODBYE)
            self.ftp.voidcmd("QUIT")
        self._stream.close()
