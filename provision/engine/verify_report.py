"""What verification works with and what it tells: values only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from provision.engine.ftp_stream import Dial, socket_dial
from provision.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Check:
    """One place, tried once, with the `steps` that were done and the `seconds` they took.

    `server` is the one that answered, None where nobody can tell; `via` the balancer whose SSH channel carried the
    control connection, "" for a connection from here.
    """

    place: Literal["VIP", "server", "files"]
    server: str | None
    via: str
    steps: tuple[str, ...]
    level: Literal["ok", "note", "warn", "failed"]
    seconds: float = 0.0
    code: str = ""
    what: str = ""
    cause: str = ""

    def __str__(self) -> str:
        where = self.place if self.server is None else f"{self.place} {self.server}"
        where += f" through {self.via}" if self.via else ""
        cause = f" ({self.cause})" if self.cause else ""
        return f"{where}: {self.what or self.level}{cause}" + (f" [{self.code}]" if self.code else "")


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All checks in the order in which they were made, and how many seconds they took together."""

    checks: tuple[Check, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether nothing failed; notes and warnings are no failure."""
        return not any(check.level == "failed" for check in self.checks)

    @property
    def cause(self) -> str:
        """The first failure as a sentence; empty when there is none."""
        return next((str(check) for check in self.checks if check.level == "failed"), "")

    @property
    def met(self) -> tuple[str, ...]:
        """The servers that answered logins through the VIP."""
        answered = [one.server for one in self.checks if (one.place, one.via, one.level) == ("VIP", "", "ok")]
        return tuple(dict.fromkeys(server for server in answered if server))


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: for one FTP step, for one session, for VIP and servers to come up, for copies to arrive.

    Right after a change HAProxy may have to see a server rise first: 25 is more than 10s checks with `rise 2` take.
    """

    step: float = 10.0
    session: float = 120.0
    patience: float = 25.0
    copies: float = 3.0


@dataclass(frozen=True, slots=True)
class Means:
    """What verification works with.

    `via`: by balancer, a dial through an SSH channel of it. `token` makes the test file's name unique: letters and
    digits. `password`: the probe's. `direct`: dials from here, one for each source address that can be used.
    `serving`: which server HAProxy serves to our end (address, port) of a control connection, None if it cannot tell.
    """

    via: Mapping[str, Dial]
    token: str
    password: Secret | None = None
    direct: tuple[Dial, ...] = field(default_factory=lambda: (socket_dial(),))
    serving: Callable[[tuple[str, int]], str | None] = lambda _end: None
    limits: Limits = Limits()
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[Check], None] = lambda _check: None
