"""The two commands that change servers: cluster and rollback. The engine asks; here is who answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from provision.cli.desk import Desk, command_line
from provision.cli.work import Run, open_run
from provision.engine.apply import apply_file, roll_back
from provision.engine.outcome import Outcome, Unchanged
from provision.engine.prepare import Prepared
from provision.errors import SnapshotError
from provision.model.cluster import Cluster
from provision.view.document_run import outcome_value, prepared_value
from provision.view.findings import finding_lines
from provision.view.marks import Lines, line, tidy
from provision.view.outcome import outcome_lines
from provision.view.plan import heading, plan_lines

Act = Callable[[Callable[[Prepared], bool]], Outcome]


def cluster(desk: Desk, cluster: str | None, limit: list[str] | None, adopt: bool, yes: bool) -> int:
    """Bring the servers to what the file says."""
    found = desk.load(cluster)
    named = [cluster] if cluster else []
    words = [*named, *(f"--limit={one}" for one in limit or ()), *(["--adopt"] if adopt else [])]
    with open_run(desk, found, adopt=adopt, limit=limit) as run:
        dialog = Dialog(desk, found, run, yes, command_line("cluster", *words), command_line("plan", *named))
        return dialog.carry(partial(apply_file, run.work))


def rollback(desk: Desk, cluster: str | None, to: int | None, yes: bool) -> int:
    """Go back to a generation."""
    found = desk.load(cluster)
    named = [cluster] if cluster else []
    words = [*named, *([f"--to={to}"] if to is not None else [])]
    with open_run(desk, found) as run:
        dialog = Dialog(desk, found, run, yes, command_line("rollback", *words), command_line("plan", *named))
        with history_next(named):
            return dialog.carry(partial(roll_back, run.work, to))


@contextmanager
def history_next(named: Sequence[str]) -> Iterator[None]:
    """A generation that cannot be used is told with the command that lists them, in the words that were typed."""
    try:
        yield
    except SnapshotError as error:
        error.next = error.next or command_line("history", *named)
        raise


@dataclass(slots=True)
class Dialog:
    """Shows the plan, asks, and tells how it ended. `again` is this command, `look` the one that shows differences."""

    desk: Desk
    cluster: Cluster
    run: Run
    yes: bool
    again: str
    look: str
    shown: list[Prepared] = field(default_factory=list)

    def carry(self, act: Act) -> int:
        """Run the verb and tell its outcome."""
        outcome = act(self.answer)
        lines = outcome_lines(outcome, self.cluster.hosts, self.again, self.look)
        if isinstance(outcome, Unchanged):
            reading = outcome.prepared.reading
            findings = finding_lines(outcome.prepared.findings, verbose=self.desk.common.verbose)
            lines = tidy([*heading(self.cluster, len(self.cluster.hosts), reading.seconds), *findings, line(), *lines])
        planned = prepared_value(self.shown[-1]) if self.shown else {}
        document = {**planned, **outcome_value(outcome)}
        if outcome.exit_code in (0, 1):
            return self.desk.finish(outcome.exit_code, lines, lambda: document)
        self.desk.door.complain(lines)
        return self.desk.finish(outcome.exit_code, [], lambda: document)

    def answer(self, prepared: Prepared) -> bool:
        """Show the plan and ask. After a yes the first signal finishes the step instead of ending the run."""
        self.shown.append(prepared)
        self.desk.door.status("")
        if not self.desk.common.json:
            self.desk.door.result(self._plan(prepared))
        agreed = self.yes or self.desk.confirm("Apply this?", f"{self.again} --yes")
        if agreed:
            self.desk.signals.hold(self.run.work.context.stop.ask, self._where)
        return agreed

    def _plan(self, prepared: Prepared) -> Lines:
        reading = prepared.reading
        rows = heading(self.cluster, len(self.cluster.hosts), reading.seconds)
        rows += plan_lines(
            self.cluster,
            prepared.plan,
            reading.sessions,
            prepared.consequences,
            prepared.findings,
            verbose=self.desk.common.verbose,
        )
        return tidy(rows)

    def _where(self) -> str:
        return f"{self.run.progress.where()}. See what is where: {self.look}"
