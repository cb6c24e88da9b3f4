"""A parsed command line as a value, and the options that every command has. Loads nothing but Typer.

A declared command does nothing: it returns an `Invocation`, which names the function that does the work. So help and
usage errors cost no import of the product, and the one place that loads a body is `main`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer


@dataclass(frozen=True, slots=True)
class Common:
    """The options of every command. `timeout` in seconds; None: the engine's own deadlines."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    debug_log: Path | None = None
    parallel: int = 16
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Streams:
    """Where answers come from, where results go, where talk goes."""

    stdin: TextIO
    out: TextIO
    err: TextIO


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command with its arguments; `body` is "module:function" below `provision.cli`."""

    command: str
    body: str
    common: Common
    arguments: Mapping[str, Any]


_COMMON = {
    "json": Annotated[bool, typer.Option("--json", help="One JSON document on stdout, also on failure.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Notes and whole files as well.")],
    "no_color": Annotated[bool, typer.Option("--no-color", help="No colour (as with NO_COLOR).")],
    "debug_log": Annotated[
        Path | None, typer.Option("--debug-log", metavar="FILE", help="Append what happens to FILE, without secrets.")
    ],
    "parallel": Annotated[int, typer.Option("--parallel", metavar="N", min=1, max=256, help="Hosts read at a time.")],
    "timeout": Annotated[
        float | None,
        typer.Option(
            "--timeout", metavar="SECONDS", min=1.0, help="To read one host (default 60); ten times that to change it."
        ),
    ],
}


def declare(app: typer.Typer, body: str, name: str) -> Callable[[Callable[..., None]], Callable[..., Invocation]]:
    """Declare a command by a function that has only parameters and a docstring; `body` names what does the work.

    `name` is the command as it is shown, `lab up` for the command `up` of the group `lab`.
    """

    def decorate(words: Callable[..., None]) -> Callable[..., Invocation]:
        own = inspect.signature(words, eval_str=True).parameters
        defaults = Common()
        shared = [
            inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=getattr(defaults, one.name))
            for one in fields(Common)
        ]
        shared = [one.replace(annotation=_COMMON[one.name]) for one in shared]

        def parsed(**given: Any) -> Invocation:
            common = Common(**{one.name: given.pop(one.name) for one in shared})
            return Invocation(name, body, common, given)

        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own.values()] + shared
        parsed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        parsed.__annotations__ = {one.name: one.annotation for one in parameters}
        parsed.__doc__ = words.__doc__
        app.command(name.rsplit(maxsplit=1)[-1])(parsed)
        return parsed

    return decorate
