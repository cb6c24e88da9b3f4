"""A runspace: runs script text or a pipeline of commands over a world, and says everything that came of it.

This is the door for lab/windows and lab/winrm. It must not know any wire, any machine and any script by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from provision.lab.powershell.binding import Given
from provision.lab.powershell.calls import call_block
from provision.lab.powershell.commands import dispatch
from provision.lab.powershell.failures import CATEGORIES, ErrorRecordValue, ExceptionValue, Failure, fail
from provision.lab.powershell.machine import (
    MAX_STATEMENTS,
    BreakSignal,
    ContinueSignal,
    ExitSignal,
    Machine,
    Slot,
    Streams,
)
from provision.lab.powershell.plainvalues import from_plain, to_plain
from provision.lab.powershell.reader import SyntaxFault, read_script
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.statements import run_statements
from provision.lab.powershell.syntax import Command, Literal
from provision.lab.powershell.world import ScriptError, World
from provision.lab.winrm.scripthost import ErrorInfo, PipelineCommand, PipelineResult

REFUSED = "Provision.Lab.NotModelled"
"""The exception type under which a refusal leaves the lab. A script cannot catch it."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run gave. `output` holds the evaluator's own values; `plain()` what can travel.

    `failed` is the error that ended it (None: it ran to its end). `exit_code` is that of `exit`, else 0, or 1 where
    powershell.exe would give 1. `refused` tells that the lab gave up, not the script. `console` is what was written
    to [Console]::Out, `host` what Write-Host wrote.
    """

    output: tuple[object, ...]
    errors: tuple[ErrorInfo, ...]
    failed: ErrorInfo | None
    warnings: tuple[str, ...]
    verbose: tuple[str, ...]
    progress: tuple[str, ...]
    exit_code: int
    refused: bool
    console: str
    console_error: str
    host: tuple[str, ...]

    def plain(self) -> PipelineResult:
        """As the wire wants it: plain Python values. An object that cannot travel is a refusal."""
        try:
            output = tuple(to_plain(item) for item in self.output)
        except Refused as refused:
            return PipelineResult((), self.errors, refusal_info(refused), self.warnings, self.verbose, self.progress)
        return PipelineResult(output, self.errors, self.failed, self.warnings, self.verbose, self.progress)


class Runspace:
    """One runspace over a world. What a script defines at its top level stays for the next run.

    `stdin` is what [Console]::In reads (None: there is none). `sleep` waits for Start-Sleep, in seconds.
    """

    def __init__(self, world: World, stdin: TextIO | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._machine = Machine(world, run_statements, None if stdin is None else stdin.readline, sleep)

    def run(self, text: str, parameters: Mapping[str, object] | None = None, input: Sequence[object] = (),
            *, name: str = "script") -> RunResult:
        """Run a script's text with named parameters (plain Python values). `name` stands in refusals."""
        given = tuple((key, value) for key, value in (parameters or {}).items())
        return self.run_commands((PipelineCommand(text, is_script=True, parameters=given),), input, name=name)

    def run_commands(self, commands: Sequence[PipelineCommand], input: Sequence[object] = (), *,
                     name: str = "script") -> RunResult:
        """Run commands as a client built them: one pipeline, or several where a statement ends."""
        machine = self._machine
        machine.streams, machine.file, machine.last_ok = Streams(), name, True
        machine.scope, machine.guards, machine.depth, machine.left = machine.root, 0, 0, MAX_STATEMENTS
        out: list[object] = []
        code, failure, refused = 0, None, False
        try:
            for pipeline in _pipelines(commands):
                self._run_pipeline(pipeline, [from_plain(item) for item in input], out)
        except ExitSignal as signal:
            code = signal.code
        except Failure as failed:
            failure, code = error_info(failed.record), 1
        except Refused as unknown:
            failure, code, refused = refusal_info(unknown.at(None, name)), 1, True
        except (BreakSignal, ContinueSignal):
            # A stray break ends the script without a word, as in PowerShell.
            code = 0
        else:
            code = 0 if machine.last_ok else 1
        return self._result(out, code, failure, refused)

    def _result(self, out: list[object], code: int, failure: ErrorInfo | None, refused: bool) -> RunResult:
        streams = self._machine.streams
        return RunResult(
            tuple(out), tuple(error_info(record) for record in streams.errors), failure, tuple(streams.warnings),
            tuple(streams.verbose), tuple(streams.progress), code, refused, "".join(streams.console),
            "".join(streams.console_error), tuple(streams.host))

    def set_variable(self, name: str, value: object) -> None:
        """Set a variable of the runspace to a plain Python value."""
        self._machine.root.variables[name.lower()] = Slot(from_plain(value))

    def _run_pipeline(self, commands: Sequence[PipelineCommand], input: Sequence[object], out: list[object]) -> None:
        feed: Iterator[object] | None = iter(input) if input else None
        for command in commands:
            feed = iter(self._run_command(command, feed))
        try:
            out.extend(feed or ())
        except ScriptError as error:
            self._end(fail(error, None))
        except Failure as failure:
            self._end(failure)

    def _end(self, failure: Failure) -> None:
        if not self._machine.survives(failure):
            raise failure

    def _run_command(self, command: PipelineCommand, feed: Iterator[object] | None) -> Iterator[object]:
        given = [Given(name, None if value is None else from_plain(value)) for name, value in command.parameters]
        if not command.is_script:
            called = Command(1, "", Literal(1, command.text), ())
            yield from dispatch(command.text, given, feed, self._machine, called)
            return
        try:
            block = read_script(command.text)
        except SyntaxFault as fault:
            error = ScriptError(f"The script does not parse near {fault.near!r}.", category="ParserError",
                                exception_type="System.Management.Automation.ParseException", error_id="ParseError")
            raise Failure(fail(error, fault.line).record, is_throw=True) from None
        yield from call_block(block, given, self._machine, "the script", feed=feed, own_scope=False)


def _pipelines(commands: Sequence[PipelineCommand]) -> Iterator[list[PipelineCommand]]:
    current: list[PipelineCommand] = []
    for command in commands:
        current.append(command)
        if command.end_of_statement:
            yield current
            current = []
    if current:
        yield current


def error_info(record: ErrorRecordValue) -> ErrorInfo:
    """An error record for the wire: the outermost exception, as a client sees it."""
    exception: ExceptionValue = record.exception
    error = exception.error
    number = CATEGORIES.index(error.category) if error.category in CATEGORIES else 0
    return ErrorInfo(error.message, error.exception_type, error.error_id, number, record.line)


def refusal_info(refused: Refused) -> ErrorInfo:
    """A refusal for the wire: it names the file and the line."""
    return ErrorInfo(str(refused), REFUSED, "NotModelled", CATEGORIES.index("NotImplemented"), refused.line)


