"""What to bring a cluster to, and through which waves: the cluster file's state, or a generation's. No wire here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from provision.engine.read import ClusterReading
from provision.errors import ProvisionError, UnsafePlan
from provision.hosts.balancer.carried import carried_ports
from provision.hosts.balancer.desired import desired as desired_balancer
from provision.hosts.balancer.facts import BalancerDesired
from provision.hosts.balancer.masks import Masks
from provision.hosts.ftp_server.desired import desired as desired_server
from provision.model.cluster import Cluster, Server
from provision.model.ports import PortSet
from provision.model.resources import (
    DataChannelPorts,
    ExternalAddress,
    FirewallPorts,
    FirewallRule,
    Resource,
    SelinuxBoolean,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Sysctl,
)
from provision.model.state import Key, Scope, State
from provision.planning.order import Ownership, PortStage, accepting, attainable, port_stages
from provision.planning.plan import Plan, Wave, make_plan

LASTING = (SelinuxMode, SelinuxBoolean, Sysctl)
"""What a machine always has, one way or the other: it cannot be taken away."""
MasksFor = Callable[[str], Masks]
"""The masks of a balancer, by its name."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where to: `live` and `state` cut to `scope`, the waves between, and the bytes behind our masked texts.

    `unknown` are keys that cannot be told because a host that they depend on was not read.
    """

    live: State
    state: State
    scope: Scope
    waves: tuple[Wave, ...]
    texts: Mapping[str, bytes]
    torn: PortSet = field(default_factory=PortSet)
    unknown: tuple[Key, ...] = ()

    def plan(self, limit: Iterable[str] = ()) -> Plan:
        """The plan; with `limit`, only for those hosts. Raises UnreadHosts."""
        only = set(limit)
        waves = [Wave(tuple(h for h in one.hosts if h in only), one.target) for one in self.waves]
        return make_plan(self.live, waves if only else self.waves)


def old_ownership(cluster: Cluster, reading: ClusterReading) -> Ownership:
    """The passive ports that servers hand out now and that balancers lead to them: what must not break meanwhile."""
    found = {}
    for server in cluster.servers:
        ports = reading.state.resources.get(Key(server.name, DataChannelPorts.kind, "server"))
        led = [carried_ports(cluster, one).get(server.name, PortSet()) for one in reading.balancers.values()]
        if isinstance(ports, DataChannelPorts):
            found[server.name] = PortSet.of(ports.range) & PortSet.of(*led)
    return found


def sources_of(cluster: Cluster, reading: ClusterReading, server: Server) -> tuple[str, ...] | None:
    """The addresses from which the balancers reach `server`; None when a balancer that must tell was not read."""
    found = []
    for balancer in cluster.balancers:
        facts = reading.balancer_facts.get(balancer.name)
        source = balancer.source or (facts.address.sources.get(server.ftp_address) if facts else None)
        if source is None:
            return None
        found.append(source)
    return tuple(found)


def aim_at_file(
    cluster: Cluster, reading: ClusterReading, masks: MasksFor, recorded: Scope, found: State
) -> Aim:
    """The aim that the cluster file states, for the hosts that were read.

    `recorded`: what we managed before. `found`: what was there before the first change, as far as it is known.
    """
    stages = port_stages(
        old_ownership(cluster, reading), cluster.ownership, exclusive=cluster.ftp.layout == "sliced"
    )
    servers, unknown = _servers(cluster, reading)
    unknown += _unfiltered(reading, recorded)
    ends = _balancers(cluster, reading, masks, cluster.ownership)
    accepted = [_balancers(cluster, reading, masks, stage.ownership) for stage in stages]
    desired = _state(ends).merged(servers)
    desired = desired.merged(_let_go(reading, recorded, desired, found))
    scope = recorded | Scope.of(desired)
    for one in accepted:
        scope |= Scope.of(_state(one))
    live = scope.restrict(reading.state)
    texts = {text: raw for group in (*accepted, ends) for one in group.values() for text, raw in one.texts.items()}
    waves = _waves(live, stages, [_state(one) for one in accepted], desired, tuple(reading.balancers))
    torn = PortSet.of(*(stage.torn for stage in stages))
    target = State(desired.resources, live.unread)
    return Aim(live, target, scope, waves, texts, torn, unknown)


@dataclass(frozen=True, slots=True)
class WayBack:
    """How balancers accept what is handed out now together with what an earlier generation handed out."""

    stages: tuple[PortStage, ...] = ()
    accepted: tuple[State, ...] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)


def aim_at_state(reading: ClusterReading, past: State, scope: Scope, way: WayBack, found: State) -> Aim:
    """The aim of a rollback: `past`, within `scope`, the union of its scope and the present one.

    What cannot be absent and `past` knows nothing of goes back to what was `found` before we first changed it.

    Where `way` has no stages the balancers stay as they are until every server is back: so it is when nothing was
    there before (generation 0).
    """
    live = scope.restrict(reading.state)
    lasting = {key: found.resources.get(key, one) for key, one in live.resources.items() if isinstance(one, LASTING)}
    target = State({**lasting, **attainable(scope.restrict(past)).resources}, live.unread)
    balancers = tuple(reading.balancers)
    if way.stages:
        waves = _waves(live, way.stages, way.accepted, target, balancers)
        torn = PortSet.of(*(one.torn for one in way.stages))
        return Aim(live, target, scope, waves, way.texts, torn)
    servers = [Wave((name,), target) for name in reversed(tuple(reading.servers))]
    return Aim(live, target, scope, (*servers, Wave(balancers, target)), {})


def way_back(cluster: Cluster, past: Cluster, reading: ClusterReading, masks: MasksFor) -> WayBack:
    """The way from what is handed out now to what `past`, an earlier cluster file, says.

    Raises ProvisionError, or KeyError for a secret that is not at hand any more or a balancer that was not there yet.
    """
    stages = port_stages(old_ownership(cluster, reading), past.ownership, exclusive=past.ftp.layout == "sliced")
    groups = [_balancers(past, reading, masks, stage.ownership) for stage in stages]
    texts = {text: raw for group in groups for one in group.values() for text, raw in one.texts.items()}
    return WayBack(stages, tuple(_state(group) for group in groups), texts)


def hopeless(cluster: Cluster, reading: ClusterReading, masks: MasksFor) -> dict[str, ProvisionError]:
    """Balancers that were read and of which still nobody can say how they should be, with the reason."""
    found: dict[str, ProvisionError] = {}
    for name, one in reading.balancers.items():
        try:
            desired_balancer(cluster, cluster.balancer(name), one.facts, cluster.ownership, masks(name))
        except ProvisionError as error:
            found[name] = error
    return found


def _unfiltered(reading: ClusterReading, recorded: Scope) -> tuple[Key, ...]:
    """Openings that we made while firewalld ran, on balancers where it does not run now: nobody can tell them."""
    stopped = {name for name, facts in reading.balancer_facts.items() if not facts.firewall.running}
    return tuple(key for key in recorded.keys if key.kind == FirewallPorts.kind and key.host in stopped)


def _let_go(reading: ClusterReading, recorded: Scope, desired: State, found: State) -> State:
    """What the file names no more although it cannot be absent. Everything else that it names no more is removed.

    The kernel's setting goes back to what was found, and so does SELinux's mode while another policy of ours keeps
    HAProxy working; a boolean stays, for somebody may rely on it now. A site that says nothing of its own shows what
    the site defaults say.
    """
    live, resources = reading.state.resources, dict[Key, Resource]()
    policies = (SelinuxBoolean, SelinuxPermissiveDomain)
    held = {key.host for key, one in desired.resources.items() if isinstance(one, policies)}
    for key in set(recorded.keys) - set(desired.resources):
        one = live.get(key)
        if isinstance(one, Sysctl):
            resources[key] = found.resources.get(key, one)
        elif isinstance(one, SelinuxMode) and key.host in held:
            resources[key] = _mode_again(found.resources.get(key, one))
        elif isinstance(one, SelinuxMode | SelinuxBoolean):
            resources[key] = one
        elif isinstance(one, ExternalAddress) and (default := reading.server_facts[key.host].default_address):
            resources[key] = ExternalAddress(default, inherited=True)
    return State(resources)


def _mode_again(found: Resource) -> Resource:
    """SELinux's mode as it was found; a machine that was set up to enforce does so now, too."""
    enforces = isinstance(found, SelinuxMode) and found.persistent == "enforcing"
    return SelinuxMode("enforcing", "enforcing") if enforces else found


