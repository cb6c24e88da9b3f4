"""One endpoint of one FTP site: who may come in, and what a session asks of the service around it.

It must not know how the service is run. Everything here happens on the thread of the service's loop.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Protocol

from OpenSSL import SSL
from pyftpdlib.servers import FTPServer

from provision.lab.windows.ftp.datachannel import reset
from provision.lab.windows.ftp.files import SiteAuthorizer
from provision.lab.windows.ftp.ports import PassivePorts
from provision.lab.windows.ftp.session import Session
from provision.lab.windows.ftp.settings import FtpSettings, FtpSite


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service asks of its machine. ADMITS is the firewall's verdict on (client address, port)."""

    address: str
    settings: Callable[[], FtpSettings]
    admits: Callable[[str, int], bool]
    reserved_ports: Callable[[], Iterable[tuple[int, int]]]
    accounts: Callable[[], Mapping[str, str]]
    certificate: Callable[[str], tuple[Path, Path] | None]
    report: Callable[[str], None]


@dataclass(slots=True)
class Lockout:
    """denyByFailure: wrong logins per client address."""

    max_failures: int
    seconds: int
    failures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, address: str, now: float) -> None:
        """A wrong login from ADDRESS."""
        self.failures[address].append(now)

    def denies(self, address: str, now: float) -> bool:
        """Whether ADDRESS had too many of them lately."""
        recent = [when for when in self.failures.get(address, ()) if now - when < self.seconds]
        return len(recent) >= self.max_failures


class Service(Protocol):
    """The running service, as its listeners see it."""

    around: Surroundings
    loop: Any
    ports: PassivePorts
    lockout: Lockout | None

    def on_site(self, name: str) -> int: ...
    def add(self, session: Any) -> None: ...
    def remove(self, session: Any) -> None: ...


class Listener(FTPServer):  # type: ignore[misc]  # pyftpdlib ships no types
    """One endpoint of one site."""

    def __init__(self, bound: socket.socket, site: FtpSite, service: Service, tls: SSL.Context | None) -> None:
        self.site = site
        self.service = service
        self.tls = tls
        self.port: int = bound.getsockname()[1]
        self.ports = service.ports
        self.authorizer = SiteAuthorizer(site, service.around.accounts)
        super().__init__(bound, Session, ioloop=service.loop)

    def handle_accepted(self, sock: socket.socket, addr: tuple[str, int]) -> None:
        """Firewall, then the site's own rules, then a session."""
        if not self.admits(addr[0], self.port) or not self._welcome(addr[0]):
            reset(sock)
            return
        if self.service.on_site(self.site.name) >= self.site.max_connections:
            self._full(sock)
            return
        super().handle_accepted(sock, addr)

    def admits(self, remote: str, port: int) -> bool:
        """The firewall's verdict."""
        return self.service.around.admits(remote, port)

    def opened(self, session: Any) -> None:
        """A session began."""
        self.service.add(session)

    def ended(self, session: Any) -> None:
        """A session is over."""
        self.service.remove(session)

    def failed_login(self, remote: str) -> None:
        """For denyByFailure."""
        if self.service.lockout is not None:
            self.service.lockout.add(remote, time.monotonic())

    def _welcome(self, remote: str) -> bool:
        lockout = self.service.lockout
        if lockout is not None and lockout.denies(remote, time.monotonic()):
            return False
        for rule in self.site.addresses:
            if IPv4Address(remote) in IPv4Network(f"{rule.address}/{rule.mask}", strict=False):
                return rule.allowed
        return self.site.unlisted_allowed

    def _full(self, sock: socket.socket) -> None:
        if self.site.reset_on_max:
            reset(sock)
            return
        sock.send(b"421 Maximum number of connections has been reached.\r\n")
        sock.close()
