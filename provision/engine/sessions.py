"""The open sessions of one run: at most one a host, made on first use, closed together at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self, TypeVar

from provision.engine.context import Context
from provision.errors import ConnectionFailed, ProvisionError
from provision.model.cluster import Balancer, Cluster, Server
from provision.model.command import PowerShellCall, ShellResult, ShellScript
from provision.remote.scripts import script_text
from provision.remote.session import PowerShellSession
from provision.remote.ssh import ShellSession

S = TypeVar("S")
LOGIN_REFUSED = ("P209", "P223")
"""A login that WinRM or SSH refused."""
NOBODY_THERE = ("P202", "P203", "P220")
"""No connection: in a lab that is down nobody listens."""


class Sessions:
    """Runs commands on the hosts of one cluster over one session a host. A context manager; safe to share by threads.

    One session is used by one thread at a time: the engine never sends two commands to a host at once.
    """

    def __init__(self, cluster: Cluster, context: Context) -> None:
        self._cluster = cluster
        self._context = context
        self._shells: dict[str, ShellSession] = {}
        self._powershells: dict[str, PowerShellSession] = {}
        self._refused: dict[str, ConnectionFailed] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every session; a session that cannot be closed any more is let go."""
        every: list[ShellSession | PowerShellSession] = [*self._shells.values(), *self._powershells.values()]
        for session in every:
            with suppress(ProvisionError):
                session.close()
        self._shells.clear()
        self._powershells.clear()

    def shell(self, balancer: Balancer) -> ShellSession:
        """The session to `balancer`."""
        return self._held(self._shells, balancer.name, lambda: self._context.opener.shell(balancer))

    def run_shell(self, balancer: Balancer, script: ShellScript, deadline: float) -> ShellResult:
        """One exec on `balancer`. Raises HostError."""
        with self._one_guess(balancer.name):
            return self.shell(balancer).run(script, deadline)

    def run_powershell(self, server: Server, call: PowerShellCall, deadline: float) -> str:
        """One pipeline on `server`; a session that failed is dropped, so that the next call starts afresh."""
        with self._one_guess(server.name):
            session = self._held(self._powershells, server.name, lambda: self._context.opener.powershell(server))
            try:
                return session.run(script_text(call.script), call.json, deadline)
            except ProvisionError:
                self._powershells.pop(server.name, None)
                with suppress(ProvisionError):
                    session.close()
                raise

    @contextmanager
    def _one_guess(self, host: str) -> Iterator[None]:
        """A refused login is not tried again in this run: a second wrong guess may lock the account."""
        if host in self._refused:
            raise self._refused[host]
        try:
            yield
        except ConnectionFailed as error:
            if error.code in LOGIN_REFUSED:
                self._refused[host] = error
            if error.code in NOBODY_THERE and self._cluster.for_lab:
                error.next = f"provision lab up {self._cluster.file}"
            raise

    def _held(self, held: dict[str, S], name: str, make: Callable[[], S]) -> S:
        with self._guard:
            if name not in held:
                held[name] = make()
            return held[name]
