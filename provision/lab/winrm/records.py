"""PSRP objects and plain values, in both directions; and ErrorRecords made of an ErrorInfo.

It must not know shells or WSMan. Plain means: str, int, float, bool, None, bytes, list, dict.
"""

from __future__ import annotations

from psrpcore.types import (
    ErrorCategory,
    ErrorCategoryInfo,
    ErrorRecord,
    InvocationInfo,
    NETException,
    PSBool,
    PSInt,
    PSInt64,
    PSVersion,
)
from psrpcore.types import PSDict as PrimitiveDictionary

from provision.lab.winrm.scripthost import ErrorInfo, PipelineCommand

COR_E_EXCEPTION = -2146233087
"""HResult of a plain .NET exception (0x80131501), as the recordings show it."""

_BASE_TYPES = ("System.SystemException", "System.Exception", "System.Object")
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1


def to_plain(value: object) -> object:
    """A deserialised PSRP value as plain Python. Objects become dicts of their properties."""
    match value:
        case None | bool():
            return value
        case PSBool():
            return bool(value)
        case str():
            return str(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case bytes():
            return bytes(value)
        case dict():
            return {to_plain(key): to_plain(item) for key, item in value.items()}
        case list() | tuple():
            return [to_plain(item) for item in value]
        case _:
            return _plain_object(value)


def _plain_object(value: object) -> object:
    meta = getattr(value, "PSObject", None)
    if meta is None:
        return str(value)
    names = [prop.name for prop in (*meta.adapted_properties, *meta.extended_properties)]
    return {name: to_plain(getattr(value, name, None)) for name in names} if names else str(value)


def from_plain(value: object) -> object:
    """A plain value as PSRP serialises it: Int32 where it fits, Int64 else, Hashtable for dict."""
    match value:
        case bool() | None | str() | bytes() | float():
            return value
        case int():
            return PSInt(value) if _INT32_MIN <= value <= _INT32_MAX else PSInt64(value)
        case dict():
            return {from_plain(key): from_plain(item) for key, item in value.items()}
        case list() | tuple():
            return [from_plain(item) for item in value]
        case _:
            raise TypeError(f"a pipeline can output plain values only, not {type(value).__name__}")


def to_command(command: object) -> PipelineCommand:
    """One psrpcore Command as a PipelineCommand."""
    parameters = getattr(command, "parameters", ())
    return PipelineCommand(
        text=str(getattr(command, "command_text", "")),
        is_script=bool(getattr(command, "is_script", False)),
        parameters=tuple((None if name is None else str(name), to_plain(item)) for name, item in parameters),
        end_of_statement=bool(getattr(command, "end_of_statement", False)),
    )


def exception_of(error: ErrorInfo) -> NETException:
    """The .NET exception inside an ErrorRecord, with the type names of `error`."""
    exception = NETException(Message=error.message, HResult=COR_E_EXCEPTION)
    others = [name for name in _BASE_TYPES if name != error.exception_type]
    exception.PSObject.type_names = [error.exception_type, *others]
    exception.PSObject.to_string = f"{error.exception_type}: {error.message}"
    return exception


def category_of(error: ErrorInfo) -> ErrorCategoryInfo:
    """The category, whose reason is the short name of the exception's type."""
    return ErrorCategoryInfo(
        Category=ErrorCategory(error.category),
        Activity="",
        Reason=error.exception_type.rpartition(".")[2],
        TargetName="",
        TargetType="",
    )


def stack_trace_of(error: ErrorInfo) -> str | None:
    """The ScriptStackTrace that Windows PowerShell gives for a script sent over the wire."""
    return f"at <ScriptBlock>, <No file>: line {error.script_line}" if error.script_line else None


def invocation_of(error: ErrorInfo) -> InvocationInfo | None:
    """Where the error was raised, when the line is known."""
    if error.script_line is None:
        return None
    return InvocationInfo(
        BoundParameters={},
        UnboundArguments=[],
        ScriptLineNumber=PSInt(error.script_line),
        OffsetInLine=PSInt(1),
        HistoryId=PSInt64(1),
        ScriptName="",
        Line="",
        PositionMessage=f"At line:{error.script_line} char:1",
        PSScriptRoot="",
        PSCommandPath=None,
        InvocationName="",
        PipelineLength=PSInt(0),
        PipelinePosition=PSInt(0),
        ExpectingInput=False,
        CommandOrigin=PSInt(1),
        DisplayScriptPosition=None,
        MyCommand=None,
    )


def error_record_of(error: ErrorInfo) -> ErrorRecord:
    """A whole ErrorRecord, as the state message of a failed pipeline carries it."""
    return ErrorRecord(
        Exception=exception_of(error),
        CategoryInfo=category_of(error),
        TargetObject=None,
        FullyQualifiedErrorId=error.fully_qualified_error_id,
        InvocationInfo=invocation_of(error),
        ErrorDetails=None,
        PipelineIterationInfo=None,
        ScriptStackTrace=stack_trace_of(error),
    )


def powershell_51() -> PrimitiveDictionary:
    """The PSVersionTable of Windows PowerShell 5.1 on Server 2016, as a recorded host announced it."""
    compatible = ("1.0", "2.0", "3.0", "4.0", "5.0", "5.1.14393.2248")
    return PrimitiveDictionary(
        {
            "PSVersion": PSVersion("5.1.14393.2248"),
            "PSEdition": "Desktop",
            "PSCompatibleVersions": [PSVersion(version) for version in compatible],
            "CLRVersion": PSVersion("4.0.30319.42000"),
            "BuildVersion": PSVersion("10.0.14393.2248"),
            "WSManStackVersion": PSVersion("3.0"),
        }
    )
