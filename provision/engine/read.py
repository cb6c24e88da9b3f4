"""Reads every host of a cluster side by side; a host that fails is data. Asks, never changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from provision.engine.context import Context, Event
from provision.engine.sessions import Sessions
from provision.errors import ProvisionError, ReadFailed
from provision.hosts.balancer import reading as balancer_reading
from provision.hosts.balancer.facts import BalancerFacts, BalancerReading
from provision.hosts.balancer.masks import Masks
from provision.hosts.ftp_server import reading as server_reading
from provision.hosts.ftp_server.facts import ServerFacts
from provision.hosts.ftp_server.reading import ServerReading
from provision.model.change import Finding
from provision.model.cluster import Balancer, Cluster, Server
from provision.model.state import State

HostReading = BalancerReading | ServerReading
MasksOf = Callable[[str, bytes], Masks]
"""Makes the masks for what a balancer (by name) printed: the key may be recorded on the balancer itself."""


@dataclass(frozen=True, slots=True)
class ClusterReading:
    """What was read from the hosts that were asked, and why the others could not be. `seconds`: wall time."""

    balancers: Mapping[str, BalancerReading]
    servers: Mapping[str, ServerReading]
    failures: Mapping[str, ProvisionError]
    seconds: float

    @property
    def state(self) -> State:
        """The live state; failed hosts stand in `unread`."""
        both: list[HostReading] = [*self.balancers.values(), *self.servers.values()]
        resources = {key: one for reading in both for key, one in reading.resources.items()}
        return State(resources, {host: str(error) for host, error in self.failures.items()})

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found beside the managed state, balancers first."""
        both: list[HostReading] = [*self.balancers.values(), *self.servers.values()]
        return tuple(one for reading in both for one in reading.findings)

    @property
    def balancer_facts(self) -> dict[str, BalancerFacts]:
        """Facts by balancer."""
        return {name: one.facts for name, one in self.balancers.items()}

    @property
    def server_facts(self) -> dict[str, ServerFacts]:
        """Facts by server."""
        return {name: one.facts for name, one in self.servers.items()}

    @property
    def sessions(self) -> dict[str, int]:
        """Open FTP sessions by server; -1 where the server could not tell."""
        return {name: one.facts.sessions for name, one in self.servers.items()}

    def without(self, failed: Mapping[str, ProvisionError]) -> ClusterReading:
        """The same, with some hosts counted as not read."""
        balancers = {name: one for name, one in self.balancers.items() if name not in failed}
        servers = {name: one for name, one in self.servers.items() if name not in failed}
        return ClusterReading(balancers, servers, {**self.failures, **failed}, self.seconds)

    def with_host(self, name: str, reading: HostReading) -> ClusterReading:
        """The same, with one host's reading replaced by a newer one."""
        failures = {host: error for host, error in self.failures.items() if host != name}
        if isinstance(reading, BalancerReading):
            return ClusterReading({**self.balancers, name: reading}, self.servers, failures, self.seconds)
        return ClusterReading(self.balancers, {**self.servers, name: reading}, failures, self.seconds)


def read_hosts(
    cluster: Cluster, hosts: Iterable[str], sessions: Sessions, masks_of: MasksOf, context: Context
) -> ClusterReading:
    """Read `hosts`, at most `context.limits.parallel` at a time. Never raises for a host: see `failures`."""
    started = time.monotonic()
    names = set(hosts)
    tasks: dict[str, Callable[[], HostReading]] = {}
    for balancer in cluster.balancers:
        tasks[balancer.name] = partial(read_balancer, cluster, balancer, sessions, masks_of, context)
    for server in cluster.servers:
        tasks[server.name] = partial(read_server, cluster, server, sessions, context)
    wanted = {name: task for name, task in tasks.items() if name in names}
    with ThreadPoolExecutor(max_workers=max(1, min(context.limits.parallel, len(wanted) or 1))) as pool:
        futures = {name: pool.submit(_told, name, task, context) for name, task in wanted.items()}
        results = {name: future.result() for name, future in futures.items()}
    return ClusterReading(
        {name: one for name, one in results.items() if isinstance(one, BalancerReading)},
        {name: one for name, one in results.items() if isinstance(one, ServerReading)},
        {name: one for name, one in results.items() if isinstance(one, ProvisionError)},
        time.monotonic() - started,
    )


def _told(name: str, task: Callable[[], HostReading], context: Context) -> HostReading | ProvisionError:
    context.say(Event("reading", name, ""))
    try:
        reading = task()
    except ProvisionError as error:
        context.say(Event("unread", name, str(error)))
        return error
    context.say(Event("read", name, ""))
    return reading


def read_balancer(
    cluster: Cluster, balancer: Balancer, sessions: Sessions, masks_of: MasksOf, context: Context
) -> BalancerReading:
    """One connection, one exec. Raises HostError."""
    script = balancer_reading.read_script(cluster, balancer)
    result = sessions.run_shell(balancer, script, context.limits.read)
    if result.status != 0:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit status {result.status}"
        raise ReadFailed("P511", "the reading script failed", host=balancer.name, why=why)
    return balancer_reading.parse_reading(result.stdout, cluster, balancer, masks_of(balancer.name, result.stdout))


def read_server(cluster: Cluster, server: Server, sessions: Sessions, context: Context) -> ServerReading:
    """One connection, one pipeline. Raises HostError."""
    text = sessions.run_powershell(server, server_reading.read_call(cluster, server), context.limits.read)
    return server_reading.parse_reading(text, cluster, server)
