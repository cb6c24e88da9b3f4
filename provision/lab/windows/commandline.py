"""A command line as cmd.exe takes it: its words, the few built-in commands, programs, and what is not recognized.

It must not know WinRS or PowerShell; `powershell.exe` is handed to a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from provision.lab.powershell.world import NativeCommand
from provision.lab.winrm.scripthost import ProcessResult

PowerShellExe = Callable[[Sequence[str], bytes], ProcessResult]
POWERSHELL = ("powershell", "powershell.exe")
WORD = re.compile(r'(?:"[^"]*"|[^\s"])+')


def words_of(line: str) -> list[str]:
    """The words of a line; double quotes keep blanks together and do not belong to the word."""
    return [word.replace('"', "") for word in WORD.findall(line)]


def run_command_line(command: str, arguments: Sequence[str], stdin: bytes, programs: Mapping[str, NativeCommand],
                     powershell: PowerShellExe, version: str) -> ProcessResult:
    """Run one line. COMMAND may hold the whole line or only the program's name; WinRS puts a blank between it and
    each of ARGUMENTS, and clients differ in how many words they put into one.
    """
    words = words_of(" ".join((command, *arguments)))
    if not words:
        return ProcessResult(b"", b"", 0)
    name, rest = words[0].rpartition("\\")[2].lower(), words[1:]
    if name in ("cmd", "cmd.exe") and rest and rest[0].lower() in ("/c", "/k"):
        return run_command_line("", rest[1:], stdin, programs, powershell, version)
    if name in POWERSHELL:
        return powershell(rest, stdin)
    if name in programs:
        lines, code = programs[name](rest)
        return ProcessResult(_lines(lines), b"", code)
    return _built_in(name, words[0], rest, version)


def _built_in(name: str, typed: str, rest: Sequence[str], version: str) -> ProcessResult:
    match name:
        case "echo":
            return ProcessResult(_lines([" ".join(rest)]), b"", 0)
        case "ver":
            return ProcessResult(_lines(["", f"Microsoft Windows [Version {version}]"]), b"", 0)
        case "exit":
            codes = [int(word) for word in rest if word.isdigit()]
            return ProcessResult(b"", b"", codes[0] if codes else 0)
        case _:
            refusal = [f"'{typed}' is not recognized as an internal or external command,",
                       "operable program or batch file."]
            return ProcessResult(b"", _lines(refusal), 1)


def _lines(lines: Sequence[str]) -> bytes:
    """Text as a console of code page 65001 writes it."""
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8")
