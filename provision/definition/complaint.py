"""Complaints about a place in the cluster file, before they have a line and a column. Pure values.

A place is the way from the top of the file to a value: ("servers", 0, "address"). Checks complain about places;
`locate` alone turns places into lines and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[str | int, ...]
"""The way to a value: keys of mappings and, counted from 0, positions in lists."""

SHOWN = 60
"""So many characters of a wrong value are repeated in a message."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One mistake at `place`. `at_key` points at the key instead of its value.

    `first` is an earlier place that the message ends with ("first at line N"): where a doubled thing stood first.
    """

    code: str
    place: Place
    message: str
    allowed: str = ""
    at_key: bool = False
    first: Place | None = None


class BadValueError(ValueError):
    """A single value that is not what it should be, whatever stands around it; `definition.values` raises it."""

    def __init__(self, code: str, message: str, allowed: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.allowed = allowed


def dotted(place: Place) -> str:
    """A place as people write it: `servers[0].winrm.password`. The top of the file is "the file"."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "the file"


def shown(value: object) -> str:
    """A wrong value for a message: in double quotes, control characters visible, cut off after SHOWN characters."""
    text = str(value)
    visible = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text[: SHOWN + 1])
    return f'"{visible[:SHOWN]}..."' if len(visible) > SHOWN else f'"{visible}"'
