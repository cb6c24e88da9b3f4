"""The balancer's SSH server: logins, commands, SFTP and tunnels. It knows who may come in; what they run is elsewhere."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from provision.lab.balancer import tunnel
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.settings import Settings
from provision.lab.balancer.sftp import RootedSFTP
from provision.lab.balancer.shell import Shells

HOST_KEY = "ssh_host_ed25519_key"


@dataclass(slots=True)
class Counters:
    """What the server has seen since the process began."""

    connections: int = 0
    execs: int = 0


class _Login(asyncssh.SSHServer):
    """One connection. `admits` asks the firewall about the client's address."""

    def __init__(
        self,
        settings: Settings,
        layout: Layout,
        counters: Counters,
        admits: Callable[[str, int], bool],
        is_open: set[asyncssh.SSHServerConnection],
    ) -> None:
        self._settings = settings
        self._layout = layout
        self._counters = counters
        self._admits = admits
        self._is_open = is_open
        self._connection: asyncssh.SSHServerConnection | None = None
        self._keys = frozenset(asyncssh.import_public_key(key).public_data for key in settings.authorized_keys)
        self.shells = Shells(layout, settings)

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """A client is there; the firewall may send it away before a word is said."""
        self._counters.connections += 1
        self._connection = conn
        self._is_open.add(conn)
        if not self._admits(conn.get_extra_info("peername")[0], self._settings.port):
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, and so are its commands."""
        self.shells.end()
        if self._connection is not None:
            self._is_open.discard(self._connection)

    def public_key_auth_supported(self) -> bool:
        """Always."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Only the one user, only the keys of host.json."""
        return username == self._settings.user and key.public_data in self._keys

    def password_auth_supported(self) -> bool:
        """Where host.json gives one."""
        return self._settings.password is not None

    def validate_password(self, username: str, password: str) -> bool:
        """Only the one user."""
        wanted = self._settings.password
        return (
            wanted is not None
            and username == self._settings.user
            and hmac.compare_digest(password.encode(), wanted.encode())
        )

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,
        orig_port: int,
    ) -> Coroutine[Any, Any, Any]:
        """A tunnel (ssh -L, ssh -W)."""
        return tunnel.connect(dest_host, dest_port, self._settings.source, self._layout.lab / "lo")


def host_key(directory: Path) -> asyncssh.SSHKey:
    """The host's own key, made when there is none."""
    path = directory / HOST_KEY
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="lab")
        key.write_private_key(str(path))
        path.chmod(0o600)
        key.write_public_key(f"{path}.pub")
    return asyncssh.read_private_key(str(path))


def put_aside(directory: Path) -> None:
    """Make room for another key; the first one is kept, so that it can come back."""
    kept = directory / f"{HOST_KEY}.first"
    path = directory / HOST_KEY
    if kept.exists():
        path.unlink()
    else:
        path.rename(kept)


def put_back(directory: Path) -> None:
    """The first key again; no harm when it was never put aside."""
    kept = directory / f"{HOST_KEY}.first"
    if kept.exists():
        kept.rename(directory / HOST_KEY)
        asyncssh.read_private_key(str(directory / HOST_KEY)).write_public_key(str(directory / f"{HOST_KEY}.pub"))


class SshServer:
    """Listens on the address and port of host.json."""

    def __init__(self, layout: Layout, settings: Settings, admits: Callable[[str, int], bool]) -> None:
        self.counters = Counters()
        self._layout = layout
        self._settings = settings
        self._admits = admits
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._open: set[asyncssh.SSHServerConnection] = set()

    async def start(self) -> None:
        """OSError when the address is taken or not there."""
        self._acceptor = await asyncssh.create_server(
            self._login,
            self._settings.address,
            self._settings.port,
            server_host_keys=[host_key(self._layout.root)],
            process_factory=self._run,
            encoding=None,
            line_editor=False,
            allow_scp=True,
            reuse_address=True,
            sftp_factory=lambda channel: RootedSFTP(channel, self._layout.root),
        )

    def _login(self) -> _Login:
        return _Login(self._settings, self._layout, self.counters, self._admits, self._open)

    async def _run(self, channel: asyncssh.SSHServerProcess[bytes]) -> None:
        self.counters.execs += 1
        login = channel.channel.get_connection().get_owner()
        if isinstance(login, _Login):
            await login.shells.run(channel)

    def change_host_key(self, back: bool) -> None:
        """From the next connection on another host key, or the first one again."""
        (put_back if back else put_aside)(self._layout.root)
        if self._acceptor is not None:
            self._acceptor.update(server_host_keys=[host_key(self._layout.root)])

    def hang_up(self) -> None:
        """Drop every connection, as a reboot does."""
        for connection in tuple(self._open):
            connection.abort()

    async def close(self) -> None:
        """Stop listening, and drop who is there."""
        self.hang_up()
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
