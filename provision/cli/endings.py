"""How a run begins and ends: the desk is laid out, and every error becomes a sentence, a document and an exit code."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import typer

from provision.cli.desk import Desk, home
from provision.cli.invocation import Invocation, Streams
from provision.cli.signals import Signals
from provision.errors import ProvisionError, UsageError
from provision.view.clean import clean_rows
from provision.view.document import FORMAT, error_document
from provision.view.door import Door, Manner
from provision.view.errors import error_lines
from provision.view.marks import line


def begin(parsed: Invocation, streams: Streams, environ: Mapping[str, str], folder: Path) -> Desk:
    """The desk for one command. The debug log is opened when the run is guarded."""
    common = parsed.common
    columns = environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) >= 40 else None
    colour = not common.no_color and not environ.get("NO_COLOR")
    door = Door(streams.out, streams.err, Manner(common.quiet, common.verbose, colour, width))

    def leave(code: int, sentence: str) -> None:
        say_stop(door, parsed, code, sentence)
        os._exit(code)  # threads may be waiting for hosts: nobody waits for them

    signals = Signals(leave, lambda sentence: door.complain([line(sentence)]))
    return Desk(parsed.command, common, door, signals, environ, streams.stdin, folder)


def say_stop(door: Door, parsed: Invocation, code: int, sentence: str) -> None:
    """The last words of a run that ends by a signal."""
    door.complain([line(sentence)])
    if parsed.common.json:
        stopped = {"stopped": sentence}
        door.document({"format": FORMAT, "command": parsed.command, "exit_code": code, **stopped})


def guarded(desk: Desk, body: Callable[[], int]) -> int:
    """Run `body`; whatever it raises is told, and becomes its exit code."""
    try:
        _open_log(desk)
        return _arrived(desk, body())
    except ProvisionError as error:
        return told(desk, error)
    except ModuleNotFoundError as error:
        if desk.command.startswith("lab") and not (error.name or "").startswith("provision"):
            what, fix = f"the lab needs the module {error.name}", "pip install 'provision[lab]'"
            return told(desk, UsageError("P903", what, why="the lab's own packages are an extra", next=fix))
        return _crashed(desk, error)
    except Exception as error:  # noqa: BLE001  # the last door: whatever it is, it is told and never swallowed
        return _crashed(desk, error)
    finally:
        desk.door.status("")


def _arrived(desk: Desk, code: int) -> int:
    """`code`, but 1 for a good end whose result could not be written: nobody should take it for the whole."""
    return 1 if code == 0 and desk.door.failed else code


def told(desk: Desk, error: ProvisionError) -> int:
    """Say what went wrong; its exit code."""
    desk.door.note_in_log(traceback.format_exception(error))
    if desk.common.json:
        desk.door.document(error_document(desk.command, error))
    desk.door.complain(error_lines(error))
    return error.exit_code


def usage(error: typer.TyperException, words: Sequence[str], streams: Streams) -> int:
    """Wrong words on the command line: the sentence, where help is, and 64."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "provision"
    problem = UsageError("P901", error.format_message(), next=f"{command} --help")
    door = Door(streams.out, streams.err, Manner(colour="--no-color" not in words and not os.environ.get("NO_COLOR")))
    if "--json" in words:
        door.document(error_document(command.removeprefix("provision").strip(), problem))
    door.complain(error_lines(problem))
    return problem.exit_code  # Typer's own is 2, which would read as drift in a cron line


def _open_log(desk: Desk) -> None:
    """Open the debug log, for this user only. Raises UsageError."""
    path = desk.common.debug_log
    if path is None:
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if os.name == "posix":
            os.fchmod(handle, 0o600)
        desk.door.log = os.fdopen(handle, "a", encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError("P904", "the debug log cannot be written", where=str(path), why=why) from error
    desk.door.note_in_log([f"provision {desk.command}"])


def _crashed(desk: Desk, error: Exception) -> int:
    """One line, and a file with the traceback: without secrets, without values of variables, for this user only."""
    writing = desk.signals.writing
    last = traceback.extract_tb(error.__traceback__)[-1]
    rows = clean_rows("".join(traceback.format_exception(error)), desk.door.redactor.redact)
    path = _crash_file(desk, "\n".join(rows))
    what = f"something unexpected happened: {type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    why = f"a defect of provision, or something that it does not know yet; details are in {path}"
    state = desk.signals.where() if writing else "nothing was changed"
    kind = CrashWhileWriting if writing else Crash
    return told(desk, kind("P999", f"{what}; {state}", why=why))


class Crash(ProvisionError):
    """An unexpected exception before anything was changed, told like any other error."""


class CrashWhileWriting(Crash):
    """The same, when hosts may have been changed."""

    exit_code: ClassVar[int] = 7


def _crash_file(desk: Desk, text: str) -> str:
    """Write `text` where generations are kept, else among temporary files; "no file" when neither can be written."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for folder in (home(desk.environ), Path(tempfile.gettempdir())):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=f"crash-{stamp}-", suffix=".txt", dir=folder)  # mode 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            return name
    return "no file: none could be written"
