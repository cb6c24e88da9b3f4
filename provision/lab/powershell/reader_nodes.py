"""Small helpers over the grammar's nodes: children without comments, text, line, refusal.

Expressions hold statements and statements hold expressions; `StatementReader` is how the one side calls the other
without a circle of imports.
"""

from __future__ import annotations

from typing import Protocol

import tree_sitter

from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.syntax import Block, Statement, TypeRef

TreeNode = tree_sitter.Node

_CUT = 60


class StatementReader(Protocol):
    """What reading an expression needs of the reading of statements."""

    def statement(self, node: TreeNode) -> Statement: ...
    def statements(self, node: TreeNode | None) -> tuple[Statement, ...]: ...
    def script_block(self, node: TreeNode) -> Block: ...


def text_of(node: TreeNode) -> str:
    """The source of a node."""
    return (node.text or b"").decode()


def line_of(node: TreeNode) -> int:
    """The line where a node starts, 1-based."""
    return node.start_point.row + 1


def children(node: TreeNode) -> list[TreeNode]:
    """The node's children without comments and separators."""
    return [part for part in node.children if part.type not in {"comment", "command_argument_sep", "\n"}]


def child(node: TreeNode, kind: str) -> TreeNode | None:
    """The first child of that kind, or None."""
    return next((part for part in node.children if part.type == kind), None)


def only_child(node: TreeNode, kind: str) -> TreeNode:
    """The child of that kind; refuses the node where there is none."""
    found = child(node, kind)
    if found is None:
        raise refuse(node)
    return found


def refuse(node: TreeNode, what: str | None = None) -> Refused:
    """The refusal of a node, to be raised."""
    shown = what or f"{node.type.replace('_', ' ')} {text_of(node)[:_CUT]!r} (docs/powershell-subset.md)"
    return Refused(shown, line_of(node))


def type_reference(node: TreeNode) -> TypeRef:
    """`[A.B[]]` -> its name and whether it is an array."""
    written = "".join(text_of(node).split())[1:-1]
    is_array = written.endswith("[]")
    name = written.removesuffix("[]")
    if not all(part.isidentifier() for part in name.split(".")):
        raise refuse(node, f"the type [{written}]")
    return TypeRef(name, is_array)
