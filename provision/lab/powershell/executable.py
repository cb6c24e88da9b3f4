"""powershell.exe: its arguments, its standard input, and the bytes and the exit code that it leaves.

Windows PowerShell writes uncaught errors to standard error, as CLIXML where standard input is redirected; the lab writes
the plain text. Source of the switches: `powershell.exe -?` of version 5.1.
"""

from __future__ import annotations

import base64
import binascii
import io
import time
from collections.abc import Callable, Sequence

from provision.lab.powershell.formatting import format_output
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.runspace import RunResult, Runspace
from provision.lab.powershell.world import World
from provision.lab.winrm.scripthost import ErrorInfo, ProcessResult

_ALONE = {"nologo", "noprofile", "noninteractive", "sta", "mta", "noexit"}
_WITH_VALUE = {"executionpolicy", "ex", "ep", "inputformat", "outputformat", "windowstyle", "version"}


class _Usage(Exception):
    """Arguments that powershell.exe does not take."""


def _word(argument: str) -> str:
    return argument.lower().lstrip("-/")


def _encoded(arguments: Sequence[str]) -> str:
    if not arguments:
        raise _Usage("Cannot process the command because of a missing parameter. A command must follow -EncodedCommand.")
    try:
        return base64.b64decode(arguments[0], validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        raise _Usage("Cannot process the command because the value specified with -EncodedCommand is not properly "
                     "encoded. The value must be Base64 encoded.") from None


def _request(arguments: Sequence[str], stdin: bytes) -> str:
    left = list(arguments)
    while left and _word(left[0]) in _ALONE | _WITH_VALUE:
        left = left[1 if _word(left[0]) in _ALONE else 2:]
    match _word(left[0]) if left else "":
        case "encodedcommand" | "enc" | "e" | "ec":
            return _encoded(left[1:])
        case "file" | "f":
            raise Refused("powershell.exe -File")
        case "command" | "c":
            left = left[1:]
        case _:
            pass
    # No command, or a dash in its place: the script is standard input.
    return stdin.decode("utf-8", "replace") if left in ([], ["-"]) else " ".join(left)


def run_powershell_exe(world: World, arguments: Sequence[str], stdin: bytes,
                       sleep: Callable[[float], None] = time.sleep) -> ProcessResult:
    """Run powershell.exe with arguments (without its name) and standard input, to its end.

    Output is UTF-8. An uncaught error gives exit code 1; so does a last command that failed.
    """
    text = stdin.decode("utf-8-sig", "replace")
    runspace = Runspace(world, io.StringIO(text, newline=""), sleep)
    # powershell.exe itself takes a redirected standard input: its lines are $input of the command.
    runspace.set_variable("input", text.splitlines())
    try:
        request = _request(arguments, stdin)
    except _Usage as usage:
        return ProcessResult(b"", f"{usage}\r\n".encode(), 64)
    except Refused as refused:
        return ProcessResult(b"", f"{refused}\r\n".encode(), 1)
    return _process_result(runspace.run(request, name="powershell.exe"))


def _process_result(result: RunResult) -> ProcessResult:
    code = result.exit_code
    problems = [error_text(error) for error in result.errors]
    if result.failed is not None:
        problems.append(error_text(result.failed))
    try:
        shown = format_output(result.output)
    except Refused as refused:
        shown, code = "", 1
        problems.append(f"{refused}\r\n")
    messages = [*(f"WARNING: {line}\r\n" for line in result.warnings), *(f"{line}\r\n" for line in result.host)]
    stdout = "".join([result.console, *messages, shown])
    return ProcessResult(stdout.encode("utf-8", "replace"),
                         "".join([result.console_error, *problems]).encode("utf-8", "replace"), code & 0xFFFFFFFF)


def error_text(error: ErrorInfo) -> str:
    """An error as powershell.exe prints it, shortened to what is the same on every machine."""
    line = "" if error.script_line is None else f"At line:{error.script_line}\r\n"
    return (f"{error.message}\r\n{line}    + CategoryInfo          : {error.exception_type.rpartition('.')[2]}\r\n"
            f"    + FullyQualifiedErrorId : {error.fully_qualified_error_id}\r\n")
