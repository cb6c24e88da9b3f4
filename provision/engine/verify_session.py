"""One FTP session that verifies one place: what is done there, step by step, and what is wrong with the answers.

Knows one place at a time; which places there are is `verify`'s business, likely causes are `ftp_causes`'.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from provision.engine.ftp_causes import Cause, PlaceKind, cause_of, cause_of_passive
from provision.engine.ftp_client import FtpSession, Passive
from provision.engine.ftp_control import FtpFailure
from provision.engine.ftp_stream import Dial, Stream, local_end
from provision.engine.verify_report import Check, Means
from provision.model.cluster import Cluster, Server
from provision.model.ports import PortSet

BLOCKS = 128
"""Test files have this many blocks of 32 bytes: several packets, every byte value, no text that a server may turn."""


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: where control and data connections go. `server` is None where the balancer chooses."""

    kind: PlaceKind
    server: Server | None
    via: str
    control: Dial
    address: str
    port: int
    data: Dial
    data_address: str
    writes: bool

    @property
    def place(self) -> Literal["VIP", "server"]:
        """What the door leads through, in the words of the report."""
        return "server" if self.kind == "server" else "VIP"


class Wrong(Exception):
    """A server answered, and the answer is not right."""

    def __init__(self, what: str, cause: Cause) -> None:
        super().__init__(what, cause)
        self.what, self.cause = what, cause


def probe_content(token: str) -> bytes:
    """Four KiB that follow from `token` alone."""
    return b"".join(hashlib.sha256(f"{token} {number}".encode()).digest() for number in range(BLOCKS))


def file_name(token: str) -> str:
    """The name of the file that one session writes, reads and deletes."""
    return f"provision-verify-{token}.bin"


def _level_of(cause: Cause, door: Door) -> Literal["warn", "failed"]:
    """A file left behind is no failure of FTP; nor is an IIS that finds our two ways in to differ in address."""
    mild = cause.code == "P616" or (door.kind == "slice" and cause.code == "P609")
    return "warn" if mild else "failed"


def _same(found: bytes, written: bytes) -> None:
    if found != written:
        raise Wrong("the file came back different", Cause("P612", "two servers answer as one, or a filter"))


class Visit:
    """One session at one door. `steps` grows with what was done; `server` is known once something names it."""

    def __init__(self, cluster: Cluster, means: Means, door: Door) -> None:
        self._cluster, self._means, self._door = cluster, means, door
        self._session: FtpSession | None = None
        self.server = door.server.name if door.server else None
        self.steps: list[str] = []

    @property
    def entered(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    @property
    def session(self) -> FtpSession:
        """The open session; only after `enter`."""
        if self._session is None:
            raise RuntimeError("the visit has not begun")
        return self._session

    def examine(self, known: frozenset[str] = frozenset()) -> Check:
        """Do everything that verification does here; for a server that is `known` already, only until it is named."""
        started = self._means.clock()
        level: Literal["ok", "warn", "failed"] = "ok"
        code = what = text = ""
        try:
            self.enter()
            if self._cluster.probe is not None:
                self._work(known)
        except FtpFailure as failure:
            cause = cause_of(failure, self._door.kind)
            level, code, what, text = _level_of(cause, self._door), cause.code, str(failure), cause.text
            if failure.step == "delete":
                what += f"; {file_name(self._means.token)} is left there"
        except Wrong as wrong:
            level, code, what, text = "failed", wrong.cause.code, wrong.what, wrong.cause.text
        seconds = self._means.clock() - started
        door = self._door
        return Check(door.place, self.server, door.via, tuple(self.steps), level, seconds, code, what, text)

    def enter(self) -> None:
        """Connect, and with a probe log in and go to its directory. Raises FtpFailure."""
        door, limits, probe = self._door, self._means.limits, self._cluster.probe
        self._session = FtpSession(door.control, door.address, door.port, step=limits.step, whole=limits.session)
        self.steps.append(f"greeting {self._session.greeting.splitlines()[0]}")
        end = local_end(self._session.raw)
        if self.server is None and end is not None:
            self.server = self._means.serving(end)
        if probe is None or self._means.password is None:
            return
        if probe.tls == "explicit":
            self._session.secure()
            self.steps.append("TLS")
        self._session.login(probe.user, self._means.password)
        self.steps.append("login")
        if probe.directory is not None:
            self._session.enter(probe.directory)
            self.steps.append(f"directory {probe.directory}")

    def _work(self, known: frozenset[str]) -> None:
        passive = self.ask()
        self.steps.append(f"PASV {passive.address}:{passive.port}")
        if self.server in known:
            return
        listing = self.session.list(lambda seconds: self._open(passive, seconds))
        self.steps.append(f"LIST {len(listing.splitlines())} lines")
        if self._door.writes and self._cluster.probe is not None and self._cluster.probe.directory is not None:
            self._move_file()

    def ask(self) -> Passive:
        """PASV, judged. Raises FtpFailure or Wrong."""
        passive = self.session.passive()
        owned = self._cluster.ownership
        allowed = owned[self.server] if self.server in owned else PortSet.of(*owned.values())
        cause = cause_of_passive(self._cluster, passive, allowed, self.server)
        if cause:
            raise Wrong(f"PASV answered {passive.address}:{passive.port}", cause)
        owners = [name for name, ports in owned.items() if passive.port in ports]
        if self.server is None and len(owners) == 1:
            self.server = owners[0]
        return passive

    def _open(self, passive: Passive, seconds: float) -> Stream:
        return self._door.data(self._door.data_address, passive.port, seconds)

    def _move_file(self) -> None:
        name, content = file_name(self._means.token), probe_content(self._means.token)
        try:
            self.put(name, content)
            _same(self.get(name), content)
        except (FtpFailure, Wrong):
            with suppress(FtpFailure):
                self.session.delete(name)
            raise
        self.session.delete(name)
        self.steps.append(f"STOR, RETR, DELE {len(content)} bytes, the same")

    def put(self, name: str, content: bytes) -> None:
        """Write a file. Raises FtpFailure or Wrong."""
        passive = self.ask()
        self.session.store(name, content, lambda seconds: self._open(passive, seconds))

    def get(self, name: str) -> bytes:
        """Read a file. Raises FtpFailure or Wrong."""
        passive = self.ask()
        return self.session.retrieve(name, lambda seconds: self._open(passive, seconds))

    def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            self._session.close()
