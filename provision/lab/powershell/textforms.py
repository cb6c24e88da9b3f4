"""Text of numbers and times as .NET writes them, in the invariant culture: `-f`, `ToString(format)`, casts to string."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.world import ScriptError

_TIME_TOKEN = re.compile(r"yyyy|yy|MM|dd|HH|hh|mm|ss|f{1,7}|'[^']*'|\\.|.", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^{}]*))?\}|[{}]")
_NUMBER_FORMAT = re.compile(r"([xXdDfFnN])(\d*)")
_ZEROS = re.compile(r"0+")


def double_text(number: float) -> str:
    """[string] of a double: 1.5, 5, 1E+20."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return repr(number).replace("e+", "E+").replace("e-", "E-")


def timespan_text(span: timedelta) -> str:
    """[string] of a time span: [-][d.]hh:mm:ss[.fffffff]."""
    sign = "-" if span < timedelta(0) else ""
    whole = abs(span)
    hours, rest = divmod(whole.seconds, 3600)
    days = f"{whole.days}." if whole.days else ""
    fraction = f".{whole.microseconds * 10:07d}" if whole.microseconds else ""
    return f"{sign}{days}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{fraction}"


def time_text(when: datetime, pattern: str = "MM/dd/yyyy HH:mm:ss") -> str:
    """A [datetime] in a custom format of .NET; refuses tokens that are not numeric."""
    if len(pattern) == 1:
        raise Refused(f"the standard time format {pattern!r}")
    return "".join(_time_part(when, token) for token in _TIME_TOKEN.findall(pattern))


def _time_part(when: datetime, token: str) -> str:
    numbers = {"yyyy": f"{when.year:04d}", "yy": f"{when.year % 100:02d}", "MM": f"{when.month:02d}",
               "dd": f"{when.day:02d}", "HH": f"{when.hour:02d}", "hh": f"{(when.hour - 1) % 12 + 1:02d}",
               "mm": f"{when.minute:02d}", "ss": f"{when.second:02d}"}
    if token in numbers:
        return numbers[token]
    if token.startswith("f"):
        return f"{when.microsecond * 10:07d}"[:len(token)]
    if token.startswith("'"):
        return token[1:-1]
    if token.startswith("\\"):
        return token[1]
    if token in "dfFgGhHKmMstyzZ%" and token not in "TZ":
        raise Refused(f"the time format token {token!r}")
    return token


def number_text(number: int | float, pattern: str) -> str:
    """A number in a format such as x4, D2, F1, N0 or 000."""
    if _ZEROS.fullmatch(pattern) and isinstance(number, int):
        return f"{number:0{len(pattern)}d}"
    found = _NUMBER_FORMAT.fullmatch(pattern)
    if found is None:
        raise Refused(f"the number format {pattern!r}")
    kind, digits = found[1], found[2]
    if kind in "xXdD":
        return _whole_text(number, kind, digits or "1")
    return format(number, f"{',' if kind in 'nN' else ''}.{digits or 2}f")


def _whole_text(number: int | float, kind: str, digits: str) -> str:
    if not isinstance(number, int):
        raise Refused(f"the format {kind} of a double")
    if kind in "dD":
        return format(number, f"0{int(digits) + (number < 0)}d")
    return format(number & 0xFFFFFFFF if -2**31 <= number < 0 else number, f"0{digits}{kind}")


def composite(pattern: str, values: list[str | int | float | datetime]) -> str:
    """The `-f` operator: `'{0:x4} {1,5}' -f ...`. Raises the FormatException of .NET for a bad template."""
    def fill(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise ScriptError(
                "Error formatting a string: Index (zero based) must be greater than or equal to zero and less than "
                "the size of the argument list..", error_id="FormatError", category="InvalidOperation")
        text = _formatted(values[int(found[1])], found[3] or "")
        width = int(found[2] or 0)
        return text.rjust(width) if width >= 0 else text.ljust(-width)
    return _PLACEHOLDER.sub(fill, pattern)


def _formatted(value: str | int | float | datetime, pattern: str) -> str:
    if isinstance(value, datetime):
        return time_text(value, pattern) if pattern else time_text(value)
    if isinstance(value, int | float) and pattern:
        return number_text(value, pattern)
    if isinstance(value, float):
        return double_text(value)
    return str(value)
