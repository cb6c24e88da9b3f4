"""Carries out a plan, step by step: change, read again, believe only what was read. A failure goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from provision.engine.context import Context, Event
from provision.engine.read import ClusterReading, HostReading, MasksOf, read_balancer, read_server
from provision.engine.sessions import Sessions
from provision.errors import ChangeFailed, ProvisionError, ReadFailed
from provision.hosts.balancer import changing as balancer_changing
from provision.hosts.balancer.reading import parse_reading
from provision.hosts.ftp_server import change as server_changing
from provision.model.change import Change
from provision.model.cluster import Balancer, Cluster, Server
from provision.model.state import Scope, State
from provision.planning.diff import diff, fold
from provision.planning.order import way_home
from provision.planning.plan import Effect, Plan, Step, is_kept
from provision.planning.safety import DROPPING

STARTING = {Effect.STARTS_FTPSVC, Effect.RESTARTS_FTPSVC}
"""After these a server has to come back into the pool before the next one may go."""


@dataclass(slots=True)
class Rollout:
    """One run of changes over open sessions. `reading` follows what was read last; `touched` hosts in order.

    `due` are the steps of the present plan that were not begun.
    `await_up` waits until a server whose service (re)started takes logins again; it raises ChangeFailed.
    """

    cluster: Cluster
    sessions: Sessions
    masks_of: MasksOf
    context: Context
    scope: Scope
    texts: Mapping[str, bytes]
    reading: ClusterReading
    await_up: Callable[[str], None]
    touched: list[str] = field(default_factory=list)
    due: tuple[Step, ...] = ()

    def run(self, plan: Plan) -> bool:
        """Carry out `plan`. False when the operator asked to stop between two steps. Raises HostError."""
        self.due = plan.steps
        for step in plan.steps:
            if self.context.stop.asked:
                return False
            self.due = self.due[1:]
            self.perform(step)
            if set(step.effects) & STARTING:
                self.await_up(step.host)
        return True

    def perform(self, step: Step) -> None:
        """One step: change, read back, prove. Raises HostError; what was read back is kept even then."""
        self.context.say(Event("step", step.host, describe(step, self.reading.sessions.get(step.host, -1))))
        if step.host not in self.touched:
            self.touched.append(step.host)
        expected = fold(self._managed(step.host), step.changes)
        reading = self._change(step)
        self.reading = self.reading.with_host(step.host, reading)
        left = differences(self._managed(step.host), expected)
        if left:
            raise unproven(step.host, left)
        self.context.say(Event("done", step.host, ""))

    def undo(self, before: State) -> tuple[dict[str, ProvisionError], dict[str, tuple[Change, ...]]]:
        """Bring every touched host back to `before`, the last one first. Returns errors and differences left."""
        errors: dict[str, ProvisionError] = {}
        left: dict[str, tuple[Change, ...]] = {}
        for host in reversed(self.touched):
            self.context.say(Event("undo", host, "putting it back as it was found"))
            try:
                self._put_back(host, before)
            except ProvisionError as error:
                errors[host] = error
            except Exception as crash:  # noqa: BLE001  # one host must not keep the others from going back
                errors[host] = ours(crash)
            if host in errors:
                live = self._managed(host)
                left[host] = differences(live, way_home(live, before.of_hosts([host])))
        return errors, left

    def _put_back(self, host: str, before: State) -> None:
        self.reading = self.reading.with_host(host, self._read(host))
        live = self._managed(host)
        changes = differences(live, way_home(live, before.of_hosts([host])))
        if changes:
            self.perform(Step(host, changes))

    def _managed(self, host: str) -> State:
        return self.scope.restrict(self.reading.state).of_hosts([host])

    def _read(self, host: str) -> HostReading:
        machine = _machine(self.cluster, host)
        if isinstance(machine, Balancer):
            return read_balancer(self.cluster, machine, self.sessions, self.masks_of, self.context)
        return read_server(self.cluster, machine, self.sessions, self.context)

    def _change(self, step: Step) -> HostReading:
        machine = _machine(self.cluster, step.host)
        if isinstance(machine, Balancer):
            return self._change_balancer(machine, step.changes)
        return self._change_server(machine, step.changes)

    def _change_balancer(self, balancer: Balancer, changes: Sequence[Change]) -> HostReading:
        facts = self.reading.balancer_facts[balancer.name]
        script = balancer_changing.change_script(self.cluster, balancer, facts, changes, self.texts)
        result = self.sessions.run_shell(balancer, script, self.context.limits.change)
        report = balancer_changing.parse_change(result, balancer)
        reading = parse_reading(report.reading, self.cluster, balancer, self.masks_of(balancer.name, report.reading))
        if report.failed:
            self.reading = self.reading.with_host(balancer.name, reading)
            raise report.failed
        return reading

    def _change_server(self, server: Server, changes: Sequence[Change]) -> HostReading:
        call = server_changing.change_call(self.cluster, server, changes)
        try:
            text = self.sessions.run_powershell(server, call, self.context.limits.change)
        except ReadFailed as error:
            raise unfinished(error) from error
        server_changing.parse_change(text, server)
        return read_server(self.cluster, server, self.sessions, self.context)


def unfinished(error: ReadFailed) -> ChangeFailed:
    """A change that was sent and whose end was not seen: unlike a reading, it may have taken effect in part."""
    why = "; ".join(one for one in (error.why, "what it began may have taken effect") if one)
    return ChangeFailed(error.code, error.what, host=error.host, why=why, next=error.next)


def _machine(cluster: Cluster, host: str) -> Balancer | Server:
    return cluster.balancer(host) if host in {one.name for one in cluster.balancers} else cluster.server(host)


def differences(live: State, wanted: State) -> tuple[Change, ...]:
    """What is left to do between the two, packages that we keep aside."""
    return tuple(one for one in diff(live, wanted) if not is_kept(one))


def ours(crash: Exception) -> ProvisionError:
    """A mistake of provision itself, as an error like any other."""
    error = ProvisionError("P999", f"an error of provision itself: {type(crash).__name__}: {crash}")
    error.__cause__ = crash
    return error


def describe(step: Step, sessions: int) -> str:
    """One line for a step: how many changes, and what they do to services. `sessions` open there; -1: unknown."""
    return ", ".join((_count(len(step.changes), "change"), *(_effect_words(one, sessions) for one in step.effects)))


def _effect_words(effect: Effect, sessions: int) -> str:
    """What drops sessions says how many were open when the host was read, as the plan does."""
    if effect not in DROPPING or sessions < 0:
        return effect.value
    return f"{effect.value.split(',')[0]}, drops {_count(sessions, 'session')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def unproven(host: str, left: Sequence[Change]) -> ChangeFailed:
    """The error of a change that did not show when it was read again."""
    names = ", ".join(f"{one.key.kind} {one.key.name}" for one in left)
    what = f"the change was made and does not show when read again: {names}"
    return ChangeFailed("P302", what, host=host, why="something else changes it, or the host refused it in silence")
