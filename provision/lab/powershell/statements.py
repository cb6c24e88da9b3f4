"""Runs statements. The failure path of each stands beside it: what a loop, a try or a function catches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provision.lab.powershell import operators, syntax
from provision.lab.powershell.commands import run_pipeline
from provision.lab.powershell.convert import to_bool, to_integer, to_text
from provision.lab.powershell.expressions import assign_statement, require_type, statement_value
from provision.lab.powershell.expressions import evaluate as evaluate_expression
from provision.lab.powershell.failures import ErrorRecordValue, ExceptionValue, Failure, fail
from provision.lab.powershell.machine import (
    BreakSignal,
    ContinueSignal,
    ExitSignal,
    Machine,
    ReturnSignal,
    emit,
    items_of,
)
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.typenames import full_name
from provision.lab.powershell.values import NOTHING
from provision.lab.powershell.world import ScriptError


def run_statements(machine: Machine, statements: Sequence[syntax.Statement], out: list[object]) -> None:
    """Run statements one after the other; their output is appended to `out`."""
    for statement in statements:
        try:
            machine.last_ok = True
            _TABLE[type(statement)](statement, machine, out)
        except ScriptError as error:
            _go_on_or_raise(fail(error, statement.line), machine)
        except Failure as failure:
            _go_on_or_raise(failure, machine)
        except Refused as refused:
            raise refused.at(statement.line, machine.file) from None


def _go_on_or_raise(failure: Failure, machine: Machine) -> None:
    if not machine.survives(failure):
        raise failure


def _pipeline(node: syntax.Pipeline, machine: Machine, out: list[object]) -> None:
    run_pipeline(node, machine, out)


def _assignment(node: syntax.Assignment, machine: Machine, _out: list[object]) -> None:
    assign_statement(node, machine)


def _if(node: syntax.If, machine: Machine, out: list[object]) -> None:
    for condition, body in node.clauses:
        if to_bool(statement_value(condition, machine)):
            machine.run(body, out)
            return
    machine.run(node.otherwise, out)


def _body(machine: Machine, body: Sequence[syntax.Statement], out: list[object]) -> bool:
    """One round of a loop; False when `break` ended it."""
    try:
        machine.run(body, out)
    except ContinueSignal:
        return True
    except BreakSignal:
        return False
    return True


def _foreach(node: syntax.ForEach, machine: Machine, out: list[object]) -> None:
    for item in items_of(statement_value(node.source, machine)):
        machine.write(node.variable, item)
        if not _body(machine, node.body, out):
            return


def _for(node: syntax.For, machine: Machine, out: list[object]) -> None:
    if node.start is not None:
        statement_value(node.start, machine)
    while node.condition is None or to_bool(statement_value(node.condition, machine)):
        if not _body(machine, node.body, out):
            return
        if node.step is not None:
            statement_value(node.step, machine)


def _loop(node: syntax.Loop, machine: Machine, out: list[object]) -> None:
    goes_on = node.runs_first or to_bool(statement_value(node.condition, machine))
    while goes_on:
        if not _body(machine, node.body, out):
            return
        goes_on = to_bool(statement_value(node.condition, machine)) != node.until


def _switch(node: syntax.Switch, machine: Machine, out: list[object]) -> None:
    for item in items_of(statement_value(node.subject, machine)):
        try:
            _one_of(node, item, machine, out)
        except ContinueSignal:
            continue
        except BreakSignal:
            return


def _one_of(node: syntax.Switch, item: object, machine: Machine, out: list[object]) -> None:
    # Every clause that matches runs, not only the first: a break ends it.
    matched = False
    machine.set("_", item)
    for condition, body in node.clauses:
        if condition is not None and _clause_matches(condition, item, machine):
            matched = True
            machine.run(body, out)
    if not matched:
        for condition, body in node.clauses:
            if condition is None:
                machine.run(body, out)


def _clause_matches(condition: syntax.Expression, item: object, machine: Machine) -> bool:
    if isinstance(condition, syntax.BlockLiteral):
        found: list[object] = []
        machine.run(condition.block.end, found)
        return to_bool(found)
    # The clause is turned into the text of the subject's kind: 'a' equals a [string] without case.
    return operators.equal(item, evaluate_expression(condition, machine))


def _try(node: syntax.Try, machine: Machine, out: list[object]) -> None:
    for clause in node.catches:
        for reference in clause.types:
            require_type(reference, machine)
    try:
        _guarded(node, machine, out)
    except Refused:
        # The lab gives up here; the script must not go on, not even to tidy up.
        raise
    except BaseException:
        machine.run(node.finally_body, out)
        raise
    machine.run(node.finally_body, out)


def _guarded(node: syntax.Try, machine: Machine, out: list[object]) -> None:
    machine.guards += 1
    try:
        machine.run(node.body, out)
    except (Failure, ScriptError) as raised:
        failure = raised if isinstance(raised, Failure) else fail(raised, node.line)
        machine.guards -= 1
        try:
            _handle(node, failure, machine, out)
        finally:
            machine.guards += 1
    finally:
        machine.guards -= 1


def _handle(node: syntax.Try, failure: Failure, machine: Machine, out: list[object]) -> None:
    chosen = _choose(node.catches, failure.record)
    if chosen is None:
        raise failure
    clause, record = chosen
    before = machine.scope.variables.get("_")
    machine.set("_", record)
    machine.handled.append(record)
    try:
        machine.run(clause.body, out)
    finally:
        machine.handled.pop()
        if before is None:
            machine.scope.variables.pop("_", None)
        else:
            machine.scope.variables["_"] = before


def _choose(catches: Sequence[syntax.Catch], record: ErrorRecordValue) -> tuple[syntax.Catch, ErrorRecordValue] | None:
    """The clause for an error, and what it gets as `$_`.

    PowerShell compares the exception and the one inside it, so that a typed clause sees what a .NET method threw; the
    record that the clause gets then holds the inner one.
    """
    outer = record.exception
    for clause in catches:
        if not clause.types:
            return clause, record
        for candidate in (outer, outer.inner):
            if candidate is not None and any(candidate.is_a(full_name(each.name)) for each in clause.types):
                return clause, record if candidate is outer else ErrorRecordValue(candidate, record.line)
    return None


def _function(node: syntax.Function, machine: Machine, _out: list[object]) -> None:
    machine.scope.functions[node.name] = node.block


def _flow(node: syntax.Flow, machine: Machine, out: list[object]) -> None:
    match node.kind:
        case "return":
            if node.value is not None:
                emit(statement_value(node.value, machine), out)
            raise ReturnSignal
        case "break":
            raise BreakSignal
        case "continue":
            raise ContinueSignal
        case "exit":
            raise ExitSignal(0 if node.value is None else to_integer(statement_value(node.value, machine)))
        case _:
            raise _thrown(node, machine)


def _thrown(node: syntax.Flow, machine: Machine) -> Failure:
    if node.value is None:
        if not machine.handled:
            return Failure(fail(ScriptError("ScriptHalted"), node.line).record, is_throw=True)
        return Failure(machine.handled[-1], is_throw=True)
    value = statement_value(node.value, machine)
    if isinstance(value, ErrorRecordValue):
        return Failure(value, is_throw=True)
    if isinstance(value, ExceptionValue):
        return Failure(ErrorRecordValue(value, node.line), is_throw=True)
    text = "ScriptHalted" if value is None or value is NOTHING else to_text(value)
    error = ScriptError(text, error_id=text, category="OperationStopped", line=node.line)
    return Failure(fail(error, node.line).record, is_throw=True)


_TABLE: dict[type[syntax.Node], Callable[..., None]] = {
    syntax.Pipeline: _pipeline, syntax.Assignment: _assignment, syntax.If: _if, syntax.ForEach: _foreach,
    syntax.For: _for, syntax.Loop: _loop, syntax.Switch: _switch, syntax.Try: _try, syntax.Function: _function,
    syntax.Flow: _flow,
}
