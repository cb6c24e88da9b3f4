"""Exceptions and error records as a script holds them, and the family tree that typed catch clauses need.

Sources: the base classes of the public .NET Framework and PowerShell reference. Must not know who raises them.
"""

from __future__ import annotations

from collections.abc import Sequence

from provision.lab.powershell.values import Hashtable
from provision.lab.powershell.world import EnumValue, Record, ScriptError

_AUTOMATION = "System.Management.Automation."
_PARENTS = {
    "System.SystemException": "System.Exception",
    "System.ApplicationException": "System.Exception",
    "System.ArgumentException": "System.SystemException",
    "System.ArgumentNullException": "System.ArgumentException",
    "System.ArgumentOutOfRangeException": "System.ArgumentException",
    "System.FormatException": "System.SystemException",
    "System.IndexOutOfRangeException": "System.SystemException",
    "System.InvalidCastException": "System.SystemException",
    "System.InvalidOperationException": "System.SystemException",
    "System.ObjectDisposedException": "System.InvalidOperationException",
    "System.NotSupportedException": "System.SystemException",
    "System.NullReferenceException": "System.SystemException",
    "System.ArithmeticException": "System.SystemException",
    "System.DivideByZeroException": "System.ArithmeticException",
    "System.OverflowException": "System.ArithmeticException",
    "System.TimeoutException": "System.SystemException",
    "System.UnauthorizedAccessException": "System.SystemException",
    "System.IO.IOException": "System.SystemException",
    "System.IO.FileLoadException": "System.IO.IOException",
    "System.IO.FileNotFoundException": "System.IO.IOException",
    "System.IO.DirectoryNotFoundException": "System.IO.IOException",
    "System.Runtime.InteropServices.ExternalException": "System.SystemException",
    "System.Runtime.InteropServices.COMException": "System.Runtime.InteropServices.ExternalException",
    "System.ComponentModel.Win32Exception": "System.Runtime.InteropServices.ExternalException",
    "System.Security.SecurityException": "System.SystemException",
    "System.ServiceProcess.TimeoutException": "System.SystemException",
    "System.Xml.XmlException": "System.SystemException",
    "System.Diagnostics.Eventing.Reader.EventLogException": "System.Exception",
    "Microsoft.Management.Infrastructure.CimException": "System.Exception",
    "Microsoft.PowerShell.Commands.ServiceCommandException": "System.SystemException",
    "Microsoft.PowerShell.Commands.ProcessCommandException": "System.SystemException",
    "Microsoft.PowerShell.Commands.WriteErrorException": "System.SystemException",
    _AUTOMATION + "RuntimeException": "System.SystemException",
    _AUTOMATION + "SessionStateException": _AUTOMATION + "RuntimeException",
    _AUTOMATION + "ItemNotFoundException": _AUTOMATION + "SessionStateException",
    _AUTOMATION + "ActionPreferenceStopException": _AUTOMATION + "RuntimeException",
    _AUTOMATION + "CommandNotFoundException": _AUTOMATION + "RuntimeException",
    _AUTOMATION + "ParameterBindingException": _AUTOMATION + "RuntimeException",
    _AUTOMATION + "ParseException": _AUTOMATION + "RuntimeException",
    _AUTOMATION + "ExtendedTypeSystemException": _AUTOMATION + "RuntimeException",
    _AUTOMATION + "PropertyNotFoundException": _AUTOMATION + "ExtendedTypeSystemException",
    _AUTOMATION + "GetValueException": _AUTOMATION + "ExtendedTypeSystemException",
    _AUTOMATION + "GetValueInvocationException": _AUTOMATION + "GetValueException",
    _AUTOMATION + "SetValueException": _AUTOMATION + "ExtendedTypeSystemException",
    _AUTOMATION + "SetValueInvocationException": _AUTOMATION + "SetValueException",
    _AUTOMATION + "MethodException": _AUTOMATION + "ExtendedTypeSystemException",
    _AUTOMATION + "MethodInvocationException": _AUTOMATION + "MethodException",
    _AUTOMATION + "PSInvalidCastException": "System.InvalidCastException",
    _AUTOMATION + "PSInvalidOperationException": "System.InvalidOperationException",
    _AUTOMATION + "PSArgumentException": "System.ArgumentException",
    _AUTOMATION + "PSArgumentNullException": "System.ArgumentNullException",
}
_BY_LOWER = {name.lower(): name for name in (*_PARENTS, "System.Exception")}

