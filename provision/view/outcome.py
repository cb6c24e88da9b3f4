"""How `cluster` and `rollback` ended: what is where, proven how, and the next command. Never more than is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provision.engine.outcome import Applied, Declined, HalfBack, Outcome, Stopped, Unchanged, WentBack
from provision.errors import ProvisionError
from provision.model.change import Change
from provision.view.errors import error_lines
from provision.view.marks import ADD, ALERT, CHANGE, SAME, UNKNOWN, Lines, line, next_lines, plural
from provision.view.verify import verify_lines
from provision.view.words import change_words, property_word


def outcome_lines(outcome: Outcome, hosts: Sequence[str], again: str, look: str) -> Lines:
    """The end of a writing command. `again` is the command that was given, `look` the one that shows the difference."""
    match outcome:
        case Unchanged():
            return [
                line(SAME, "Nothing to do: everything is as it should be. Nothing was changed, restarted or reloaded.")
            ]
        case Declined():
            return [line(SAME, "Not confirmed: nothing was changed.")]
        case Applied():
            return _applied(outcome)
        case WentBack():
            return _went_back(outcome, hosts, again, look)
        case HalfBack():
            return _half_back(outcome, hosts, again, look)
        case Stopped():
            return _stopped(outcome, again, look)


def _applied(outcome: Applied) -> Lines:
    number = outcome.generation.number
    rows = [line(SAME, f"{one.key.host}: {property_word(one.key)} {one.key.name} is kept") for one in outcome.kept]
    rows += verify_lines(outcome.verified) if outcome.verified else []
    return [*rows, line(ADD, f"Done and read again: generation {number} is proven.")]


def _went_back(outcome: WentBack, hosts: Sequence[str], again: str, look: str) -> Lines:
    rows = _failure(outcome.error) + (verify_lines(outcome.verified) if outcome.verified else [])
    rows += [line(), line(("State of each host:", "bold"))]
    for host in hosts:
        told = "was changed, is back as it was found, read again" if host in outcome.hosts else "was not changed"
        rows.append(line(SAME, (host, "bold"), f"  {told}", indent=2))
    rows.append(line("Failed, and everything was rolled back and verified."))
    return rows + next_lines(look, again)


def _half_back(outcome: HalfBack, hosts: Sequence[str], again: str, look: str) -> Lines:
    rows = [*_failure(outcome.error), line(), line(("State of each host:", "bold"))]
    for host in hosts:
        if host in outcome.failures:
            rows += _left(host, outcome.failures[host], outcome.left.get(host, ()))
        else:
            rows.append(line(SAME, (host, "bold"), "  is as it was found", indent=2))
    rows.append(line(ALERT, ("Failed, and not everything could be rolled back.", ALERT.style)))
    fixes = [one.next for one in outcome.failures.values() if one.next]
    return rows + next_lines(*dict.fromkeys([*fixes, look, again]))


def _left(host: str, error: ProvisionError, changes: Iterable[Change]) -> Lines:
    """What differs on a host that could not be put back: from what is there to what was found."""
    left = list(changes)
    mark = CHANGE if left else UNKNOWN
    rows = [line(mark, (host, "bold"), f"  could not be put back: {error.what} ({error.code})", indent=2)]
    rows += [line(part, indent=6) for part in error.why.splitlines()]
    rows += [line(f"{property_word(one.key)}  ", change_words(one), indent=6) for one in left]
    word = "is there -> was found" if left else "what differs there is unknown"
    return [*rows, line((f"({word})", "dim"), indent=6)]


def _failure(error: ProvisionError) -> Lines:
    """The error; what to do about it stands with it, since the outcome's `Next:` says how to go on."""
    rows = error_lines(error)
    return [*rows[:-2], line("do: ", error.next, indent=4)] if error.next else rows


def _stopped(outcome: Stopped, again: str, look: str) -> Lines:
    rows = [line(("Stopped between two steps.", "bold"))]
    for host in outcome.done:
        rest = outcome.due.count(host)
        more = f"; {plural(rest, 'more step is', 'more steps are')} to come there" if rest else ""
        rows.append(line(ADD, (host, "bold"), f"  was changed and read again{more}", indent=2))
    rows += [line(SAME, (host, "bold"), "  is as it was", indent=2) for host in outcome.waiting]
    count = plural(len(outcome.due), "step")
    rows.append(line(f"{count} to go: {' -> '.join(outcome.due)}."))
    rows.append(line(f"Generation {outcome.generation.number} is interrupted."))
    return rows + next_lines(look, again)
