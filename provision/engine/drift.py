"""Drift: live servers compared with the file, and when a difference appeared. Has no way to write to a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provision.engine.aim import Aim, hopeless
from provision.engine.documents import Generation
from provision.engine.prepare import Workplace, aim_of_file, balancer_generations, read
from provision.engine.read import ClusterReading
from provision.errors import ProvisionError
from provision.model.change import Change, Finding
from provision.model.state import Key
from provision.planning.diff import diff
from provision.planning.plan import is_kept


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the file says: `change.before` is what the file says, `after` what is there.

    `since` says when it appeared, as far as generations tell: "changed after generation 3", or "".
    """

    change: Change
    since: str


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The comparison by host. `same` and `unknown` count managed things.

    An unread host's count comes from the newest generation that knew it, and is at least 1.
    """

    cluster: str
    differences: Mapping[str, tuple[Difference, ...]]
    same: Mapping[str, int]
    unknown: Mapping[str, int]
    failures: Mapping[str, ProvisionError]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def refused(self) -> int:
        """How many findings would stop a run: the VIP is nowhere, a port is reserved, ..."""
        return sum(finding.level == "refuse" for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """2 with differences or something that must be mended by hand, 3 when only something is unknown, else 0."""
        if any(self.differences.values()) or self.refused:
            return 2
        return 3 if any(self.unknown.values()) else 0


def drift(work: Workplace) -> DriftReport:
    """Read every host and compare. A host that cannot be read is reported as unknown, never as clean."""
    return compare(work, read(work))


def compare(work: Workplace, reading: ClusterReading) -> DriftReport:
    """The comparison of a reading that was made."""
    reading = reading.without(hopeless(work.cluster, reading, work.masks.for_balancer))
    aim = aim_of_file(work, reading)
    newest, unfinished = newest_generation(work, reading), work.store.unfinished()
    changes = [one for one in diff(aim.state.read_only(), aim.live.read_only()) if not is_kept(one.inverse())]
    hosts = [one for one in work.cluster.hosts if one not in reading.failures]
    differences = {host: _of_host(host, changes, newest, unfinished) for host in hosts}
    return DriftReport(
        cluster=work.cluster.name,
        differences=differences,
        same={host: _count(aim, host) - len(found) for host, found in differences.items()},
        unknown=_unknown(aim, reading, newest),
        failures=reading.failures,
        findings=reading.findings,
        seconds=reading.seconds,
    )


def newest_generation(work: Workplace, reading: ClusterReading) -> Generation | None:
    """The newest usable generation that this machine or a balancer knows."""
    known = [one for one in (work.store.latest(), *balancer_generations(work, reading)) if one and one.usable]
    return max(known, key=lambda one: one.number, default=None)


def _of_host(
    host: str, changes: list[Change], newest: Generation | None, unfinished: Generation | None
) -> tuple[Difference, ...]:
    return tuple(Difference(one, since(one, newest, unfinished)) for one in changes if one.key.host == host)


def since(change: Change, newest: Generation | None, unfinished: Generation | None = None) -> str:
    """When a difference appeared: the hosts moved, or were rolled back, or the file did, or a run did not end."""
    if unfinished is not None and change.key in unfinished.scope.keys:
        return f"generation {unfinished.number} did not end ({unfinished.result})"
    if newest is None or newest.number == 0:
        return ""
    proven = newest.state.resources.get(change.key)
    if proven == change.before:
        return f"changed after generation {newest.number}"
    if proven != change.after:
        return ""
    if newest.what.startswith("rollback"):
        return f"since generation {newest.number}, a {newest.what}"
    return f"the file changed after generation {newest.number}"


def _count(aim: Aim, host: str) -> int:
    return len({key for state in (aim.state, aim.live) for key in state.resources if key.host == host})


def _unknown(aim: Aim, reading: ClusterReading, newest: Generation | None) -> dict[str, int]:
    counts: dict[str, int] = {}
    for host in reading.failures:
        known: set[Key] = {key for key in newest.state.resources if key.host == host} if newest else set()
        counts[host] = max(1, len(known))
    for key in aim.unknown:
        counts[key.host] = counts.get(key.host, 0) + 1
    return counts
