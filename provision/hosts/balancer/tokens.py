"""haproxy.cfg as typed words: a line is built from tokens, and a token cannot break out of its place.

Knows HAProxy's lexer (blanks separate, `#` comments, quotes and backslash quote), not what the words mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORBIDDEN = re.compile(r"[\s#'\"\\\x00-\x1f\x7f]")
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Token:
    """One word that came from outside: no white space, `#`, quote, backslash or control character, and not empty.

    Raises ValueError without repeating the word: it may be a secret.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text or not self.text.isprintable() or _FORBIDDEN.search(self.text):
            raise ValueError("not one word of haproxy.cfg: blanks, #, quotes, backslash and control characters")


@dataclass(frozen=True, slots=True)
class Constant:
    """Words of our own source text, blanks and escapes included. Never built from data."""

    text: str


@dataclass(frozen=True, slots=True)
class SecretToken:
    """`before` as a token, a colon, and a placeholder where a secret will stand (`masks` puts it in)."""

    before: str
    placeholder: str

    def __post_init__(self) -> None:
        Token(self.before)
        if ":" in self.before:
            raise ValueError("a colon ends the user of 'stats auth'")

    @property
    def text(self) -> str:
        """As it stands in the masked text."""
        return f"{self.before}:{self.placeholder}"


def line(*words: str | int | Constant | SecretToken) -> str:
    """One indented line. Strings are checked as tokens, one word each; raises ValueError for any that is not."""
    return INDENT + " ".join(_text(word) for word in words)


def section(kind: str, *names: str) -> str:
    """A section's opening line, such as `listen FTPVIP`."""
    return " ".join((kind, *(Token(name).text for name in names)))


def seconds(value: int) -> str:
    """A time of HAProxy in its largest whole unit: 14400 is `4h`, 90 is `90s`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value}s"


def _text(word: str | int | Constant | SecretToken) -> str:
    match word:
        case str():
            return Token(word).text
        case int():
            return str(word)
    return word.text
