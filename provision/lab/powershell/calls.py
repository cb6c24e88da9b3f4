"""Runs functions, scripts and script blocks: scopes, parameters with their types and defaults, pipeline input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext

from provision.lab.powershell import syntax
from provision.lab.powershell.binding import Given, bind, no_surplus, require
from provision.lab.powershell.convert import cast
from provision.lab.powershell.expressions import evaluate, require_type
from provision.lab.powershell.failures import Failure
from provision.lab.powershell.machine import (
    BreakSignal,
    ContinueSignal,
    ExitSignal,
    Machine,
    ReturnSignal,
    Slot,
    depth_overflow,
)
from provision.lab.powershell.values import NOTHING, Hashtable
from provision.lab.powershell.world import Parameter, ScriptError

ENDINGS = (Failure, ScriptError, ExitSignal, BreakSignal, ContinueSignal)
"""What ends a block early without taking back what it has given."""

_UNBOUND: dict[str, object] = {"string": "", "int": 0, "long": 0, "double": 0.0, "bool": False, "switch": False}


def declared(block: syntax.Block) -> list[Parameter]:
    """A block's parameters as binding sees them. They are positional in order unless one names positions."""
    explicit = any(each.position is not None for each in block.parameters)
    found: list[Parameter] = []
    for order, each in enumerate(block.parameters):
        is_switch = each.type is not None and each.type.name.lower() in {"switch", "switchparameter"}
        position = None if is_switch else each.position if explicit else order
        found.append(Parameter(each.name, position, is_switch, each.mandatory, each.from_pipeline))
    return found


def call_block(block: syntax.Block, given: Sequence[Given], machine: Machine, name: str, *,
               feed: Iterable[object] | None = None, own_scope: bool = True) -> Iterator[object]:
    """Run a block with arguments and pipeline input, and give its output. `own_scope` is False for dot-sourcing.

    What it gave before an error or an exit is given too.
    """
    out: list[object] = []
    try:
        with machine.new_scope() if own_scope else nullcontext():
            if feed is not None or own_scope:
                machine.set("input", [])
            _enter(block, given, machine, name, feed, out)
    except RecursionError:
        raise depth_overflow() from None
    except ENDINGS:
        yield from out
        raise
    yield from out


def _enter(block: syntax.Block, given: Sequence[Given], machine: Machine, name: str,
           feed: Iterable[object] | None, out: list[object]) -> None:
    parameters = declared(block)
    bound = bind(parameters, given, name)
    require(bound, parameters, feed is not None)
    if block.is_advanced:
        no_surplus(bound)
    elif bound.rest or not block.parameters:
        machine.set("args", list(bound.rest))
    action = bound.common("erroraction")
    if action is not None:
        machine.set("erroractionpreference", action)
    machine.set("psboundparameters", Hashtable((each.name, bound.values[each.name.lower()]) for each in parameters
                                               if each.name.lower() in bound.values))
    for each in block.parameters:
        _initialise(each, bound.values, machine)
    _run(block, machine, feed, out)


def _initialise(each: syntax.ParameterDeclaration, values: dict[str, object], machine: Machine) -> None:
    if each.type is not None:
        require_type(each.type, machine)
    if each.name in values:
        value = None if values[each.name] is NOTHING else values[each.name]
    elif each.default is not None:
        value = evaluate(each.default, machine)
    else:
        name = "" if each.type is None or each.type.is_array else each.type.name.lower()
        machine.scope.variables[each.name] = Slot(_UNBOUND.get(name), each.type)
        return
    if each.type is not None:
        value = cast(value, each.type)
    machine.scope.variables[each.name] = Slot(value, each.type)


def _run(block: syntax.Block, machine: Machine, feed: Iterable[object] | None, out: list[object]) -> None:
    items = list(feed) if feed is not None else []
    try:
        if block.begin:
            machine.run(block.begin, out)
        piped = [each.name for each in block.parameters if each.from_pipeline]
        for item in (items if feed is not None else [None]) if block.process else []:
            machine.set("_", item)
            for name in piped if feed is not None else []:
                machine.set(name, item)
            machine.run(block.process, out)
        if not block.process and feed is not None:
            machine.set("input", items)
        machine.run(block.end, out)
    except ReturnSignal:
        pass


def run_here(block: syntax.Block, item: object, machine: Machine) -> Iterator[object]:
    """A block of ForEach-Object or Where-Object: in the caller's scope, with `$_`; `return` ends this one item."""
    out: list[object] = []
    before = machine.scope.variables.get("_")
    machine.set("_", item)
    try:
        machine.run(block.end, out)
    except ReturnSignal:
        pass
    except ENDINGS:
        yield from out
        raise
    finally:
        if before is None:
            machine.scope.variables.pop("_", None)
        else:
            machine.scope.variables["_"] = before
    yield from out
