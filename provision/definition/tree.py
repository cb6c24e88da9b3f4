"""YAML text -> a tree of values that know where they stand. Limits come before everything else.

The text is hostile: depth and number of nodes are bounded while it is read; anchors, aliases, merge keys, tags,
directives, second documents and doubled keys are complaints; what single words mean stands in `nodes`.
This module knows YAML and nothing of clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from provision.definition.complaint import shown
from provision.definition.nodes import Ambiguous, Mapping, Node, Scalar, Sequence, Span, resolve
from provision.errors import Problem

DEEPEST = 20
"""Levels of mappings and lists inside each other."""

MOST_NODES = 50_000
"""Values and keys in one file: some thousand servers with every key given."""


class BrokenYamlError(Exception):
    """The text cannot be read on: the last of `problems` says why; those before it were found on the way."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


class _Mark(Protocol):
    line: int
    column: int


def parse(text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The tree of `text` (None: it holds no value at all) and what is forbidden in it. Raises `BrokenYamlError`."""
    builder = _Builder(text.split("\n"), _events(text))
    return builder.document(), tuple(builder.problems)


def _events(text: str) -> Iterator[Event]:
    """Events of ruamel.yaml; any exception of its becomes `BrokenYamlError` at the place it names, or the last read."""
    last: _Mark | None = None
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            last = event.end_mark
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark or last
        raise BrokenYamlError((_syntax(str(error.problem or error.context), mark),)) from None
    except Exception as error:  # the text is hostile, and a scanner may trip over it in its own way
        raise BrokenYamlError((_syntax(type(error).__name__, last),)) from error


_HINTS = {
    "'\\t'": "indent with spaces, not with tabs",
    "<block end>": "check the indentation: keys of one mapping, and items of one list, begin in one column",
    "mapping values": "check the indentation of this line and the one above; a text with ': ' in it wants quotes",
    "could not find expected ':'": "check the line above: a key wants a colon behind it",
}
"""What is usually wrong, by words of the parser's message."""


def _syntax(problem: str, mark: _Mark | None) -> Problem:
    hint = next((words for sign, words in _HINTS.items() if sign in problem), "YAML 1.2")
    if "<block end>" in problem:
        problem = "this line is indented unlike those that it belongs to"
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem("P103", f"this is not YAML: {problem}", line, column, 1, hint)


@dataclass(slots=True)
class _Builder:
    """One pass over the events. `problems` grows; what cannot be gone on with raises `BrokenYamlError`."""

    lines: list[str]
    events: Iterator[Event]
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def document(self) -> Node | None:
        """The first document's tree; a second one is a complaint and is not read."""
        root: Node | None = None
        started = 0
        try:
            for event in self.events:
                if isinstance(event, DocumentStartEvent):
                    started += 1
                    self._check_start(event, started)
                    root = self._node(next(self.events), 1) if started == 1 else root
                if started > 1:
                    break
        except BrokenYamlError as broken:
            raise BrokenYamlError((*self.problems, *broken.problems)) from broken.__cause__
        return None if isinstance(root, Scalar) and root.value is None else root

    def _check_start(self, event: DocumentStartEvent, started: int) -> None:
        if started > 1:
            self._complain(event.start_mark, 3, "a second document begins here", "one document in a file")
        elif event.version or event.tags:
            self._complain(event.start_mark, 1, "a YAML directive is not allowed here", "no % lines")

    def _node(self, event: Event, depth: int) -> Node:
        self._count(event, depth)
        self._check_marks(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, depth)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, depth)
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        return Scalar(Ambiguous("*"), self._span(event, None), (event.end_mark.line + 1, event.end_mark.column + 1))

    def _mapping(self, start: MappingStartEvent, depth: int) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        doubled: list[tuple[str, Node]] = []
        while not isinstance(event := next(self.events), MappingEndEvent):
            key, span = self._key(event, depth)
            value = self._node(next(self.events), depth + 1)
            if key in items:
                message = f"the key {shown(key)} stands here twice (first at line {keys[key].line})"
                doubled.append((key, value))
                self.problems.append(Problem("P118", message, span.line, span.column, span.length, "each key once"))
            else:
                items[key], keys[key] = value, span
        return Mapping(items, keys, self._span(start, 1), tuple(doubled))

    def _key(self, event: Event, depth: int) -> tuple[str, Span]:
        node = self._node(event, depth)
        if not isinstance(node, Scalar) or not isinstance(event, ScalarEvent):
            self._complain(event.start_mark, node.span.length, "this key is not a word", "a single word")
            return f"?{self.nodes}", node.span
        if event.value == "<<" and event.implicit[0]:
            self._complain(event.start_mark, 2, "a merge key is not allowed here", "write the keys out: no <<")
        return event.value, node.span

    def _sequence(self, start: SequenceStartEvent, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(tuple(items), self._span(start, 1))

    def _scalar(self, event: ScalarEvent) -> Scalar:
        value = resolve(event.value) if event.implicit[0] and event.style is None else event.value
        return Scalar(value, self._span(event, None), (event.end_mark.line + 1, event.end_mark.column + 1))

    def _check_marks(self, event: Event) -> None:
        if isinstance(event, AliasEvent):
            self._complain(event.start_mark, None, "an alias is not allowed here", "write the value out: no * and no &")
        elif getattr(event, "anchor", None):
            self._complain(event.start_mark, None, "an anchor is not allowed here", "write values out: no & and no *")
        if getattr(event, "tag", None) and not isinstance(event, AliasEvent):
            self._complain(event.start_mark, None, "a tag is not allowed here", "plain values: no ! tags")

    def _count(self, event: Event, depth: int) -> None:
        self.nodes += 1
        if depth <= DEEPEST and self.nodes <= MOST_NODES:
            return
        much = f"{DEEPEST} levels inside each other" if depth > DEEPEST else f"{MOST_NODES} values"
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        hint = "a cluster file is flat and small"
        raise BrokenYamlError((Problem("P104", f"more than {much}", line, column, 1, hint),))

    def _complain(self, mark: _Mark, length: int | None, message: str, allowed: str) -> None:
        """Something forbidden at `mark`; without `length` it is a word."""
        rest = self.lines[mark.line][mark.column :].split(maxsplit=1) if mark.line < len(self.lines) else []
        width = length or (len(rest[0]) if rest else 1)
        self.problems.append(Problem("P104", message, mark.line + 1, mark.column + 1, width, allowed))

    def _span(self, event: Event, length: int | None) -> Span:
        """Where an event begins; without `length`, up to its end on the same line, or to the end of that line."""
        start, end = event.start_mark, event.end_mark
        if length is None:
            line = self.lines[start.line] if start.line < len(self.lines) else ""
            until = end.column if end.line == start.line else len(line.rstrip())
            length = max(1, until - start.column)
        return Span(start.line + 1, start.column + 1, length)
