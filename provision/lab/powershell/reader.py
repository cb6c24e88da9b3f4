"""Script text -> `syntax.Block`, by way of the grammar of tree-sitter-powershell.

Every kind of node that is not listed here is refused with its line, so that an unknown construct never gets a
meaning by accident. Statements are read here, expressions in `reader_expressions`. Must not know how anything runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import tree_sitter
import tree_sitter_powershell

from provision.lab.powershell import reader_commands, reader_expressions, syntax
from provision.lab.powershell.reader_nodes import (
    TreeNode,
    child,
    children,
    line_of,
    only_child,
    refuse,
    text_of,
    type_reference,
)

_PARSER_LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())


class SyntaxFault(Exception):
    """The text is not PowerShell, as far as the grammar can tell. `line` is 1-based."""

    def __init__(self, line: int, near: str) -> None:
        super().__init__(f"line {line}: the parser stops at {near!r}")
        self.line = line
        self.near = near


@lru_cache(maxsize=64)
def read_script(text: str) -> syntax.Block:
    """The tree of a script. Raises `SyntaxFault` for what does not parse and `Refused` for what is not allowed."""
    source = text.removeprefix("\ufeff").replace("\r\n", "\n")
    root = tree_sitter.Parser(_PARSER_LANGUAGE).parse(source.encode()).root_node
    _check(root)
    return _block(root, source)


def _check(root: TreeNode) -> None:
    if not root.has_error:
        return
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR" or node.is_missing:
            raise SyntaxFault(line_of(node), text_of(node)[:60])
        waiting.extend(reversed(node.children))
    raise SyntaxFault(1, "")


def _block(node: TreeNode, text: str) -> syntax.Block:
    parameters: tuple[syntax.ParameterDeclaration, ...] = ()
    advanced = False
    bodies: dict[str, tuple[syntax.Statement, ...]] = {"begin": (), "process": (), "end": ()}
    pending = [part for part in children(node) if part.type != "script_block"]
    nested = child(node, "script_block")
    pending.extend(children(nested) if nested is not None else [])
    for part in pending:
        match part.type:
            case "param_block":
                parameters, advanced = _parameters(part)
            case "script_block_body":
                _fill(bodies, part)
            case "statement_list":
                bodies["end"] = statements(part)
            case "function" | "function_name" | "{" | "}" | ";":
                continue
            case _:
                raise refuse(part)
    return syntax.Block(line_of(node), parameters, advanced, bodies["begin"], bodies["process"], bodies["end"], text)


def _fill(bodies: dict[str, tuple[syntax.Statement, ...]], node: TreeNode) -> None:
    for part in children(node):
        match part.type:
            case "statement_list":
                bodies["end"] = statements(part)
            case "named_block_list":
                bodies.update(_named_block(named) for named in children(part))
            case _:
                raise refuse(part)


def _named_block(node: TreeNode) -> tuple[str, tuple[syntax.Statement, ...]]:
    name = text_of(only_child(node, "block_name")).lower()
    if name not in {"begin", "process", "end"}:
        raise refuse(node, f"the block {name}")
    return name, _body(only_child(node, "statement_block"))


def _parameters(node: TreeNode) -> tuple[tuple[syntax.ParameterDeclaration, ...], bool]:
    advanced = any(part.type in {"attribute_list", "attribute"} for part in children(node))
    listing = child(node, "parameter_list")
    if listing is None:
        return (), advanced
    declarations = tuple(_parameter(part) for part in children(listing) if part.type == "script_parameter")
    return declarations, advanced or any(each.mandatory or each.position is not None for each in declarations)


def _parameter(node: TreeNode) -> syntax.ParameterDeclaration:
    name = text_of(only_child(node, "variable")).removeprefix("$").lower()
    reference: syntax.TypeRef | None = None
    options: dict[str, str] = {}
    attributes = child(node, "attribute_list")
    for attribute in children(attributes) if attributes is not None else []:
        literal = child(attribute, "type_literal")
        if literal is not None:
            reference = type_reference(literal)
        else:
            options.update(_attribute(attribute))
    default = child(node, "script_parameter_default")
    return syntax.ParameterDeclaration(
        line_of(node), name, reference,
        reader_expressions.expression(default.children[-1], _READ) if default is not None else None,
        mandatory=options.get("mandatory", "").lower() == "$true",
        position=int(options["position"]) if "position" in options else None,
        from_pipeline=options.get("valuefrompipeline", "").lower() == "$true")


def _attribute(node: TreeNode) -> dict[str, str]:
    name = text_of(only_child(node, "attribute_name")).lower()
    if name != "parameter":
        raise refuse(node, f"the attribute [{name}]")
    arguments = child(node, "attribute_arguments")
    found: dict[str, str] = {}
    for part in children(arguments) if arguments is not None else []:
        if part.type == "attribute_argument":
            key, _, value = text_of(part).partition("=")
            found[key.strip().lower()] = value.strip() or "$true"
    unknown = set(found) - {"mandatory", "position", "valuefrompipeline"}
    if unknown:
        raise refuse(node, f"the attribute argument {min(unknown)}")
    return found


class _Statements:
    """The way back from expressions to statements."""

    def statement(self, node: TreeNode) -> syntax.Statement:
        return statement(node)

    def statements(self, node: TreeNode | None) -> tuple[syntax.Statement, ...]:
        return statements(node)

    def script_block(self, node: TreeNode) -> syntax.Block:
        return _block(node, text_of(node)[1:-1])


_READ = _Statements()


def statements(node: TreeNode | None) -> tuple[syntax.Statement, ...]:
    """The statements below a statement_list; nothing for none."""
    if node is None:
        return ()
    return tuple(statement(part) for part in children(node) if part.type not in {"empty_statement", ";"})


def _body(node: TreeNode) -> tuple[syntax.Statement, ...]:
    return statements(child(node, "statement_list"))


def statement(node: TreeNode) -> syntax.Statement:
    """One statement of any kind; raises `Refused` for kinds that are not in the subset."""
    reader = _STATEMENTS.get(node.type)
    if reader is None:
        raise refuse(node)
    return reader(node)


def _if(node: TreeNode) -> syntax.If:
    clauses = [(statement(only_child(node, "pipeline")), _body(only_child(node, "statement_block")))]
    more = child(node, "elseif_clauses")
    for clause in children(more) if more is not None else []:
        clauses.append((statement(only_child(clause, "pipeline")), _body(only_child(clause, "statement_block"))))
    otherwise = child(node, "else_clause")
    return syntax.If(line_of(node), tuple(clauses),
                     _body(only_child(otherwise, "statement_block")) if otherwise is not None else ())


def _foreach(node: TreeNode) -> syntax.ForEach:
    if child(node, "foreach_parameter") is not None:
        raise refuse(node, "foreach -parallel")
    variable = reader_expressions.variable(only_child(node, "variable"))
    return syntax.ForEach(line_of(node), variable, statement(only_child(node, "pipeline")),
                          _body(only_child(node, "statement_block")))


def _for(node: TreeNode) -> syntax.For:
    parts: list[syntax.Statement | None] = []
    for kind in ("for_initializer", "for_condition", "for_iterator"):
        found = child(node, kind)
        parts.append(statement(found.children[0]) if found is not None else None)
    return syntax.For(line_of(node), parts[0], parts[1], parts[2], _body(only_child(node, "statement_block")))


def _while(node: TreeNode) -> syntax.Loop:
    condition = only_child(node, "while_condition")
    return syntax.Loop(line_of(node), statement(condition.children[0]), _body(only_child(node, "statement_block")),
                       runs_first=False, until=False)


def _do(node: TreeNode) -> syntax.Loop:
    condition = only_child(node, "while_condition")
    return syntax.Loop(line_of(node), statement(condition.children[0]), _body(only_child(node, "statement_block")),
                       runs_first=True, until=any(part.type == "until" for part in node.children))


def _switch(node: TreeNode) -> syntax.Switch:
    if child(node, "switch_parameters") is not None:
        raise refuse(node, "switch with options")
    subject = statement(only_child(only_child(node, "switch_condition"), "pipeline"))
    body = only_child(node, "switch_body")
    clauses: list[tuple[syntax.Expression | None, tuple[syntax.Statement, ...]]] = []
    listing = child(body, "switch_clauses")
    for clause in children(listing) if listing is not None else []:
        condition = only_child(clause, "switch_clause_condition")
        bare = text_of(condition)
        value = None if bare.lower() == "default" else reader_commands.word_or_expression(condition, _READ)
        clauses.append((value, _body(only_child(clause, "statement_block"))))
    return syntax.Switch(line_of(node), subject, tuple(clauses))


def _try(node: TreeNode) -> syntax.Try:
    catches: list[syntax.Catch] = []
    listing = child(node, "catch_clauses")
    for clause in children(listing) if listing is not None else []:
        types = child(clause, "catch_type_list")
        catches.append(syntax.Catch(
            line_of(clause),
            tuple(type_reference(part) for part in children(types) if part.type == "type_literal")
            if types is not None else (),
            _body(only_child(clause, "statement_block"))))
    last = child(node, "finally_clause")
    return syntax.Try(line_of(node), _body(only_child(node, "statement_block")), tuple(catches),
                      _body(only_child(last, "statement_block")) if last is not None else ())


def _function(node: TreeNode) -> syntax.Function:
    if child(node, "function_parameter_declaration") is not None:
        raise refuse(node, "parameters in parentheses after a function's name (use param)")
    return syntax.Function(line_of(node), text_of(only_child(node, "function_name")).lower(),
                           _block(node, text_of(node)))


def _flow(node: TreeNode) -> syntax.Flow:
    kind = node.children[0].type.lower()
    if kind not in {"return", "throw", "exit", "break", "continue"} or child(node, "label_expression") is not None:
        raise refuse(node)
    value = child(node, "pipeline")
    return syntax.Flow(line_of(node), kind, statement(value) if value is not None else None)


def _pipeline(node: TreeNode) -> syntax.Statement:
    inner = children(node)
    if len(inner) == 1 and inner[0].type == "assignment_expression":
        return _assignment(inner[0])
    if len(inner) != 1 or inner[0].type != "pipeline_chain":
        raise refuse(node)
    parts = [part for part in children(inner[0]) if part.type != "|"]
    return syntax.Pipeline(line_of(node), tuple(reader_commands.pipeline_element(part, _READ) for part in parts))


def _assignment(node: TreeNode) -> syntax.Assignment:
    target, operator, value = children(node)
    return syntax.Assignment(line_of(node), reader_expressions.target(target, _READ), text_of(operator), statement(value))


_STATEMENTS: dict[str, Callable[[TreeNode], syntax.Statement]] = {
    "pipeline": _pipeline, "assignment_expression": _assignment, "if_statement": _if, "foreach_statement": _foreach,
    "for_statement": _for, "while_statement": _while, "do_statement": _do, "switch_statement": _switch,
    "try_statement": _try, "function_statement": _function, "flow_control_statement": _flow,
}
