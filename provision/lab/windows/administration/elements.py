"""ConfigurationElement, ConfigurationAttribute and collections of them.

It must not know which sections there are. Unknown names throw the COM error that the native configuration system
gives; values that the schema does not allow throw as well, at the moment they are set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from provision.lab.powershell.world import EnumValue, ScriptError
from provision.lab.windows.elements import ConfigElement, Source, UnknownName
from provision.lab.windows.netobject import ObjectTable, Property, com_error, method, table, text_of
from provision.lab.windows.schema import SchemaViolation, Setting

NAMESPACE = "Microsoft.Web.Administration"
INVALID_INDEX = 0x80070585


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the running services answer. RUNTIME_VALUE gives an attribute that is never stored ("state") of a site;
    SESSIONS its sessions as attribute values. Both may throw a COM error while the service is stopped."""

    runtime_value: Callable[[str, str], Setting]
    sessions: Callable[[str], Sequence[Mapping[str, Setting]]]
    inherited_counts_as_default: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Shown:
    """An element, the site it belongs to ("" for none) and the runtime behind it."""

    element: ConfigElement
    site: str
    runtime: Runtime

    def child(self, name: str) -> Shown:
        """The child NAME. Throws for a name the schema does not have."""
        return Shown(guard(lambda: self.element.child(name)), self.site, self.runtime)


T = TypeVar("T")


def guard(ask: Callable[[], T]) -> T:
    """Run ASK; turn what the schema says into the exception a script meets."""
    try:
        return ask()
    except UnknownName:
        raise com_error("Invalid index. (Exception from HRESULT: 0x80070585)", INVALID_INDEX) from None
    except SchemaViolation as error:
        raise com_error(f"Error: {error}", 0x80070057) from error


def element_object(shown: Shown, kind: str = "ConfigurationElement",
                   extra: Mapping[str, object] | None = None) -> ObjectTable:
    """SHOWN as a .NET object of class KIND with the members of ConfigurationElement and EXTRA."""
    element = shown.element
    members: dict[str, object] = {
        "Attributes": lambda: list_object("ConfigurationAttributeCollection", [
            attribute_object(shown, name) for name in element.schema.attributes]),
        "ChildElements": lambda: list_object("ConfigurationChildElementCollection", [
            element_object(shown.child(name)) for name in element.schema.children]),
        "ElementTagName": element.schema.name,
        "IsLocallyStored": lambda: element.node is not None,
        "GetAttribute": method(lambda name: attribute_object(shown, text_of(name)), 1),
        "GetAttributeValue": method(lambda name: value_of(shown, text_of(name)), 1),
        "SetAttributeValue": method(lambda name, value: write(shown, text_of(name), value), 2),
        "GetChildElement": method(lambda name: element_object(shown.child(text_of(name))), 1),
        "GetCollection": method(lambda *name: collection_of(shown.child(text_of(name[0])) if name else shown), 0, 1),
        **(extra or {}),
    }
    return table(f"{NAMESPACE}.{kind}", members,
                 indexer=lambda name: value_of(shown, text_of(name)),
                 index_setter=lambda name, value: write(shown, text_of(name), value))


def value_of(shown: Shown, name: str) -> Setting:
    """The effective value of attribute NAME, from the service where the schema says so."""
    schema = guard(lambda: shown.element.attribute(name))
    if schema.runtime:
        return shown.runtime.runtime_value(shown.site, name)
    return guard(lambda: shown.element.value(name))


def write(shown: Shown, name: str, value: object) -> None:
    """Set attribute NAME in memory; only what the schema allows."""
    schema = guard(lambda: shown.element.attribute(name))
    if schema.runtime:
        raise ScriptError(f"The attribute '{name}' is read-only.", exception_type="System.InvalidOperationException")
    guard(lambda: shown.element.write(name, setting(value)))


def setting(value: object) -> Setting:
    """A value of PowerShell as configuration takes it: numbers, booleans and enumerations as they are, else text."""
    if isinstance(value, EnumValue):
        return value.number
    return value if isinstance(value, bool | int | str) else text_of(value)


def attribute_object(shown: Shown, name: str) -> ObjectTable:
    """ConfigurationAttribute. `Delete()` makes the attribute absent again."""
    element = shown.element
    guard(lambda: element.attribute(name))

    def is_default() -> bool:
        source = guard(lambda: element.read(name))[1]
        return source is Source.DEFAULT or (
            source is Source.INHERITED and shown.runtime.inherited_counts_as_default())

    return table(f"{NAMESPACE}.ConfigurationAttribute", {
        "Name": name,
        "Value": Property(lambda: value_of(shown, name), lambda value: write(shown, name, value)),
        "IsInheritedFromDefaultValue": is_default,
        "IsProtected": False,
        "IsExtended": False,
        "Delete": method(lambda: element.clear(name)),
    })


def collection_of(shown: Shown) -> ObjectTable:
    """The entries of SHOWN; sessions come from the service."""
    if shown.element.schema.collection is None:
        raise com_error("Invalid index. (Exception from HRESULT: 0x80070585)", INVALID_INDEX)
    if shown.element.schema.name == "sessions":
        entries = [table(f"{NAMESPACE}.ConfigurationElement", {
            "GetAttributeValue": method(lambda name, found=found: found[text_of(name)], 1)}) for found in
            shown.runtime.sessions(shown.site)]
    else:
        entries = [element_object(Shown(each, shown.site, shown.runtime)) for each in shown.element.entries()]
    return list_object("ConfigurationElementCollection", entries)


def list_object(kind: str, entries: Sequence[ObjectTable]) -> ObjectTable:
    """A collection that is counted, indexed by number and enumerated."""
    def at(key: object) -> object:
        if not isinstance(key, int):
            raise com_error("Invalid index. (Exception from HRESULT: 0x80070585)", INVALID_INDEX)
        if not 0 <= key < len(entries):
            raise ScriptError("Index was out of range. Must be non-negative and less than the size of the collection.",
                              exception_type="System.ArgumentOutOfRangeException")
        return entries[key]

    return table(f"{NAMESPACE}.{kind}", {"Count": len(entries)}, indexer=at, items=lambda: entries)
