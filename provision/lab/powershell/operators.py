"""The binary and unary operators, with the rules of Windows PowerShell 5.1.

The left operand decides the type of a comparison; comparisons of an array filter it; text is compared without case
unless the operator starts with c. Must not know scopes: the match operator gives its groups back to the caller.
"""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from datetime import datetime, timedelta

from provision.lab.powershell import regexes, textforms
from provision.lab.powershell.convert import to_array, to_bool, to_integer, to_number, to_text, to_version, utc
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import NOTHING, BlockValue, Char, Hashtable, TypeValue
from provision.lab.powershell.world import EnumValue, ScriptError, Version

_ORDERS: dict[str, Callable[..., bool]] = {"gt": python.gt, "ge": python.ge, "lt": python.lt, "le": python.le}
_BITS: dict[str, Callable[[int, int], int]] = {"band": python.and_, "bor": python.or_, "bxor": python.xor}
_CASED = ("eq", "ne", "gt", "ge", "lt", "le", "like", "notlike", "match", "notmatch", "contains", "notcontains", "in",
          "notin", "replace", "split")
Groups = list[tuple[object, str]]


def plain_name(name: str) -> tuple[str, bool]:
    """An operator's name without its c or i, and whether it minds case."""
    if name[:1] in {"c", "i"} and name[1:] in _CASED:
        return name[1:], name[0] == "c"
    return name, False


def equal(left: object, right: object, minds_case: bool = False) -> bool:
    """-eq of two single values."""
    left, right = (None if each is NOTHING else each for each in (left, right))
    if left is None or right is None:
        return left is None and right is None
    if isinstance(left, bool):
        return left == to_bool(right)
    if isinstance(left, str | Char):
        return _text_key(left, minds_case) == _text_key(right, minds_case)
    if isinstance(left, EnumValue):
        return _equal_enum(left, right)
    try:
        first, second = _comparable(left, right)
    except ScriptError:
        # A value that does not convert is unequal, not an error.
        return False
    return first == second


def _equal_enum(left: EnumValue, right: object) -> bool:
    if isinstance(right, str):
        return left.name.lower() == right.lower()
    return left.number == to_number(right)


def _text_key(value: object, minds_case: bool) -> str:
    text = to_text(value)
    return text if minds_case else text.casefold()


def _comparable(left: object, right: object, minds_case: bool = False) -> tuple[object, object]:
    if isinstance(left, str | Char):
        return _text_key(left, minds_case), _text_key(right, minds_case)
    if isinstance(left, bool | int | float):
        return to_number(left), to_number(right)
    if isinstance(left, EnumValue):
        return left.number, to_number(right)
    if isinstance(left, datetime) and isinstance(right, datetime):
        return utc(left), utc(right)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return left, right
    if isinstance(left, Version):
        return to_version(left), to_version(right)
    if isinstance(left, TypeValue) and isinstance(right, TypeValue):
        return left.full_name.lower(), right.full_name.lower()
    if type(left) is not type(right):
        raise ScriptError(f'Could not compare "{to_text(left)}" to "{to_text(right)}".', category="InvalidOperation",
                          error_id="ComparisonFailure")
    return id(left), id(right)


def _ordered(name: str, left: object, right: object, minds_case: bool) -> bool:
    if left is None or isinstance(left, TypeValue | Hashtable | BlockValue):
        raise Refused(f"-{name} of {'$null' if left is None else type(left).__name__}")
    first, second = _comparable(left, right, minds_case)
    return _ORDERS[name](first, second)


def _compare(name: str, left: object, right: object, minds_case: bool) -> bool:
    if name in _ORDERS:
        return _ordered(name, left, right, minds_case)
    if name in ("like", "notlike"):
        found = regexes.wildcard(to_text(right), not minds_case).fullmatch(to_text(left)) is not None
        return found == (name == "like")
    return equal(left, right, minds_case) == (name == "eq")


def _matches(name: str, left: object, right: object, minds_case: bool) -> tuple[object, Groups | None]:
    pattern = regexes.compiled(to_text(right), not minds_case)
    wanted = name == "match"
    if isinstance(left, list):
        return [item for item in left if (pattern.search(to_text(item)) is not None) == wanted], None
    found = pattern.search(to_text(left))
    return (found is not None) == wanted, regexes.groups(found) if found is not None else None


def _contains(items: object, item: object, minds_case: bool) -> bool:
    return any(equal(each, item, minds_case) for each in to_array(items))


def _replace(left: object, right: object, minds_case: bool) -> object:
    pattern, *rest = to_array(right)
    if len(rest) > 1 or (rest and isinstance(rest[0], BlockValue)):
        raise Refused("-replace with these arguments")
    compiled = regexes.compiled(to_text(pattern), not minds_case)
    fill = regexes.substitution(to_text(rest[0]) if rest else "")
    if isinstance(left, list):
        return [compiled.sub(fill, to_text(item)) for item in left]
    return compiled.sub(fill, to_text(left))


