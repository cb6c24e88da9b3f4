"""Status and sessions: what runs now, beside the managed state. Never compared, never stored; changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from filelock import Timeout

from provision.engine.context import Event
from provision.engine.generations import Store
from provision.engine.prepare import Workplace, read
from provision.engine.read import ClusterReading
from provision.errors import ProvisionError, ReadFailed
from provision.hosts.balancer.live import LiveReading, NotSetUp, live_script, parse_live
from provision.model.cluster import Balancer


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What runs now. `reading` is None where only HAProxy was asked; `locked`: a run on this machine changes things.

    `failures` are hosts that could not be read, and balancers whose HAProxy could not be asked.
    """

    balancers: Mapping[str, LiveReading]
    reading: ClusterReading | None
    failures: Mapping[str, ProvisionError]
    locked: bool
    seconds: float

    @property
    def fresh(self) -> bool:
        """Whether some balancer was never set up, so that a plan is what comes next."""
        return any(isinstance(error, NotSetUp) for error in self.failures.values())

    @property
    def holders(self) -> tuple[str, ...]:
        """The balancers that hold the VIP: one, unless something is wrong."""
        facts = self.reading.balancer_facts if self.reading else {}
        return tuple(name for name, one in facts.items() if one.address.vip_held)


def read_live(work: Workplace, *, servers: bool = True) -> LiveReport:
    """Ask every balancer's HAProxy, and with `servers` read every host as well. Never raises for a host."""
    started = time.monotonic()
    reading = read(work) if servers else None
    failures = dict(reading.failures) if reading else {}
    asked = [one for one in work.cluster.balancers if one.name not in failures]
    with ThreadPoolExecutor(max_workers=max(1, min(work.context.limits.parallel, len(asked) or 1))) as pool:
        answers = dict(zip([one.name for one in asked], pool.map(lambda one: _asked(work, one), asked), strict=True))
    failures |= {name: one for name, one in answers.items() if isinstance(one, ProvisionError)}
    live = {name: one for name, one in answers.items() if isinstance(one, LiveReading)}
    return LiveReport(live, reading, failures, is_locked(work.store), time.monotonic() - started)


def ask_haproxy(work: Workplace, balancer: Balancer) -> LiveReading:
    """One exec. Raises HostError."""
    result = work.sessions.run_shell(balancer, live_script(work.cluster, balancer), work.context.limits.read)
    if result.status != 0:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit status {result.status}"
        raise ReadFailed("P511", "the reading script failed", host=balancer.name, why=why)
    return parse_live(result.stdout, work.cluster, balancer)


def serving_server(work: Workplace, balancer: Balancer, end: tuple[str, int]) -> str | None:
    """The server to which `balancer` leads the connection that comes from `end` (address, port). Raises HostError."""
    live = ask_haproxy(work, balancer)
    return next((one.server for one in live.sessions if (one.client, one.port) == end and one.server), None)


def is_locked(store: Store) -> bool:
    """Whether a run on this machine holds the lock of the cluster. Takes it for a moment where it is free."""
    if not store.folder.is_dir():
        return False
    try:
        with store.lock():
            return False
    except Timeout:
        return True


def _asked(work: Workplace, balancer: Balancer) -> LiveReading | ProvisionError:
    work.context.say(Event("reading", balancer.name, "HAProxy"))
    try:
        live = ask_haproxy(work, balancer)
    except ProvisionError as error:
        work.context.say(Event("unread", balancer.name, str(error)))
        return error
    work.context.say(Event("read", balancer.name, ""))
    return live
