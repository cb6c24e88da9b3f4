"""The source of a refused file without the secrets that somebody wrote into it. Pure.

A file that is refused is shown in terminals and kept in logs of CI; a password in it must not be. Every plain value
under a key that sounds like a secret is overwritten with stars; lines and columns stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.definition.nodes import Mapping, Node, Scalar, Sequence

_SECRET_KEY = re.compile(r"pas+w|pwd|secret|token|credential", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:env|file|keyring|cmd):|ask$")


def without_secrets(text: str, root: Node) -> str:
    """`text` with the plain values under secret keys of its tree blanked. References stay readable."""
    lines = text.split("\n")
    for scalar in _secret_scalars(root, secret=False):
        _blank(lines, scalar)
    return "\n".join(lines)


def without_secret_lines(text: str) -> str:
    """For a text that is no tree: the rest of each line behind a secret key, and the lines indented below it."""
    lines: list[str] = []
    inside: int | None = None
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        key = _SECRET_KEY.search(line)
        value = line.find(":", key.end()) + 1 if key else 0
        if value:
            inside = indent
            lines.append(line[:value] + _stars(line[value:]))
        elif inside is not None and (indent > inside or not line.strip()):
            lines.append(_stars(line))
        else:
            inside = None
            lines.append(line)
    return "\n".join(lines)


def _secret_scalars(node: Node, *, secret: bool) -> Iterator[Scalar]:
    if isinstance(node, Mapping):
        for key, one in (*node.items.items(), *node.doubled):
            yield from _secret_scalars(one, secret=secret or _SECRET_KEY.search(key) is not None)
    elif isinstance(node, Sequence):
        for one in node.items:
            yield from _secret_scalars(one, secret=secret)
    elif secret and node.value is not None and not _REFERENCE.match(str(node.value)):
        yield node


def _blank(lines: list[str], scalar: Scalar) -> None:
    """Overwrite the characters of `scalar`, also over several lines."""
    last_line, last_column = scalar.end
    for number in range(scalar.span.line, min(last_line, len(lines)) + 1):
        line = lines[number - 1]
        start = scalar.span.column - 1 if number == scalar.span.line else 0
        until = last_column - 1 if number == last_line else len(line)
        lines[number - 1] = line[:start] + re.sub(r"\S", "*", line[start:until]) + line[until:]


def _stars(text: str) -> str:
    """Stars instead of everything that is not blank; a reference stays readable."""
    return text if _REFERENCE.match(text.strip("\"' ")) else re.sub(r"\S", "*", text)
