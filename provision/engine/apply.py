"""The writing verbs, `cluster` and `rollback`, on one road: prepare, ask, lock, prepare again, snapshot, roll out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from provision.engine.context import Event
from provision.engine.copies import catch_up, copy_to_balancers
from provision.engine.documents import Generation, Result
from provision.engine.ftp_verify import verify_cluster, verify_servers
from provision.engine.generations import Store, held, whoami
from provision.engine.outcome import Applied, Declined, HalfBack, Outcome, Stopped, Unchanged, WentBack
from provision.engine.pool import await_up
from provision.engine.prepare import (
    Preparation,
    Prepared,
    Workplace,
    aim_of_file,
    balancer_generations,
    prepare_file,
    prepare_state,
)
from provision.engine.rollout import Rollout, ours
from provision.engine.verify import VerifyReport
from provision.errors import ProvisionError, SnapshotError, UnsafePlan, VerificationFailed
from provision.model.resources import File, ForeignContent
from provision.planning.plan import Plan

Ask = Callable[[Prepared], bool]
ROUNDS = 2
"""A first run may learn more about a host (the version of a package it installed): then the plan is made once more."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What tells the two writing verbs apart. `what` goes into the history.

    `serves`: the servers are to serve through the VIP afterwards; `verifies`: FTP is tried at the end.
    """

    what: str
    prepare: Preparation
    serves: bool
    verifies: bool


def apply_file(work: Workplace, ask: Ask) -> Outcome:
    """Bring the cluster to what its file says. Raises ProvisionError when nothing was changed yet."""
    return _run(work, Verb("cluster", prepare_file, serves=True, verifies=True), ask)


def roll_back(work: Workplace, number: int | None, ask: Ask) -> Outcome:
    """Bring the cluster back to a generation; None: the one before the present. Raises SnapshotError and others."""
    target = rollback_target(work, number)
    prepare = partial(prepare_state, target=target)
    return _run(work, Verb(f"rollback to {target.number}", prepare, serves=target.number > 0, verifies=False), ask)


def rollback_target(work: Workplace, number: int | None) -> Generation:
    """The generation to go back to; balancers' copies are taken over first. Raises SnapshotError."""
    catch_up(work)
    generation = work.store.read(_previous(work.store) if number is None else number)
    if not generation.usable:
        what = f"generation {generation.number} was not proven (it ended as: {generation.result})"
        raise SnapshotError("P705", what)
    return generation


def _previous(store: Store) -> int:
    """The usable generation before the present one. After a run that did not end that is the last usable one."""
    usable = [number for number in store.whole_numbers() if store.read(number).usable]
    if not usable:
        why = "no change was made yet, and no balancer keeps a copy"
        raise SnapshotError("P702", "there is no generation to go back to", why=why)
    return usable[-2] if len(usable) > 1 and store.unfinished() is None else usable[-1]


