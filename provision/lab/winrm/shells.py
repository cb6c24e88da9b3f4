"""What every shell of the endpoint has in common, and the registry that finds them by id.

It must not know PSRP, processes or SOAP envelopes. Ids are upper-case GUIDs.
"""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from provision.lab.winrm import envelope
from provision.lab.winrm.envelope import WSManFault


@dataclass(frozen=True, slots=True)
class Owner:
    """Who opened a shell, and from where."""

    user: str
    client_address: str


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits of a stock server: shells a user, commands a shell that were not signalled, idle seconds."""

    shells_per_user: int = 30
    commands_per_shell: int = 1000
    idle_seconds: float = 7200.0


@dataclass(frozen=True, slots=True)
class StreamPart:
    """One Stream element of a ReceiveResponse; `end` marks the stream's last word."""

    name: str
    data: bytes
    end: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to one Receive. `exit_code` is set when the command is done; None while it runs.

    `command_id` is None for a Receive on the shell itself.
    """

    parts: tuple[StreamPart, ...]
    command_id: str | None = None
    done: bool = False
    exit_code: int = 0


class Shell(Protocol):
    """A shell as the service sees it. Every method may be called from several threads at once.

    Errors are WSManFault. `budget` is how many payload bytes fit into the answer's envelope.
    """

    shell_id: str
    resource_uri: str
    owner: Owner
    last_used: float

    def describe(self) -> str:
        """What rsp:Shell says after ShellId and ResourceUri and Owner and ClientIP, as XML."""

    def command(self, line: ET.Element, options: Mapping[str, str]) -> str:
        """Start a command from rsp:CommandLine; returns its id."""

    def send(self, stream: ET.Element) -> None:
        """Take one rsp:Stream of a Send."""

    def receive(self, command_id: str | None, timeout: float, budget: int) -> Received:
        """Wait at most `timeout` seconds for something to say; fault TIMED_OUT when there is nothing."""

    def signal(self, command_id: str, code: str) -> None:
        """Act on a control code: stop, or forget the command."""

    def close(self) -> None:
        """The shell was deleted: forget everything."""


class ShellRegistry:
    """All open shells, within each user's quota. Thread-safe. `clock` gives monotonic seconds."""

    def __init__(self, quotas: Quotas, clock: Callable[[], float]) -> None:
        self._quotas = quotas
        self._clock = clock
        self._shells: dict[str, Shell] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._shells)

    def add(self, shell: Shell) -> None:
        """Keep `shell`; others that idled too long are closed first. Raises WSManFault over the quota."""
        with self._lock:
            idle_since = self._clock() - self._quotas.idle_seconds
            expired = [key for key, other in self._shells.items() if other.last_used < idle_since]
            for key in expired:
                self._shells.pop(key).close()
            mine = sum(other.owner.user == shell.owner.user for other in self._shells.values())
            if mine >= self._quotas.shells_per_user:
                raise WSManFault(envelope.too_many_shells(self._quotas.shells_per_user))
            self._shells[shell.shell_id] = shell

    def find(self, shell_id: str | None, user: str) -> Shell:
        """The shell of that id, if it is the user's own. Raises WSManFault."""
        with self._lock:
            shell = self._shells.get(shell_id or "")
            if shell is None or shell.owner.user != user:
                raise WSManFault(envelope.shell_not_found(shell_id))
            shell.last_used = self._clock()
            return shell

    def remove(self, shell: Shell) -> None:
        """Forget and close one shell."""
        with self._lock:
            self._shells.pop(shell.shell_id, None)
        shell.close()

    def close_all(self) -> None:
        """Forget and close every shell; waiting Receives end."""
        with self._lock:
            shells, self._shells = list(self._shells.values()), {}
        for shell in shells:
            shell.close()
