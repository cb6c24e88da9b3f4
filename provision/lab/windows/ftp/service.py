"""The FTP service: reads its settings when it starts, listens for every site, and forgets all when it stops.

It must not know files, PowerShell or WinRM; what surrounds it comes in as functions. One thread runs one loop for
all sites. A connection that the firewall does not admit sees no banner: it is reset.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from pyftpdlib.ioloop import IOLoop

from provision.lab.windows.ftp.listener import Listener, Lockout, Surroundings
from provision.lab.windows.ftp.ports import PassivePorts
from provision.lab.windows.ftp.settings import FtpSite

log = logging.getLogger("provision.lab.ftp")


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as IIS lists it. STARTED is seconds since the epoch."""

    site: str
    session_id: str
    user: str
    client: str
    started: float
    command: str


class Waker:
    """Wakes the loop from another thread; sits in the loop's map like a connection."""

    def __init__(self, loop: Any) -> None:
        self._here, self._there = socket.socketpair()
        self._here.setblocking(False)
        self._fileno = self._here.fileno()
        loop.register(self._fileno, self, loop.READ)

    def wake(self) -> None:
        """Safe from any thread, also when the loop saw by itself that it shall end, and closed us."""
        with contextlib.suppress(OSError):
            self._there.send(b"!")

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        self._here.recv(64)

    def handle_close(self) -> None:
        """Only we close it."""

    def close(self) -> None:
        self._here.close()
        self._there.close()


class FtpService:
    """ftpsvc: `start()` takes settings and listens, `stop()` drops every session; both may be called again."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.loop: Any = None
        self.ports = PassivePorts(None, around.reserved_ports)
        self.lockout: Lockout | None = None
        self._sessions: dict[Any, SessionInfo] = {}
        self._started: tuple[str, ...] = ()
        self._control_ports: list[int] = []
        self._waker: Waker | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Read settings, bind every site. A site that cannot be bound is reported and stays stopped.

        Raises BadFtpConfiguration, SectionRefused, SchemaViolation, NotWellFormed: then nothing runs.
        """
        settings = self.around.settings()
        self.ports = PassivePorts(settings.ports, self.around.reserved_ports)
        self.lockout = Lockout(settings.deny.max_failures, settings.deny.seconds) if settings.deny else None
        self.loop = IOLoop()
        self._control_ports = []
        self._waker = Waker(self.loop)
        self._started = tuple(site.name for site in settings.sites if site.auto_start and self._listen(site))
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="ftpsvc", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every listener and session."""
        if self._thread is None or self._waker is None:
            return
        self._stopping.set()
        self._waker.wake()
        self._thread.join()
        self._thread, self._started = None, ()

    def sessions(self) -> tuple[SessionInfo, ...]:
        """Sessions of all sites, oldest first; safe from any thread."""
        return tuple(SessionInfo(info.site, info.session_id, session.username, info.client, info.started,
                                 session.command)
                     for session, info in list(self._sessions.items()))

    def site_started(self, name: str) -> bool:
        """Whether the site listens."""
        return name in self._started

    def listening_ports(self) -> tuple[int, ...]:
        """Control and passive ports that the service holds now; safe from any thread."""
        return (*self._control_ports, *tuple(self.ports.held)) if self._thread is not None else ()

    def on_site(self, name: str) -> int:
        """How many sessions one site has."""
        return sum(info.site == name for info in self._sessions.values())

    def add(self, session: Any) -> None:
        """Called on the loop's thread."""
        self._sessions[session] = SessionInfo(session.site.name, str(uuid.uuid4()), "", session.remote_ip,
                                              time.time(), "")

    def remove(self, session: Any) -> None:
        """Called on the loop's thread."""
        self._sessions.pop(session, None)

    def _listen(self, site: FtpSite) -> bool:
        certificate = self.around.certificate(site.certificate_hash) if site.certificate_hash else None
        tls = None if certificate is None else _context(*certificate)
        for address, port in site.endpoints:
            try:
                bound = _bind(self.around.address if address == "*" else address, port)
            except OSError as error:
                self.around.report(f"The FTP Service could not bind to {address}:{port} for site '{site.name}': "
                                   f"{error.strerror}")
                return False
            Listener(bound, site, self, tls)
            self._control_ports.append(port)
        return True

    def _run(self) -> None:
        timeout: float | None = None
        while not self._stopping.is_set():
            try:
                self.loop.poll(timeout)
                timeout = self.loop.sched.poll()
            except Exception:
                log.exception("the FTP loop met a defect")
        self.loop.close()
        self._sessions.clear()


def _bind(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((address, port))
    except OSError:
        opened.close()
        raise
    return opened


def _context(certificate: Path, key: Path) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(key))
    return context
