"""One FTP session with the policy of IIS: SSL, timeouts, passive ports, and when a transfer gets 425.

It must not know where settings come from. Everything runs on the thread of the service's loop.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from provision.lab.windows.ftp.datachannel import DataChannel, PassiveChannel
from provision.lab.windows.ftp.files import SiteFiles
from provision.lab.windows.ftp.ports import NoPassivePort
from provision.lab.windows.ftp.settings import SSL_ALLOW, SSL_DENY, SSL_REQUIRE, FtpSite
from provision.lab.windows.ftp.wording import IisWording

CANNOT_OPEN = "425 Cannot open data connection."
POLICY = "534 Policy requires SSL."
NO_TLS = "534 Local policy on server does not allow TLS secure connections."
TRANSFERS = frozenset({"LIST", "NLST", "RETR", "STOR", "STOU", "APPE"})

class Session(IisWording):
    """A control connection; SERVER is the listener of one endpoint of one site."""

    dtp_handler = DataChannel
    abstracted_fs = SiteFiles
    auth_failed_timeout = 0
    data_channel: Any
    _dtp_acceptor: Any
    _out_dtp_queue: Any
    _in_dtp_queue: Any

    def __init__(self, conn: socket.socket, server: Any, ioloop: Any = None) -> None:
        self.site: FtpSite = server.site
        self.authorizer = server.authorizer
        self.timeout = self.site.timeouts.control
        self.banner = self.site.banner or "Microsoft FTP Service"
        self.permit_foreign_addresses = not self.site.match_port
        self.command = ""
        self.leased_port: int | None = None
        super().__init__(conn, server, ioloop)
        self.ssl_context = server.tls
        if self.connected:
            server.opened(self)
            self.call_later(self.site.timeouts.unauthenticated, self.expire_unauthenticated)

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """Policy first: SSL, then whether a transfer has a data connection to run on."""
        self.command = cmd
        refusal = self._refusal(cmd)
        if refusal is None:
            super().process_command(cmd, *args, **kwargs)
        else:
            self.respond(refusal)

    def _refusal(self, cmd: str) -> str | None:
        if cmd in ("USER", "PASS") and self.site.control_policy != SSL_ALLOW and not self._ssl_established:
            return POLICY
        if cmd == "AUTH" and self.ssl_context is None:
            return NO_TLS
        if cmd not in TRANSFERS:
            return None
        if self.site.data_policy == SSL_REQUIRE and not self._prot:
            return POLICY
        if self.site.data_policy == SSL_DENY and self._prot:
            return "534 Policy denies SSL."
        connected = self.data_channel or self._dtp_acceptor or self._dtp_connector
        return None if connected else CANNOT_OPEN

    def _make_epasv(self, extmode: bool = False) -> None:
        self._shutdown_connecting_dtp()
        if self.data_channel is not None:
            self.data_channel.close()
            self.data_channel = None
        try:
            bound = self.server.ports.open(self.socket.getsockname()[0])
        except NoPassivePort as reason:
            self.log(f"425: {reason}")
            self.respond(CANNOT_OPEN)
            return
        self.leased_port = bound.getsockname()[1]
        self._dtp_acceptor = PassiveChannel(self, bound, extended=extmode)

    def release_port(self) -> None:
        """Give the passive port back to the service."""
        if self.leased_port is not None:
            self.server.ports.release(self.leased_port)
            self.leased_port = None

    def data_failed(self) -> None:
        """No data connection came, or not from the client: 425 to the transfer that waits for it."""
        waiting = self._out_dtp_queue or self._in_dtp_queue
        files = [part for part in (waiting or ()) if hasattr(part, "fileno")]
        self._out_dtp_queue = self._in_dtp_queue = self._dtp_acceptor = None
        for file in files:
            file.close()
        if waiting is not None:
            self.respond(CANNOT_OPEN)

    def _on_dtp_close(self) -> None:
        self.release_port()
        super()._on_dtp_close()

    def close(self) -> None:
        if not self._closed:
            self.server.ended(self)
        super().close()
        self.release_port()

    def expire_unauthenticated(self) -> None:
        """Nobody logged in within the site's unauthenticatedTimeout."""
        if not self._closed and not self.authenticated:
            self.respond(f"421 Timeout ({self.site.timeouts.unauthenticated} seconds): closing control connection.")
            self.close_when_done()

    def handle_timeout(self) -> None:
        """The control channel was silent for the site's controlChannelTimeout."""
        self.respond(f"421 Timeout ({self.timeout} seconds): closing control connection.")
        self.close_when_done()

    def on_incomplete_file_received(self, file: str) -> None:
        """An upload that broke off is not kept, unless the site says so."""
        if not self.site.keep_partial_uploads:
            os.unlink(file)

    def on_login_failed(self, _username: str, _password: str) -> None:
        self.server.failed_login(self.remote_ip)
