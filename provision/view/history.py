"""The generations of a cluster as a table, and where copies are when there are none here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.model.cluster import Balancer, Cluster
from provision.view.marks import Lines, columns, line, next_lines, verbatim


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One generation: `when` in UTC, ISO 8601; `usable` says whether a rollback may lead there."""

    number: int
    when: str
    who: str
    what: str
    result: str
    usable: bool


def history_lines(cluster: Cluster, entries: Sequence[HistoryEntry], folder: Path, rollback: str) -> Lines:
    """The table, oldest first; without any, how to read the balancers' copies."""
    if not entries:
        return _none(cluster, folder)
    rows = [(str(one.number), one.when, one.who, one.what, one.result) for one in entries]
    usable = [one.number for one in entries if one.usable]
    head = line("Cluster ", (cluster.name, "bold"), f"   generations in {folder}")
    table = columns(("N", "when (UTC)", "who", "what", "result"), rows)
    return [head, *table, *(next_lines(f"{rollback} {usable[-2]}") if len(usable) > 1 else [])]


def _none(cluster: Cluster, folder: Path) -> Lines:
    rows = [
        line(f"No generation of cluster {cluster.name} on this machine ({folder})."),
        line("Balancers keep copies:"),
    ]
    for balancer in cluster.balancers:
        place = balancer.path(f"/var/lib/provision/{cluster.name}/generations")
        rows.append(verbatim(f"{_ssh(balancer)} ls -l {shlex.quote(place)}", indent=2))
    return [*rows, line("`provision rollback --to N` reads them where this machine has none.")]


def _ssh(balancer: Balancer) -> str:
    """The ssh command that logs in as provision does: the same user, key and known hosts."""
    ssh = balancer.ssh
    port = ["-p", str(ssh.port)] if ssh.port else []
    key = ["-i", str(ssh.key_file)] if ssh.key_file else []
    known = ["-o", f"UserKnownHostsFile={ssh.known_hosts}"] if ssh.known_hosts else []
    user = f"{ssh.user}@" if ssh.user else ""
    return shlex.join(["ssh", *port, *key, *known, f"{user}{balancer.address}"])
