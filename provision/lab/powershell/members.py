"""Properties, methods and indexes of the values that are not objects of the world: text, arrays, times, types.

What is not listed is refused (`NoSuchMember`). Must not know scopes or strict mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from provision.lab.powershell import textforms
from provision.lab.powershell.convert import (
    to_array,
    to_integer,
    to_number,
    to_text,
    type_name_of,
    utc,
)
from provision.lab.powershell.failures import Failure, wrapped
from provision.lab.powershell.syntax import TypeRef
from provision.lab.powershell.values import Char, TypeValue
from provision.lab.powershell.world import EnumValue, NetObject, NoSuchMember, Record, ScriptError, Version

Property = Callable[[object], object]


def _text(value: object) -> str:
    return to_text(value)


def _units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def utf16_length(text: str) -> int:
    """The length of a .NET string: UTF-16 units, so that an emoji counts two."""
    return len(_units(text)) // 2


def _time(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value


def _span(value: object) -> timedelta:
    assert isinstance(value, timedelta)
    return value


_TIME_PROPERTIES: dict[str, Property] = {
    "year": lambda value: _time(value).year, "month": lambda value: _time(value).month,
    "day": lambda value: _time(value).day, "hour": lambda value: _time(value).hour,
    "minute": lambda value: _time(value).minute, "second": lambda value: _time(value).second,
    "millisecond": lambda value: _time(value).microsecond // 1000,
    "kind": lambda value: EnumValue("System.DateTimeKind", "Utc", 1) if _time(value).tzinfo else
    EnumValue("System.DateTimeKind", "Local", 2),
}
_SPAN_PROPERTIES: dict[str, Property] = {
    "totaldays": lambda value: _span(value).total_seconds() / 86400,
    "totalhours": lambda value: _span(value).total_seconds() / 3600,
    "totalminutes": lambda value: _span(value).total_seconds() / 60,
    "totalseconds": lambda value: _span(value).total_seconds(),
    "totalmilliseconds": lambda value: _span(value).total_seconds() * 1000,
    "days": lambda value: _span(value).days, "seconds": lambda value: _span(value).seconds % 60,
}


def get_member(value: object, name: str) -> object:
    """The property of a value that is no object of the world. Raises `NoSuchMember`."""
    lower = name.lower()
    if isinstance(value, str) and lower == "length":
        return utf16_length(value)
    if isinstance(value, list) and lower in {"count", "length"}:
        return len(value)
    if isinstance(value, bytes) and lower in {"count", "length"}:
        return len(value)
    if isinstance(value, datetime) and lower in _TIME_PROPERTIES:
        return _TIME_PROPERTIES[lower](value)
    if isinstance(value, timedelta) and lower in _SPAN_PROPERTIES:
        return _SPAN_PROPERTIES[lower](value)
    if isinstance(value, Version) and lower in {"major", "minor", "build", "revision"}:
        return getattr(value, lower)
    if isinstance(value, EnumValue) and lower == "value__":
        return value.number
    if isinstance(value, TypeValue) and lower in {"fullname", "name"}:
        return value.full_name if lower == "fullname" else value.full_name.rpartition(".")[2]
    raise NoSuchMember(type_name_of(value), name)


def _method_text(arguments: Sequence[object]) -> list[str]:
    return [to_text(argument) for argument in arguments]


def _substring(value: str, arguments: Sequence[object]) -> object:
    units = _units(value)
    start = to_integer(arguments[0])
    length = to_integer(arguments[1]) if len(arguments) > 1 else len(units) // 2 - start
    if start < 0 or length < 0 or (start + length) * 2 > len(units):
        raise ScriptError("Index and length must refer to a location within the string.\nParameter name: length",
                          exception_type="System.ArgumentOutOfRangeException")
    return units[start * 2:(start + length) * 2].decode("utf-16-le", "surrogatepass")


def _split(value: str, arguments: Sequence[object]) -> object:
    separators = set("".join(_method_text(to_array(arguments[0]))))
    pieces = [""]
    for char in value:
        if char in separators:
            pieces.append("")
        else:
            pieces[-1] += char
    return pieces


def _pad(value: str, arguments: Sequence[object], *, left: bool) -> str:
    width = to_integer(arguments[0])
    fill = to_text(arguments[1]) if len(arguments) > 1 else " "
    return value.rjust(width, fill) if left else value.ljust(width, fill)


_Texts = Callable[[str, Sequence[object]], object]
_STRING_METHODS: dict[tuple[str, int], _Texts] = {
    ("toupper", 0): lambda value, _: value.upper(), ("tolower", 0): lambda value, _: value.lower(),
    ("toupperinvariant", 0): lambda value, _: value.upper(), ("tolowerinvariant", 0): lambda value, _: value.lower(),
    ("trim", 0): lambda value, _: value.strip(), ("trimstart", 0): lambda value, _: value.lstrip(),
    ("trimend", 0): lambda value, _: value.rstrip(),
    ("trim", 1): lambda value, given: value.strip(to_text(given[0])),
    ("trimstart", 1): lambda value, given: value.lstrip(to_text(given[0])),
    ("trimend", 1): lambda value, given: value.rstrip(to_text(given[0])),
    ("startswith", 1): lambda value, given: value.startswith(to_text(given[0])),
    ("endswith", 1): lambda value, given: value.endswith(to_text(given[0])),
    ("contains", 1): lambda value, given: to_text(given[0]) in value,
    ("indexof", 1): lambda value, given: value.find(to_text(given[0])),
    ("lastindexof", 1): lambda value, given: value.rfind(to_text(given[0])),
    ("replace", 2): lambda value, given: value.replace(to_text(given[0]), to_text(given[1])),
    ("substring", 1): _substring, ("substring", 2): _substring, ("split", 1): _split,
    ("padleft", 1): lambda value, given: _pad(value, given, left=True),
    ("padleft", 2): lambda value, given: _pad(value, given, left=True),
    ("padright", 1): lambda value, given: _pad(value, given, left=False),
    ("padright", 2): lambda value, given: _pad(value, given, left=False),
    ("tochararray", 0): lambda value, _: [Char(int.from_bytes(_units(value)[at:at + 2], "little"))
                                          for at in range(0, len(_units(value)), 2)],
    ("equals", 1): lambda value, given: value == given[0],
    ("gettypecode", 0): lambda _value, _given: EnumValue("System.TypeCode", "String", 18),
}


def _time_method(value: datetime, name: str, arguments: Sequence[object]) -> object:
    if name == "touniversaltime" and not arguments:
        return utc(value)
    if name == "tolocaltime" and not arguments:
        return utc(value).replace(tzinfo=None)
    if name == "tostring" and arguments and len(arguments) <= 2:
        return textforms.time_text(value, to_text(arguments[0]))
    units = {"addseconds": "seconds", "addminutes": "minutes", "addhours": "hours", "adddays": "days",
             "addmilliseconds": "milliseconds"}
    if name in units and len(arguments) == 1:
        return value + timedelta(**{units[name]: to_number(arguments[0])})
    if name == "subtract" and len(arguments) == 1 and isinstance(arguments[0], datetime):
        return utc(value) - utc(arguments[0])
    raise NoSuchMember("System.DateTime", name)


def call_member(value: object, name: str, arguments: Sequence[object]) -> object:
    """A method of a value that is no object of the world. Raises `NoSuchMember`, or what the method throws."""
    lower = name.lower()
    if lower == "gettype" and not arguments:
        full = type_name_of(value)
        return TypeValue(TypeRef(full), full)
    if isinstance(value, str) and (lower, len(arguments)) in _STRING_METHODS:
        return _STRING_METHODS[lower, len(arguments)](value, arguments)
    if isinstance(value, datetime) and (lower != "tostring" or arguments):
        return _time_method(value, lower, arguments)
    if lower == "tostring" and not arguments:
        return to_text(value)
    if lower == "tostring" and len(arguments) <= 2 and isinstance(value, int | float):
        return textforms.number_text(value, to_text(arguments[0]))
    if isinstance(value, list) and lower == "contains" and len(arguments) == 1:
        # A method of .NET, not of PowerShell: it minds case.
        return arguments[0] in value
    raise NoSuchMember(type_name_of(value), f"{name}({len(arguments)} arguments)")


def get_index(value: object, key: object) -> object:
    """`$value[key]`: arrays and text by number (negative from the end), several keys give several values."""
    if isinstance(key, list):
        return [get_index(value, each) for each in key]
    if isinstance(value, NetObject):
        return value.index(key)
    if isinstance(value, str):
        chars = call_member(value, "ToCharArray", ())
        return get_index(chars, key)
    if not isinstance(value, list | bytes):
        raise ScriptError(f"Unable to index into an object of type {type_name_of(value)}.", error_id="CannotIndex",
                          category="InvalidOperation")
    number = to_integer(key)
    if -len(value) <= number < len(value):
        return value[number]
    raise ScriptError("Index was outside the bounds of the array.", category="OperationStopped",
                      exception_type="System.IndexOutOfRangeException", error_id="System.IndexOutOfRangeException")


def set_index(value: object, key: object, item: object) -> None:
    """`$value[key] = item`."""
    if isinstance(value, NetObject):
        value.set_index(key, item)
        return
    if not isinstance(value, list):
        raise ScriptError(f"Unable to index into an object of type {type_name_of(value)}.", error_id="CannotIndex",
                          category="InvalidOperation")
    get_index(value, to_integer(key))
    value[to_integer(key)] = item


class PropertySet(Record):
    """`.PSObject.Properties` of any object: asked by name (absent gives $null), or enumerated where that is known."""

    __slots__ = ("_lookup", "_names")

    def __init__(self, lookup: Callable[[str], object], names: Sequence[str] | None) -> None:
        super().__init__("System.Management.Automation.PSMemberInfoCollection", {})
        self._lookup = lookup
        self._names = names

    def _property(self, name: str) -> Record | None:
        try:
            value = self._lookup(name)
        except NoSuchMember:
            return None
        return Record("System.Management.Automation.PSNoteProperty", {"Name": name, "Value": value})

    def index(self, key: object) -> object:
        return self._property(to_text(key))

    def enumerate(self) -> list[object]:
        if self._names is None:
            raise NoSuchMember(self.type_name, "enumeration")
        return [self._property(name) for name in self._names]



def invocation_failure(error: ScriptError, name: str, line: int, count: int) -> Failure:
    """What a script sees of an exception inside a method: MethodInvocationException around the original."""
    message = f'Exception calling "{name}" with "{count}" argument(s): "{error.message}"'
    return wrapped(error, line, message, "MethodInvocationException")
