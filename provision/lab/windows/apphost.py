"""applicationHost.config as a file: read whole, changed as XML, written atomically, stamped to notice other writers.

It must not know the schema or what the settings mean. White space and comments of the file survive a change, as
they do with IIS, so that a person who compares two versions sees only what changed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

INDENT = "    "
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


class NotWellFormed(Exception):
    """The file is not well-formed XML (a hand edit went wrong); the text says line and column."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one version of the file from another without reading it."""

    inode: int
    size: int
    modified: int        # nanoseconds since the epoch

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The stamp of the file as it is now. OSError when there is none."""
        status = path.stat()
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(slots=True)
class Document:
    """The file's content while somebody works on it: mutable, private to its reader until it is written."""

    root: ET.Element
    prolog: str
    stamp: Stamp

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read PATH. Raises NotWellFormed, OSError."""
        stamp = Stamp.of(path)
        content = path.read_text("utf-8-sig")
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
        try:
            root = ET.fromstring(content, parser=parser)
        except ET.ParseError as error:
            raise NotWellFormed(f"Configuration file is not well-formed XML ({error})") from error
        return cls(root, content[:content.index(f"<{root.tag}")], stamp)

    def save(self, path: Path) -> None:
        """Replace PATH in one step: a reader sees the old or the new file, never half of one."""
        text = self.prolog + ET.tostring(self.root, encoding="unicode", short_empty_elements=True) + "\n"
        replace_file(path, text.encode("utf-8"))
        self.stamp = Stamp.of(path)

    def section(self, path: str, location: str | None = None) -> ET.Element | None:
        """The element of a section, at server level or inside <location path=LOCATION>; None where it is not written."""
        base: ET.Element | None = self.root
        if location is not None:
            base = next((each for each in self.root.findall("location") if each.get("path") == location), None)
        for step in path.split("/"):
            base = None if base is None else base.find(step)
        return base

    def make_section(self, path: str, location: str | None = None) -> ET.Element:
        """The same, created where it is missing."""
        base = self.root
        if location is not None:
            found = next((each for each in self.root.findall("location") if each.get("path") == location), None)
            base = found if found is not None else self.append(self.root, "location", {"path": location})
        for step in path.split("/"):
            found = base.find(step)
            base = found if found is not None else self.append(base, step)
        return base

    def declared(self) -> frozenset[str]:
        """Paths of the sections that <configSections> declares; a section that is not there cannot be read."""
        top = self.root.find("configSections")
        return frozenset() if top is None else frozenset(_declared(top, ""))

    def append(self, parent: ET.Element, tag: str, attributes: dict[str, str] | None = None) -> ET.Element:
        """Add a child at the end of PARENT, on a line of its own at the right depth."""
        depth = self._depth(parent)
        child = ET.SubElement(parent, tag, attributes or {})
        before = parent[-2] if len(parent) > 1 else None
        line = "\n" + INDENT * (depth + 1)
        if before is None:
            parent.text = line
        else:
            before.tail = line
        child.tail = "\n" + INDENT * depth
        return child

    def _depth(self, wanted: ET.Element) -> int:
        level = [(self.root, 0)]
        while level:
            node, depth = level.pop()
            if node is wanted:
                return depth
            level.extend((child, depth + 1) for child in node)
        raise LookupError(f"<{wanted.tag}> is not part of this document")


def _declared(group: ET.Element, prefix: str) -> list[str]:
    paths = [prefix + str(section.get("name")) for section in group.findall("section")]
    for inner in group.findall("sectionGroup"):
        paths += _declared(inner, f"{prefix}{inner.get('name')}/")
    return paths


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write CONTENT beside PATH and rename it into place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(path)
