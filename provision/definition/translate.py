"""What pydantic found wrong, as complaints in words of ours: code, what is allowed, and a suggestion. Pure.

It must not know a single rule of the file: those stand in `shape` and `values`. It knows pydantic's error types and how
to find the model that stands at a place.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from provision.definition import values
from provision.definition.complaint import BadValueError, Complaint, Place, dotted, shown
from provision.definition.nodes import Ambiguous
from provision.definition.shape import ClusterShape
from provision.definition.values import REFERENCE

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SECRET_KEYS = ("password", "sudo_password")

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number in plain digits",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "dict_type": "keys with values",
}


def translate(errors: Iterable[ErrorDetails], data: object) -> Iterator[Complaint]:
    """A complaint for each error of `ClusterShape.model_validate(data)`."""
    for error in errors:
        place = real_place(error["loc"], data)
        if error["type"] in _WANTED:
            yield _wrong_type(place, error["input"], _WANTED[error["type"]])
        else:
            yield _BY_TYPE.get(error["type"], _out_of_bounds)(place, error)


def real_place(loc: Iterable[str | int], data: Any) -> Place:
    """A pydantic location without the names of union branches, and without a key that is not there."""
    place: list[str | int] = []
    for part in loc:
        in_mapping = isinstance(data, dict) and part in data
        if in_mapping or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
            place.append(part)
    return tuple(place)


def model_at(place: Place) -> type[BaseModel] | None:
    """The model whose keys stand at `place`."""
    model: type[BaseModel] | None = ClusterShape
    for part in place:
        if isinstance(part, str) and model is not None:
            field = model.model_fields.get(part)
            model = _model_in(field.annotation) if field else None
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The first model inside a type: `list[X]`, `X | None`, `Annotated[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)


def _unknown_key(place: Place, _error: ErrorDetails) -> Complaint:
    key, model = str(place[-1]), model_at(place[:-1])
    known = list(model.model_fields) if model else []
    close = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    elsewhere = next(_places_of(key, ClusterShape, ()), None)
    meant = close[0] if close else elsewhere
    hint = f"did you mean {meant}?" if meant else f"known here: {', '.join(known)}"
    return Complaint("P105", place, f"unknown key {shown(key)} in {dotted(place[:-1])}", hint, at_key=True)


def _places_of(key: str, model: type[BaseModel], above: tuple[str, ...]) -> Iterator[str]:
    """Where else `key` is known, as `ftp.passive_ports` or `servers[].sites`."""
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        many = "[]" if "list[" in str(field.annotation) else ""
        if name == key:
            yield ".".join((*above, name))
        if inner is not None:
            yield from _places_of(key, inner, (*above, name + many))


def _bad_value(place: Place, error: ErrorDetails) -> Complaint:
    reason = error.get("ctx", {}).get("error")
    if not isinstance(reason, BadValueError):
        return Complaint("P109", place, f"{dotted(place)}: {error['msg']}")
    return Complaint(reason.code, place, f"{dotted(place)}: {reason.message}", reason.allowed)


def _wrong_type(place: Place, value: object, wanted: str) -> Complaint:
    if place and place[-1] in SECRET_KEYS:
        return Complaint("P116", place, f"{dotted(place)}: a secret stands here in plain text", REFERENCE)
    what = _what_is(value)
    if wanted == "text" and isinstance(value, int | Ambiguous) and not isinstance(value, bool):
        wanted = _FOR_NUMBERS.get(_pattern_at(place), 'text: write it in quotes, "{0}"').format(value)
    if wanted == "a list" and isinstance(value, str) and value.strip() and _is_list_of_words(place):
        wanted = f"a list: [{value}]" if re.fullmatch(r"[\w./ -]*[\w./]", value) else "a list, in [ ]"
    return Complaint("P108", place, f"{dotted(place)} is {what}", wanted)


_FOR_NUMBERS = {
    f"^(?:{values.DURATION})$": "a number and a unit: {0}s for seconds",
    f"^(?:{values.PORT_RANGE})$": "LOW-HIGH, as in 10000-10020",
}
"""What to write instead of a bare number, by the pattern of what belongs there."""


def _schema_at(place: Place) -> Sequence[Mapping[str, Any]]:
    """What the model says of the value at `place`: its description and the branches of that."""
    model = model_at(place[:-1]) if place else None
    schema = model.model_json_schema()["properties"].get(str(place[-1]), {}) if model else {}
    return [schema, *schema.get("anyOf", []), *schema.get("oneOf", [])]


def _pattern_at(place: Place) -> str:
    return next((str(one["pattern"]) for one in _schema_at(place) if "pattern" in one), "")


def _is_list_of_words(place: Place) -> bool:
    items = (one.get("items", {}) for one in _schema_at(place))
    return any(one.get("type") == "string" for one in items)


def _what_is(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    words: dict[type, str] = {
        int: f"the number {value}",
        Ambiguous: f"{value}, which not every YAML reader takes alike",
        str: f"the text {shown(value)}",
        list: "a list",
        dict: "a mapping",
    }
    return words.get(type(value), "empty")


def _wrong_word(place: Place, error: ErrorDetails) -> Complaint:
    expected = str(error.get("ctx", {}).get("expected", "")).replace("'", "")
    words = expected.replace(" or ", ", ").split(", ")
    close = difflib.get_close_matches(str(error["input"]).lower(), words, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    code = "P109" if isinstance(error["input"], str) else "P108"
    what = shown(error["input"]) if code == "P109" else _what_is(error["input"])
    return Complaint(code, place, f"{dotted(place)} is {what}", expected + hint)


def _missing(place: Place, error: ErrorDetails) -> Complaint:
    key = dotted((error["loc"][-1],))
    return Complaint("P106", place, f"{dotted(place)} has no {key}", f"add {key}: it has no default")


def _empty_list(place: Place, _error: ErrorDetails) -> Complaint:
    return Complaint("P106", place, f"{dotted(place)} is an empty list", "at least one")


def _out_of_bounds(place: Place, error: ErrorDetails) -> Complaint:
    return Complaint("P109", place, f"{dotted(place)} is {shown(error['input'])}", _bounds(place, error))


def _bounds(place: Place, error: ErrorDetails) -> str:
    """The bounds of a number, both of them, from the model's own description."""
    limits = error.get("ctx", {})
    for one in _schema_at(place):
        if "minimum" in one and "maximum" in one:
            return f"{one['minimum']} to {one['maximum']}"
    return ", ".join(f"{word}: {limit}" for word, limit in limits.items())


_BY_TYPE: dict[str, Callable[[Place, ErrorDetails], Complaint]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "value_error": _bad_value,
    "too_short": _empty_list,
    "literal_error": _wrong_word,
}
