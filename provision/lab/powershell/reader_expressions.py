"""Expressions of the grammar's tree -> `syntax`. Unknown nodes are refused, never skipped."""

from __future__ import annotations

import re
from collections.abc import Callable

from provision.lab.powershell import reader_strings, syntax
from provision.lab.powershell.reader_nodes import (
    StatementReader,
    TreeNode,
    child,
    children,
    line_of,
    only_child,
    refuse,
    text_of,
    type_reference,
)

_CONSTANTS: dict[str, object] = {"true": True, "false": False, "null": None}
_SCOPES = {"global", "script", "local", "env"}
_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_LAYERS = {"logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range"}
_BINARY = {f"{layer}{middle}_expression" for layer in _LAYERS for middle in ("", "_argument")}
_WRAPPERS = {"unary_expression", "argument_expression", "string_literal", "integer_literal", "pipeline_chain"}

_VARIABLE = re.compile(r"\$(\w+:)?\w+")
_INT32_MAX = 2**31 - 1
_UINT32 = 2**32


def expression(node: TreeNode, read: StatementReader) -> syntax.Expression:
    """Any expression node. Raises `Refused` for kinds that are not in the subset."""
    parts = children(node)
    if node.type in _BINARY:
        return expression(parts[0], read) if len(parts) == 1 else _binary(node, parts, read)
    if node.type in _WRAPPERS and len(parts) == 1:
        return expression(parts[0], read)
    if node.type == "array_literal_expression":
        return _array(node, parts, read)
    reader = _READERS.get(node.type)
    if reader is None:
        raise refuse(node)
    return reader(node, read)


def target(node: TreeNode, read: StatementReader) -> syntax.Expression:
    """The left side of an assignment: a variable (perhaps typed), a property, an index, or several of them."""
    inner = children(node)
    found = expression(inner[0], read) if node.type == "left_assignment_expression" else expression(node, read)
    discards = isinstance(found, syntax.Literal) and found.value is None
    kinds = syntax.Variable | syntax.Member | syntax.Index | syntax.ArrayLiteral | syntax.Cast
    if not discards and not isinstance(found, kinds):
        raise refuse(node)
    return found


def reading_of_variable(node: TreeNode) -> syntax.Expression:
    """A node that may hold nothing but a variable, whatever the grammar calls it."""
    if not _VARIABLE.fullmatch(text_of(node)):
        raise refuse(node)
    return _variable_or_constant(node)


def variable(node: TreeNode) -> syntax.Variable:
    """`$x`, `$script:x`, `${a b}`, `$env:X`."""
    found = _variable_or_constant(node)
    if not isinstance(found, syntax.Variable):
        raise refuse(node, f"an assignment to {text_of(node)}")
    return found


def _variable_or_constant(node: TreeNode) -> syntax.Variable | syntax.Literal:
    written = text_of(node)
    name = written.removeprefix("$").removeprefix("@")
    if name.startswith("{"):
        name = name[1:-1]
    scope, colon, rest = name.lower().partition(":")
    if colon and scope not in _SCOPES:
        raise refuse(node, f"the variable {written}")
    if not colon and scope in _CONSTANTS:
        return syntax.Literal(line_of(node), _CONSTANTS[scope])
    bare = rest if colon else scope
    if bare in {"", "?", "^", "$", "this", "psitem", "error", "host"}:
        raise refuse(node, f"the variable {written}")
    return syntax.Variable(line_of(node), scope if colon else "", bare)


