"""ConvertTo-Json and ConvertFrom-Json as Windows PowerShell 5.1 has them, with their traps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from provision.lab.powershell.cmdlet_base import LanguageCall, LanguageCmdlet
from provision.lab.powershell.convert import to_text, type_name_of, utc
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import NOTHING, Char, CustomObject, Hashtable
from provision.lab.powershell.world import EnumValue, Parameter, ScriptError, Version

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

DEFAULT_DEPTH = 2
# What the serializer of .NET Framework writes as an escape of four hexadecimal digits, beside the control characters.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"}


def to_json(value: object, depth: int, indent: bool = False) -> str:
    """A value as JSON text. What lies deeper than `depth` becomes its text, as in PowerShell."""
    text = json.dumps(_plain(value, depth), ensure_ascii=False, indent=4 if indent else None,
                      separators=(",", ":  ") if indent else (",", ":"))
    return "".join(_ESCAPED.get(char, char) for char in text).replace("\n", "\r\n" if indent else "\n")


def _plain(value: object, depth: int) -> Json:
    if value is None or value is NOTHING:
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, EnumValue):
        return value.number
    if isinstance(value, Char):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"\\/Date({round(utc(value).timestamp() * 1000)})\\/"
    if depth < 0:
        return to_text(value)
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, Hashtable):
        return {to_text(key): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, CustomObject):
        return {name: _plain(item, depth - 1) for name, item in value.properties()}
    if isinstance(value, timedelta | Version):
        raise Refused(f"the JSON of a {type_name_of(value)}")
    raise Refused(f"the JSON of a {type_name_of(value)} (give its properties)")


def _convert_to(call: LanguageCall) -> Iterator[object]:
    depth = call.number("depth")
    if call.feed is not None:
        items = list(call.feed)
        # One object through the pipeline is that object, also when it was an array of one.
        value: object = items[0] if len(items) == 1 else items
    else:
        value = call.get("inputobject")
    yield to_json(value, DEFAULT_DEPTH if depth is None else depth, not call.flag("compress"))


def _objects(pairs: list[tuple[str, object]]) -> CustomObject:
    seen: set[str] = set()
    for name, _ in pairs:
        if name.lower() in seen:
            raise ScriptError(f"Cannot convert the JSON string because a dictionary that was converted from the string "
                              f"contains the duplicated keys '{name}'.", category="InvalidOperation",
                              exception_type="System.InvalidOperationException", error_id="DuplicateKeysInJsonString")
        seen.add(name.lower())
    return CustomObject(pairs)


def from_json(text: str) -> object:
    """JSON text as objects. Raises the ArgumentException of a text that is no JSON."""
    try:
        parsed: object = json.loads(text, object_pairs_hook=_objects)
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"Invalid JSON primitive: {error}.", exception_type="System.ArgumentException",
                          category="NotSpecified", error_id="System.ArgumentException") from None
    return parsed


def _convert_from(call: LanguageCall) -> Iterator[object]:
    text = "\r\n".join(to_text(item) for item in call.objects()) if call.feed is not None else call.text("inputobject")
    if not text:
        raise ScriptError("Cannot bind argument to parameter 'InputObject' because it is an empty string.",
                          exception_type="System.Management.Automation.ParameterBindingException",
                          category="InvalidData", error_id="ParameterArgumentValidationErrorEmptyStringNotAllowed")
    # An array at the top comes out as one object in 5.1, not element by element.
    yield from_json(text)


JSON_CMDLETS = {
    "convertto-json": LanguageCmdlet(
        (Parameter("InputObject", 0, pipeline=True), Parameter("Depth"), Parameter("Compress", switch=True)), _convert_to),
    "convertfrom-json": LanguageCmdlet((Parameter("InputObject", 0, mandatory=True, pipeline=True),), _convert_from),
}

