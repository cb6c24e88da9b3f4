"""[xml]: documents and elements with the few members that reading a configuration file needs.

XPath is limited to plain child steps (`/a/b/c`, `a/b`), which cannot be confused by any value; the rest is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.world import NoSuchMember, ScriptError

_STEPS = re.compile(r"/?[\w.-]+(/[\w.-]+)*")


class XmlNode:
    """An element, or the document that holds the root element."""

    __slots__ = ("_element", "type_name")

    def __init__(self, element: ET.Element, *, is_document: bool = False) -> None:
        self._element = element
        self.type_name = "System.Xml.XmlDocument" if is_document else "System.Xml.XmlElement"

    @property
    def _is_document(self) -> bool:
        return self.type_name == "System.Xml.XmlDocument"

    def _select(self, path: object) -> list[XmlNode]:
        if not isinstance(path, str) or not _STEPS.fullmatch(path):
            raise Refused(f"the XPath {path!r}")
        steps = path.removeprefix("/").split("/")
        if path.startswith("/") and not self._is_document:
            raise Refused(f"the XPath {path!r} from an element")
        found = [self._element]
        if self._is_document:
            found = found if self._element.tag == steps.pop(0) else []
        for step in steps:
            found = [child for node in found for child in node if child.tag == step]
        return [XmlNode(node) for node in found]

    def get(self, name: str) -> object:
        if name.lower() == "name":
            return "#document" if self._is_document else self._element.tag
        if name.lower() == "documentelement" and self._is_document:
            return XmlNode(self._element)
        raise NoSuchMember(self.type_name, name)

    def set(self, name: str, value: object) -> None:
        raise NoSuchMember(self.type_name, name)

    def call(self, name: str, arguments: Sequence[object]) -> object:
        lower = name.lower()
        if lower == "selectnodes" and len(arguments) == 1:
            return self._select(arguments[0])
        if lower == "selectsinglenode" and len(arguments) == 1:
            return next(iter(self._select(arguments[0])), None)
        if not self._is_document and len(arguments) == 1:
            if lower == "getattribute":
                return self._element.get(str(arguments[0]), "")
            if lower == "hasattribute":
                return str(arguments[0]) in self._element.attrib
        raise NoSuchMember(self.type_name, name)

    def index(self, key: object) -> object:
        raise NoSuchMember(self.type_name, f"[{key}]")

    def set_index(self, key: object, value: object) -> None:
        raise NoSuchMember(self.type_name, f"[{key}]")

    def enumerate(self) -> Iterable[object] | None:
        return None


def parse_document(text: str) -> XmlNode:
    """[xml]text. A text that is no XML is the error of the cast."""
    try:
        return XmlNode(ET.fromstring(text.encode()), is_document=True)
    except ET.ParseError as error:
        raise ScriptError(f'Cannot convert value to type "System.Xml.XmlDocument". Error: "{error}"',
                          exception_type="System.Management.Automation.PSInvalidCastException",
                          category="InvalidArgument", error_id="InvalidCastToXmlDocument") from None
