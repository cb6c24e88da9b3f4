"""The symbols, each with its style, and small words that every view shares. Never colour alone: the symbol says it too.

Blue and orange, not green and red, so that most colour-blind people see the difference as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from provision.model.change import Change

Lines = list[Text]
"""A view: one `Text` a line; the door wraps, redacts and cleans. A line with `no_wrap` is left at its length."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A symbol and how it is coloured."""

    symbol: str
    style: str


ADD = Mark("+", "blue")
CHANGE = Mark("~", "dark_orange")
REMOVE = Mark("-", "bold dark_orange")
ALERT = Mark("!", "bold dark_orange")
UNKNOWN = Mark("?", "bold magenta")
SAME = Mark("=", "dim")


STRIPPED = {code: repr(chr(code))[1:-1] for code in (7, 8, 11, 12, 13)}
"""Control characters that rich takes out without a word: they are to be seen."""


def mark_of(change: Change) -> Mark:
    """Whether a change adds, changes or removes."""
    if change.before is None:
        return ADD
    return REMOVE if change.after is None else CHANGE


def line(*parts: str | tuple[str, str] | Mark, indent: int = 0) -> Text:
    """One line of plain words, (words, style) pairs and marks; a mark is followed by a blank."""
    text = Text(" " * indent)
    for part in parts:
        match part:
            case Mark():
                text.append(part.symbol, part.style)
                text.append(" ")
            case str():
                text.append(part.translate(STRIPPED))
            case (words, style):
                text.append(words.translate(STRIPPED), style)
    return text


def verbatim(words: str, style: str = "", indent: int = 0) -> Text:
    """A line that is never wrapped: commands to paste, carets, lines of files."""
    return Text(" " * indent + words.translate(STRIPPED), style=style, no_wrap=True)


def plural(count: int, word: str, many: str = "") -> str:
    """`1 server`, `2 servers`, `2 balancers differ`."""
    return f"{count} {word}" if count == 1 else f"{count} {many or word + 's'}"


def tidy(rows: Lines) -> Lines:
    """`rows` without blank lines at the beginning, and never two of them in a row."""
    return [row for at, row in enumerate(rows) if row.plain.strip() or (at > 0 and rows[at - 1].plain.strip())]


def next_lines(*commands: str) -> Lines:
    """`Next:` with commands that can be pasted as they are; nothing without commands."""
    rows = [line(("Next:  " if at == 0 else " " * 7, "bold"), one) for at, one in enumerate(commands)]
    for row in rows:
        row.no_wrap = True
    return [Text(), *rows] if rows else []


def columns(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Lines:
    """A table without rules: columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return [line((texts[0].rstrip(), "dim")), *(line(one.rstrip()) for one in texts[1:])]