def _read_variable(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    return _variable_or_constant(node)


def _binary(node: TreeNode, parts: list[TreeNode], read: StatementReader) -> syntax.Expression:
    if len(parts) != 3:
        raise refuse(node)
    operator = text_of(parts[1]).lower().removeprefix("-") or "-"
    return syntax.Binary(line_of(node), operator, expression(parts[0], read), expression(parts[2], read))


def _array(node: TreeNode, parts: list[TreeNode], read: StatementReader) -> syntax.Expression:
    items = [part for part in parts if part.type != ","]
    if len(items) == 1 and len(parts) == 1:
        return expression(items[0], read)
    return syntax.ArrayLiteral(line_of(node), tuple(expression(item, read) for item in items))


def _unary(node: TreeNode, read: StatementReader) -> syntax.Expression:
    parts = children(node)
    if len(parts) == 1:
        return expression(parts[0], read)
    operator = text_of(parts[0]).lower()
    operand = expression(parts[1], read)
    if operator == ",":
        return syntax.ArrayLiteral(line_of(node), (operand,))
    return syntax.Unary(line_of(node), {"!": "not"}.get(operator, operator.removeprefix("-") or "-"), operand)


def _cast(node: TreeNode, read: StatementReader) -> syntax.Expression:
    kind, operand = children(node)
    return syntax.Cast(line_of(node), type_reference(kind), expression(operand, read))


def _type(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    return syntax.TypeLiteral(line_of(node), type_reference(node))


def _decimal(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    text = text_of(node).lower()
    unit = _UNITS.get(text[-2:], 1)
    digits = text[:-2] if unit != 1 else text.removesuffix("l")
    return syntax.Literal(line_of(node), int(digits) * unit)


def _hexadecimal(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    # Windows PowerShell reads eight hexadecimal digits as the bits of an Int32: 0xFFFFFFFF is -1.
    number = int(text_of(node), 16)
    return syntax.Literal(line_of(node), number - _UINT32 if _INT32_MAX < number < _UINT32 else number)


def _real(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    text = text_of(node)
    if not text[-1].isdigit():
        raise refuse(node, f"the number {text}")
    return syntax.Literal(line_of(node), float(text))


def _verbatim(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    return syntax.Literal(line_of(node), reader_strings.verbatim(text_of(node)))


def _verbatim_here(node: TreeNode, _read: StatementReader) -> syntax.Expression:
    return syntax.Literal(line_of(node), reader_strings.verbatim_here(text_of(node)))


def _expandable(node: TreeNode, read: StatementReader) -> syntax.Expression:
    is_here = node.type == "expandable_here_string_literal"
    raw = node.text or b""
    start, end = reader_strings.here_bounds(text_of(node)) if is_here else (1, len(text_of(node)) - 1)
    first, last = len(text_of(node)[:start].encode()), len(text_of(node)[:end].encode())
    parts: list[str | syntax.Expression] = []
    at = first
    for hole in node.children:
        begin = hole.start_byte - node.start_byte
        parts.append(reader_strings.unescape(raw[at:begin].decode(), line_of(hole), here=is_here))
        parts.append(expression(hole, read))
        at = hole.end_byte - node.start_byte
    parts.append(reader_strings.unescape(raw[at:last].decode(), line_of(node), here=is_here))
    kept = tuple(part for part in parts if part != "")
    if all(isinstance(part, str) for part in kept):
        return syntax.Literal(line_of(node), "".join(str(part) for part in kept))
    return syntax.Expandable(line_of(node), kept)


def _member_name(node: TreeNode, read: StatementReader) -> syntax.Expression:
    inner = children(node)[0]
    if inner.type == "simple_name":
        return syntax.Literal(line_of(inner), text_of(inner))
    return expression(inner, read)


def _member(node: TreeNode, read: StatementReader) -> syntax.Expression:
    owner, dot, name = children(node)
    return syntax.Member(line_of(name), expression(owner, read), _member_name(name, read), text_of(dot) == "::")


def _invocation(node: TreeNode, read: StatementReader) -> syntax.Expression:
    parts = children(node)
    if len(parts) != 4 or parts[3].type != "argument_list":
        raise refuse(node)
    listing = child(parts[3], "argument_expression_list")
    arguments = [part for part in children(listing) if part.type != ","] if listing is not None else []
    return syntax.Invocation(line_of(parts[2]), expression(parts[0], read), _member_name(parts[2], read),
                             text_of(parts[1]) == "::", tuple(expression(part, read) for part in arguments))


def _index(node: TreeNode, read: StatementReader) -> syntax.Expression:
    parts = children(node)
    return syntax.Index(line_of(node), expression(parts[0], read), expression(parts[2], read))


def _parenthesis(node: TreeNode, read: StatementReader) -> syntax.Expression:
    return syntax.Parenthesis(line_of(node), read.statement(only_child(node, "pipeline")))


def _sub_expression(node: TreeNode, read: StatementReader) -> syntax.Expression:
    body = read.statements(child(node, "statement_list"))
    return syntax.SubExpression(line_of(node), body, node.type == "array_expression")


def _block(node: TreeNode, read: StatementReader) -> syntax.Expression:
    return syntax.BlockLiteral(line_of(node), read.script_block(node))


def _hash(node: TreeNode, read: StatementReader) -> syntax.Expression:
    body = child(node, "hash_literal_body")
    entries: list[tuple[syntax.Expression, syntax.Statement]] = []
    for entry in children(body) if body is not None else []:
        if entry.type != "hash_entry":
            raise refuse(entry)
        parts = [part for part in children(entry) if part.type not in {"=", ";"}]
        entries.append((_member_name(parts[0], read), read.statement(parts[1])))
    return syntax.HashLiteral(line_of(node), tuple(entries))


def _step(node: TreeNode, read: StatementReader) -> syntax.Expression:
    is_prefix = node.type.startswith("pre")
    owner = children(node)[1 if is_prefix else 0]
    return syntax.Step(line_of(node), expression(owner, read), 1 if "increment" in node.type else -1, is_prefix)


_READERS: dict[str, Callable[[TreeNode, StatementReader], syntax.Expression]] = {
    "variable": _read_variable, "braced_variable": _read_variable, "expression_with_unary_operator": _unary,
    "cast_expression": _cast, "type_literal": _type, "decimal_integer_literal": _decimal,
    "hexadecimal_integer_literal": _hexadecimal, "real_literal": _real, "verbatim_string_characters": _verbatim,
    "verbatim_here_string_characters": _verbatim_here, "expandable_string_literal": _expandable,
    "expandable_here_string_literal": _expandable, "member_access": _member, "invokation_expression": _invocation,
    "element_access": _index, "parenthesized_expression": _parenthesis, "sub_expression": _sub_expression,
    "array_expression": _sub_expression, "script_block_expression": _block, "hash_literal_expression": _hash,
    "post_increment_expression": _step, "pre_increment_expression": _step, "post_decrement_expression": _step,
    "pre_decrement_expression": _step,
}
