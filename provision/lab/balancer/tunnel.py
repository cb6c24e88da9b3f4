"""direct-tcpip of the balancer's SSH server: connections that leave from the balancer's own address.

Everything on loopback seems to come from 127.0.0.1; Windows Firewall in the lab judges by the remote address, so it matters. The
balancer's own 127.0.0.1 is a folder of unix sockets, so that nobody reaches the services of the machine that runs the lab.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncssh
from asyncssh.forward import SSHForwarder

CONNECT_SECONDS = 10.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Inner(SSHForwarder):
    """The end towards the destination; it is not read before the SSH channel is there, or its end of file would be lost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, and held."""
        super().connection_made(transport)
        self.pause_reading()


class _Outer(SSHForwarder):
    """The end towards the SSH client."""

    def __init__(self, inner: _Inner) -> None:
        super().__init__(inner)
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The channel is there: let the destination speak."""
        super().connection_made(transport)
        self._inner.resume_reading()

    def eof_received(self) -> bool:
        """The client says no more; when the destination said so before, nobody else would close the two."""
        goes_on = super().eof_received()
        if not goes_on:
            self.close()
        return goes_on


async def connect(host: str, port: int, source: str, loopback: Path) -> SSHForwarder:
    """The inner end of a tunnel; ChannelOpenError with the reason when nobody answers."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            if host in _LOOPBACK:
                _, peer = await loop.create_unix_connection(_Inner, str(loopback / f"{port}.sock"))
            else:
                _, peer = await loop.create_connection(_Inner, host, port, local_addr=(source, 0))
    except FileNotFoundError as error:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Connection refused") from error
    except OSError as error:  # TimeoutError is one
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, str(error) or "Connection timed out") from error
    return _Outer(peer)
