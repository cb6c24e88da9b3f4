"""Where an SSH server is and how to log in. A value; knows nothing of connections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provision.model.secret import Secret


@dataclass(frozen=True, slots=True)
class SshTarget:
    """One SSH server and how to log in. None: what the user's ssh configuration says.

    `host` is the name that messages show. `connect_timeout` is seconds until a session must be open.
    """

    host: str
    address: str
    port: int | None = None
    user: str | None = None
    key_file: Path | None = None
    password: Secret | None = None
    sudo_password: Secret | None = None
    known_hosts: Path | None = None
    connect_timeout: float = 10.0
