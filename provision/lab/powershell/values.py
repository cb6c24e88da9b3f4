"""The values that belong to the language: hashtables, custom objects, characters, types, blocks, nothing.

Numbers, text, arrays and times are Python's own (see `world`). This file must not know how anything is evaluated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from provision.lab.powershell.syntax import Block, TypeRef
from provision.lab.powershell.world import NoSuchMember, ScriptError

HASHTABLE: Final = "System.Collections.Hashtable"
ORDERED: Final = "System.Collections.Specialized.OrderedDictionary"
CUSTOM_OBJECT: Final = "System.Management.Automation.PSCustomObject"


class Nothing:
    """What a command without output gives: `$null` to look at, but no object in a pipeline."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Final = Nothing()


@dataclass(frozen=True, slots=True)
class Char:
    """[char]: one UTF-16 unit, 0 to 65535."""

    code: int

    def __str__(self) -> str:
        return chr(self.code)


@dataclass(frozen=True, slots=True)
class BlockValue:
    """[scriptblock]. PowerShell scopes dynamically, so that a block carries no variables of its own."""

    block: Block

    @property
    def text(self) -> str:
        return self.block.text


@dataclass(frozen=True, slots=True)
class TypeValue:
    """[System.Type], by its full name."""

    reference: TypeRef
    full_name: str


def _key(key: object) -> object:
    # PowerShell makes its hashtables with a comparer that ignores case; 1 and '1' are two keys.
    return ("text", key.lower()) if isinstance(key, str) else (type(key).__name__, key)


class Plain(ABC):
    """The part of a NetObject that hashtables and custom objects do not have: no index, nothing to enumerate."""

    __slots__ = ()

    @property
    @abstractmethod
    def type_name(self) -> str:
        """The full .NET name of the type."""

    def index(self, key: object) -> object:
        raise NoSuchMember(self.type_name, f"[{key}]")

    def set_index(self, key: object, value: object) -> None:
        raise NoSuchMember(self.type_name, f"[{key}]")

    def enumerate(self) -> Iterable[object] | None:
        return None


class Hashtable(Plain):
    """@{} and [ordered]@{}. Enumeration of a plain one is scrambled, as in .NET: nobody may rely on its order."""

    __slots__ = ("_entries", "is_ordered")

    def __init__(self, entries: Iterable[tuple[object, object]] = (), *, is_ordered: bool = False) -> None:
        self.is_ordered = is_ordered
        self._entries: dict[object, tuple[object, object]] = {}
        for key, value in entries:
            self[key] = value

    def __setitem__(self, key: object, value: object) -> None:
        if key is None:
            raise ScriptError("Index operation failed; the array index evaluated to null.", error_id="NullArrayIndex")
        previous = self._entries.get(_key(key))
        self._entries[_key(key)] = (previous[0] if previous else key, value)

    def __contains__(self, key: object) -> bool:
        return _key(key) in self._entries

    def value(self, key: object, default: object = None) -> object:
        """The value of a key, or the default."""
        entry = self._entries.get(_key(key))
        return default if entry is None else entry[1]

    def remove(self, key: object) -> None:
        """Take a key out; nothing happens when it is not there."""
        self._entries.pop(_key(key), None)

    def items(self) -> Iterator[tuple[object, object]]:
        """Keys and values, in the order in which a script would meet them."""
        pairs = list(self._entries.values())
        if not self.is_ordered:
            pairs.sort(key=lambda pair: crc32(str(pair[0]).lower().encode()))
        return iter(pairs)

    @property
    def type_name(self) -> str:
        return ORDERED if self.is_ordered else HASHTABLE

    # The rest makes it a NetObject, so that it can cross into the world as an argument.

    def get(self, name: str) -> object:
        if name in self:
            return self.value(name)
        facts: dict[str, object] = {"count": len(self._entries), "keys": [key for key, _ in self.items()],
                                    "values": [value for _, value in self.items()]}
        if name.lower() in facts:
            return facts[name.lower()]
        raise NoSuchMember(self.type_name, name)

    def set(self, name: str, value: object) -> None:
        self[name] = value

    def call(self, name: str, arguments: Sequence[object]) -> object:
        method = _HASHTABLE_METHODS.get((name.lower(), len(arguments)))
        if method is None:
            raise NoSuchMember(self.type_name, f"{name}({len(arguments)} arguments)")
        return method(self, *arguments)

    def index(self, key: object) -> object:
        if self.is_ordered and type(key) is int:
            pairs = list(self._entries.values())
            return pairs[key][1] if 0 <= key < len(pairs) else None
        return self.value(key)

    def set_index(self, key: object, value: object) -> None:
        self[key] = value


def _add(table: Hashtable, key: object, value: object) -> object:
    if key in table:
        raise ScriptError(f"Item has already been added. Key in dictionary: '{key}'  Key being added: '{key}'",
                          exception_type="System.ArgumentException")
    table[key] = value
    return NOTHING


def _remove(table: Hashtable, key: object) -> object:
    table.remove(key)
    return NOTHING


def _clear(table: Hashtable) -> object:
    for key, _ in table.items():
        table.remove(key)
    return NOTHING


def _contains_key(table: Hashtable, key: object) -> object:
    if table.is_ordered:
        raise NoSuchMember(ORDERED, "ContainsKey")
    return key in table


def _entries(table: Hashtable) -> object:
    return [CustomObject([("Key", key), ("Value", value)]) for key, value in table.items()]


_HASHTABLE_METHODS: dict[tuple[str, int], Callable[..., object]] = {
    ("containskey", 1): _contains_key, ("contains", 1): lambda table, key: key in table, ("add", 2): _add,
    ("remove", 1): _remove, ("clear", 0): _clear, ("getenumerator", 0): _entries,
    ("tostring", 0): lambda table: table.type_name,
}


class CustomObject(Plain):
    """[pscustomobject]: named properties in their order; names ignore case."""

    __slots__ = ("_properties",)

    def __init__(self, properties: Iterable[tuple[str, object]] = ()) -> None:
        self._properties: dict[str, tuple[str, object]] = {}
        for name, value in properties:
            self._properties[name.lower()] = (name, value)

    @property
    def type_name(self) -> str:
        return CUSTOM_OBJECT

    def properties(self) -> list[tuple[str, object]]:
        """Names as written, and values, in their order."""
        return list(self._properties.values())

    def has(self, name: str) -> bool:
        """Whether there is such a property."""
        return name.lower() in self._properties

    def get(self, name: str) -> object:
        if name.lower() not in self._properties:
            raise NoSuchMember(CUSTOM_OBJECT, name)
        return self._properties[name.lower()][1]

    def set(self, name: str, value: object) -> None:
        if name.lower() not in self._properties:
            raise NoSuchMember(CUSTOM_OBJECT, name)
        self._properties[name.lower()] = (self._properties[name.lower()][0], value)

    def call(self, name: str, arguments: Sequence[object]) -> object:
        if name.lower() == "tostring" and not arguments:
            return ""
        raise NoSuchMember(CUSTOM_OBJECT, name)
