"""State and scope as plain JSON values and back: decode(encode(x)) == x. Snapshots and `--json` use it.

Driven by the dataclasses themselves, so that a new kind of resource needs no line here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from provision.model.change import Change
from provision.model.ports import PortRange, PortSet
from provision.model.resources import KINDS, ForeignContent, OurText, Resource
from provision.model.state import Key, Scope, State

FORMAT = 1
"""Version of the encoding; `decode_state` refuses any other."""


def encode_resource(resource: Resource | None) -> dict[str, Any] | None:
    """A resource as JSON values; its kind stands in `kind`. None stays None: absent is a value."""
    if resource is None:
        return None
    values = {field.name: _encode(getattr(resource, field.name)) for field in fields(resource)}
    return {"kind": resource.kind, **values}


def decode_resource(data: Mapping[str, Any] | None) -> Resource | None:
    """The resource that `encode_resource` encoded. Raises ValueError for anything else."""
    if data is None:
        return None
    kind = KINDS.get(str(data.get("kind")))
    names = {field.name for field in fields(kind)} if kind else set()
    if kind is None or names != set(data) - {"kind"}:
        raise ValueError(f"not a resource: {sorted(data)}")
    values = {name: _decode(data[name]) for name in names}
    hints = get_type_hints(kind)
    strange = sorted(name for name, value in values.items() if not _fits(value, hints[name]))
    if strange:
        raise ValueError(f"a {kind.kind} whose {', '.join(strange)} is of another type")
    return kind(**values)


def _fits(value: object, hint: Any) -> bool:
    """Whether `value` is what a field that is declared as `hint` holds; True is no integer."""
    match get_origin(hint):
        case None:
            return type(value) is hint
        case origin if origin is Literal:
            return value in get_args(hint)
        case origin if origin is tuple:
            return isinstance(value, tuple) and all(_fits(one, get_args(hint)[0]) for one in value)
    return any(_fits(value, one) for one in get_args(hint))


def _encode(value: Any) -> Any:
    match value:
        case PortRange():
            return {"ports": f"{value.low}-{value.high}"}
        case PortSet():
            return {"port-set": str(value)}
        case OurText():
            return {"text": value.text}
        case ForeignContent():
            return {"sha256": value.sha256}
        case tuple():
            return list(value)
    return value


def _decode(value: Any) -> Any:
    match value:
        case {"ports": str() as text}:
            low, high = text.split("-")
            return PortRange(int(low), int(high))
        case {"port-set": str() as text}:
            return PortSet.parse(text)
        case {"text": str() as text}:
            return OurText(text)
        case {"sha256": str() as text}:
            return ForeignContent(_hash(text))
        case list():
            return tuple(value)
    return value


def _hash(text: str) -> str:
    """Names the kept original of a file, so nothing but a SHA-256 may stand there."""
    if re.fullmatch("[0-9a-f]{64}", text) is None:
        raise ValueError(f"{text[:80]!r} is no SHA-256")
    return text


def encode_change(change: Change) -> dict[str, Any]:
    """A change as JSON values: host, kind, name, before, after."""
    key = change.key
    before, after = encode_resource(change.before), encode_resource(change.after)
    return {"host": key.host, "kind": key.kind, "name": key.name, "before": before, "after": after}


def encode_state(state: State) -> dict[str, Any]:
    """A state as JSON values."""
    rows = [{"host": k.host, "name": k.name, **(encode_resource(one) or {})} for k, one in state.resources.items()]
    return {"format": FORMAT, "resources": rows, "unread": dict(state.unread)}


def decode_state(data: Mapping[str, Any]) -> State:
    """The state that `encode_state` encoded. Raises ValueError for another format or a damaged document."""
    if data.get("format") != FORMAT:
        raise ValueError(f"unknown format {data.get('format')!r}")
    resources: dict[Key, Resource] = {}
    for row in data["resources"]:
        rest = {name: value for name, value in row.items() if name not in ("host", "name")}
        resource = decode_resource(rest)
        if resource is not None:
            resources[Key(row["host"], row["kind"], row["name"])] = resource
    return State(resources, data["unread"])


def encode_scope(scope: Scope) -> list[dict[str, Any]]:
    """A scope as JSON values."""
    rows = scope.keys.items()
    return [{"host": k.host, "kind": k.kind, "name": k.name, "ports": p and str(p)} for k, p in rows]


def decode_scope(data: list[dict[str, Any]]) -> Scope:
    """The scope that `encode_scope` encoded."""
    keys = {}
    for row in data:
        ports = None if row["ports"] is None else PortSet.parse(row["ports"])
        keys[Key(row["host"], row["kind"], row["name"])] = ports
    return Scope(keys)
