"""What cmd.exe does with a line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from provision.lab.windows.commandline import run_command_line, words_of
from provision.lab.winrm.scripthost import ProcessResult


def run(command: str, *arguments: str) -> ProcessResult:
    def powershell(words: Sequence[str], stdin: bytes) -> ProcessResult:
        return ProcessResult("|".join(words).encode() + stdin, b"", 7)

    return run_command_line(command, arguments, b"<stdin", {"hostname": lambda _argv: (["WIN1"], 0)}, powershell,
                            "10.0.14393")


@pytest.mark.parametrize(("line", "words"), [("sc query ftpsvc", ["sc", "query", "ftpsvc"]),
                                             ('echo "a b"  c', ["echo", "a b", "c"]), ("", [])])
def test_blanks_part_words_and_quotes_keep_them(line: str, words: list[str]) -> None:
    assert words_of(line) == words


@pytest.mark.parametrize("command", ["hostname", "HOSTNAME", "C:\\Windows\\System32\\hostname", "cmd /c hostname"])
def test_a_program_is_found_in_any_spelling(command: str) -> None:
    assert run(command).stdout == b"WIN1\r\n"


def test_powershell_gets_its_arguments_and_the_input() -> None:
    assert run("powershell.exe", "-NoProfile", "-Command", "x") == ProcessResult(b"-NoProfile|-Command|x<stdin", b"", 7)


def test_an_unknown_program_is_not_recognized() -> None:
    result = run("ls -l")
    assert (result.exit_code, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"'ls' is not recognized as an internal or external command,\r\n")


def test_built_in_commands_answer() -> None:
    assert run("echo", "hello").stdout == b"hello\r\n"
    assert b"10.0.14393" in run("ver").stdout
    assert run("exit /b 3").exit_code == 3
