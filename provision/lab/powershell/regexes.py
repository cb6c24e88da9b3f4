"""Regular expressions and wildcards of .NET on Python's `re`: the common ground of both, the rest is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from provision.lab.powershell.refusal import Refused

_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
_SUBSTITUTION = re.compile(r"\$(?:(\$)|(&)|(\d+)|\{(\w+)\})")
_UNKNOWN = re.compile(r"\\[pPGkX]|\(\?<[=!]?[^A-Za-z_=!]|\(\?\(|\(\?>")


@lru_cache(maxsize=256)
def compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """A .NET pattern for `re`. Refuses what the two do not share."""
    if _UNKNOWN.search(pattern):
        raise Refused(f"the regular expression {pattern!r}")
    translated = _NAMED.sub("(?P<", pattern)
    translated = translated.replace(r"\Z", r"(?=\n?\Z)").replace(r"\z", r"\Z")
    try:
        return re.compile(translated, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise Refused(f"the regular expression {pattern!r} ({error})") from None


def groups(found: re.Match[str]) -> list[tuple[object, str]]:
    """What $Matches holds: 0, unnamed groups by number, named ones by name; groups that took part only.

    .NET numbers unnamed groups first, so that a named group between them takes no number from them.
    """
    names = {number: name for name, number in found.re.groupindex.items()}
    result: list[tuple[object, str]] = [(0, found[0])]
    number = 0
    for position in range(1, found.re.groups + 1):
        key: object = names.get(position)
        if key is None:
            number += 1
            key = number
        if found[position] is not None:
            result.append((key, found[position]))
    return result


def substitution(template: str) -> Callable[[re.Match[str]], str]:
    """A replacement text of .NET: $1, ${name}, $&, $$; an unknown group stays as written."""
    def fill(found: re.Match[str]) -> str:
        table = {str(key): value for key, value in groups(found)}

        def part(piece: re.Match[str]) -> str:
            if piece[1]:
                return "$"
            if piece[2]:
                return found[0]
            return table.get(piece[3] or piece[4], piece[0] if (piece[3] or piece[4]) not in _names(found) else "")
        return _SUBSTITUTION.sub(part, template)
    return fill


def _names(found: re.Match[str]) -> set[str]:
    unnamed = found.re.groups - len(found.re.groupindex)
    return set(found.re.groupindex) | {str(number) for number in range(unnamed + 1)}


@lru_cache(maxsize=256)
def wildcard(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """A pattern of -like: * ? [a-z]."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        closing = pattern.find("]", position + 1)
        if char == "[" and closing > position:
            out.append(f"[{re.escape(pattern[position + 1:closing]).replace(chr(92) + '-', '-')}]")
            position = closing
        else:
            out.append({"*": ".*", "?": "."}.get(char, re.escape(char)))
        position += 1
    return re.compile("".join(out), re.DOTALL | (re.IGNORECASE if ignore_case else 0))
