"""A PowerShell session with one Windows server as the engine sees it, and what it takes to open one.

It must not know which library speaks on the wire, nor what a script means.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from provision.errors import ConnectionFailed, ReadFailed
from provision.model.secret import Secret

MESSAGE_LIMIT = 2000
"""Characters of a server's error message that are passed on."""

AUTHENTICATIONS = ("negotiate", "ntlm", "basic", "kerberos", "credssp", "certificate")
"""What may be asked for. The first three are tried on the lab; the others are passed on and untested."""


@dataclass(frozen=True, slots=True)
class WinRMTarget:
    """One WinRM endpoint and how to log in. Times are seconds.

    `host` is the name that messages show. `verify` false accepts any certificate. `operation_timeout` is how
    long the server may be silent before it says that nothing happened yet (1 to 50; the server's own limit is
    60). `client_certificate` and `client_key` are PEM files, for auth "certificate" only.
    """

    host: str
    address: str
    port: int
    scheme: Literal["http", "https"]
    auth: str
    user: str
    password: Secret
    ca_file: Path | None = None
    verify: bool = True
    connect_timeout: float = 10.0
    operation_timeout: int = 20
    client_certificate: Path | None = None
    client_key: Path | None = None

    @property
    def endpoint(self) -> str:
        """The URL of the service; an IPv6 address stands in brackets."""
        name = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{name}:{self.port}/wsman"


class PowerShellSession(Protocol):
    """A session that runs scripts one after the other; used by one thread at a time.

    Nothing is contacted before the first `run`. After a `run` that failed on the wire or passed its deadline
    the session is closed and stays so: every further `run` raises ConnectionFailed.
    """

    def run(self, script: str, argument: str, deadline: float) -> str:
        """Run `script` with `argument`, one JSON document, as its parameter -Json; its output, one string.

        `deadline` is seconds for the whole call, connecting included. Raises ConnectionFailed when there is no
        session, ReadFailed when the script failed, gave something else, or did not end in time.
        """
        ...

    def close(self) -> None:
        """Delete the shell on the server and hang up; bounded to a few seconds. Never raises for a dead host."""
        ...


def check_target(target: WinRMTarget) -> None:
    """Refuse, before anything is contacted, what must not be tried. Raises ConnectionFailed (P217)."""
    if target.auth not in AUTHENTICATIONS:
        raise unusable(target, f"the authentication {target.auth!r} is unknown", f"use {', '.join(AUTHENTICATIONS)}")
    if target.scheme == "http" and target.auth in ("basic", "certificate"):
        why = f"{target.auth} over http would show the login to everyone on the way"
        raise unusable(target, why, "use scheme: https, or auth: negotiate")
    if target.auth == "certificate" and not (target.client_certificate and target.client_key):
        raise unusable(target, "certificate authentication needs a client certificate and its key", "name both")
    if target.scheme == "https" and target.verify and target.ca_file and not target.ca_file.is_file():
        raise unusable(target, f"the CA file {target.ca_file} is not there", "correct winrm.ca_file")


def closed_session(target: WinRMTarget) -> ConnectionFailed:
    """The answer to a run on a session that is closed."""
    return ConnectionFailed(
        "P215", "the session is closed", host=target.host, why="it was closed, or an earlier call failed on it"
    )


def script_failed(target: WinRMTarget, reason: str) -> ReadFailed:
    """The script ended in another way than with one string."""
    return ReadFailed(
        "P216",
        "the script did not give an answer",
        host=target.host,
        why=" ".join(reason.split())[:MESSAGE_LIMIT],
        next="run it by hand on the server with -JsonPath",
    )


def unusable(target: WinRMTarget, why: str, advice: str) -> ConnectionFailed:
    """Settings that contradict each other or name what is not there."""
    return ConnectionFailed("P217", "the WinRM settings cannot be used", host=target.host, why=why, next=advice)
