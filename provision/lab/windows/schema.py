"""The part of IIS's configuration schema that an FTP server needs, as data.

It must not know any file, any value in use, or who asks. IIS keeps the same knowledge in IIS_schema.xml and
FTP_schema.xml; names, types and defaults here are those of the public configuration reference
(system.applicationHost/sites and system.ftpServer). What is not in the table does not exist for the lab.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal["int", "uint", "bool", "string", "enum", "flags", "timeSpan"]
Setting = int | bool | str

INT_MAX = 2_147_483_647
UINT_MAX = 4_294_967_295


class SchemaViolation(Exception):
    """A value that the schema does not allow; the text is the sentence IIS would give."""


@dataclass(frozen=True, slots=True)
class AttributeSchema:
    """One attribute: its type, its default (None: required, there is none) and its bounds, inclusive."""

    name: str
    kind: Kind
    default: Setting | None
    low: int = 0
    high: int = INT_MAX
    words: Mapping[str, int] = field(default_factory=dict)
    runtime: bool = False           # answered by the running service, never stored

    def parse(self, text: str) -> Setting:
        """Text as it stands in the file -> value. Enumerations become their number, as ServerManager shows them."""
        match self.kind:
            case "bool":
                return self._bool(text)
            case "int" | "uint":
                return self._whole(text)
            case "enum" | "flags":
                return self._words(text)
            case _:
                return text

    def render(self, value: Setting) -> str:
        """Value -> text for the file. Raises SchemaViolation for a wrong type, word or number."""
        match self.kind:
            case "bool":
                return "true" if self._bool(value) else "false"
            case "int" | "uint":
                return str(self._whole(value))
            case "enum" | "flags":
                return self._spell(self._words(value))
            case _:
                return str(value)

    def _bool(self, value: Setting) -> bool:
        if isinstance(value, bool):
            return value
        words = {"true": True, "false": False}
        if str(value).lower() not in words:
            raise SchemaViolation(f"The '{self.name}' attribute is invalid.  Not a valid boolean value")
        return words[str(value).lower()]

    def _whole(self, value: Setting) -> int:
        try:
            number = int(value)
        except ValueError:
            raise SchemaViolation(f"The '{self.name}' attribute is invalid.  Not a valid integer") from None
        if not self.low <= number <= self.high:
            raise SchemaViolation(f"The '{self.name}' attribute is invalid.  "
                                  f"Integer value must be between {self.low} and {self.high} inclusive")
        return number

    def _words(self, value: Setting) -> int:
        if isinstance(value, int):
            known = value in self.words.values() if self.kind == "enum" else value >= 0
            if not known:
                raise SchemaViolation(f"The '{self.name}' attribute is invalid.  {value} is not one of its values")
            return value
        number = 0
        for word in (part.strip() for part in value.split(",") if part.strip()):
            if word not in self.words:
                raise SchemaViolation(f"The '{self.name}' attribute is invalid.  "
                                      f"Enum must be one of {', '.join(self.words)}")
            number |= self.words[word]
        return number

    def _spell(self, number: int) -> str:
        exact = [word for word, value in self.words.items() if value == number]
        if exact:
            return exact[0]
        return ", ".join(word for word, value in self.words.items() if value and value & number == value)


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """The repeated entries of an element: the tag that adds one, and the attributes that make it unique."""

    entry: ElementSchema
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ElementSchema:
    """One element: attributes, children, and at most one collection of entries."""

    name: str
    attributes: Mapping[str, AttributeSchema]
    children: Mapping[str, ElementSchema] = field(default_factory=dict)
    collection: CollectionSchema | None = None


def number(name: str, default: int | None, low: int = 0, high: int = INT_MAX) -> AttributeSchema:
    """A whole number with inclusive bounds."""
    return AttributeSchema(name, "int" if high <= INT_MAX else "uint", default, low, high)


def flag(name: str, default: bool) -> AttributeSchema:
    """A boolean."""
    return AttributeSchema(name, "bool", default)


def text(name: str, default: str | None = "") -> AttributeSchema:
    """A string; default None: the attribute is required."""
    return AttributeSchema(name, "string", default)


def choice(name: str, default: int, words: Mapping[str, int], *, several: bool = False,
           runtime: bool = False) -> AttributeSchema:
    """An enumeration, or a set of flags when several words may stand together."""
    return AttributeSchema(name, "flags" if several else "enum", default, words=words, runtime=runtime)


def element(name: str, *parts: AttributeSchema | ElementSchema,
            collection: CollectionSchema | None = None) -> ElementSchema:
    """An element from its attributes and children, in any order."""
    return ElementSchema(
        name,
        MappingProxyType({part.name: part for part in parts if isinstance(part, AttributeSchema)}),
        MappingProxyType({part.name: part for part in parts if isinstance(part, ElementSchema)}),
        collection,
    )


def entries(tag: str, keys: str, *parts: AttributeSchema | ElementSchema) -> CollectionSchema:
    """A collection of TAG elements, unique by the attributes that KEYS names (comma separated)."""
    return CollectionSchema(element(tag, *parts), tuple(keys.split(",")))
