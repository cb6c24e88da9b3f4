"""Runs pipelines: finds what a command means, binds its arguments, feeds objects from one element to the next.

Order of meaning, as in PowerShell: function, cmdlet, program. A word that is none of these is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provision.lab.powershell import syntax
from provision.lab.powershell.binding import Bound, Given, bind, no_surplus, require, splatted
from provision.lab.powershell.calls import call_block
from provision.lab.powershell.cmdlets import LANGUAGE_CMDLETS, LanguageCall
from provision.lab.powershell.convert import to_text
from provision.lab.powershell.expressions import evaluate
from provision.lab.powershell.failures import fail
from provision.lab.powershell.machine import Machine, Slot, emit
from provision.lab.powershell.objects import incoming, outgoing
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import BlockValue
from provision.lab.powershell.world import Cmdlet, CmdletCall, NativeCommand, NoSuchMember, ScriptError

PROGRAM_NAMES = (".exe", ".com", ".cmd")


def run_pipeline(node: syntax.Pipeline, machine: Machine, out: list[object]) -> None:
    """Run a pipeline; its output is appended to `out`."""
    feed: Iterator[object] | None = None
    for position, element in enumerate(node.elements):
        if isinstance(element, syntax.Command):
            feed = run_command(element, feed, machine)
        elif position == 0:
            first: list[object] = []
            value = evaluate(element, machine)
            if not isinstance(element, syntax.Step):
                emit(value, first)
            feed = iter(first)
        else:
            raise Refused("an expression behind a | (only commands may stand there)", element.line)
    if feed is not None:
        out.extend(feed)


def run_command(node: syntax.Command, feed: Iterator[object] | None, machine: Machine) -> Iterator[object]:
    """The output of one command, made while it is taken."""
    try:
        given = _arguments(node.elements, machine)
        called = evaluate(node.name, machine)
        streams = [each for each in node.elements if isinstance(each, syntax.Redirection)]
        before = len(machine.streams.errors)
        source = dispatch(called, given, feed, machine, node)
        yield from _redirected(source, streams, before, machine) if streams else source
    except ScriptError as error:
        raise fail(error, node.line) from None
    except Refused as refused:
        raise refused.at(node.line, machine.file) from None


def _arguments(elements: Sequence[syntax.Element], machine: Machine) -> list[Given]:
    given: list[Given] = []
    for element in elements:
        match element:
            case syntax.Argument():
                given.append(Given(None, outgoing(evaluate(element.value, machine)), line=element.line))
            case syntax.NamedArgument(value=None):
                given.append(Given(element.name, None, has_value=False, line=element.line))
            case syntax.NamedArgument(value=value) if value is not None:
                given.append(Given(element.name, outgoing(evaluate(value, machine)), line=element.line))
            case syntax.Splat():
                given.extend(splatted(machine.read(element.variable), element.line))
            case _:
                continue
    return given


def _redirected(source: Iterable[object], streams: Sequence[syntax.Redirection], before: int,
                machine: Machine) -> Iterator[object]:
    errors = machine.streams.errors
    output = list(source)
    for each in streams:
        if each.stream in ("2", "*"):
            merged = errors[before:]
            del errors[before:]
            output.extend(merged if each.to_output else [])
        elif each.stream == "1" and each.to_output or each.stream not in ("1", "2", "*"):
            raise Refused(f"the redirection {each.stream}>", each.line)
        if each.stream in ("1", "*") and not each.to_output:
            output = []
    yield from output


def dispatch(called: object, given: Sequence[Given], feed: Iterator[object] | None, machine: Machine,
             node: syntax.Command) -> Iterable[object]:
    """Find what is called and run it."""
    if isinstance(called, BlockValue):
        return call_block(called.block, given, machine, "the script block", feed=feed, own_scope=node.operator != ".")
    name = to_text(called)
    lower = name.lower()
    function = machine.function(lower)
    if function is not None:
        return call_block(function, given, machine, name, feed=feed)
    if lower in LANGUAGE_CMDLETS:
        return _language_cmdlet(name, given, feed, machine, node.line)
    if lower in machine.world.cmdlets:
        return _world_cmdlet(name, machine.world.cmdlets[lower], given, feed, machine, node.line)
    program = next((lower.removesuffix(ending) for ending in PROGRAM_NAMES if lower.endswith(ending)), lower)
    if program in machine.world.native:
        return _program(machine.world.native[program], given, machine)
    raise Refused(f"the command {name}", node.line)


def _language_cmdlet(name: str, given: Sequence[Given], feed: Iterator[object] | None, machine: Machine,
                     line: int) -> Iterable[object]:
    cmdlet = LANGUAGE_CMDLETS[name.lower()]
    bound = bind(cmdlet.parameters, given, name)
    require(bound, cmdlet.parameters, feed is not None)
    no_surplus(bound)
    if feed is not None and not any(parameter.pipeline for parameter in cmdlet.parameters):
        raise Refused(f"pipeline input of {name}", line)
    return cmdlet.run(LanguageCall(machine, bound.values, feed, line))


def _world_cmdlet(name: str, cmdlet: Cmdlet, given: Sequence[Given], feed: Iterator[object] | None, machine: Machine,
                  line: int) -> Iterable[object]:
    bound = bind(cmdlet.parameters, given, name)
    require(bound, cmdlet.parameters, feed is not None)
    no_surplus(bound)
    takes_input = any(parameter.pipeline for parameter in cmdlet.parameters)
    if feed is not None and not takes_input:
        raise Refused(f"pipeline input of {name}", line)
    call = CmdletCall(
        {key: value for key, value in bound.values.items() if key not in _COMMON},
        None if feed is None else list(feed),
        error=lambda error: machine.report(error, bound.common("erroraction"), line),
        warning=machine.streams.warnings.append if not _is_quiet(bound) else _drop,
        verbose=machine.streams.verbose.append if bound.values.get("verbose") else _drop)
    try:
        return [incoming(item) for item in cmdlet.run(call)]
    except NoSuchMember as missing:
        raise Refused(f"the member {missing.member!r} of {missing.type_name}", line) from None


_COMMON = {"erroraction", "warningaction", "informationaction", "verbose", "debug"}


def _is_quiet(bound: Bound) -> bool:
    return (bound.common("warningaction") or "").lower() in {"silentlycontinue", "ignore"}


def _drop(_text: str) -> None:
    return None


def _program(program: NativeCommand, given: Sequence[Given], machine: Machine) -> Iterable[object]:
    arguments: list[str] = []
    for item in given:
        if item.name is not None:
            arguments.append(f"-{item.name}" + (f":{to_text(item.value)}" if item.has_value else ""))
        else:
            arguments.extend(to_text(part) for part in (item.value if isinstance(item.value, list) else [item.value]))
    lines, code = program(arguments)
    machine.root.variables["lastexitcode"] = Slot(code)
    machine.last_ok = code == 0
    return list(lines)


