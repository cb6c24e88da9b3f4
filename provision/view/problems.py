"""Mistakes in a cluster file, each with its line and a caret; and advice, which is shown the same way."""

from __future__ import annotations

from collections.abc import Iterable

from provision.errors import ClusterFileError, Problem
from provision.view.marks import Lines, line, plural, verbatim

WIDEST = 72
"""Of a longer source line only the part around the mistake is shown."""

ROOM = 80
"""What is allowed stands behind the caret where the line stays below this, else on a line of its own."""


def file_problems(error: ClusterFileError, *, among: bool = False) -> Lines:
    """Every mistake, then how many there are. `among`: other clusters are contacted in the same run."""
    shown = [
        row for one in error.problems for row in _problem("error", "bold dark_orange", error.file, error.source, one)
    ]
    kept = "No host of this cluster was contacted." if among else "Nothing was contacted."
    return [*shown, line(f"{plural(len(error.problems), 'error')}. {kept}")]


def file_advice(file: str, source: str, problems: Iterable[Problem]) -> Lines:
    """What is allowed and still worth knowing."""
    return [row for one in problems for row in _problem("advice", "blue", file, source, one)]


def _problem(word: str, style: str, file: str, source: str, problem: Problem) -> Lines:
    place = f"{file}:{problem.line}:{problem.column}"
    head = line((word, style), f" {problem.code}  ", place, "  ", problem.message)
    rows = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not 1 <= problem.line <= len(rows) or not rows[problem.line - 1].strip():
        return [head] if not problem.allowed else [head, line(problem.allowed, indent=6)]
    return [head, *_caret(rows[problem.line - 1], problem)]


def _caret(text: str, problem: Problem) -> Lines:
    """The line itself and a caret under the mistake, and what is allowed where there is room for it.

    A tab counts as one column, and is shown as one blank.
    """
    column = problem.column - 1
    start = max(0, column - WIDEST // 2) if len(text) > WIDEST else 0
    shown = text[start : start + WIDEST].replace("\t", " ")
    length = max(1, min(problem.length, len(shown) - (column - start)))
    caret = f"      | {' ' * (column - start)}{'^' * length}"
    rows = [verbatim(f"{problem.line:5d} | {shown}")]
    if len(caret) + len(problem.allowed) < ROOM:
        return [*rows, verbatim(f"{caret} {problem.allowed}".rstrip())]
    return [*rows, verbatim(caret), line(problem.allowed, indent=8)]
