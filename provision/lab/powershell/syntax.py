"""The evaluator's own tree of a script: what the grammar's tree is translated into before anything runs.

Plain values with the line where they stand (1-based). This file must not know tree-sitter, and not how anything is
evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type as written: `[string[]]` is TypeRef("string", is_array=True)."""

    name: str
    is_array: bool = False

    def __str__(self) -> str:
        return f"[{self.name}{'[]' if self.is_array else ''}]"


@dataclass(frozen=True, slots=True)
class Node:
    """Anything that stands at a line of the script."""

    line: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: text, a number, `$true`, `$false` or `$null`."""

    value: object


@dataclass(frozen=True, slots=True)
class Expandable(Node):
    """A double-quoted string: its parts are text and expressions in turn."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """`scope` is '' for the nearest, else global, script, local or env; `name` is lower-case."""

    scope: str
    name: str


@dataclass(frozen=True, slots=True)
class ArrayLiteral(Node):
    """`a, b`; also `, a`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class SubExpression(Node):
    """`$( ... )`, or `@( ... )` when it always gives an array."""

    body: tuple[Statement, ...]
    is_array: bool


@dataclass(frozen=True, slots=True)
class Parenthesis(Node):
    """`( ... )`: the value of a statement."""

    inner: Statement


@dataclass(frozen=True, slots=True)
class HashLiteral(Node):
    """`@{ key = value }`; a cast makes it ordered or an object."""

    entries: tuple[tuple[Expression, Statement], ...]


@dataclass(frozen=True, slots=True)
class TypeLiteral(Node):
    """`[type]` as a value."""

    type: TypeRef


@dataclass(frozen=True, slots=True)
class Cast(Node):
    """`[type]value`."""

    type: TypeRef
    operand: Expression


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`target.name`, or `[type]::name` when static."""

    target: Expression
    name: Expression
    is_static: bool


@dataclass(frozen=True, slots=True)
class Invocation(Node):
    """`target.name(arguments)`, or `[type]::name(...)` when static."""

    target: Expression
    name: Expression
    is_static: bool
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`target[key]`."""

    target: Expression
    key: Expression


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """An operator in front of a value; its name has no dash."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operator between two values; its name has no dash."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Step(Node):
    """`$x++` and its kin: `delta` is 1 or -1; the old value is given unless it stands in front."""

    target: Expression
    delta: int
    is_prefix: bool


@dataclass(frozen=True, slots=True)
class BlockLiteral(Node):
    """`{ ... }` as a value."""

    block: Block


Expression = (Literal | Expandable | Variable | ArrayLiteral | SubExpression | Parenthesis | HashLiteral | TypeLiteral
              | Cast | Member | Invocation | Index | Unary | Binary | Step | BlockLiteral)


@dataclass(frozen=True, slots=True)
class Argument(Node):
    """A positional argument."""

    value: Expression


@dataclass(frozen=True, slots=True)
class NamedArgument(Node):
    """`-Name`, or `-Name:value` when `value` is there."""

    name: str
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class Splat(Node):
    """`@name`: the arguments in a variable."""

    variable: Variable


@dataclass(frozen=True, slots=True)
class Redirection(Node):
    """`stream` 1, 2 ... or '*'; `to_output` for `2>&1`, else it goes to $null."""

    stream: str
    to_output: bool


Element = Argument | NamedArgument | Splat | Redirection


@dataclass(frozen=True, slots=True)
class Command(Node):
    """`operator` is '', '&' or '.'; `name` is a word or, after an operator, any expression."""

    operator: str
    name: Expression
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """Elements that feed each other; only the first may be an expression."""

    elements: tuple[Expression | Command, ...]


@dataclass(frozen=True, slots=True)
class Assignment(Node):
    """`target = value`, also `+=` and its kin."""

    target: Expression
    operator: str
    value: Statement


@dataclass(frozen=True, slots=True)
class If(Node):
    """if, elseif and else."""

    clauses: tuple[tuple[Statement, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForEach(Node):
    """`foreach ($variable in source)`."""

    variable: Variable
    source: Statement
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for (start; condition; step)`."""

    start: Statement | None
    condition: Statement | None
    step: Statement | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """while, do-while, do-until."""

    condition: Statement
    body: tuple[Statement, ...]
    runs_first: bool
    until: bool


@dataclass(frozen=True, slots=True)
class Switch(Node):
    """`clauses` hold a condition, or None for default."""

    subject: Statement
    clauses: tuple[tuple[Expression | None, tuple[Statement, ...]], ...]


@dataclass(frozen=True, slots=True)
class Catch(Node):
    """A catch clause; without types it takes everything."""

    types: tuple[TypeRef, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Try(Node):
    """try, catch and finally."""

    body: tuple[Statement, ...]
    catches: tuple[Catch, ...]
    finally_body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Function(Node):
    """The definition of a function; its name is lower-case."""

    name: str
    block: Block


@dataclass(frozen=True, slots=True)
class Flow(Node):
    """return, break, continue, throw, exit."""

    kind: str
    value: Statement | None


Statement = Pipeline | Assignment | If | ForEach | For | Loop | Switch | Try | Function | Flow


@dataclass(frozen=True, slots=True)
class ParameterDeclaration(Node):
    """One entry of a param block; `default` is evaluated at each call."""

    name: str
    type: TypeRef | None = None
    default: Expression | None = None
    mandatory: bool = False
    position: int | None = None
    from_pipeline: bool = False


@dataclass(frozen=True, slots=True)
class Block(Node):
    """A script, a function's body or a script block. A body without named blocks is all `end`."""

    parameters: tuple[ParameterDeclaration, ...]
    is_advanced: bool
    begin: tuple[Statement, ...]
    process: tuple[Statement, ...]
    end: tuple[Statement, ...]
    text: str = field(repr=False, compare=False, default="")
