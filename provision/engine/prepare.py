"""From a cluster file or a generation to a plan: read, aim, plan, weigh. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from provision.definition.load import parse_cluster
from provision.engine.aim import Aim, WayBack, aim_at_file, aim_at_state, refuse_uncarried, way_back
from provision.engine.context import Context, Event
from provision.engine.documents import Generation, decode
from provision.engine.generations import Store
from provision.engine.keys import MaskMaker
from provision.engine.read import ClusterReading, read_hosts
from provision.engine.sessions import Sessions
from provision.errors import ProvisionError, SnapshotError, UnsafePlan
from provision.hosts.balancer.facts import MAIN
from provision.model.change import Finding
from provision.model.cluster import Cluster
from provision.model.resources import File, ForeignContent, Resource
from provision.model.state import Key, Scope, State
from provision.planning.plan import Plan
from provision.planning.safety import Consequence, consequences


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with all it rests on, before anybody is asked."""

    cluster: Cluster
    reading: ClusterReading
    aim: Aim
    plan: Plan
    consequences: tuple[Consequence, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found on the hosts beside the managed state."""
        return self.reading.findings


@dataclass(frozen=True, slots=True)
class Workplace:
    """One run on one cluster: its file, open sessions, the store of generations and the surroundings."""

    cluster: Cluster
    sessions: Sessions
    store: Store
    context: Context
    masks: MaskMaker
    adopt: bool = False
    limit: tuple[str, ...] = field(default=())


def recorded_scope(work: Workplace, reading: ClusterReading) -> Scope:
    """What earlier runs managed: from this machine's newest generation and from what the balancers recorded."""
    latest = work.store.latest()
    scope = latest.scope if latest else Scope()
    for name, generation in _recorded(work, reading).items():
        others = {one.name for one in work.cluster.balancers} - {name}  # each balancer speaks for itself
        scope |= Scope({key: ports for key, ports in generation.scope.keys.items() if key.host not in others})
    hosts, live = set(work.cluster.hosts), reading.state.resources
    mine = {key: ports for key, ports in scope.keys.items() if key.host in hosts and not _is_foreign(live.get(key))}
    return Scope(mine)


def _is_foreign(resource: Resource | None) -> bool:
    """A file that somebody else wrote where once was ours: it is theirs now, and not ours to take away."""
    return isinstance(resource, File) and isinstance(resource.content, ForeignContent)


def balancer_generations(work: Workplace, reading: ClusterReading) -> list[Generation]:
    """The newest generation that each balancer recorded; damaged ones are left out."""
    return list(_recorded(work, reading).values())


def _recorded(work: Workplace, reading: ClusterReading) -> dict[str, Generation]:
    """The same by the balancer that holds it."""
    found = {}
    for name, facts in reading.balancer_facts.items():
        if facts.recorded:
            with suppress(SnapshotError):
                found[name] = decode(facts.recorded, name, work.cluster.name)
    return found


def read(work: Workplace) -> ClusterReading:
    """Read every host of the cluster."""
    return read_hosts(work.cluster, work.cluster.hosts, work.sessions, work.masks.for_output, work.context)


def prepare_file(work: Workplace) -> Prepared:
    """The plan that the cluster file asks for. Raises Unreadable, UnsafePlan."""
    return plan_of_reading(work, read(work))


def plan_of_reading(work: Workplace, reading: ClusterReading) -> Prepared:
    """The plan that the cluster file asks for, from a reading that was made. Raises Unreadable, UnsafePlan."""
    refuse_unread(reading)
    refuse_findings(reading, adopt=work.adopt)
    aim = aim_of_file(work, reading)
    refuse_uncarried(work.cluster, reading, work.limit)
    return _prepared(work, reading, aim)


def aim_of_file(work: Workplace, reading: ClusterReading) -> Aim:
    """What the cluster file aims at, given what was read."""
    recorded = recorded_scope(work, reading)
    return aim_at_file(work.cluster, reading, work.masks.for_balancer, recorded, _found(work))


def _found(work: Workplace) -> State:
    """How everything was when a run of this machine's history first met it."""
    resources: dict[Key, Resource] = {}
    for number in reversed(work.store.numbers()):
        with suppress(SnapshotError):
            resources |= work.store.read(number).before.resources
    return State(resources)


def prepare_state(work: Workplace, target: Generation) -> Prepared:
    """The plan that leads back to `target`. Raises HostError of the first unread host."""
    reading = read(work)
    refuse_unread(reading)
    scope = target.scope | recorded_scope(work, reading)
    aim = aim_at_state(reading, target.state, scope, _way_back(work, target, reading), _found(work))
    prepared = _prepared(work, reading, aim)
    refuse_newer_foreign(prepared.plan)
    return prepared


def refuse_newer_foreign(plan: Plan) -> None:
    """Raises UnsafePlan when going back would replace a main file that somebody else wrote since."""
    for change in plan.net():
        if change.key.name == MAIN and _is_foreign(change.before):
            what = f"{MAIN} was written by somebody else since that generation and would be replaced"
            raise UnsafePlan(ADOPTABLE, what, where=change.key.host, next=f"move it away there (mv {MAIN} ...) first")


def _way_back(work: Workplace, target: Generation, reading: ClusterReading) -> WayBack:
    """The stages of a rollback, by the cluster file of that time; none where it cannot serve any more."""
    if target.number == 0:
        return WayBack()
    try:
        past = parse_cluster(target.definition, work.cluster.file)
        return way_back(work.cluster, past, reading, work.masks.for_balancer)
    except (ProvisionError, KeyError) as error:
        told = f"generation {target.number}'s own cluster file cannot be used, so ports may close early: {error}"
        work.context.say(Event("note", "", told))
        return WayBack()


Preparation = Callable[[Workplace], Prepared]


def _prepared(work: Workplace, reading: ClusterReading, aim: Aim) -> Prepared:
    plan = aim.plan(work.limit)
    return Prepared(work.cluster, reading, aim, plan, consequences(plan, reading.sessions, aim.torn))


def refuse_unread(reading: ClusterReading) -> None:
    """Raises when a host could not be read: nothing is changed on any host then."""
    if reading.failures:
        raise Unreadable(reading.failures)


class Unreadable(ProvisionError):
    """Some hosts could not be read; `failures` has every one of them."""

    def __init__(self, failures: Mapping[str, ProvisionError]) -> None:
        names = ", ".join(failures)
        super().__init__("P304", f"not every host could be read: {names}", why="nothing was changed on any host")
        self.failures = dict(failures)


def refuse_findings(reading: ClusterReading, *, adopt: bool) -> None:
    """Raises UnsafePlan for the first finding that forbids a change; `adopt` lets foreign files be replaced."""
    for finding in reading.findings:
        if finding.level == "refuse" and not (adopt and finding.code == ADOPTABLE):
            raise UnsafePlan(finding.code, finding.message, where=finding.host, next=finding.fix)


ADOPTABLE = "P501"
"""The finding "a foreign haproxy.cfg would be replaced", which --adopt allows."""
