"""Commands of the grammar's tree -> `syntax`: the word, its parameters, its arguments, its redirections."""

from __future__ import annotations

import re

from provision.lab.powershell import syntax
from provision.lab.powershell.reader_expressions import expression, reading_of_variable, variable
from provision.lab.powershell.reader_nodes import StatementReader, TreeNode, children, line_of, refuse, text_of

# The grammar takes `1..3` at the start of a pipeline for the name of a command; PowerShell takes it for a range.
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_REDIRECTION = re.compile(r"([1-6*]?)>(\$null|&1)", re.IGNORECASE)
_WORD = re.compile(r"[^\s$`'\"(){};,|&@]+")


def pipeline_element(node: TreeNode, read: StatementReader) -> syntax.Expression | syntax.Command:
    """One element of a pipeline: a command, or an expression in the first place."""
    if node.type != "command":
        return expression(node, read)
    parts = list(node.children)
    operator = ""
    if parts[0].type == "command_invokation_operator":
        operator = text_of(parts.pop(0))
    name, *rest = parts
    word = text_of(name)
    elements: tuple[syntax.Element, ...] = ()
    for part in rest:
        if part.type != "command_elements":
            raise refuse(part)
        elements = tuple(_elements(part, read))
    bounds = _RANGE.fullmatch(word)
    if bounds is not None and not elements and not operator:
        low, high = (syntax.Literal(line_of(name), int(bound)) for bound in bounds.groups())
        return syntax.Binary(line_of(node), "..", low, high)
    called = _called(name, read)
    return syntax.Command(line_of(node), operator, called, elements)


def _called(name: TreeNode, read: StatementReader) -> syntax.Expression:
    if name.type == "command_name":
        word = text_of(name)
        if not _WORD.fullmatch(word):
            raise refuse(name, f"the command {word!r}")
        return syntax.Literal(line_of(name), word)
    if name.type == "path_command_name":
        # What this grammar makes of `& $block`.
        return reading_of_variable(name)
    if name.type == "command_name_expr":
        return _called(children(name)[0], read)
    return expression(name, read)


def _elements(node: TreeNode, read: StatementReader) -> list[syntax.Element]:
    found: list[syntax.Element] = []
    parts = list(node.children)
    position = 0
    separated = True
    while position < len(parts):
        part = parts[position]
        position += 1
        if part.type == "command_argument_sep":
            separated = True
            continue
        if part.type == "comment":
            continue
        if not separated:
            # `$x.Method($y)` as an argument: this grammar cannot tell it from two arguments.
            raise refuse(part, f"{text_of(part)!r} directly after an argument (put the argument in parentheses)")
        separated = False
        if part.type == "command_parameter" and position < len(parts) and text_of(parts[position]).strip() == ":":
            value = word_or_expression(parts[position + 1], read)
            found.append(syntax.NamedArgument(line_of(part), text_of(part).removeprefix("-"), value))
            position += 2
        else:
            found.append(_element(part, read))
    return found


def _element(part: TreeNode, read: StatementReader) -> syntax.Element:
    line = line_of(part)
    if part.type == "command_parameter":
        return syntax.NamedArgument(line, text_of(part).removeprefix("-"))
    if part.type == "redirection" or _REDIRECTION.fullmatch(text_of(part)):
        return _redirection(part)
    written = text_of(part)
    if written.startswith("@") and written[1:].isidentifier():
        inner = part
        while inner.children:
            inner = inner.children[0]
        return syntax.Splat(line, variable(inner))
    return syntax.Argument(line, word_or_expression(part, read))


def _redirection(part: TreeNode) -> syntax.Redirection:
    written = _REDIRECTION.fullmatch("".join(text_of(part).split()))
    if written is None:
        raise refuse(part)
    return syntax.Redirection(line_of(part), written[1] or "1", written[2] == "&1")


def word_or_expression(part: TreeNode, read: StatementReader) -> syntax.Expression:
    """A bare word is a string; anything else is an expression."""
    inner = part
    while inner.type == "switch_clause_condition" and len(inner.children) == 1:
        inner = inner.children[0]
    if inner.type != "generic_token" and not (inner.type == "switch_clause_condition" and not inner.children):
        return expression(inner, read)
    word = text_of(inner)
    if not _WORD.fullmatch(word):
        raise refuse(inner, f"the argument {word!r} (quote it)")
    return syntax.Literal(line_of(inner), word)
