"""How busctl prints D-Bus values as text: containers flattened, arrays with their length in front, strings quoted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Value: TypeAlias = "str | int | bool | None | Sequence[Value] | Mapping[str, Value]"
_CLOSING = {"(": ")", "{": "}"}


def split(signature: str) -> list[str]:
    """'sa(ss)b' as ['s', 'a(ss)', 'b']."""
    parts: list[str] = []
    start = 0
    while start < len(signature):
        end = _end(signature, start)
        parts.append(signature[start:end])
        start = end
    return parts


def _end(signature: str, start: int) -> int:
    while signature[start] == "a":
        start += 1
    if signature[start] not in _CLOSING:
        return start + 1
    depth = 0
    for position in range(start, len(signature)):
        depth += (signature[position] in "({") - (signature[position] in ")}")
        if depth == 0:
            return position + 1
    raise ValueError(f"unbalanced signature {signature}")


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def text_of(signature: str, value: Value) -> str:
    """One value of one complete type."""
    if signature.startswith("a") and isinstance(value, Mapping):
        key, item = split(signature[2:-1])
        words = [f"{text_of(key, name)} {text_of(item, one)}" for name, one in value.items()]
        return " ".join([str(len(value)), *words])
    if isinstance(value, Sequence) and not isinstance(value, str):
        if signature.startswith("a"):
            return " ".join([str(len(value)), *(text_of(signature[1:], one) for one in value)])
        kinds = split(signature[1:-1])
        return " ".join(text_of(kind, one) for kind, one in zip(kinds, value, strict=True))
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quote(value) if isinstance(value, str) else str(value)
