"""The writing verbs: `cluster` and `rollback`. One road for both: prepare, ask, lock, prepare again, snapshot, roll out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from provision.engine.context import Event
from provision.engine.copies import catch_up, copy_to_balancers
from provision.engine.generations import Generation, Store, held, whoami
from provision.engine.ftp_verify import verify_cluster
from provision.engine.pool import await_up
from provision.engine.outcome import Applied, Declined, HalfBack, Outcome, Stopped, Unchanged, WentBack
from provision.engine.prepare import Preparation, Prepared, Workplace, aim_of_file, balancer_generations, prepare_file, prepare_state
from provision.engine.rollout import Rollout
from provision.engine.verify import VerifyReport
from provision.errors import ProvisionError, SnapshotError, UnsafePlan, VerificationFailed

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
        raise SnapshotError("P705", what, next=f"provision history {work.cluster.name}")
    return generation


def _previous(store: Store) -> int:
    """The usable generation before the present one."""
    usable = [number for number in store.whole_numbers() if store.read(number).usable]
    if not usable:
        why = "no change was made yet, and no balancer keeps a copy"
        raise SnapshotError("P702", "there is no generation to go back to", why=why)
    return usable[-2] if len(usable) > 1 else usable[-1]


def _run(work: Workplace, verb: Verb, ask: Ask) -> Outcome:
    prepared = verb.prepare(work)
    if prepared.plan.empty:
        return Unchanged(prepared)
    if not ask(prepared):
        return Declined()
    with held(work.store):
        again = verb.prepare(work)
        if again.plan.live != prepared.plan.live:
            why = "somebody changed a host while the question was open"
            raise UnsafePlan("P301", "the live state is no longer what the plan was made from", why=why, next="run it again")
        generation = _begin(work, verb, again)
        return _roll_out(work, verb, again, generation)


def _begin(work: Workplace, verb: Verb, prepared: Prepared) -> Generation:
    """Snapshot, here and on the balancers, written and read back before the first change."""
    recorded = [one.number for one in balancer_generations(prepared.reading)]
    if max(recorded, default=-1) > max(work.store.numbers(), default=-1):
        catch_up(work)
    numbers = [*work.store.numbers(), *recorded]
    base = Generation(
        cluster=work.cluster.name,
        number=0,
        when=work.context.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        who=whoami(),
        what="found before the first change",
        result="found",
        state=prepared.aim.live,
        before=prepared.aim.live,
        scope=prepared.aim.scope,
        definition=work.cluster.text,
        key=work.store.keep_key().hex(),
    )
    started = replace(base, number=max(numbers, default=0) + 1, what=verb.what, result="started")
    written = [started] if numbers else [base, started]
    for generation in written:
        work.store.write(generation)
    copy_to_balancers(work, prepared.reading, written)
    return started


def _roll_out(work: Workplace, verb: Verb, prepared: Prepared, generation: Generation) -> Outcome:
    rollout = _rollout(work, verb, prepared)
    report: VerifyReport | None = None
    try:
        if not _converge(work, verb, prepared, rollout):
            return _stopped(work, prepared, rollout, generation)
        report = verify_cluster(work) if verb.verifies else None
        if report is not None and not report.ok:
            raise VerificationFailed("P601", "FTP through the cluster does not work yet", why=report.cause)
    except ProvisionError as error:
        return _go_back(work, prepared, rollout, generation, error, report)
    except Exception as crash:
        return _go_back(work, prepared, rollout, generation, _unexpected(crash), report)
    done = work.store.finish(generation, "proven", rollout.scope.restrict(rollout.reading.state))
    copy_to_balancers(work, rollout.reading, [done])
    return Applied(done, prepared.plan.kept, report)


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
        await_up=partial(await_up, work) if verb.serves else lambda server: None,
    )


def _unexpected(crash: Exception) -> ProvisionError:
    """A mistake of ours in the middle of a change: what was changed goes back as after any failure."""
    error = ProvisionError("P999", f"an error of provision itself: {type(crash).__name__}: {crash}")
    error.__cause__ = crash
    return error


def _converge(work: Workplace, verb: Verb, prepared: Prepared, rollout: Rollout) -> bool:
    """Carry out the plan, then what the hosts as they are now still lack. False when asked to stop."""
    plan = prepared.plan
    for _ in range(ROUNDS):
        if not rollout.run(plan):
            return False
        if verb.verifies is False:
            return True
        aim = aim_of_file(work, rollout.reading)
        plan = aim.plan(work.limit)
        if plan.empty:
            return True
        rollout.scope, rollout.texts = rollout.scope | aim.scope, {**rollout.texts, **aim.texts}
    left = ", ".join(str(change.key) for change in plan.net())
    raise UnsafePlan("P305", f"after {ROUNDS} rounds there is still something to do: {left}")


def _stopped(work: Workplace, prepared: Prepared, rollout: Rollout, generation: Generation) -> Stopped:
    work.store.finish(generation, "interrupted", rollout.scope.restrict(rollout.reading.state))
    steps = [step.host for step in prepared.plan.steps]
    waiting = tuple(dict.fromkeys(host for host in steps if host not in rollout.touched))
    return Stopped(generation, tuple(rollout.touched), waiting, work.context.stop.exit_code, rollout.reading)


def _go_back(
    work: Workplace,
    prepared: Prepared,
    rollout: Rollout,
    generation: Generation,
    error: ProvisionError,
    report: VerifyReport | None,
) -> Outcome:
    work.context.say(Event("failed", getattr(error, "host", ""), str(error)))
    failures, left = rollout.undo(prepared.aim.live)
    state = rollout.scope.restrict(rollout.reading.state)
    work.store.finish(generation, "failed" if failures else "undone", state)
    if failures:
        return HalfBack(error, failures, left)
    return WentBack(error, tuple(rollout.touched), report)
