"""Lays out a run on one cluster for the engine: secrets, sessions, store, progress; and closes it all again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from provision.cli.desk import Desk, command_line, home
from provision.definition.secrets import resolve_secrets
from provision.engine.context import Context, Limits
from provision.engine.generations import Store
from provision.engine.keys import MaskMaker
from provision.engine.openers import WireOpener
from provision.engine.prepare import Workplace
from provision.engine.sessions import Sessions
from provision.errors import SecretError, UsageError
from provision.model.cluster import Cluster
from provision.model.secret import Secret, SecretRef
from provision.view.progress import Progress

CONNECT = 10.0
"""Seconds for a connection to come up, at most."""

CHANGE_FACTOR = 10
"""Changing a host may take this many times as long as reading it: packages are fetched, services restart."""


@dataclass(frozen=True, slots=True)
class Run:
    """An open run: what the engine works with, and what is shown meanwhile."""

    work: Workplace
    progress: Progress


@contextmanager
def open_run(desk: Desk, cluster: Cluster, *, adopt: bool = False, limit: Sequence[str] | None = None) -> Iterator[Run]:
    """Everything for one run. Raises SecretError before anything is contacted, UsageError for an unknown host."""
    only = _known(cluster, tuple(limit or ()))
    secrets = _secrets(desk, cluster)
    for secret in secrets.values():
        desk.door.redactor.add(secret)
    timeout = desk.common.timeout
    limits = Limits(parallel=desk.common.parallel)
    if timeout is not None:
        limits = Limits(desk.common.parallel, timeout, CHANGE_FACTOR * timeout)
    progress = Progress(desk.door)
    opener = WireOpener(secrets, min(CONNECT, timeout or CONNECT))
    context = Context(opener, secrets, say=progress.say, limits=limits)
    store = Store(home(desk.environ), cluster.name)
    with progress, Sessions(cluster, context) as sessions:
        yield Run(Workplace(cluster, sessions, store, context, MaskMaker(store, secrets), adopt, only), progress)


def _secrets(desk: Desk, cluster: Cluster) -> dict[SecretRef, Secret]:
    """The secrets of this run. The lab keeps its own: where they are missing, it is not up. Raises SecretError."""
    base = cluster.file.parent
    try:
        return resolve_secrets(cluster.secret_refs(), environ=desk.environ, ask=desk.ask_secret(), base=base)
    except SecretError as error:
        if error.code == "P122" and cluster.for_lab:
            error.next = command_line("lab", "up", cluster.file)
        raise


def _known(cluster: Cluster, limit: tuple[str, ...]) -> tuple[str, ...]:
    for host in limit:
        if host not in cluster.hosts:
            why = f"the hosts are: {', '.join(cluster.hosts)}"
            raise UsageError("P901", f"--limit: there is no host {host} in {cluster.file}", why=why)
    return limit
