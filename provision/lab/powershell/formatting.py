"""The text that Out-String and powershell.exe make of objects: simple values and custom objects.

Windows formats its own classes by rules that nobody models here; those are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from provision.lab.powershell.convert import to_text, type_name_of
from provision.lab.powershell.failures import ErrorRecordValue
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import CustomObject, Hashtable, TypeValue
from provision.lab.powershell.world import NetObject

TABLE_COLUMNS = 4
"""Custom objects with more properties than these are shown as a list."""


def format_lines(objects: Sequence[object]) -> list[str]:
    """The lines of a display, without line ends. Refuses objects of the world."""
    lines: list[str] = []
    position = 0
    while position < len(objects):
        item = objects[position]
        if isinstance(item, CustomObject):
            group = _alike(objects[position:], item)
            lines += _table(group) if len(item.properties()) <= TABLE_COLUMNS else _lists(group)
            position += len(group)
            continue
        lines += _single(item)
        position += 1
    return lines


def format_output(objects: Sequence[object]) -> str:
    """The same as one text with the line ends of Windows."""
    return "".join(f"{line}\r\n" for line in format_lines(objects))


def _single(item: object) -> list[str]:
    if item is None:
        return []
    if isinstance(item, Hashtable):
        return _hashtable(item)
    if isinstance(item, ErrorRecordValue):
        return [to_text(item)]
    if isinstance(item, NetObject | TypeValue):
        raise Refused(f"the display of a {type_name_of(item)} (print its properties)")
    return to_text(item).replace("\r\n", "\n").split("\n")


def _alike(objects: Sequence[object], first: CustomObject) -> list[CustomObject]:
    names = [name for name, _ in first.properties()]
    group: list[CustomObject] = []
    for item in objects:
        if not isinstance(item, CustomObject) or [name for name, _ in item.properties()] != names:
            break
        group.append(item)
    return group


def _columns(header: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    shown = [header, ["-" * len(name) for name in header], *rows]
    return ["", *(" ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                  for row in shown), "", ""]


def _table(group: list[CustomObject]) -> list[str]:
    header = [name for name, _ in group[0].properties()]
    return _columns(header, [[_cell(value) for _, value in item.properties()] for item in group]) if header else []


def _hashtable(table: Hashtable) -> list[str]:
    return _columns(["Name", "Value"], [[to_text(key), _cell(value)] for key, value in table.items()])


def _lists(group: list[CustomObject]) -> list[str]:
    lines: list[str] = [""]
    for item in group:
        width = max(len(name) for name, _ in item.properties())
        lines += [f"{name.ljust(width)} : {_cell(value)}" for name, value in item.properties()]
        lines.append("")
    return [*lines, ""]


def _cell(value: object) -> str:
    return "{" + ", ".join(to_text(item) for item in value) + "}" if isinstance(value, list) else to_text(value)
