"""The static members and constructors of the .NET classes that belong to the language, as tables.

Classes of the world come first where both know one (`[Environment]::MachineName` is the machine's). What neither
lists is refused. Must not know statements or cmdlets.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from provision.lab.powershell import regexes
from provision.lab.powershell.convert import INT_BOUNDS, to_array, to_integer, to_number, to_text
from provision.lab.powershell.failures import ExceptionValue, exception_name
from provision.lab.powershell.machine import Machine, invoke_block
from provision.lab.powershell.reader import SyntaxFault, read_script
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.syntax import TypeRef
from provision.lab.powershell.textforms import composite
from provision.lab.powershell.typenames import full_name
from provision.lab.powershell.values import NOTHING, BlockValue, CustomObject, Hashtable
from provision.lab.powershell.world import NoSuchMember, Record, ScriptError

Arguments = Sequence[object]
_CODECS = {"UTF8": "utf-8", "ASCII": "ascii", "Unicode": "utf-16-le"}


class Encoding(Record):
    """System.Text.Encoding: text to bytes and back."""

    __slots__ = ("_codec",)

    def __init__(self, name: str) -> None:
        super().__init__("System.Text.Encoding", {"WebName": _CODECS[name]})
        self._codec = _CODECS[name]

    def call(self, name: str, arguments: Arguments) -> object:
        if name.lower() == "getbytes" and len(arguments) == 1:
            # A lone surrogate cannot be encoded; .NET replaces it as Python's "replace" does.
            return to_text(arguments[0]).encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode(
                self._codec, "replace")
        if name.lower() == "getstring" and len(arguments) == 1:
            return as_bytes(arguments[0]).decode(self._codec, "replace")
        return super().call(name, arguments)


def as_bytes(value: object) -> bytes:
    """[byte[]] of bytes, or of an array of numbers."""
    return value if isinstance(value, bytes) else bytes(to_integer(item, "System.Byte") for item in to_array(value))


class ConsoleReader(Record):
    """[Console]::In."""

    __slots__ = ("_read",)

    def __init__(self, machine: Machine) -> None:
        super().__init__("System.IO.TextReader", {})
        self._read = machine.stdin

    def call(self, name: str, arguments: Arguments) -> object:
        if self._read is None:
            raise Refused("[Console]::In of a runspace without standard input")
        if name.lower() == "readtoend" and not arguments:
            return "".join(iter(self._read, ""))
        if name.lower() == "readline" and not arguments:
            line = self._read()
            return line.removesuffix("\n").removesuffix("\r") if line else None
        return super().call(name, arguments)


class ConsoleWriter(Record):
    """[Console]::Out and [Console]::Error."""

    __slots__ = ("_lines",)

    def __init__(self, lines: list[str]) -> None:
        super().__init__("System.IO.TextWriter", {})
        self._lines = lines

    def call(self, name: str, arguments: Arguments) -> object:
        if name.lower() == "flush" and not arguments:
            return NOTHING
        if name.lower() in {"write", "writeline"} and len(arguments) <= 1:
            self._lines.append(to_text(arguments[0]) if arguments else "")
            self._lines.extend(["\r\n"] if name.lower() == "writeline" else [])
            return NOTHING
        return super().call(name, arguments)


def _decode64(_machine: Machine, arguments: Arguments) -> object:
    try:
        return base64.b64decode("".join(to_text(arguments[0]).split()), validate=True)
    except binascii.Error:
        raise ScriptError("The input is not a valid Base-64 string as it contains a non-base 64 character, more than two "
                          "padding characters, or an illegal character among the padding characters. ",
                          exception_type="System.FormatException") from None


def _create_block(_machine: Machine, arguments: Arguments) -> object:
    text = to_text(arguments[0])
    try:
        return BlockValue(read_script(text))
    except SyntaxFault as fault:
        raise ScriptError(f"Unexpected text near {fault.near!r}.", category="ParserError", line=fault.line,
                          exception_type="System.Management.Automation.ParseException") from None


def _regex_replace(machine: Machine, arguments: Arguments) -> object:
    text, pattern, by = to_text(arguments[0]), to_text(arguments[1]), arguments[2]
    compiled = regexes.compiled(pattern, ignore_case=False)
    if not isinstance(by, BlockValue):
        return compiled.sub(regexes.substitution(to_text(by)), text)

    def evaluate(found: re.Match[str]) -> str:
        match = Record("System.Text.RegularExpressions.Match", {"Value": found[0], "Success": True})
        return to_text(invoke_block(machine, by, [match]))
    # .NET walks over UTF-16 units: a character beyond the first plane is two of them.
    units = "".join(char if ord(char) < 0x10000 else _pair(char) for char in text)
    replaced = compiled.sub(evaluate, units)
    return replaced.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _pair(char: str) -> str:
    rest = ord(char) - 0x10000
    return chr(0xD800 + (rest >> 10)) + chr(0xDC00 + (rest & 0x3FF))


def _expand(machine: Machine, arguments: Arguments) -> object:
    def value(found: re.Match[str]) -> str:
        known = machine.world.variables.get(f"env:{found[1].lower()}")
        return found[0] if known is None else to_text(known)
    return re.sub(r"%([^%]+)%", value, to_text(arguments[0]))


def _plain(function: Callable[..., object]) -> Callable[[Machine, Arguments], object]:
    return lambda _machine, arguments: function(*arguments)


def _span(unit: str) -> Callable[[Machine, Arguments], object]:
    return _plain(lambda amount: timedelta(**{unit: to_number(amount)}))


_METHODS: dict[tuple[str, str, int], Callable[[Machine, Arguments], object]] = {
    ("System.Convert", "frombase64string", 1): _decode64,
    ("System.Convert", "tobase64string", 1): _plain(lambda data: base64.b64encode(as_bytes(data)).decode()),
    ("System.Convert", "toint32", 1): _plain(to_integer),
    ("System.Convert", "toint32", 2): _plain(lambda text, base: int(to_text(text), to_integer(base))),
    ("System.Math", "max", 2): _plain(lambda a, b: max(to_number(a), to_number(b))),
    ("System.Math", "min", 2): _plain(lambda a, b: min(to_number(a), to_number(b))),
    ("System.Math", "abs", 1): _plain(lambda a: abs(to_number(a))),
    ("System.Math", "floor", 1): _plain(lambda a: float(math.floor(to_number(a)))),
    ("System.Math", "ceiling", 1): _plain(lambda a: float(math.ceil(to_number(a)))),
    ("System.Math", "round", 1): _plain(lambda a: float(round(to_number(a)))),
    ("System.Environment", "expandenvironmentvariables", 1): _expand,
    ("System.Management.Automation.ScriptBlock", "create", 1): _create_block,
    ("System.Text.RegularExpressions.Regex", "replace", 3): _regex_replace,
    ("System.Text.RegularExpressions.Regex", "ismatch", 2): _plain(
        lambda text, pattern: regexes.compiled(to_text(pattern), ignore_case=False).search(to_text(text)) is not None),
    ("System.String", "isnullorempty", 1): _plain(lambda text: to_text(text) == ""),
    ("System.String", "isnullorwhitespace", 1): _plain(lambda text: to_text(text).strip() == ""),
    ("System.String", "join", 2): _plain(
        lambda separator, items: to_text(separator).join(to_text(item) for item in to_array(items))),
    ("System.String", "format", 2): _plain(
        lambda pattern, items: composite(to_text(pattern), [to_text(item) for item in to_array(items)])),
    ("System.TimeSpan", "fromseconds", 1): _span("seconds"),
    ("System.TimeSpan", "fromminutes", 1): _span("minutes"),
    ("System.TimeSpan", "frommilliseconds", 1): _span("milliseconds"),
}

_PROPERTIES: dict[tuple[str, str], Callable[[Machine], object]] = {
    ("System.DateTime", "utcnow"): lambda _machine: datetime.now(UTC),
    # The lab's machines live in UTC; a local time has no zone here.
    ("System.DateTime", "now"): lambda _machine: datetime.now(UTC).replace(tzinfo=None),
    ("System.Environment", "newline"): lambda _machine: "\r\n",
    ("System.String", "empty"): lambda _machine: "",
    ("System.Math", "pi"): lambda _machine: math.pi,
    ("System.TimeSpan", "zero"): lambda _machine: timedelta(0),
    ("System.Globalization.CultureInfo", "invariantculture"):
        lambda _machine: Record("System.Globalization.CultureInfo", {"Name": ""}, ""),
    ("System.Console", "in"): ConsoleReader,
    ("System.Console", "out"): lambda machine: ConsoleWriter(machine.streams.console),
    ("System.Console", "error"): lambda machine: ConsoleWriter(machine.streams.console_error),
    ("System.Console", "inputencoding"): lambda _machine: Encoding("UTF8"),
    ("System.Console", "outputencoding"): lambda _machine: Encoding("UTF8"),
    ("System.Text.Encoding", "utf8"): lambda _machine: Encoding("UTF8"),
    ("System.Text.Encoding", "ascii"): lambda _machine: Encoding("ASCII"),
    ("System.Text.Encoding", "unicode"): lambda _machine: Encoding("Unicode"),
}


def static_get(machine: Machine, reference: TypeRef, name: str) -> object:
    """`[Type]::Name`."""
    full = full_name(reference.name)
    world_type = machine.world.types.get(full.lower())
    if world_type is not None:
        try:
            return world_type.get(name)
        except NoSuchMember:
            pass
    if full in INT_BOUNDS and name.lower() in {"minvalue", "maxvalue"}:
        return INT_BOUNDS[full][name.lower() == "maxvalue"]
    getter = _PROPERTIES.get((full, name.lower()))
    if getter is None:
        raise Refused(f"the static member {reference}::{name}")
    return getter(machine)


def static_set(reference: TypeRef, name: str, value: object) -> None:
    """`[Type]::Name = value`: the console's encodings, which are UTF-8 here, and nothing else."""
    settable = full_name(reference.name) == "System.Console" and name.lower() in {"inputencoding", "outputencoding"}
    if not settable or not isinstance(value, Encoding):
        raise Refused(f"a change of {reference}::{name}")


