"""Shell sessions over SSH, with Fabric: one connection, one exec for each script, a channel where FTP is tried.

It must not know what a script says. Host keys are checked always; nothing is contacted before the first use.
Script and payload go through the channel's own stream (Fabric's `in_stream` moves a byte every 10 ms).
"""

from __future__ import annotations

import logging
import shlex
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import fabric
import paramiko

from provision.errors import NoChannel
from provision.model.command import ShellResult, ShellScript
from provision.remote.deadline import Deadline
from provision.remote.ssh_errors import FOREIGN, HostKeyUnknown, explain, unusable
from provision.remote.ssh_exec import BOOTSTRAP, PAUSE, SUDO_PROMPT, Exec
from provision.remote.ssh_target import SshTarget

_KEEPALIVE = 30


class ShellSession(Protocol):
    """A session that runs scripts one after the other. `connections` and `execs` count what it cost."""

    connections: int
    execs: int

    def run(self, script: ShellScript, deadline: float) -> ShellResult:
        """Run `script` as root in one exec, connecting first if need be. `deadline`: seconds for all of it.

        Raises ConnectionFailed when there is no session, it breaks, sudo refuses, or a deadline passes.
        """
        ...

    def open_channel(self, address: str, port: int) -> paramiko.Channel:
        """A connection from the machine to `address`. Raises OSError when that end refuses, ConnectionFailed else."""
        ...

    def close(self) -> None:
        """Hang up. Never raises."""
        ...


class Connection(Protocol):
    """What we use of a `fabric.Connection`, which has no types of its own."""

    host: str
    port: int
    connect_timeout: float
    connect_kwargs: dict[str, object]
    ssh_config: Mapping[str, str]
    client: paramiko.SSHClient
    transport: paramiko.Transport
    gateway: Connection | str | None
    is_connected: bool

    def open(self) -> object:
        """Connect, through the gateway if there is one."""
        ...

    def close(self) -> object:
        """Hang up."""
        ...


class FabricSession:
    """See `ShellSession`. `clock` gives monotonic seconds."""

    def __init__(self, target: SshTarget, clock: Callable[[], float]) -> None:
        self.connections = 0
        self.execs = 0
        self._target = target
        self._clock = clock
        self._connection: Connection | None = None

    def run(self, script: ShellScript, deadline: float) -> ShellResult:
        """One exec; see `ShellSession.run`."""
        limit = Deadline.after(deadline, self._clock)
        transport = self._transport(limit)
        text = script.script.encode()
        words = ("sh", "-c", BOOTSTRAP, "provision", str(len(text)), *script.arguments)
        command = shlex.join((*self._as_root(transport), *words))
        self.execs += 1
        try:
            channel = transport.open_session(timeout=max(limit.left, PAUSE))
            try:
                channel.exec_command(command)
                return Exec(channel, self._target, limit).run(text + script.payload)
            finally:
                channel.close()
        except FOREIGN as error:
            raise explain(error, self._target, f"running '{script.name}'") from error

    def open_channel(self, address: str, port: int) -> paramiko.Channel:
        """A direct-tcpip channel; see `ShellSession.open_channel`."""
        limit = Deadline.after(self._target.connect_timeout, self._clock)
        transport = self._transport(limit)
        try:
            return transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=limit.left)
        except paramiko.ChannelException as error:
            if error.code == 2:  # SSH_OPEN_CONNECT_FAILED, RFC 4254 5.1
                raise ConnectionRefusedError(f"{address}:{port} refused {self._target.host}") from error
            raise self._no_channel(error, address, port) from error
        except FOREIGN as error:
            raise self._no_channel(error, address, port) from error

    def _no_channel(self, error: Exception, address: str, port: int) -> NoChannel:
        told = explain(error, self._target, f"opening a channel to {address}:{port}")
        return NoChannel(told.code, told.what, host=told.host, why=told.why, next=told.next)

    def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _hang_up(connection)

    def _transport(self, limit: Deadline) -> paramiko.Transport:
        """The open connection; made on first use, and anew when it died."""
        if self._connection is None or not self._connection.is_connected:
            self.close()
            self.connections += 1
            seconds = min(self._target.connect_timeout, limit.left)
            self._connection = connect(self._target, max(seconds, PAUSE))
        return self._connection.transport

    def _as_root(self, transport: paramiko.Transport) -> tuple[str, ...]:
        if transport.get_username() == "root":
            return ()
        return ("sudo", "-S", "-p", SUDO_PROMPT) if self._target.sudo_password else ("sudo", "-n")


