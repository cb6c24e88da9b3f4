"""Complaints about places -> problems with line and column, in the order of the file. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from provision.definition.complaint import Complaint, Place
from provision.definition.nodes import Mapping, Node, Scalar, Sequence, Span
from provision.errors import Problem


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
