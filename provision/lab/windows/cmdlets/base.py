"""What every cmdlet of the lab is made of: declared parameters, a function, and readers of argument values.

It must not know any cmdlet.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from provision.lab.powershell.world import CmdletCall, NetObject, Parameter, ScriptError
from provision.lab.windows.netobject import text_of


@dataclass(frozen=True, slots=True)
class Command:
    """A cmdlet: the parameters it declares, and what it does."""

    parameters: Sequence[Parameter]
    run: Callable[[CmdletCall], Iterable[object]]


def named(*names: str) -> tuple[Parameter, ...]:
    """Parameters that are given by name only."""
    return tuple(Parameter(name) for name in names)


def switches(*names: str) -> tuple[Parameter, ...]:
    """Parameters without a value."""
    return tuple(Parameter(name, switch=True) for name in names)


def text(call: CmdletCall, name: str, default: str = "") -> str:
    """One text argument."""
    value = call.get(name)
    return default if value is None else text_of(value)


def texts(call: CmdletCall, name: str) -> tuple[str, ...] | None:
    """A list of texts; one alone counts as a list. None when the parameter was not given."""
    value = call.get(name)
    if value is None:
        return None
    entries = _entries(value)
    return tuple(map(text_of, [value] if entries is None else entries))


def _entries(value: object) -> Iterable[object] | None:
    if isinstance(value, list):
        return value
    return value.enumerate() if isinstance(value, NetObject) else None


def number(call: CmdletCall, name: str, default: int) -> int:
    """One whole number. Throws what a failed conversion of a parameter throws."""
    value = call.get(name)
    if value is None:
        return default
    try:
        return int(text_of(value))
    except ValueError:
        raise ScriptError(f"Cannot bind parameter '{name}'. Cannot convert value \"{text_of(value)}\" to type "
                          '"System.Int32".', error_id="CannotConvertArgumentNoMessage", category="InvalidArgument",
                          exception_type="System.Management.Automation.ParameterBindingException") from None


def switched(call: CmdletCall, name: str) -> bool:
    """Whether a switch was given, and not as -Name:$false."""
    return bool(call.get(name, False))


def matches(pattern: str, value: str) -> bool:
    """PowerShell's wildcards, in any case; [ ] are taken as the characters they are."""
    literal = pattern.lower().replace("[", "[[]")
    return fnmatch.fnmatchcase(value.lower(), literal)


def local_time(seconds: float) -> datetime:
    """A moment as most cmdlets give it: local, without a zone."""
    return datetime.fromtimestamp(seconds)


def utc_time(seconds: float) -> datetime:
    """A moment with Kind Utc."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds_of(value: object) -> float:
    """A [datetime] argument in seconds since the epoch."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise ScriptError(f'Cannot convert value "{text_of(value)}" to type "System.DateTime".',
                      exception_type="System.Management.Automation.ParameterBindingException")
