"""Names of types: PowerShell's short ones, .NET's full ones, and which of them the language itself knows."""

from __future__ import annotations

from provision.lab.powershell.failures import exception_name

_AUTOMATION = "System.Management.Automation."
_SHORT = {
    "string": "System.String", "char": "System.Char", "int": "System.Int32", "int16": "System.Int16",
    "int32": "System.Int32", "long": "System.Int64", "int64": "System.Int64", "uint16": "System.UInt16",
    "uint32": "System.UInt32", "uint64": "System.UInt64", "double": "System.Double", "float": "System.Double",
    "decimal": "System.Decimal", "bool": "System.Boolean", "byte": "System.Byte", "array": "System.Array",
    "object": "System.Object", "psobject": _AUTOMATION + "PSObject", "pscustomobject": _AUTOMATION + "PSObject",
    "hashtable": "System.Collections.Hashtable", "scriptblock": _AUTOMATION + "ScriptBlock",
    "switch": _AUTOMATION + "SwitchParameter", "datetime": "System.DateTime", "timespan": "System.TimeSpan",
    "version": "System.Version", "xml": "System.Xml.XmlDocument", "regex": "System.Text.RegularExpressions.Regex",
    "void": "System.Void", "type": "System.Type", "exception": "System.Exception", "math": "System.Math",
    "environment": "System.Environment", "convert": "System.Convert", "console": "System.Console",
}
_FULL = (
    "System.String", "System.Char", "System.Int16", "System.Int32", "System.Int64", "System.UInt16", "System.UInt32",
    "System.UInt64", "System.Double", "System.Decimal", "System.Boolean", "System.Byte", "System.Array",
    "System.Object", "System.DateTime", "System.TimeSpan", "System.Version", "System.Void", "System.Type",
    "System.Math", "System.Environment", "System.Convert", "System.Console", "System.Collections.Hashtable",
    "System.Collections.IDictionary", "System.Collections.Specialized.OrderedDictionary",
    "System.Xml.XmlDocument", "System.Xml.XmlNode", "System.Text.Encoding", "System.Text.UTF8Encoding",
    "System.Text.RegularExpressions.Regex", "System.Text.RegularExpressions.MatchEvaluator",
    "System.Globalization.CultureInfo",
    _AUTOMATION + "PSObject", _AUTOMATION + "PSCustomObject", _AUTOMATION + "ScriptBlock",
    _AUTOMATION + "SwitchParameter", _AUTOMATION + "ErrorRecord",
)
_KNOWN = {name.lower(): name for name in _FULL}


def full_name(written: str) -> str:
    """The full name for what a script wrote: a short name, a full one, or one without `System.`.

    A name that the language does not know comes back as written: it may be a type of the world.
    """
    lower = written.lower()
    if lower in _SHORT:
        return _SHORT[lower]
    return _KNOWN.get(lower) or _KNOWN.get("system." + lower) or exception_name(written) or written


def is_known(written: str) -> bool:
    """Whether the language itself knows the type."""
    lower = written.lower()
    return lower in _SHORT or lower in _KNOWN or "system." + lower in _KNOWN or exception_name(written) is not None
