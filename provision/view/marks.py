"""The symbols, each with its style, and small words that every view shares. Never colour alone: the symbol says it too.

Blue and orange, not green and red, so that most colour-blind people see the difference as well.
"""

from __future__ import annotations

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
                text.append(part)
            case (words, style):
                text.append(words, style)
    return text


def verbatim(words: str, style: str = "", indent: int = 0) -> Text:
    """A line that is never wrapped: commands to paste, carets, lines of files."""
    return Text(" " * indent + words, style=style, no_wrap=True)


def plural(count: int, word: str, many: str = "") -> str:
    """`1 server`, `2 servers`, `2 balancers differ`."""
    return f"{count} {word}" if count == 1 else f"{count} {many or word + 's'}"


def next_lines(*commands: str) -> Lines:
    """`Next:` with commands that can be pasted as they are; nothing without commands."""
    heads = ["Next:  "] + [" " * 7] * len(commands)
    rows = [Text.assemble((head, "bold"), one, no_wrap=True) for head, one in zip(heads, commands, strict=False)]
    return [Text(), *rows] if rows else []
