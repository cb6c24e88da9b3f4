"""Turns a pipeline as a client built it (commands and parameters) into script text and the values that it uses.

It must not know the wire or the evaluator. Values never become text: the script receives them as parameters of its
own, so that nothing a client sends can be read as code. Names of commands and parameters are checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from provision.lab.winrm.scripthost import PipelineCommand

NAME = re.compile(r"[A-Za-z_][\w.-]*\Z")


class BadPipeline(Exception):
    """A command or parameter whose name cannot be one."""


def pipeline_script(commands: Sequence[PipelineCommand]) -> tuple[str, dict[str, object]]:
    """Script text with a `param` block, and the value of each parameter. Raises BadPipeline."""
    values: dict[str, object] = {}
    statements, stages = list[str](), list[str]()
    for command in commands:
        stages.append(_stage(command, values))
        if command.end_of_statement:
            statements.append(" | ".join(stages))
            stages = []
    if stages:
        statements.append(" | ".join(stages))
    declared = ", ".join(f"${name}" for name in values)
    return f"param({declared})\n" + "\n".join(statements), values


def _stage(command: PipelineCommand, values: dict[str, object]) -> str:
    if command.is_script:
        name = f"lab{len(values)}"
        values[name] = command.text
        head = f"& ([scriptblock]::Create(${name}))"
    else:
        head = _checked(command.text)
    return " ".join([head, *(_argument(key, value, values) for key, value in command.parameters)])


def _argument(key: str | None, value: object, values: dict[str, object]) -> str:
    """-Name:$value; a switch is a name with the value nothing."""
    if key is not None and value is None:
        return f"-{_checked(key)}"
    name = f"lab{len(values)}"
    values[name] = value
    return f"${name}" if key is None else f"-{_checked(key)}:${name}"


def _checked(name: str) -> str:
    plain = name.lstrip("-").rstrip(":")
    if NAME.match(plain) is None:
        raise BadPipeline(f"The term '{name}' is not recognized as the name of a cmdlet or parameter.")
    return plain
