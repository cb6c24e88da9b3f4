"""Data connections: the listening side of PASV and EPSV, and the transfer itself.

It must not know how ports are chosen. Runs on the thread of the service's loop.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from pyftpdlib.handlers import TLS_DTPHandler
from pyftpdlib.ioloop import Acceptor


class DataChannel(TLS_DTPHandler):  # type: ignore[misc]  # pyftpdlib ships no types
    """One transfer."""

    ac_in_buffer_size = 262_144
    ac_out_buffer_size = 262_144

    def __init__(self, sock: socket.socket, session: Any) -> None:
        self.timeout = session.site.timeouts.data
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(sock, session)


class PassiveChannel(Acceptor):  # type: ignore[misc]  # pyftpdlib ships no types
    """Waits on a passive port for one connection, and has answered 227 or 229 once it is made.

    A connection that Windows Firewall does not admit is dropped without a word, as if it had never come; one from
    another client address, where the site asks for the same, ends the wait and the transfer gets 425.
    """

    def __init__(self, session: Any, bound: socket.socket, *, extended: bool) -> None:
        super().__init__(ioloop=session.ioloop)
        self.session = session
        self.port: int = bound.getsockname()[1]
        self.accepted = False
        bound.setblocking(False)
        self.set_socket(bound)
        self.listen(5)
        self.call_later(session.site.timeouts.data, self.handle_timeout)
        own: str = bound.getsockname()[0]
        session.respond(extended_reply(self.port) if extended
                        else passive_reply(session.site.external_address or own, self.port))

    def handle_accepted(self, sock: socket.socket, addr: tuple[str, int]) -> None:
        """A connection came in on the port."""
        session = self.session
        if not session.server.admits(addr[0], self.port):
            reset(sock)
            return
        if session.site.match_pasv and addr[0] != session.remote_ip:
            sock.close()
            self.close()
            session.data_failed()
            return
        self.accepted = True
        self.close()
        channel = session.dtp_handler(sock, session)
        if channel.connected:
            session.data_channel = channel
            session._on_dtp_connection()

    def handle_timeout(self) -> None:
        """Nobody connected within the site's dataChannelTimeout."""
        self.close()
        self.session.data_failed()

    def handle_error(self) -> None:
        """A defect of ours: the log has it, the session goes on without this port."""
        self.session.log_exception(self)
        self.close()

    def close(self) -> None:
        """Stop listening; the port is free again unless a transfer runs on it."""
        super().close()
        if not self.accepted:
            self.session.release_port()


def passive_reply(address: str, port: int) -> str:
    """227 with the address that clients shall use."""
    return f"227 Entering Passive Mode ({address.replace('.', ',')},{port // 256},{port % 256})."


def extended_reply(port: int) -> str:
    """229, which carries no address."""
    return f"229 Entering Extended Passive Mode (|||{port}|)"


def reset(sock: socket.socket) -> None:
    """Close with a TCP reset: what comes nearest to a dropped packet without holding the client up."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
