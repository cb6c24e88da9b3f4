"""Passive ports: which one the next PASV gets, and when none is left.

It must not know FTP replies. The service walks through its range in order and holds a port from PASV until the data
connection is over. A port that it does not hold itself but cannot bind (reserved by Windows, or in use by another
program) fails that PASV: IIS was seen to answer 425 for exactly that port and to serve the next one again
(azure-pipelines-tasks issue 5929).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


class NoPassivePort(Exception):
    """No data channel can be opened: the range is used up, or the port's turn came and it cannot be bound."""


@dataclass(slots=True)
class PassivePorts:
    """The range (None: ephemeral) and who holds what. Used by one thread only: the service's loop.

    RESERVED gives the port ranges, inclusive, that Windows keeps for itself; it is asked at each PASV.
    """

    ports: range | None
    reserved: Callable[[], Iterable[tuple[int, int]]]
    held: set[int] = field(default_factory=set)
    position: int = 0

    def open(self, address: str) -> socket.socket:
        """A bound socket, not yet listening, on ADDRESS. Raises NoPassivePort."""
        if self.ports is None:
            return _bind(address, 0)
        port = self._next(self.ports)
        if any(low <= port <= high for low, high in self.reserved()):
            raise NoPassivePort(f"port {port} is reserved by Windows (10013)")
        bound = _bind(address, port)
        self.held.add(port)
        return bound

    def release(self, port: int) -> None:
        """The data connection on PORT is over."""
        self.held.discard(port)

    def _next(self, ports: range) -> int:
        for _ in ports:
            port = ports[self.position % len(ports)]
            self.position += 1
            if port not in self.held:
                return port
        raise NoPassivePort(f"all {len(ports)} ports are in use")


def _bind(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
    except OSError as error:
        opened.close()
        raise NoPassivePort(f"port {port} cannot be bound: {error.strerror}") from error
    return opened