def _split(left: object, right: object, minds_case: bool) -> object:
    pattern, *rest = to_array(right)
    if isinstance(pattern, BlockValue) or len(rest) > 1:
        raise Refused("-split with these arguments")
    limit = to_integer(rest[0]) if rest else 0
    if limit < 0:
        raise Refused("-split with a negative number")
    compiled = regexes.compiled(to_text(pattern), not minds_case)
    pieces: list[object] = []
    for item in to_array(left):
        pieces.extend(part for part in compiled.split(to_text(item), max(limit - 1, 0)) if part is not None)
    return pieces


def _format(left: object, right: object) -> str:
    values: list[str | int | float | datetime] = []
    for item in to_array(right):
        simple = isinstance(item, str | int | float | datetime) and not isinstance(item, bool)
        values.append(item if simple and isinstance(item, str | int | float | datetime) else to_text(item))
    return textforms.composite(to_text(left), values)


def _add(left: object, right: object) -> object:
    if left is None or left is NOTHING:
        return None if right is NOTHING else right
    if isinstance(left, list):
        return [*left, *([] if right is NOTHING else to_array(right))]
    if isinstance(left, str | Char):
        return to_text(left) + to_text(right)
    if isinstance(left, Hashtable) and isinstance(right, Hashtable):
        merged = Hashtable(left.items(), is_ordered=left.is_ordered)
        for key, value in right.items():
            merged.call("Add", (key, value))
        return merged
    if isinstance(left, datetime | timedelta) and isinstance(right, timedelta):
        return left + right
    return _number_of(left, "+") + _number_of(right, "+")


def _subtract(left: object, right: object) -> object:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return utc(left) - utc(right)
    if isinstance(left, datetime | timedelta) and isinstance(right, timedelta):
        return left - right
    return _number_of(left, "-") - _number_of(right, "-")


def _multiply(left: object, right: object) -> object:
    if isinstance(left, str):
        return left * to_integer(right)
    if isinstance(left, list):
        return left * to_integer(right)
    return _number_of(left, "*") * _number_of(right, "*")


def _number_of(value: object, name: str) -> int | float:
    if isinstance(value, list | Hashtable | BlockValue | TypeValue | datetime | timedelta):
        raise ScriptError(f"Method invocation failed because [{type(value).__name__}] does not contain a method for {name}.",
                          error_id="MethodNotFound", category="InvalidOperation")
    return to_number(value)


def _divide(left: object, right: object) -> object:
    first, second = _divisible(left, right, "/")
    exact = first / second
    # The quotient of two integers is an integer when nothing is left over, else a double.
    return first // second if isinstance(first, int) and isinstance(second, int) and first % second == 0 else exact


def _remainder(left: object, right: object) -> object:
    first, second = _divisible(left, right, "%")
    # .NET's remainder has the sign of the dividend.
    rest = abs(first) % abs(second)
    return -rest if first < 0 else rest


def _divisible(left: object, right: object, name: str) -> tuple[int | float, int | float]:
    second = _number_of(right, name)
    if second == 0:
        raise ScriptError("Attempted to divide by zero.")
    return _number_of(left, name), second


def _range(left: object, right: object) -> object:
    low, high = to_integer(left), to_integer(right)
    return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))


_ARITHMETIC: dict[str, Callable[[object, object], object]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _remainder, "..": _range, "f": _format}


def binary(written: str, left: object, right: object) -> tuple[object, Groups | None]:
    """The value of an operator, and the groups of a successful match (else None). Refuses unknown operators."""
    name, minds_case = plain_name(written)
    if name in _ARITHMETIC:
        return _ARITHMETIC[name](left, right), None
    if name in ("match", "notmatch"):
        return _matches(name, left, right, minds_case)
    return _without_groups(name, left, right, minds_case), None


def _without_groups(name: str, left: object, right: object, minds_case: bool) -> object:
    if name in ("eq", "ne", "like", "notlike", *_ORDERS):
        if isinstance(left, list):
            return [item for item in left if _compare(name, item, right, minds_case)]
        return _compare(name, left, right, minds_case)
    if name in ("contains", "notcontains"):
        return _contains(left, right, minds_case) == (name == "contains")
    if name in ("in", "notin"):
        return _contains(right, left, minds_case) == (name == "in")
    if name == "replace":
        return _replace(left, right, minds_case)
    if name == "split":
        return _split(left, right, minds_case)
    if name == "join":
        return to_text(right).join(to_text(item) for item in to_array(left))
    if name in _BITS:
        return _BITS[name](to_integer(left, "System.Int64"), to_integer(right, "System.Int64"))
    raise Refused(f"the operator -{name}")


def unary(name: str, operand: object) -> object:
    """-not, -, +, -bnot, -join, -split in front of a value."""
    if name == "not":
        return not to_bool(operand)
    if name == "-":
        return -_number_of(operand, "-")
    if name == "+":
        return _number_of(operand, "+")
    if name == "bnot":
        return ~to_integer(operand, "System.Int64")
    if name == "join":
        return "".join(to_text(item) for item in to_array(operand))
    if name == "split":
        return [word for item in to_array(operand) for word in to_text(item).split()]
    raise Refused(f"the operator -{name} before a value")
