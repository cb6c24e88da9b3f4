"""String literals: quotes, backticks, here-strings. Text in, text or parts out; no tree is needed but the holes."""

from __future__ import annotations

from provision.lab.powershell.refusal import Refused

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_DOUBLE_QUOTES = '"\u201c\u201d\u201e'


def verbatim(text: str) -> str:
    """`'it''s'` -> it's."""
    return text[1:-1].replace("''", "'")


def verbatim_here(text: str) -> str:
    """`@'` line end, text, line end `'@` -> text."""
    return _here_body(text)


def _here_body(text: str) -> str:
    body = text[2:-2]
    start = body.index("\n") + 1
    end = body.rindex("\n")
    return body[start:end] if end >= start else ""


def here_bounds(text: str) -> tuple[int, int]:
    """Where the body of a here-string starts and ends inside its literal."""
    start = text.index("\n") + 1
    return start, max(start, text.rindex("\n"))


def unescape(text: str, line: int, *, here: bool) -> str:
    """The text of an expandable string between its holes: backticks and doubled quotes resolved.

    In Windows PowerShell 5.1 a backtick before any other character gives that character.
    """
    out: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        following = text[position + 1] if position + 1 < len(text) else ""
        if char == "`" and following:
            if following == "u" or (following.isalpha() and following not in _ESCAPES):
                raise Refused(f"the escape `{following}", line)
            out.append(_ESCAPES.get(following, following))
            position += 2
        elif char in _DOUBLE_QUOTES and not here and following in _DOUBLE_QUOTES:
            out.append(char)
            position += 2
        else:
            out.append(char)
            position += 1
    return "".join(out)
