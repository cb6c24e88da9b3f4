"""Makes text from servers and files fit to be shown: control characters become visible, secrets become `***`. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from rich.text import Span, Text

ARROW = " ->"

LONGEST = 65_536
"""A message is cut after this many characters."""

_SHOWN = {"\t": "    ", "\n": "\\n", "\r": "\\r"}


def visible(char: str) -> str:
    """`char`, or an escape when it would move the cursor, hide or reorder text."""
    if char in _SHOWN:
        return _SHOWN[char]
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        point = ord(char)
        return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
    return char


def writable(encoding: str | None) -> Callable[[str], str]:
    """Maps a character to what a stream of `encoding` can carry, as an escape if need be."""
    name = encoding or "ascii"
    return lambda char: char.encode(name, "backslashreplace").decode(name)


def mapped(text: Text, convert: Callable[[str], str]) -> Text:
    """`text` with each character converted; the styles stay with their characters."""
    pieces = [convert(char) for char in text.plain]
    if all(len(piece) == 1 for piece in pieces):
        return text
    at = [0]
    for piece in pieces:
        at.append(at[-1] + len(piece))
    spans = [Span(at[one.start], at[min(one.end, len(pieces))], one.style) for one in text.spans]
    return Text("".join(pieces), style=text.style, no_wrap=text.no_wrap, spans=spans)


def cut(text: Text) -> Text:
    """`text`, cut after LONGEST characters with a word about the rest."""
    rest = len(text) - LONGEST
    if rest <= 0:
        return text
    shown = text[:LONGEST].append(f" [{rest} more characters are not shown]")
    shown.no_wrap = text.no_wrap
    return shown


def redacted(lines: list[Text], redact: Callable[[str], str]) -> list[Text]:
    """`lines` without secrets, also where one reaches over several lines. What is blanked loses its styles."""
    kept = []
    for text in lines:
        clean = redact(text.plain)
        kept.append(text if clean == text.plain else Text(clean, style=text.style, no_wrap=text.no_wrap))
    whole = "\n".join(one.plain for one in kept)
    clean = redact(whole)
    return kept if clean == whole else [Text(one, no_wrap=True) for one in clean.split("\n")]


def clean_rows(text: str, redact: Callable[[str], str]) -> list[str]:
    """The lines of `text` for a file of ours: without secrets, control characters visible."""
    return ["".join(map(visible, one)) for one in redact(text).split("\n")]


def redacted_value(value: object, redact: Callable[[str], str]) -> object:
    """A JSON value with every string in it redacted and cut; keys are words of ours and names of the cluster file."""
    match value:
        case str():
            return redact(value)[:LONGEST]
        case dict():
            return {key: redacted_value(one, redact) for key, one in value.items()}
        case list() | tuple():
            return [redacted_value(one, redact) for one in value]
    return value


def _before_arrow(plain: str, first: int, blank: int) -> int:
    """Where to break instead of at `blank`, right behind an arrow: before it, so that it stands with its new value."""
    arrow = blank - len(ARROW)
    return arrow if arrow >= first and plain[arrow:blank] == ARROW else blank


def folded(text: Text, width: int) -> list[Text]:
    """`text` broken at blanks to `width` columns; later lines hang four columns deeper. A word is never broken.

    Where the end of the line stands in a column of its own (three blanks before it), that column falls below first.
    """
    if text.no_wrap or text.cell_len <= width:
        return [text]
    plain = text.plain
    apart = len(plain.rstrip()) - len(re.split(r"\S {3,}(?=\S)", plain.rstrip())[-1])
    body = plain[:apart].rstrip()
    if apart > max(width // 2, len(body) + 2):
        indent = len(plain) - len(plain.lstrip()) + 4
        return [*folded(text[: len(body)], width), *folded(Text(" " * indent).append_text(text[apart:]), width)]
    hang = min(len(plain) - len(plain.lstrip()) + 4, width // 2)
    rows: list[Text] = []
    start, first = 0, hang
    while len(plain) - start > width - (hang if rows else 0):
        room = width - (hang if rows else 0)
        blank = plain.rfind(" ", start + first, start + room + 1)
        if blank < 0:
            blank = plain.find(" ", start + room)
        if blank < 0:
            break
        blank = _before_arrow(plain, start + first, blank)
        rows.append(text[start:blank])
        start = blank + len(plain[blank:]) - len(plain[blank:].lstrip())
        first = 1
    rows.append(text[start:])
    for row in rows:
        row.rstrip()
    return [rows[0], *(Text(" " * hang).append_text(row) for row in rows[1:] if row.plain)]
