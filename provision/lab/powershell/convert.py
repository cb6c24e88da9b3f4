"""Conversions of PowerShell 5.1: to text, truth, numbers and the types of the language.

Everything converts the same way wherever it happens (casts, parameters, operators). Must not know scopes or commands.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from provision.lab.powershell import textforms
from provision.lab.powershell.failures import ExceptionValue
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.syntax import TypeRef
from provision.lab.powershell.typenames import full_name
from provision.lab.powershell.values import NOTHING, BlockValue, Char, CustomObject, Hashtable, TypeValue
from provision.lab.powershell.world import EnumValue, NetObject, NoSuchMember, ScriptError, Version
from provision.lab.powershell.xmlobjects import XmlNode, parse_document

INT_BOUNDS = {
    "System.Byte": (0, 255), "System.Int16": (-2**15, 2**15 - 1), "System.UInt16": (0, 2**16 - 1),
    "System.Int32": (-2**31, 2**31 - 1), "System.UInt32": (0, 2**32 - 1),
    "System.Int64": (-2**63, 2**63 - 1), "System.UInt64": (0, 2**64 - 1),
}


def to_text(value: object) -> str:
    """[string] of any value. Arrays are joined with a blank."""
    if value is None or value is NOTHING:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return textforms.double_text(value)
    if isinstance(value, list):
        return " ".join(to_text(item) for item in value)
    if isinstance(value, datetime):
        return textforms.time_text(value)
    if isinstance(value, timedelta):
        return textforms.timespan_text(value)
    if isinstance(value, BlockValue):
        return value.text
    if isinstance(value, TypeValue):
        return value.reference.name if value.reference.is_array else value.full_name
    if isinstance(value, CustomObject):
        return "@{" + "; ".join(f"{name}={to_text(item)}" for name, item in value.properties()) + "}"
    if isinstance(value, bool | int | Char | EnumValue | Version | Decimal):
        return str(value)
    return _object_text(value)


def _object_text(value: object) -> str:
    if not isinstance(value, NetObject):
        raise Refused(f"the text of a {type(value).__name__}")
    try:
        return str(value.call("ToString", ()))
    except NoSuchMember:
        return value.type_name


def to_bool(value: object) -> bool:
    """The truth of a value: empty text, zero, $null and an empty array are false; one element counts as itself."""
    if value is None or value is NOTHING:
        return False
    if isinstance(value, bool | int | float | str | Decimal):
        return bool(value)
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and to_bool(value[0]))
    return value.code != 0 if isinstance(value, Char) else True


def _cannot(value: object, target: str, why: str = "") -> ScriptError:
    shown = f'Cannot convert value "{to_text(value)}" to type "{target}".'
    return ScriptError(f'{shown} Error: "{why}"' if why else shown, category="InvalidArgument",
                       exception_type="System.Management.Automation.PSInvalidCastException",
                       error_id=f"InvalidCastTo{target.rpartition('.')[2]}")


def to_number(value: object, target: str = "System.Int32") -> int | float:
    """A number for arithmetic and comparison. Raises the ScriptError of a failed conversion."""
    if value is None or value is NOTHING:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Char):
        return value.code
    if isinstance(value, EnumValue):
        return value.number
    if isinstance(value, str):
        return _parse(value, target)
    raise _cannot(value, target)


def _parse(text: str, target: str) -> int | float:
    bare = text.strip()
    if not bare:
        return 0
    try:
        if bare.lower().startswith("0x"):
            return int(bare, 16)
        return int(bare.replace("_", "?"))
    except ValueError:
        pass
    try:
        return float(bare.replace("_", "?"))
    except ValueError:
        raise _cannot(text, target, "Input string was not in a correct format.") from None


def to_integer(value: object, target: str = "System.Int32") -> int:
    """[int] and its kin: doubles are rounded half to even; out of bounds is an error."""
    number = to_number(value, target)
    whole = round(number)
    low, high = INT_BOUNDS[target]
    if not low <= whole <= high:
        short = target.rpartition(".")[2]
        raise _cannot(value, target, f"Value was either too large or too small for an {short}.")
    return whole


def to_array(value: object) -> list[object]:
    """[object[]] of a value: an array as it is, anything else as its only element. $null stays out of it."""
    return value if isinstance(value, list) else [value]


def _to_char(value: object) -> Char:
    if isinstance(value, Char):
        return value
    if isinstance(value, str):
        units = value.encode("utf-16-le", "surrogatepass")
        if len(units) != 2:
            raise _cannot(value, "System.Char", "String must be exactly one character long.")
        return Char(int.from_bytes(units, "little"))
    return Char(to_integer(value, "System.UInt16"))


def _to_time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise _cannot(value, "System.DateTime",
                          "The string was not recognized as a valid DateTime.") from None
    raise _cannot(value, "System.DateTime")


def _to_span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and value.count(":") == 2:
        hours, minutes, seconds = (int(part) for part in value.split(":"))
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timedelta(microseconds=to_integer(value, "System.Int64") / 10)


def to_version(value: object) -> Version:
    """[version] of `5.1` or of a version."""
    if isinstance(value, Version):
        return value
    try:
        return Version(*(int(part) for part in to_text(value).split(".")))
    except (TypeError, ValueError):
        raise _cannot(value, "System.Version") from None


def _to_custom(value: object) -> object:
    if isinstance(value, Hashtable):
        return CustomObject((to_text(key), item) for key, item in value.items())
    return value


def _to_hashtable(value: object) -> object:
    if value is None or isinstance(value, Hashtable):
        return value
    raise _cannot(value, "System.Collections.Hashtable")


def _to_block(value: object) -> object:
    if isinstance(value, BlockValue):
        return value
    raise _cannot(value, "System.Management.Automation.ScriptBlock")


def _to_xml(value: object) -> object:
    return value if isinstance(value, XmlNode) else parse_document(to_text(value))


def _same(value: object) -> object:
    return None if value is NOTHING else value


_CASTS: dict[str, Callable[[object], object]] = {
    "System.String": to_text, "System.Boolean": to_bool, "System.Char": _to_char, "System.Object": _same,
    "System.Double": lambda value: float(to_number(value, "System.Double")),
    "System.Decimal": lambda value: Decimal(to_text(value)),
    "System.Management.Automation.SwitchParameter": to_bool, "System.Array": to_array,
    "System.DateTime": _to_time, "System.TimeSpan": _to_span, "System.Version": to_version,
    "System.Management.Automation.PSObject": _to_custom, "System.Collections.Hashtable": _to_hashtable,
    "System.Management.Automation.ScriptBlock": _to_block, "System.Text.RegularExpressions.MatchEvaluator": _to_block,
    "System.Xml.XmlDocument": _to_xml, "System.Void": lambda _value: NOTHING,
}


def cast(value: object, reference: TypeRef) -> object:
    """`[type]value`. Refuses types that nobody models, raises the ScriptError of a failed conversion."""
    name = full_name(reference.name)
    if reference.is_array:
        if value is None or value is NOTHING:
            return None
        return [cast(item, TypeRef(reference.name)) for item in to_array(value)]
    if name in INT_BOUNDS:
        return to_integer(value, name)
    converter = _CASTS.get(name)
    if converter is not None:
        return converter(value)
    if isinstance(value, NetObject | EnumValue) and is_instance(value, reference):
        return value
    if value is None:
        return None
    raise Refused(f"a cast of {type_name_of(value)} to {reference}")


_SIMPLE = ((bool, "System.Boolean"), (float, "System.Double"), (str, "System.String"), (list, "System.Object[]"),
           (datetime, "System.DateTime"), (timedelta, "System.TimeSpan"), (Char, "System.Char"), (bytes, "System.Byte[]"),
           (Version, "System.Version"), (BlockValue, "System.Management.Automation.ScriptBlock"),
           (TypeValue, "System.RuntimeType"), (Decimal, "System.Decimal"))


def type_name_of(value: object) -> str:
    """The full .NET name of a value's type."""
    for kind, name in _SIMPLE:
        if isinstance(value, kind):
            return name
    if isinstance(value, int):
        low, high = INT_BOUNDS["System.Int32"]
        return "System.Int32" if low <= value <= high else "System.Int64"
    if isinstance(value, NetObject | EnumValue):
        return value.type_name
    raise Refused(f"the type of a {type(value).__name__}")


def is_instance(value: object, reference: TypeRef) -> bool:
    """The -is operator. Base classes are known for exceptions, arrays and objects only."""
    if value is None or value is NOTHING:
        return False
    wanted = full_name(reference.name) + ("[]" if reference.is_array else "")
    if wanted == "System.Object":
        return True
    if isinstance(value, list):
        return wanted in {"System.Array", "System.Object[]"}
    if isinstance(value, ExceptionValue):
        return value.is_a(wanted)
    actual = type_name_of(value)
    if isinstance(value, Hashtable) and wanted == "System.Collections.IDictionary":
        return True
    if isinstance(value, XmlNode) and wanted == "System.Xml.XmlNode":
        return True
    return actual.lower() == wanted.lower()


def utc(when: datetime) -> datetime:
    """The instant of a [datetime]; one without a zone is local time, and the lab lives in UTC."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