CATEGORIES = (
    "NotSpecified", "OpenError", "CloseError", "DeviceError", "DeadlockDetected", "InvalidArgument", "InvalidData",
    "InvalidOperation", "InvalidResult", "InvalidType", "MetadataError", "NotImplemented", "NotInstalled",
    "ObjectNotFound", "OperationStopped", "OperationTimeout", "SyntaxError", "ParserError", "PermissionDenied",
    "ResourceBusy", "ResourceExists", "ResourceUnavailable", "ReadError", "WriteError", "FromStdErr", "SecurityError",
    "ProtocolError", "ConnectionError", "AuthenticationError", "LimitsExceeded", "QuotaExceeded", "NotEnabled",
)
"""The names of System.Management.Automation.ErrorCategory; the place of each is its number."""


def exception_name(written: str) -> str | None:
    """The full name of a known exception class, for what a script wrote; `System.` may be left out. Else None."""
    lower = written.lower()
    return _BY_LOWER.get(lower) or _BY_LOWER.get("system." + lower)


def is_kind_of(name: str, ancestor: str) -> bool:
    """Whether an exception class is another, or descends from it. An unknown class descends from System.Exception."""
    wanted = ancestor.lower()
    current: str | None = name
    while current is not None and current.lower() != wanted:
        known = _BY_LOWER.get(current.lower())
        if current.lower() == "system.exception":
            current = None
        else:
            current = "System.Exception" if known is None else _PARENTS.get(known)
    return current is not None


class ExceptionValue(Record):
    """A .NET exception in the hands of a script."""

    __slots__ = ("data", "error", "inner")

    def __init__(self, error: ScriptError, inner: ExceptionValue | None = None, data: Hashtable | None = None) -> None:
        self.error = error
        self.inner = inner
        self.data = Hashtable(is_ordered=True) if data is None else data
        super().__init__(error.exception_type, {
            "Message": error.message, "HResult": error.hresult, "InnerException": inner, "Data": self.data,
        }, f"{error.exception_type}: {error.message}")

    def is_a(self, class_name: str) -> bool:
        """Whether the exception is of that class or descends from it."""
        return is_kind_of(self.error.exception_type, class_name)

    def call(self, name: str, arguments: Sequence[object]) -> object:
        if name.lower() == "getbaseexception":
            innermost = self
            while innermost.inner is not None:
                innermost = innermost.inner
            return innermost
        return super().call(name, arguments)


class ErrorRecordValue(Record):
    """System.Management.Automation.ErrorRecord: the exception, where it came from, and its category."""

    __slots__ = ("exception", "line")

    def __init__(self, exception: ExceptionValue, line: int | None) -> None:
        self.exception = exception
        self.line = line
        error = exception.error
        number = CATEGORIES.index(error.category) if error.category in CATEGORIES else 0
        category = EnumValue(_AUTOMATION + "ErrorCategory", CATEGORIES[number], number)
        invocation = Record(_AUTOMATION + "InvocationInfo", {"ScriptLineNumber": 0 if line is None else line})
        super().__init__(_AUTOMATION + "ErrorRecord", {
            "Exception": exception, "InvocationInfo": invocation, "FullyQualifiedErrorId": error.error_id,
            "CategoryInfo": Record(_AUTOMATION + "ErrorCategoryInfo", {"Category": category}),
        }, error.message)


class Failure(Exception):
    """A terminating error on its way up: what a catch clause receives. `is_throw` when a `throw` made it."""

    def __init__(self, record: ErrorRecordValue, *, is_throw: bool = False) -> None:
        super().__init__(record.exception.error.message)
        self.record = record
        self.is_throw = is_throw


def fail(error: ScriptError, line: int | None, inner: ExceptionValue | None = None) -> Failure:
    """The failure of a ScriptError at a line."""
    known = error.line if error.line is not None else line
    return Failure(ErrorRecordValue(ExceptionValue(error, inner), known))


def wrapped(error: ScriptError, line: int | None, message: str, kind: str) -> Failure:
    """A failure inside a .NET member, as PowerShell hands it on: wrapped, with the original inside."""
    inner = ExceptionValue(error)
    outer = ScriptError(message, exception_type=_AUTOMATION + kind, category="NotSpecified",
                        error_id=error.exception_type.rpartition(".")[2])
    return fail(outer, line, inner)

