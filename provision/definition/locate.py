"""Complaints about places -> problems with line and column; and the source without secrets in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from provision.definition.complaint import Complaint, Place
from provision.definition.tree import Mapping, Node, Scalar, Sequence, Span
from provision.errors import Problem

_SECRET_KEY = re.compile(r"pas+w|pwd|secret|token|credential", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:env|file|keyring|cmd):|ask$")
_SECRET_LINE = re.compile(r"([\w\"']*(?:pas+w|pwd|secret|token|credential)[\w\"']*\s*:\s*)(\S.*)", re.IGNORECASE)


def span_of(root: Node, place: Place, at_key: bool = False) -> Span:
    """Where `place` stands: a single value itself, else its key; in a list, its beginning. What is not there: above."""
    node, span = root, root.span
    for part in place:
        if isinstance(node, Mapping) and part in node.items:
            key = str(part)
            span, node = node.keys[key], node.items[key]
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            span = node.span
        else:
            return span
    is_word = isinstance(node, Scalar) and node.value is not None
    return node.span if is_word and not at_key else span


def locate(complaint: Complaint, root: Node) -> Problem:
    """The complaint as a problem of the file."""
    span = span_of(root, complaint.place, complaint.at_key)
    message = complaint.message
    if complaint.first is not None:
        message += f" (first at line {span_of(root, complaint.first).line})"
    return Problem(complaint.code, message, span.line, span.column, span.length, complaint.allowed)


def in_order(problems: Iterable[Problem], settled: Iterable[Problem] = ()) -> tuple[Problem, ...]:
    """By line and column, each once; where something is `settled` (said already), nothing more is said."""
    said = {(one.line, one.column): one for one in settled}
    kept = [one for one in problems if (one.line, one.column) not in said]
    return tuple(sorted(dict.fromkeys([*settled, *kept]), key=lambda one: (one.line, one.column)))


def without_secrets(text: str, root: Node | None) -> str:
    """`text` with every plain value under a key that sounds like a secret blanked by stars of the same length.

    A file that is refused is shown in terminals and kept in logs of CI; a password written into it must not be.
    Without a tree (the text is not YAML) whole rests of lines are blanked.
    """
    if root is None:
        return _SECRET_LINE.sub(lambda match: match[1] + _stars(match[2]), text)
    lines = text.split("\n")
    for scalar in _secret_scalars(root, secret=False):
        _blank(lines, scalar)
    return "\n".join(lines)


def _secret_scalars(node: Node, secret: bool) -> Iterator[Scalar]:
    if isinstance(node, Mapping):
        for key, one in node.items.items():
            yield from _secret_scalars(one, secret or _SECRET_KEY.search(key) is not None)
    elif isinstance(node, Sequence):
        for one in node.items:
            yield from _secret_scalars(one, secret)
    elif secret and node.value is not None and not _REFERENCE.match(str(node.value)):
        yield node


def _blank(lines: list[str], scalar: Scalar) -> None:
    """Overwrite the characters of `scalar`, also over several lines."""
    last_line, last_column = scalar.end
    for number in range(scalar.span.line, min(last_line, len(lines)) + 1):
        line = lines[number - 1]
        start = scalar.span.column - 1 if number == scalar.span.line else 0
        until = last_column - 1 if number == last_line else len(line)
        lines[number - 1] = line[:start] + _stars(line[start:until]) + line[until:]


def _stars(text: str) -> str:
    """Stars instead of everything that is not blank; a reference stays readable."""
    return text if _REFERENCE.match(text.strip("\"' ")) else re.sub(r"\S", "*", text)
