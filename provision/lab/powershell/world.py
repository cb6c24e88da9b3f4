"""What surrounds the evaluator: the protocols that the modelled Windows implements.

The evaluator knows the language; everything that touches a machine comes through a `World`. This file must
not know any cmdlet, any .NET class and any script.

Values that cross the border, both ways:

    None, bool, int, float, str     as themselves ([int] and [long] are one)
    list                            an array (object[])
    datetime, timedelta             [datetime] (an aware UTC value has Kind Utc, a naive one Local), [timespan]
    bytes                           [byte[]]
    EnumValue                       an enumeration's value: prints its name, compares by name, casts to its number
    Version                         [version]
    NetObject                       anything else; `record()` makes a read-only one

A Python dict never crosses: a hashtable argument arrives as a `NetObject` of type System.Collections.Hashtable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


class NoSuchMember(Exception):
    """An object or a type has no such member. The evaluator makes it a terminating error with its line."""

    def __init__(self, type_name: str, member: str) -> None:
        super().__init__(f"{type_name} has no member {member!r}")
        self.type_name = type_name
        self.member = member


class ScriptError(Exception):
    """A .NET exception, as a script meets it: terminating when raised, not when given to `CmdletCall.error`.

    `exception_type` is the full .NET name; typed catch clauses match it. `hresult` is signed, 32 bits.
    `category` is a name of System.Management.Automation.ErrorCategory, `line` the line of the script (1-based),
    filled in by the evaluator when it is not known.
    """

    def __init__(self, message: str, *, exception_type: str = "System.Management.Automation.RuntimeException",
                 hresult: int = -2146233087, category: str = "NotSpecified", error_id: str = "RuntimeException",
                 line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.exception_type = exception_type
        self.hresult = hresult
        self.category = category
        self.error_id = error_id
        self.line = line


@runtime_checkable
class NetObject(Protocol):
    """A .NET object as a script sees it. Names arrive as the script wrote them; matching ignores case.

    Every method raises `NoSuchMember` for what the object does not have. A failure *inside* a member is a
    `ScriptError` with the .NET type that the member would throw; the evaluator wraps it as PowerShell does
    (MethodInvocationException, GetValueInvocationException). `call("ToString", ())` gives the text of the object;
    an object without it prints its type name.
    """

    @property
    def type_name(self) -> str: ...
    def get(self, name: str) -> object: ...
    def set(self, name: str, value: object) -> None: ...
    def call(self, name: str, arguments: Sequence[object]) -> object: ...
    def index(self, key: object) -> object: ...
    def set_index(self, key: object, value: object) -> None: ...
    def enumerate(self) -> Iterable[object] | None: ...


class NetType(Protocol):
    """A .NET class: what `New-Object`, `[Name]::new()` and `[Name]::Member` need of it."""

    @property
    def type_name(self) -> str: ...
    def new(self, arguments: Sequence[object]) -> object: ...
    def get(self, name: str) -> object: ...
    def call(self, name: str, arguments: Sequence[object]) -> object: ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter of a cmdlet. Names match without case; an unambiguous beginning is enough.

    `position` is 0-based, None for named only. `pipeline` takes each incoming object; the objects are then
    in `CmdletCall.input`. `values` bounds the value to these words (ValidateSet), none for free.
    """

    name: str
    position: int | None = None
    switch: bool = False
    mandatory: bool = False
    pipeline: bool = False
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def _ignore(_text: str) -> None:
    return None


def _raise(error: ScriptError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class CmdletCall:
    """One call: the bound parameters by lower-case declared name, and the objects from the pipeline.

    `input` is None when the cmdlet stands first in its pipeline. `error` reports a non-terminating error
    (the evaluator applies -ErrorAction and $ErrorActionPreference: it may raise); `warning` and `verbose` write to
    these streams. The common parameters never arrive here.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    input: Sequence[object] | None = None
    error: Callable[[ScriptError], None] = _raise
    warning: Callable[[str], None] = _ignore
    verbose: Callable[[str], None] = _ignore

    def get(self, name: str, default: object = None) -> object:
        """The value of a parameter, or `default` when it was not given."""
        return self.parameters.get(name.lower(), default)


class Cmdlet(Protocol):
    """A cmdlet of the world. Parameters that it does not declare are refused before it runs."""

    @property
    def parameters(self) -> Sequence[Parameter]: ...
    def run(self, call: CmdletCall) -> Iterable[object]: ...


NativeCommand = Callable[[Sequence[str]], tuple[Sequence[str], int]]
"""argv without the program's name -> (lines of stdout, exit code)."""


class World(Protocol):
    """Everything a script can reach that is not the language itself. Keys are lower-case.

    `variables` holds `psversiontable` (a NetObject), `psedition` and the environment as `env:windir`.
    `types` are full names without brackets: `microsoft.web.administration.servermanager`.
    `load_assembly` is asked by `Add-Type -Path`; it raises ScriptError when the file is absent.
    Types of an assembly may come into `types` only once it was loaded.
    """

    @property
    def cmdlets(self) -> Mapping[str, Cmdlet]: ...
    @property
    def types(self) -> Mapping[str, NetType]: ...
    @property
    def native(self) -> Mapping[str, NativeCommand]: ...
    @property
    def variables(self) -> Mapping[str, object]: ...
    def load_assembly(self, path: str) -> None: ...


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A value of a .NET enumeration: `EnumValue("System.ServiceProcess.ServiceControllerStatus", "Running", 4)`."""

    type_name: str
    name: str
    number: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """System.Version; -1 stands for a part that was not given, as in .NET."""

    major: int
    minor: int
    build: int = -1
    revision: int = -1

    def __str__(self) -> str:
        return ".".join(str(part) for part in (self.major, self.minor, self.build, self.revision) if part >= 0)


class Record:
    """A read-only object with named properties; a property may be a function that is asked at each reading."""

    __slots__ = ("_members", "_text", "_type_name")

    def __init__(self, type_name: str, members: Mapping[str, object], text: str | None = None) -> None:
        self._type_name = type_name
        self._members = {name.lower(): value for name, value in members.items()}
        self._text = text

    @property
    def type_name(self) -> str:
        return self._type_name

    def get(self, name: str) -> object:
        if name.lower() not in self._members:
            raise NoSuchMember(self._type_name, name)
        value = self._members[name.lower()]
        return value() if callable(value) else value

    def set(self, name: str, value: object) -> None:
        if name.lower() not in self._members:
            raise NoSuchMember(self._type_name, name)
        raise ScriptError(f"'{name}' is a ReadOnly property.", error_id="PropertyAssignmentException",
                          exception_type="System.Management.Automation.SetValueInvocationException")

    def call(self, name: str, arguments: Sequence[object]) -> object:
        if name.lower() == "tostring" and not arguments:
            return self._type_name if self._text is None else self._text
        raise NoSuchMember(self._type_name, name)

    def index(self, key: object) -> object:
        raise NoSuchMember(self._type_name, f"[{key}]")

    def set_index(self, key: object, value: object) -> None:
        raise NoSuchMember(self._type_name, f"[{key}]")

    def enumerate(self) -> Iterable[object] | None:
        return None


def record(type_name: str, /, _text: str | None = None, **members: object) -> Record:
    """A read-only object: `record("System.Diagnostics.Process", Id=4, StartTime=when)`."""
    return Record(type_name, members, _text)
