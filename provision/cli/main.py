"""The entry point: parse, load the one body that is needed, run it, and turn every ending into an exit code.

`--help`, `--version` and usage errors load Typer and nothing of the product. The only place that loads modules by name.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from provision.cli.invocation import Invocation, Streams
from provision.cli.lab_commands import surface

if TYPE_CHECKING:
    from provision.cli.desk import Desk


def load(name: str) -> Callable[..., int]:
    """The function that "module:function" names, below `provision.cli`."""
    module, function = name.split(":")
    found: Callable[..., int] = getattr(importlib.import_module(f"provision.cli.{module}"), function)
    return found


def main() -> NoReturn:
    """The `provision` command."""
    try:
        code = run(sys.argv[1:], Streams(sys.stdin, sys.stdout, sys.stderr), os.environ)
    except KeyboardInterrupt:  # while modules were loaded: nothing was begun
        code = 130
    leave_streams()
    sys.exit(code)


def run(
    words: Sequence[str],
    streams: Streams,
    environ: Mapping[str, str],
    folder: Path = Path(),
    *,
    signals: bool = True,
) -> int:
    """Run the command line `words` and return its exit code. `signals`: take those that stop it (main thread)."""
    try:
        parsed = surface(args=list(words), prog_name="provision", standalone_mode=False)
    except typer.TyperException as error:
        return load("endings:usage")(error, list(words), streams)
    except typer.Abort:
        return 130
    except OSError:  # --help, to a disk that is full
        return 1
    if not isinstance(parsed, Invocation):
        return int(parsed or 0)  # --help and --version were printed
    begin: Callable[..., Desk] = importlib.import_module("provision.cli.endings").begin
    desk = begin(parsed, streams, environ, folder)
    if signals:
        desk.signals.install()
    return load("endings:guarded")(desk, lambda: load(parsed.body)(desk, **parsed.arguments))


def leave_streams() -> None:
    """Point stdout away when nothing can be written there, so that the interpreter's last flush is quiet as well."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