# --- connecting -----------------------------------------------------------------------------------------------------


def open_ssh(target: SshTarget, clock: Callable[[], float] = time.monotonic) -> ShellSession:
    """A session with `target`; it connects on first use."""
    return FabricSession(target, clock)


def connect(target: SshTarget, seconds: float) -> Connection:
    """The one place that makes connections: an open Fabric connection, its host key checked.

    Raises ConnectionFailed. ~/.ssh/config is honoured for what the cluster file leaves out, ProxyJump included.
    """
    close_loggers()
    try:
        connection = _prepare(target, seconds)
        _open(connection, seconds)
    except FOREIGN as error:
        raise explain(error, target, "connecting") from error
    connection.transport.set_keepalive(_KEEPALIVE)
    return connection


def _open(connection: Connection, seconds: float) -> None:
    """Open it; what is half open when that fails is closed again."""
    try:
        if connection.gateway is None:
            connection.connect_kwargs["sock"] = _socket(connection.host, connection.port, seconds)
        connection.open()
    except FOREIGN:
        connection.client.close()
        raise


def _prepare(target: SshTarget, seconds: float) -> Connection:
    """Fabric's own files are not read: a ~/.fabric.py is code."""
    config = fabric.Config(lazy=True)
    config.load_ssh_config()
    kwargs: dict[str, object] = {"banner_timeout": seconds, "auth_timeout": seconds, "channel_timeout": seconds}
    if target.password is not None:  # one guess, and nothing before it that a server could count as a failure
        kwargs |= {"password": target.password.reveal(), "allow_agent": False, "look_for_keys": False}
    if target.key_file is not None:
        if not target.key_file.is_file():
            raise unusable(target, f"the key file {target.key_file} is not there", "correct ssh.key_file")
        kwargs |= {"key_filename": str(target.key_file), "look_for_keys": False}
    connection: Connection = fabric.Connection(
        target.address, user=target.user, port=target.port, config=config, connect_kwargs=kwargs
    )
    connection.connect_timeout = seconds
    hop: Connection | str | None = connection
    while hop is not None and not isinstance(hop, str):
        _check_host_keys(hop, target)
        hop = hop.gateway
    return connection


def _check_host_keys(connection: Connection, target: SshTarget) -> None:
    """Fabric accepts any key unless told otherwise; every hop is told."""
    connection.client.set_missing_host_key_policy(_Refuse())
    if target.known_hosts is not None:
        if not target.known_hosts.is_file():
            raise unusable(target, f"{target.known_hosts} is not there", "correct ssh.known_hosts")
        connection.client.load_host_keys(str(target.known_hosts))
        return
    named = connection.ssh_config.get("userknownhostsfile", "~/.ssh/known_hosts").split()
    for name in ("/etc/ssh/ssh_known_hosts", *named):
        path = Path(name).expanduser()
        if path.is_file():
            connection.client.load_system_host_keys(str(path))


class _Refuse(paramiko.MissingHostKeyPolicy):
    """An unknown key ends the connection, before anything is said about who we are."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Raises HostKeyUnknown."""
        del client
        raise HostKeyUnknown(hostname, key.get_name(), key.fingerprint)


def _socket(address: str, port: int, seconds: float) -> socket.socket:
    """A connected socket that does not wait to fill packets: paramiko's own costs 40 ms an answer (Nagle)."""
    prepared = socket.create_connection((address, port), seconds)
    prepared.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return prepared


def _hang_up(connection: Connection) -> None:
    try:
        connection.close()
        if connection.gateway is not None and not isinstance(connection.gateway, str):
            _hang_up(connection.gateway)
    except FOREIGN:
        pass  # it is gone already


def close_loggers() -> None:
    """Paramiko writes names, keys and packets to its loggers: nothing of it reaches any handler."""
    for name in ("paramiko", "fabric", "invoke"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
