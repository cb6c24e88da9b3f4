"""The JSON Schema of the cluster file, for editors: what is known of single keys. Generated from `shape`.

A schema cannot say what several values must be together; `provision validate` does. It is the same for every run:
nothing of the machine goes into it.
"""

from __future__ import annotations

from typing import Any

from provision.definition.shape import ClusterShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of a whole cluster file, draft 2020-12, with descriptions, defaults and bounds."""
    schema = _without_null(ClusterShape.model_json_schema(mode="validation"))
    schema["title"] = "provision cluster file"
    return {"$schema": DIALECT, **schema}


def _without_null(schema: Any) -> Any:
    """Without the null branches and null defaults with which pydantic says that a key may be left out.

    In the file a key without a value is refused. Titles that only repeat the key go too.
    """
    if isinstance(schema, list):
        return [_without_null(one) for one in schema if one != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without_null(one) for key, one in schema.items() if not _is_noise(key, one)}
    if isinstance(kept.get("default"), dict):
        kept["default"] = {key: one for key, one in kept["default"].items() if one is not None}
    branches = kept.get("anyOf")
    if isinstance(branches, list) and len(branches) == 1:
        del kept["anyOf"]
        kept = {**branches[0], **kept}
    return kept


def _is_noise(key: str, value: Any) -> bool:
    return (key == "default" and value is None) or (key == "title" and isinstance(value, str))
