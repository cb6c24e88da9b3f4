"""Builds .NET-like objects from tables of members, so that each modelled class is data with a few functions.

It must not know any class. What a table does not name does not exist (NoSuchMember); a method called with another
number of arguments is refused as PowerShell does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from provision.lab.powershell.world import NetObject, NoSuchMember, ScriptError

Getter = Callable[[], object]
Setter = Callable[[object], None]
COM_EXCEPTION = "System.Runtime.InteropServices.COMException"


@dataclass(frozen=True, slots=True)
class Property:
    """A property; without a setter it is read-only."""

    get: Getter
    set: Setter | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A method and the numbers of arguments that its overloads take."""

    run: Callable[..., object]
    counts: tuple[int, ...]


def method(run: Callable[..., object], *counts: int) -> Method:
    """A method; no COUNTS means it takes none."""
    return Method(run, counts or (0,))


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """A .NET object made of tables; names are lower-case in MEMBERS. ITEMS makes it a collection."""

    type_name: str
    members: Mapping[str, Property | Method]
    indexer: Callable[[object], object] | None = None
    index_setter: Callable[[object, object], None] | None = None
    items: Callable[[], Iterable[object]] | None = None
    text: str | None = None
    hidden: Mapping[str, object] = field(default_factory=dict)     # for the model's own use, never for scripts

    def get(self, name: str) -> object:
        return self._property(name).get()

    def set(self, name: str, value: object) -> None:
        setter = self._property(name).set
        if setter is None:
            raise ScriptError(f"'{name}' is a ReadOnly property.", error_id="PropertyAssignmentException",
                              exception_type="System.Management.Automation.SetValueInvocationException")
        setter(value)

    def call(self, name: str, arguments: Sequence[object]) -> object:
        member = self.members.get(name.lower())
        if member is None and name.lower() == "tostring" and not arguments:
            return self.type_name if self.text is None else self.text
        if not isinstance(member, Method):
            raise NoSuchMember(self.type_name, name)
        if len(arguments) not in member.counts:
            raise ScriptError(f'Cannot find an overload for "{name}" and the argument count: "{len(arguments)}".',
                              error_id="MethodCountCouldNotFindBest",
                              exception_type="System.Management.Automation.MethodException")
        return member.run(*arguments)

    def index(self, key: object) -> object:
        if self.indexer is None:
            raise NoSuchMember(self.type_name, f"[{key}]")
        return self.indexer(key)

    def set_index(self, key: object, value: object) -> None:
        if self.index_setter is None:
            raise NoSuchMember(self.type_name, f"[{key}]")
        self.index_setter(key, value)

    def enumerate(self) -> Iterable[object] | None:
        return None if self.items is None else self.items()

    def _property(self, name: str) -> Property:
        member = self.members.get(name.lower())
        if not isinstance(member, Property):
            raise NoSuchMember(self.type_name, name)
        return member


def table(type_name: str, members: Mapping[str, object], *, indexer: Callable[[object], object] | None = None,
          index_setter: Callable[[object, object], None] | None = None,
          items: Callable[[], Iterable[object]] | None = None, text: str | None = None,
          hidden: Mapping[str, object] | None = None) -> ObjectTable:
    """An object from MEMBERS: Property and Method as they are, a function becomes a read-only property, and any
    other value a constant one."""
    def member(value: object) -> Property | Method:
        if isinstance(value, Property | Method):
            return value
        return Property(value if callable(value) else lambda: value)

    return ObjectTable(type_name, {name.lower(): member(value) for name, value in members.items()}, indexer,
                       index_setter, items, text, hidden or {})


@dataclass(frozen=True, slots=True)
class TypeTable:
    """A .NET class: its constructors by number of arguments, static properties and static methods."""

    type_name: str
    constructor: Method | None = None
    statics: Mapping[str, Property | Method] = field(default_factory=dict)

    def new(self, arguments: Sequence[object]) -> object:
        if self.constructor is None or len(arguments) not in self.constructor.counts:
            raise ScriptError(f'Cannot find an overload for "{self.type_name.rpartition(".")[2]}" and the argument '
                              f'count: "{len(arguments)}".', error_id="ConstructorInvokedThrowException",
                              exception_type="System.Management.Automation.MethodException")
        return self.constructor.run(*arguments)

    def get(self, name: str) -> object:
        member = self.statics.get(name.lower())
        if not isinstance(member, Property):
            raise NoSuchMember(self.type_name, name)
        return member.get()

    def call(self, name: str, arguments: Sequence[object]) -> object:
        member = self.statics.get(name.lower())
        if not isinstance(member, Method) or len(arguments) not in member.counts:
            raise NoSuchMember(self.type_name, name)
        return member.run(*arguments)


def com_error(message: str, hresult: int) -> ScriptError:
    """A COMException; HRESULT as the usual unsigned number, 0x80070585."""
    return ScriptError(message, exception_type=COM_EXCEPTION, hresult=hresult - (1 << 32))


def hidden(value: object, key: str) -> object:
    """What the model attached to an object of its own; None for a foreign one."""
    return value.hidden.get(key) if isinstance(value, ObjectTable) else None


def text_of(value: object) -> str:
    """How PowerShell would print VALUE into a string parameter."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return " ".join(map(text_of, value))
    if hasattr(value, "call"):
        return str(cast(NetObject, value).call("ToString", ()))
    return "" if value is None else str(value)
