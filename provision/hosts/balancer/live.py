"""Health, sessions and tables of the running HAProxy: asked through its admin socket, never compared, never stored.

Pure. Columns of `show stat` are found by their header: there are 63 in 1.5 and 141 in 3.4.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from provision.errors import ReadFailed
from provision.hosts.balancer.frames import Frame, FrameError, frames, starting
from provision.hosts.balancer.haproxy_cfg import Mode, section_names
from provision.hosts.balancer.scripts import script
from provision.hosts.balancer.times import descendants
from provision.model.cluster import Balancer, Cluster
from provision.model.command import ShellScript

_MODES: tuple[Mode, ...] = ("main", "fragment")
_SESSION = re.compile(r"src=(\S+):(\d+) fe=(\S+) be=(\S+) srv=(\S+) .*?\bage=(\S+)")
_ENTRY = re.compile(r"key=(\S+) .*?\bexp=(\d+)\b.*?\bserver_id=(\d+)")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """One server in one of our sections. `status` and `check` are HAProxy's words (`UP 1/2`, `L7OK`, `no check`).

    `sessions` are open now; `since` is seconds since the status last changed, None where HAProxy does not say.
    """

    section: str
    server: str
    status: str
    check: str
    sessions: int
    since: int | None

    @property
    def usable(self) -> bool:
        """New logins may go there. A server without a check of its own is as good as its section's others."""
        return self.status.startswith(("UP", "no check"))


@dataclass(frozen=True, slots=True)
class Session:
    """One open connection through our sections; `age` in seconds."""

    client: str
    port: int
    section: str
    server: str
    age: int


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A client that a stick table holds to a server, for `expires` more seconds."""

    table: str
    client: str
    server: str
    expires: int


@dataclass(frozen=True, slots=True)
class LiveReading:
    """What runs now; `uptime` of the present worker in seconds.

    `old_workers`: the age in seconds of each process from before a reload that still carries sessions. No count here
    includes those.
    """

    version: str
    uptime: int
    health: tuple[ServerHealth, ...]
    sessions: tuple[Session, ...]
    table: tuple[TableEntry, ...]
    old_workers: tuple[int, ...]


class NotSetUp(ReadFailed):
    """The balancer has no record of this cluster, and no HAProxy there serves it: nothing was applied yet."""

    def __init__(self, balancer: Balancer) -> None:
        why = "the cluster was never applied here"
        super().__init__("P543", "HAProxy does not serve this cluster yet", host=balancer.name, why=why)


def live_script(cluster: Cluster, balancer: Balancer) -> ShellScript:
    """One exec that asks for everything here."""
    return ShellScript(f"live {balancer.name}", script("live"), (balancer.root, cluster.name, *_tables(cluster)))


def parse_live(stdout: bytes, cluster: Cluster, balancer: Balancer) -> LiveReading:
    """What it printed. Raises ReadFailed (P500 not understood, P543 nobody to ask or HAProxy not running), NotSetUp."""
    try:
        found = frames(stdout)
        answers = {one.name: one for one in found}
        if not answers["info"].ok and not answers["recorded"].ok:
            raise NotSetUp(balancer)
        info = _answer(answers["info"], balancer)
        sections = {name for mode in _MODES for name in section_names(cluster, mode)}
        health, ids = _health(_answer(answers["stat"], balancer), sections)
        if not health and not answers["recorded"].ok:
            raise NotSetUp(balancer)
        pid = _field(info, "Pid")
        return LiveReading(
            version=_field(info, "Version"),
            uptime=int(_field(info, "Uptime_sec")),
            health=health,
            sessions=tuple(_sessions(_answer(answers["sessions"], balancer), sections)),
            table=tuple(one for name, frame in starting(found, "table:").items() for one in _entries(name, frame, ids)),
            old_workers=_old_workers(answers["units"].text, answers["processes"].text, pid),
        )
    except (FrameError, KeyError, ValueError, csv.Error) as problem:
        raise ReadFailed("P500", "its answer was not understood", host=balancer.name, why=str(problem)) from problem


def _tables(cluster: Cluster) -> list[str]:
    """Tables have the names of their sections: the balanced one, as it is called in either mode."""
    return [section_names(cluster, mode)[0] for mode in _MODES]


def _answer(frame: Frame, balancer: Balancer) -> str:
    if not frame.ok:
        why = "it does not run, or its admin socket does not answer"
        raise ReadFailed("P543", "HAProxy cannot be asked", host=balancer.name, why=why)
    return frame.text


def _field(info: str, name: str) -> str:
    match = re.search(rf"^{name}: (\S+)", info, re.MULTILINE)
    if match is None:
        raise ValueError(f"'show info' has no {name}")
    return match[1]


def _health(stat: str, sections: set[str]) -> tuple[tuple[ServerHealth, ...], dict[tuple[str, str], str]]:
    """Our servers, and for each section and server id the server's name."""
    rows = list(csv.DictReader(stat.removeprefix("# ").splitlines()))
    if rows and not {"pxname", "svname", "status", "scur"} <= set(rows[0]):
        raise ValueError("'show stat' has no pxname, svname, status and scur")
    servers = [row for row in rows if row["pxname"] in sections and row["svname"] not in ("FRONTEND", "BACKEND")]
    health = [
        ServerHealth(
            section=row["pxname"],
            server=row["svname"],
            status=row["status"],
            check=(row.get("check_status") or "").removeprefix("* "),
            sessions=int(row["scur"] or 0),
            since=int(row["lastchg"]) if row.get("lastchg") else None,
        )
        for row in servers
    ]
    return tuple(health), {(row["pxname"], row.get("sid", "")): row["svname"] for row in servers}


def _sessions(text: str, sections: set[str]) -> Iterator[Session]:
    for client, port, front, back, server, age in _SESSION.findall(text):
        if front in sections:
            name = "" if server == "<none>" else server
            yield Session(client, int(port), back if back in sections else front, name, _seconds(age))


def _seconds(age: str) -> int:
    """HAProxy's ages: `4h2m`, `1m30s`, `0s`."""
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([dhms])", age))


def _entries(table: str, frame: Frame, ids: dict[tuple[str, str], str]) -> Iterator[TableEntry]:
    """A table that does not exist is answered with a sentence, which holds no entry. `exp` is milliseconds."""
    for client, left, server in _ENTRY.findall(frame.text if frame.ok else ""):
        yield TableEntry(table, client, ids.get((table, server), f"id {server}"), int(left) // 1000)


def _old_workers(units: str, table: str, pid: str) -> tuple[int, ...]:
    """Ages of the service's processes that are neither the present worker nor above it, and have nobody below them."""
    main = re.search(r"^MainPID=(\d+)$", units, re.MULTILINE)
    parents = {row[0]: row[1] for line in table.splitlines() if len(row := line.split(None, 3)) == 4}
    keep, above = {pid}, parents.get(pid)
    while above in parents and above not in keep:
        keep.add(above)
        above = parents[above]
    family = descendants(table, main[1] if main else "")
    leaves = {str(one) for one, _, _ in family} - {parents.get(str(one), "") for one, _, _ in family}
    return tuple(age for one, age, name in family if str(one) in leaves - keep and name.startswith("haproxy"))
