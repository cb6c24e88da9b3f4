"""An FTP client that verifies: it asks PASV (never EPSV), reads the 227 itself, and keeps deadlines.

Built over ftplib's reading of replies; ftplib's own data connections ignore the address in the 227 and want real
sockets. Works over any `Dial`, so also through an SSH channel. Judges nothing: `verify` does.
"""

from __future__ import annotations

import ftplib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from provision.engine.ftp_control import Control, Step, failing
from provision.engine.ftp_stream import CHUNK, Dial, Stream, TimedStream
from provision.model.secret import Secret

MOST = 16 * 1024 * 1024
"""Bytes of one listing or file beyond which reading stops: a probe's directory is small."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passive:
    """What a 227 says: where to open the data connection."""

    address: str
    port: int


class FtpSession:
    """One FTP session. A step takes at most `step` seconds, all together at most `whole`; failures are FtpFailure."""

    def __init__(self, dial: Dial, address: str, port: int, *, step: float = 10.0, whole: float = 120.0) -> None:
        """Connect and read the greeting."""
        self._control = Control(dial, address, port, step, whole)
        self._ftp = self._control.ftp
        self.raw, self.greeting = self._control.raw, self._control.greeting

    def secure(self) -> None:
        """Explicit TLS: AUTH TLS, then PBSZ 0 and PROT P for the data channels."""
        with self._control.doing("tls"):
            self._ftp.voidcmd("AUTH TLS")
            self._control.encrypt()
            self._ftp.voidcmd("PBSZ 0")
            self._ftp.voidcmd("PROT P")

    def login(self, user: str, password: Secret) -> None:
        """USER and PASS, and binary mode."""
        with self._control.doing("login"):
            if self._ftp.sendcmd(f"USER {user}").startswith("3"):
                self._ftp.voidcmd(f"PASS {password.reveal()}")
            self._ftp.voidcmd("TYPE I")

    def enter(self, directory: str) -> None:
        """Go to `directory`; all names after it are meant in it."""
        with self._control.doing("directory"):
            self._ftp.voidcmd(f"CWD {directory}")

    def passive(self) -> Passive:
        """Ask PASV, and read what the 227 says."""
        with self._control.doing("pasv"):
            address, port = ftplib.parse227(self._ftp.sendcmd("PASV"))
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
        with self._control.doing("delete"):
            self._ftp.voidcmd(f"DELE {name}")

    def close(self) -> None:
        """QUIT, if the server still answers, and close."""
        self._control.close()

    def _transfer(self, step: Step, command: str, data: Callable[[float], Stream], move: Callable[[Stream], T]) -> T:
        """`command` with its data connection, which is opened first: IIS waits for it before it answers 125 or 150."""
        deadline = self._control.deadline()
        with failing("data"):
            opened = TimedStream(data(deadline.left), deadline)
        try:
            with self._control.doing(step):
                self._ftp.sendcmd(command)
                channel = self._control.covered(opened)
                result = move(channel)
                channel.close()
        finally:
            opened.close()
        with self._control.doing(step):
            self._ftp.voidresp()
        return result


def _read_all(stream: Stream) -> bytes:
    content = bytearray()
    while data := stream.recv(CHUNK):
        content += data
        if len(content) > MOST:
            raise OSError(f"more than {MOST} bytes")
    return bytes(content)
