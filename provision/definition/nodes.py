"""The values of a YAML text that know where they stand, and what a plain word means. Pure; no YAML reader here.

A plain word that YAML readers disagree about (`no`, `021`, `1e3`, `2016-01-01`, `12:30`) is `Ambiguous`, which nothing
accepts: whoever means text quotes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DISAGREED = re.compile(
    r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"                       # yes and no in YAML 1.1
    r"|[-+]?[0-9][0-9_]*|[-+]?0[xbo][0-9A-Fa-f_]+"                             # other spellings of whole numbers
    r"|[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+|[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"  # numbers with a point or exponent
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"                       # base 60 in YAML 1.1
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)?"                            # dates
    r"|=|<<"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: line and column from 1, length in characters on that line, at least 1."""

    line: int
    column: int
    length: int = 1


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A plain word that some YAML readers take for something else than text. It equals no text and no number."""

    text: str

    def __str__(self) -> str:
        return self.text


Plain = str | int | bool | None | Ambiguous


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `end` is the line and column just behind it, for values over several lines."""

    value: Plain
    span: Span
    end: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping; keys are the text that stands there. `keys` says where each stands.

    Of a key that stands there twice the first value counts; the others are in `doubled`, for nothing but masking.
    """

    items: dict[str, Node]
    keys: dict[str, Span]
    span: Span
    doubled: tuple[tuple[str, Node], ...] = ()


Node = Scalar | Sequence | Mapping


def resolve(text: str) -> Plain:
    """What a plain (unquoted) word means; only spellings that every YAML reader takes alike mean a number."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return Ambiguous(text) if _DISAGREED.fullmatch(text) else text


def plain(node: Node) -> object:
    """The tree as dict, list, str, int, bool, None and Ambiguous."""
    if isinstance(node, Mapping):
        return {key: plain(one) for key, one in node.items.items()}
    if isinstance(node, Sequence):
        return [plain(one) for one in node.items]
    return node.value
