"""Evaluates expressions. Statements inside them run through the machine; commands are not known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provision.lab.powershell import dotnet, members, operators, syntax
from provision.lab.powershell.convert import cast, is_instance, to_bool, to_number, to_text
from provision.lab.powershell.failures import fail
from provision.lab.powershell.machine import Machine, collect, emit
from provision.lab.powershell.objects import (
    call_member,
    get_index,
    get_member,
    incoming,
    outgoing,
    set_index,
    set_member,
)
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.typenames import full_name, is_known
from provision.lab.powershell.values import NOTHING, BlockValue, CustomObject, Hashtable, TypeValue
from provision.lab.powershell.world import ScriptError


def evaluate(node: syntax.Expression, machine: Machine) -> object:
    """The value of an expression. Raises `Failure` for what a script can catch, `Refused` for what it cannot."""
    try:
        return _TABLE[type(node)](node, machine)
    except ScriptError as error:
        raise fail(error, node.line) from None
    except Refused as refused:
        raise refused.at(node.line, machine.file) from None


def statement_value(statement: syntax.Statement, machine: Machine) -> object:
    """A statement as a value: an expression as it is, an assignment's new value, else what the output collects to."""
    if isinstance(statement, syntax.Pipeline) and len(statement.elements) == 1:
        only = statement.elements[0]
        if not isinstance(only, syntax.Command):
            return evaluate(only, machine)
    if isinstance(statement, syntax.Assignment):
        return assign_statement(statement, machine)
    out: list[object] = []
    machine.run((statement,), out)
    return collect(out)


def assign_statement(node: syntax.Assignment, machine: Machine) -> object:
    """Run an assignment and give its value."""
    value = statement_value(node.value, machine)
    if node.operator != "=":
        value = operators.binary(node.operator.removesuffix("="), evaluate(node.target, machine), value)[0]
    assign(node.target, value, machine)
    return value


def assign(target: syntax.Expression, value: object, machine: Machine) -> None:
    """Give a value to a variable, a property, an index, or several variables at once."""
    match target:
        case syntax.Literal():
            return
        case syntax.Variable():
            machine.write(target, value)
        case syntax.Cast(operand=syntax.Variable() as variable):
            machine.write(variable, value, target.type)
        case syntax.Member(is_static=True, target=syntax.TypeLiteral() as owner):
            dotnet.static_set(owner.type, to_text(evaluate(target.name, machine)), value)
        case syntax.Member(is_static=False):
            set_member(evaluate(target.target, machine), to_text(evaluate(target.name, machine)), _stored(value),
                       target.line)
        case syntax.Index():
            set_index(evaluate(target.target, machine), evaluate(target.key, machine), _stored(value), target.line)
        case syntax.ArrayLiteral():
            _spread(target, value, machine)
        case _:
            raise Refused("an assignment to this", target.line)


def _spread(target: syntax.ArrayLiteral, value: object, machine: Machine) -> None:
    # The last variable takes what is left.
    values = value if isinstance(value, list) else [value]
    for position, item in enumerate(target.items):
        if position == len(target.items) - 1 and len(values) > len(target.items):
            assign(item, values[position:], machine)
        else:
            assign(item, values[position] if position < len(values) else None, machine)


def _stored(value: object) -> object:
    return None if value is NOTHING else value


def _literal(node: syntax.Literal, _machine: Machine) -> object:
    return node.value


def _expandable(node: syntax.Expandable, machine: Machine) -> object:
    return "".join(part if isinstance(part, str) else to_text(evaluate(part, machine)) for part in node.parts)


def _variable(node: syntax.Variable, machine: Machine) -> object:
    return machine.read(node)


def _array(node: syntax.ArrayLiteral, machine: Machine) -> object:
    return [_stored(evaluate(item, machine)) for item in node.items]


def _sub_expression(node: syntax.SubExpression, machine: Machine) -> object:
    out: list[object] = []
    if node.is_array and len(node.body) == 1:
        # @( $array ) is the array's elements, @( $null ) an array that holds $null.
        emit(statement_value(node.body[0], machine) if _is_expression(node.body[0]) else _outcome(node, machine), out)
        return out
    machine.run(node.body, out)
    return out if node.is_array else collect(out)


def _is_expression(statement: syntax.Statement) -> bool:
    return (isinstance(statement, syntax.Pipeline) and len(statement.elements) == 1
            and not isinstance(statement.elements[0], syntax.Command | syntax.Step))


def _outcome(node: syntax.SubExpression, machine: Machine) -> object:
    out: list[object] = []
    machine.run(node.body, out)
    # As a list of one even when that one is an array itself: @(f) keeps what `return , $array` wrapped.
    return out


def _parenthesis(node: syntax.Parenthesis, machine: Machine) -> object:
    return statement_value(node.inner, machine)