def _servers(cluster: Cluster, reading: ClusterReading) -> tuple[State, tuple[Key, ...]]:
    resources: dict[Key, Resource] = {}
    unknown: list[Key] = []
    for name, one in reading.servers.items():
        server = cluster.server(name)
        sources = sources_of(cluster, reading, server)
        wanted = desired_server(cluster, server, one.facts, sources or (server.ftp_address,))
        rule = Key(name, FirewallRule.kind, cluster.rule_name)
        if sources is None and rule in wanted:
            unknown.append(rule)
            wanted = {key: resource for key, resource in wanted.items() if key != rule}
        resources |= wanted
    return State(resources), tuple(unknown)


def _balancers(
    cluster: Cluster, reading: ClusterReading, masks: MasksFor, ownership: Ownership
) -> dict[str, BalancerDesired]:
    return {
        name: desired_balancer(cluster, cluster.balancer(name), one.facts, ownership, masks(name))
        for name, one in reading.balancers.items()
    }


def _state(group: Mapping[str, BalancerDesired]) -> State:
    return State({key: one for desired in group.values() for key, one in desired.resources.items()})


def _waves(
    live: State, stages: Sequence[PortStage], accepted: Sequence[State], desired: State, balancers: tuple[str, ...]
) -> tuple[Wave, ...]:
    waves: list[Wave] = []
    known = {key.host for key in desired.resources}
    for stage, state in zip(stages, accepted, strict=True):
        waves.append(Wave(balancers, accepting(live.of_hosts(balancers), state)))
        waves += [Wave((name,), desired) for name in stage.movers if name in known]
    waves.append(Wave(balancers, desired))
    return tuple(waves)


def refuse_uncarried(cluster: Cluster, reading: ClusterReading, limit: Iterable[str]) -> None:
    """Raises UnsafePlan when a limited run moves a server to ports that a balancer outside the limit does not carry."""
    only = set(limit)
    outside = [one for one in reading.balancers if only and one not in only]
    for server in cluster.servers:
        wanted = PortSet.of(server.passive_ports)
        for name in outside if server.name in only else ():
            missing = wanted - carried_ports(cluster, reading.balancers[name]).get(server.name, PortSet())
            if missing:
                what = f"{server.name} would hand out ports {missing}, which {name} does not carry"
                fix = f"provision cluster {cluster.name} --limit {name} first, or without --limit"
                raise UnsafePlan("P303", what, where=server.name, next=fix)