def static_call(machine: Machine, reference: TypeRef, name: str, arguments: Arguments) -> object:
    """`[Type]::Name(arguments)`."""
    full = full_name(reference.name)
    if name.lower() == "new":
        return construct(machine, reference.name, arguments)
    world_type = machine.world.types.get(full.lower())
    if world_type is not None:
        try:
            return world_type.call(name, arguments)
        except NoSuchMember:
            pass
    method = _METHODS.get((full, name.lower(), len(arguments)))
    if method is None:
        raise Refused(f"the static method {reference}::{name} with {len(arguments)} arguments")
    return method(machine, arguments)


def construct(machine: Machine, written: str, arguments: Arguments) -> object:
    """`New-Object` and `[Type]::new()`."""
    full = full_name(written)
    world_type = machine.world.types.get(full.lower())
    if world_type is not None:
        return world_type.new(arguments)
    exception = exception_name(written)
    if exception is not None and len(arguments) <= 2:
        message = to_text(arguments[0]) if arguments else f"Exception of type '{exception}' was thrown."
        inner = arguments[1] if len(arguments) == 2 else None
        if inner is None or isinstance(inner, ExceptionValue):
            return ExceptionValue(ScriptError(message, exception_type=exception, error_id=message), inner)
    if not arguments and full == "System.Collections.Hashtable":
        return Hashtable()
    if not arguments and full == "System.Management.Automation.PSObject":
        return CustomObject()
    if full == "System.Text.UTF8Encoding" and len(arguments) <= 1:
        return Encoding("UTF8")
    raise Refused(f"the constructor of [{written}] with {len(arguments)} arguments")
