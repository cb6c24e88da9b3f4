"""A view on configuration through the schema: explicit value, inherited value or default, and how to change it.

It must not know PowerShell, .NET or FTP. Both readers use it: the objects that scripts see
(Microsoft.Web.Administration) and the FTP service when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from xml.etree import ElementTree as ET

from provision.lab.windows.apphost import Document
from provision.lab.windows.schema import AttributeSchema, ElementSchema, Setting


class Source(Enum):
    """Where a value comes from."""

    EXPLICIT = "explicit"       # written at this element
    INHERITED = "inherited"     # from siteDefaults, or from the server level of a section read for a location
    DEFAULT = "default"         # from the schema


class UnknownName(Exception):
    """An attribute, element or collection that the schema does not have."""

    def __init__(self, owner: str, name: str) -> None:
        super().__init__(f"'{name}' is not known in <{owner}>")
        self.owner = owner
        self.name = name


@dataclass(slots=True)
class ConfigElement:
    """One element as the schema sees it. NODE is None while nothing is written for it; MAKE writes it.

    FALLBACK is the element that inheritance takes values from (siteDefaults for a site, the server level for a
    location); CHANGED is told about every change.
    """

    schema: ElementSchema
    document: Document
    node: ET.Element | None
    make: Callable[[], ET.Element]
    fallback: ConfigElement | None
    changed: Callable[[], None]

    def attribute(self, name: str) -> AttributeSchema:
        """The schema of attribute NAME (case sensitive). Raises UnknownName."""
        found = self.schema.attributes.get(name)
        if found is None:
            raise UnknownName(self.schema.name, name)
        return found

    def read(self, name: str) -> tuple[Setting, Source]:
        """The effective value and where it comes from. Raises UnknownName, SchemaViolation (a hand edit)."""
        schema = self.attribute(name)
        text = None if self.node is None else self.node.get(name)
        if text is not None:
            return schema.parse(text), Source.EXPLICIT
        if self.fallback is not None and name in self.fallback.schema.attributes:
            value, source = self.fallback.read(name)
            return value, Source.DEFAULT if source is Source.DEFAULT else Source.INHERITED
        return "" if schema.default is None else schema.default, Source.DEFAULT

    def value(self, name: str) -> Setting:
        """The effective value alone."""
        return self.read(name)[0]

    def number(self, name: str) -> int:
        """The effective value of a whole number or an enumeration."""
        return int(self.value(name))

    def write(self, name: str, value: Setting) -> None:
        """Set explicitly, in memory. Raises UnknownName, SchemaViolation."""
        self._node().set(name, self.attribute(name).render(value))
        self.changed()

    def clear(self, name: str) -> None:
        """Make the attribute absent again, so that inheritance or the default shows. The element stays."""
        self.attribute(name)
        if self.node is not None and name in self.node.attrib:
            del self.node.attrib[name]
            self.changed()

    def child(self, name: str) -> ConfigElement:
        """The child element NAME, written or not. Raises UnknownName."""
        schema = self.schema.children.get(name)
        if schema is None:
            raise UnknownName(self.schema.name, name)
        inherits = self.fallback is not None and name in self.fallback.schema.children
        return ConfigElement(
            schema, self.document,
            None if self.node is None else self.node.find(name),
            lambda: self._ensure(name),
            self.fallback.child(name) if inherits and self.fallback is not None else None,
            self.changed,
        )

    def entries(self) -> list[ConfigElement]:
        """The entries of the element's collection: inherited ones first, as IIS merges them."""
        own = [self._entry(node) for node in self._entry_nodes()]
        if self.fallback is None or self.fallback.schema.collection is None:
            return own
        cleared = self.node is not None and self.node.find("clear") is not None
        return own if cleared else self.fallback.entries() + own

    def _entry_nodes(self) -> list[ET.Element]:
        if self.schema.collection is None:
            raise UnknownName(self.schema.name, "collection")
        return [] if self.node is None else self.node.findall(self.schema.collection.entry.name)

    def _entry(self, node: ET.Element) -> ConfigElement:
        assert self.schema.collection is not None
        entry = self.schema.collection.entry
        defaults = self.child("siteDefaults") if entry.name == "site" else None
        return ConfigElement(entry, self.document, node, lambda: node, defaults, self.changed)

    def _node(self) -> ET.Element:
        if self.node is None:
            self.node = self.make()
        return self.node

    def _ensure(self, name: str) -> ET.Element:
        parent = self._node()
        found = parent.find(name)
        return found if found is not None else self.document.append(parent, name)
