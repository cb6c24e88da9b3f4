"""Findings: what a reading brought to light beside the managed state."""

from __future__ import annotations

from collections.abc import Iterable

from provision.model.change import Finding
from provision.view.marks import ALERT, SAME, Lines, line, plural

LEVELS = ("refuse", "warn", "note")


def finding_lines(findings: Iterable[Finding], *, verbose: bool) -> Lines:
    """Refusals first, then warnings; notes are counted, and shown when all is asked for."""
    ordered = sorted(findings, key=lambda one: LEVELS.index(one.level))
    shown = [one for one in ordered if verbose or one.level != "note"]
    rows = [row for one in shown for row in _finding(one)]
    hidden = len(ordered) - len(shown)
    rows += [line(SAME, f"{plural(hidden, 'note')} more; -v shows {'it' if hidden == 1 else 'them'}")] if hidden else []
    return [line(), *rows] if rows else []


def _finding(one: Finding) -> Lines:
    word = {"refuse": "refused", "warn": "warning", "note": "note"}[one.level]
    mark = SAME if one.level == "note" else ALERT
    head = line(mark, (f"{word} {one.code}", mark.style), "  ", (one.host, "bold"), f"  {one.message}")
    return [head, line("do: ", one.fix, indent=4)] if one.fix else [head]