def _hash(node: syntax.HashLiteral, machine: Machine, *, is_ordered: bool = False) -> object:
    table = Hashtable(is_ordered=is_ordered)
    for key, value in node.entries:
        name = evaluate(key, machine)
        if name in table:
            raise ScriptError(f"Duplicate keys '{to_text(name)}' are not allowed in hash literals.",
                              category="ParserError", error_id="DuplicateKeyInHashLiteral")
        table[name] = _stored(statement_value(value, machine))
    return table


def _type(node: syntax.TypeLiteral, machine: Machine) -> object:
    require_type(node.type, machine)
    return TypeValue(node.type, full_name(node.type.name))


def require_type(reference: syntax.TypeRef, machine: Machine) -> None:
    """Refuses a type that neither the language nor the world knows."""
    if not is_known(reference.name) and full_name(reference.name).lower() not in machine.world.types:
        raise Refused(f"the type {reference}")


def _cast(node: syntax.Cast, machine: Machine) -> object:
    name = node.type.name.lower()
    if isinstance(node.operand, syntax.HashLiteral) and name in {"ordered", "pscustomobject"}:
        table = _hash(node.operand, machine, is_ordered=True)
        assert isinstance(table, Hashtable)
        return table if name == "ordered" else CustomObject((to_text(key), item) for key, item in table.items())
    require_type(node.type, machine)
    return cast(evaluate(node.operand, machine), node.type)


def _member(node: syntax.Member, machine: Machine) -> object:
    name = to_text(evaluate(node.name, machine))
    if node.is_static:
        return incoming(_guarded_static(lambda: dotnet.static_get(machine, _owner(node), name), name, node.line, 0))
    return get_member(evaluate(node.target, machine), name, node.line, machine.strict)


def _owner(node: syntax.Member | syntax.Invocation) -> syntax.TypeRef:
    if not isinstance(node.target, syntax.TypeLiteral):
        raise Refused(":: after something that is not a type")
    return node.target.type


def _guarded_static(call: Callable[[], object], name: str, line: int, count: int) -> object:
    try:
        return call()
    except ScriptError as error:
        raise members.invocation_failure(error, name, line, count) from None


def _invocation(node: syntax.Invocation, machine: Machine) -> object:
    name = to_text(evaluate(node.name, machine))
    if node.is_static:
        owner = _owner(node)
        given = _arguments(node.arguments, machine)
        return incoming(_guarded_static(lambda: dotnet.static_call(machine, owner, name, given), name, node.line,
                                        len(given)))
    target = evaluate(node.target, machine)
    return call_member(target, name, _arguments(node.arguments, machine), node.line)


def _arguments(nodes: Sequence[syntax.Expression], machine: Machine) -> list[object]:
    return [outgoing(evaluate(node, machine)) for node in nodes]


def _index(node: syntax.Index, machine: Machine) -> object:
    return get_index(evaluate(node.target, machine), evaluate(node.key, machine), node.line, machine.strict)


def _unary(node: syntax.Unary, machine: Machine) -> object:
    return operators.unary(node.operator, evaluate(node.operand, machine))


def _binary(node: syntax.Binary, machine: Machine) -> object:
    left = evaluate(node.left, machine)
    if node.operator in ("and", "or"):
        decided = to_bool(left) == (node.operator == "or")
        return to_bool(left) if decided else to_bool(evaluate(node.right, machine))
    right = evaluate(node.right, machine)
    if node.operator == "xor":
        return to_bool(left) != to_bool(right)
    if node.operator in ("is", "isnot", "as"):
        return _of_type(node.operator, left, right)
    value, groups = operators.binary(node.operator, left, right)
    if groups is not None:
        machine.set("matches", Hashtable(groups))
    return value


def _of_type(operator: str, left: object, right: object) -> object:
    if not isinstance(right, TypeValue):
        raise Refused(f"-{operator} with something that is not a type")
    if operator != "as":
        return is_instance(left, right.reference) == (operator == "is")
    try:
        return cast(left, right.reference)
    except ScriptError:
        return None


def _step(node: syntax.Step, machine: Machine) -> object:
    before = evaluate(node.target, machine)
    after = to_number(before) + node.delta
    assign(node.target, after, machine)
    return after if node.is_prefix else (0 if before is None else before)


def _block(node: syntax.BlockLiteral, _machine: Machine) -> object:
    return BlockValue(node.block)


_TABLE: dict[type[syntax.Node], Callable[..., object]] = {
    syntax.Literal: _literal, syntax.Expandable: _expandable, syntax.Variable: _variable,
    syntax.ArrayLiteral: _array, syntax.SubExpression: _sub_expression, syntax.Parenthesis: _parenthesis,
    syntax.HashLiteral: _hash, syntax.TypeLiteral: _type, syntax.Cast: _cast, syntax.Member: _member,
    syntax.Invocation: _invocation, syntax.Index: _index, syntax.Unary: _unary, syntax.Binary: _binary,
    syntax.Step: _step, syntax.BlockLiteral: _block,
}
