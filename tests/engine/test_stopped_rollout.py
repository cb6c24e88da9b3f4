"""A rollout that is asked to stop knows which steps it did not begin."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from provision.engine.context import Context
from provision.engine.outcome import Stopped
from provision.engine.rollout import Rollout, describe, unfinished
from provision.errors import ReadFailed
from provision.model.change import Change
from provision.model.ports import PortRange
from provision.model.resources import DataChannelPorts, Package
from provision.model.state import Key, Scope, State
from provision.planning.plan import Plan, Step
from provision.remote.winrm_causes import TOO_LATE


@dataclass(slots=True)
class StopsAfterFirst(Rollout):
    """Every step succeeds; the operator asks to stop during the first."""

    begun: list[str] = field(default_factory=list)

    def perform(self, step: Step) -> None:
        self.begun.append(step.host)
        self.touched.append(step.host)
        self.context.stop.ask(1)


def rollout() -> StopsAfterFirst:
    context = Context(opener=None, secrets={})
    return StopsAfterFirst(None, None, None, context, Scope.of(State({})), {}, None, lambda _server: None)


def plan(*hosts: str) -> Plan:
    steps = [Step(host, (Change(Key(host, "package", "haproxy"), None, Package()),)) for host in hosts]
    return Plan(tuple(steps), (), 0, "")


def test_the_steps_that_were_not_begun_are_known_also_a_second_one_of_a_changed_host() -> None:
    run = rollout()
    assert run.run(plan("lb1", "win1", "lb1")) is False
    assert run.begun == ["lb1"]
    assert [step.host for step in run.due] == ["win1", "lb1"]


def test_after_the_last_step_nothing_is_due() -> None:
    run = rollout()
    assert run.run(plan("lb1")) is True
    assert run.due == ()


def test_only_of_a_change_is_it_said_that_it_may_have_taken_effect() -> None:
    error = unfinished(ReadFailed("P214", TOO_LATE.what, host="win1", why=TOO_LATE.why, next=TOO_LATE.next))
    assert error.why.endswith("what it began may have taken effect")
    assert "taken effect" not in TOO_LATE.why


def test_a_changed_host_with_another_step_is_not_among_those_that_are_as_they_were() -> None:
    stopped = Stopped(None, ("lb1",), ("win1", "lb1"), 130, None)
    assert stopped.waiting == ("win1",)


@pytest.mark.parametrize(("sessions", "words"), [(0, "drops 0 sessions"), (1, "drops 1 session"), (-1, "drops its sessions")])
def test_a_step_drops_as_many_sessions_as_the_plan_said(sessions: int, words: str) -> None:
    moved = Change(Key("win1", "data-channel-ports", "server"), None, DataChannelPorts(PortRange(10000, 10020)))
    assert describe(Step("win1", (moved,)), sessions) == f"1 change, restarts ftpsvc, {words}"