def _run(work: Workplace, verb: Verb, ask: Ask) -> Outcome:
    prepared = verb.prepare(work)
    if prepared.plan.empty:
        return Unchanged(prepared)
    if not ask(prepared):
        return Declined()
    with held(work.store, work.context.now().strftime("%Y-%m-%dT%H:%M:%SZ")):
        again = verb.prepare(work)
        if again.plan.live != prepared.plan.live:
            what, why = "the live state is not what the plan was made from", "somebody changed a host meanwhile"
            raise UnsafePlan("P301", what, why=why, next="run it again")
        return _roll_out(_Run(work, verb, again, _begin(work, verb, again), _rollout(work, verb, again)))


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that has begun: from here on every end is an outcome that says where each host stands."""

    work: Workplace
    verb: Verb
    prepared: Prepared
    generation: Generation
    rollout: Rollout

    def record(self, result: Result) -> Generation:
        """Write down how it ended, here and on the balancers. That this fails is told: the change itself stands."""
        state = self.rollout.scope.restrict(self.rollout.reading.state)
        ended = replace(self.generation, result=result, state=state, scope=self.rollout.scope)
        try:
            self.work.store.write(ended)
            copy_to_balancers(self.work, self.rollout.reading, [ended])
        except ProvisionError as error:
            self.work.context.say(Event("failed", "", f"generation {ended.number} is not recorded everywhere: {error}"))
        return ended


def _begin(work: Workplace, verb: Verb, prepared: Prepared) -> Generation:
    """Snapshot, here and on the balancers, written and read back before the first change."""
    recorded = [one.number for one in balancer_generations(work, prepared.reading)]
    if max(recorded, default=-1) > max(work.store.numbers(), default=-1):
        catch_up(work)
    number = max([*work.store.numbers(), *recorded], default=-1) + 1
    found = Generation(
        cluster=work.cluster.name,
        number=number,
        when=work.context.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        who=whoami(),
        what="found before a file of others was replaced" if number else "found before the first change",
        result="found",
        state=prepared.aim.live,
        before=prepared.aim.live,
        scope=prepared.aim.scope,
        definition=work.cluster.text,
        key=work.store.keep_key().hex(),
    )
    kept = [found] if number == 0 or replaces_foreign(prepared.plan) else []
    started = replace(found, number=number + len(kept), what=verb.what, result="started")
    written = [*kept, started]
    for generation in written:
        work.store.write(generation)
    copy_to_balancers(work, prepared.reading, written)
    return started


def replaces_foreign(plan: Plan) -> bool:
    """Whether a file goes that we did not write: what was found is then worth a generation to go back to."""
    befores = [one.before for one in plan.net()]
    return any(isinstance(one, File) and isinstance(one.content, ForeignContent) for one in befores)


def _rollout(work: Workplace, verb: Verb, prepared: Prepared) -> Rollout:
    aim = prepared.aim
    return Rollout(
        cluster=work.cluster,
        sessions=work.sessions,
        masks_of=work.masks.for_output,
        context=work.context,
        scope=aim.scope,
        texts=aim.texts,
        reading=prepared.reading,
        await_up=partial(await_up, work) if verb.serves else _no_wait,
    )


def _no_wait(_server: str) -> None:
    """After a rollback to the beginning nobody serves through the VIP."""


def _roll_out(run: _Run) -> Outcome:
    try:
        if not _converge(run):
            return _stopped(run)
        report = _verified(run)
    except ProvisionError as error:
        return _go_back(run, error)
    except Exception as crash:  # noqa: BLE001  # a mistake of ours in the middle of a change goes back like any failure
        return _go_back(run, ours(crash))
    return Applied(run.record("proven"), run.prepared.plan.kept, report)


class NotServing(VerificationFailed):
    """FTP was tried after a change and does not work; `report` has every check."""

    def __init__(self, report: VerifyReport) -> None:
        super().__init__("P601", "FTP through the cluster does not work yet", why=report.cause)
        self.report = report


def _verified(run: _Run) -> VerifyReport | None:
    """FTP tried through the whole cluster, where the verb asks for it. Raises NotServing.

    While hosts outside the limit of this run are still to come, only the servers inside it can be asked to work.
    """
    if not run.verb.verifies:
        return None
    behind = sorted({one.key.host for one in aim_of_file(run.work, run.rollout.reading).plan().net()})
    if behind:
        told = f"FTP is not tried through the VIP while hosts are not as the file says yet: {', '.join(behind)}"
        run.work.context.say(Event("note", "", told))
    report = verify_servers(run.work, run.work.limit) if behind else verify_cluster(run.work)
    if not report.ok:
        raise NotServing(report)
    return report if report.checks else None


def _converge(run: _Run) -> bool:
    """Carry out the plan, then what the hosts as they are now still lack. False when asked to stop."""
    rollout, plan = run.rollout, run.prepared.plan
    for _ in range(ROUNDS):
        if not rollout.run(plan):
            return False
        if not run.verb.verifies:
            return True
        aim = aim_of_file(run.work, rollout.reading)
        plan = aim.plan(run.work.limit)
        if plan.empty:
            return True
        rollout.scope, rollout.texts = rollout.scope | aim.scope, {**rollout.texts, **aim.texts}
    left = ", ".join(str(change.key) for change in plan.net())
    raise UnsafePlan("P305", f"after {ROUNDS} rounds there is still something to do: {left}")


def _stopped(run: _Run) -> Stopped:
    ended, touched = run.record("interrupted"), tuple(run.rollout.touched)
    due = tuple(step.host for step in run.rollout.due)
    return Stopped(ended, touched, due, run.work.context.stop.exit_code, run.rollout.reading)


def _go_back(run: _Run, error: ProvisionError) -> Outcome:
    run.work.context.say(Event("failed", getattr(error, "host", ""), str(error)))
    failures, left = run.rollout.undo(run.prepared.aim.live)
    run.record("failed" if failures else "undone")
    if failures:
        return HalfBack(error, failures, left)
    report = error.report if isinstance(error, NotServing) else None
    return WentBack(error, tuple(run.rollout.touched), report)
