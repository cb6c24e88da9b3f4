"""The FTP client over real SSH channels: what reaches servers whose firewall admits the balancer only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import paramiko
import pytest
from verify.ftp_servers import PASSWORD, USER, certificate, closed_port, ftp_server

from provision.engine.ftp_client import FtpSession, Passive
from provision.engine.ftp_control import FtpFailure
from provision.engine.ftp_stream import Stream
from provision.model.secret import Secret

BALANCER, SERVER = "127.0.33.1", "127.0.33.11"
CONTENT = bytes(range(256)) * 4096


class Forwarder(asyncssh.SSHServer):
    """Lets anybody in and connects wherever it is told."""

    def begin_auth(self, username: str) -> bool:
        return False

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True


@contextmanager
def ssh_transport() -> Iterator[paramiko.Transport]:
    """A paramiko connection to a real SSH server."""
    loop = asyncio.new_event_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")
    acceptor = loop.run_until_complete(asyncssh.listen(BALANCER, 0, server_factory=Forwarder, server_host_keys=[key]))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    transport = paramiko.Transport(socket.create_connection((BALANCER, acceptor.get_port()), 5))
    try:
        transport.start_client(timeout=5)
        transport.auth_none("root")
        yield transport
    finally:
        transport.close()
        loop.call_soon_threadsafe(acceptor.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_file_goes_through_the_balancer_and_back_byte_for_byte(secure: bool, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    tls = certificate(tmp_path) if secure else None
    with ssh_transport() as ssh, ftp_server(SERVER, home, range(10000, 10010), tls=tls) as port:

        def dial(address: str, to: int, seconds: float) -> Stream:
            return ssh.open_channel("direct-tcpip", (address, to), ("127.0.0.1", 0), timeout=seconds)

        def data(passive: Passive, seconds: float) -> Stream:
            return dial(SERVER, passive.port, seconds)

        session = FtpSession(dial, SERVER, port)
        if secure:
            session.secure()
        session.login(USER, Secret(PASSWORD))
        passive = session.passive()
        session.store("big.bin", CONTENT, lambda seconds: data(passive, seconds))
        second = session.passive()
        assert session.retrieve("big.bin", lambda seconds: data(second, seconds)) == CONTENT
        session.close()
    assert (home / "big.bin").read_bytes() == CONTENT


def test_a_channel_that_hears_nothing_keeps_the_deadline() -> None:
    with ssh_transport() as ssh, socket.create_server((SERVER, 0)) as silent:

        def dial(address: str, to: int, seconds: float) -> Stream:
            return ssh.open_channel("direct-tcpip", (address, to), ("127.0.0.1", 0), timeout=seconds)

        with pytest.raises(FtpFailure) as caught:
            FtpSession(dial, SERVER, silent.getsockname()[1], step=0.3)
    assert (caught.value.step, caught.value.way) == ("greeting", "timeout")


def test_a_port_that_is_closed_behind_the_balancer_is_refused() -> None:
    with ssh_transport() as ssh:

        def dial(address: str, to: int, seconds: float) -> Stream:
            try:
                return ssh.open_channel("direct-tcpip", (address, to), ("127.0.0.1", 0), timeout=seconds)
            except paramiko.ChannelException as error:
                raise ConnectionRefusedError(str(error)) from error

        with pytest.raises(FtpFailure) as caught:
            FtpSession(dial, SERVER, closed_port(SERVER))
    assert (caught.value.step, caught.value.way) == ("connect", "refused")
