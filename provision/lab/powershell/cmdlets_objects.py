"""Cmdlets that pass objects on: Where-Object, ForEach-Object, Select-Object, Sort-Object, Measure-Object, Out-Null."""

from __future__ import annotations

from collections.abc import Iterator

from provision.lab.powershell.calls import run_here
from provision.lab.powershell.cmdlet_base import INPUT, LanguageCall, LanguageCmdlet
from provision.lab.powershell.convert import to_array, to_bool, to_number, to_text
from provision.lab.powershell.machine import collect, emit
from provision.lab.powershell.objects import get_member
from provision.lab.powershell.operators import equal
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import BlockValue, CustomObject
from provision.lab.powershell.world import Parameter, Record


def _block(call: LanguageCall, name: str) -> BlockValue:
    value = call.get(name)
    if not isinstance(value, BlockValue):
        raise Refused(f"-{name} that is not a script block", call.line)
    return value


def _where(call: LanguageCall) -> Iterator[object]:
    block = _block(call, "filterscript")
    for item in call.objects():
        if to_bool(collect(list(run_here(block.block, item, call.machine)))):
            yield item


def _for_each(call: LanguageCall) -> Iterator[object]:
    process = call.get("process")
    if "begin" in call.parameters:
        yield from run_here(_block(call, "begin").block, None, call.machine)
    for item in call.objects():
        if isinstance(process, str):
            out: list[object] = []
            emit(get_member(item, process, call.line, call.machine.strict), out)
            yield from out
        else:
            yield from run_here(_block(call, "process").block, item, call.machine)
    if "end" in call.parameters:
        yield from run_here(_block(call, "end").block, None, call.machine)


def _select(call: LanguageCall) -> Iterator[object]:
    first, last, skip = call.number("first"), call.number("last"), call.number("skip") or 0
    if last is not None:
        everything = list(call.objects())
        kept: Iterator[object] = iter(everything[max(len(everything) - last - skip, 0):len(everything) - skip])
    else:
        kept = _window(call, skip, first)
    seen: list[object] = []
    for item in kept:
        shaped = _shaped(call, item)
        if call.flag("unique") and any(equal(shaped, other, minds_case=True) for other in seen):
            continue
        seen.append(shaped)
        out: list[object] = [shaped]
        if "expandproperty" in call.parameters:
            out = []
            emit(shaped, out)
        yield from out


def _window(call: LanguageCall, skip: int, first: int | None) -> Iterator[object]:
    taken = 0
    if first == 0:
        return
    for position, item in enumerate(call.objects()):
        if position >= skip:
            taken += 1
            yield item
            if taken == first:
                return


def _shaped(call: LanguageCall, item: object) -> object:
    strict = call.machine.strict
    if "expandproperty" in call.parameters:
        return get_member(item, call.text("expandproperty"), call.line, strict)
    if "property" in call.parameters:
        names = [to_text(name) for name in to_array(call.get("property"))]
        return CustomObject((name, get_member(item, name, call.line, strict)) for name in names)
    return item


def _sort(call: LanguageCall) -> Iterator[object]:
    keyed = [(_sort_key(call, item), item) for item in call.objects()]
    numeric = all(isinstance(key, int | float) and not isinstance(key, bool) for key, _ in keyed)
    keyed.sort(key=lambda pair: (to_number(pair[0]), "") if numeric else (0, to_text(pair[0]).casefold()),
               reverse=call.flag("descending"))
    previous: list[object] = []
    for key, item in keyed:
        if call.flag("unique") and previous and equal(previous[-1], key):
            continue
        previous.append(key)
        yield item


def _sort_key(call: LanguageCall, item: object) -> object:
    by = call.get("property")
    if by is None:
        return item
    if isinstance(by, BlockValue):
        return collect(list(run_here(by.block, item, call.machine)))
    if isinstance(by, list):
        raise Refused("Sort-Object by several properties", call.line)
    return get_member(item, to_text(by), call.line, call.machine.strict)


def _measure(call: LanguageCall) -> Iterator[object]:
    items = list(call.objects())
    members: dict[str, object] = {"Count": len(items)}
    if call.flag("sum"):
        name = call.get("property")
        values = items if name is None else [get_member(item, to_text(name), call.line, True) for item in items]
        members["Sum"] = sum(float(to_number(value)) for value in values)
    yield Record("Microsoft.PowerShell.Commands.GenericMeasureInfo", members)


def _nowhere(call: LanguageCall) -> Iterator[object]:
    for _ in call.objects():
        pass
    yield from ()


OBJECT_CMDLETS = {
    "where-object": LanguageCmdlet((Parameter("FilterScript", 0, mandatory=True), INPUT), _where),
    "foreach-object": LanguageCmdlet(
        (Parameter("Process", 0, mandatory=True), Parameter("Begin"), Parameter("End"), INPUT), _for_each),
    "select-object": LanguageCmdlet(
        (Parameter("Property", 0), Parameter("ExpandProperty"), Parameter("First"), Parameter("Last"),
         Parameter("Skip"), Parameter("Unique", switch=True), INPUT), _select),
    "sort-object": LanguageCmdlet(
        (Parameter("Property", 0), Parameter("Descending", switch=True), Parameter("Unique", switch=True), INPUT), _sort),
    "measure-object": LanguageCmdlet((Parameter("Property", 0), Parameter("Sum", switch=True), INPUT), _measure),
    "out-null": LanguageCmdlet((INPUT,), _nowhere),
}
