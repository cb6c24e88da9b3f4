"""powershell.exe and runspaces as bare clients use them: arguments, standard input, streams, exit codes, display."""

from __future__ import annotations

import base64
import io
import json

import pytest
from powershell.labserver import GET, QUESTION, Server
from powershell.smallworld import SmallWorld

from provision.lab.powershell.executable import run_powershell_exe
from provision.lab.powershell.runspace import REFUSED, Runspace
from provision.lab.windows.world import make_world
from provision.lab.winrm.scripthost import PipelineCommand, ProcessResult
from provision.remote.winrs import ARGUMENTS


def exe(text: str, stdin: bytes = b"") -> ProcessResult:
    return run_powershell_exe(SmallWorld(), ["-NoProfile", "-EncodedCommand", base64.b64encode(
        text.encode("utf-16-le")).decode()], stdin)


def test_the_bootstrap_of_the_product_runs_the_shipped_script(server: Server) -> None:
    lines = [base64.b64encode(text.encode()) for text in (GET, json.dumps({**QUESTION, "sites": ["\u00fc\U0001f600"]}))]
    result = run_powershell_exe(make_world(server.host), ARGUMENTS, b"\r\n".join(lines) + b"\r\n")
    assert (result.exit_code, result.stderr) == (0, b"")
    assert json.loads(base64.b64decode(result.stdout))["data"]["missingSites"] == ["\u00fc\U0001f600"]


def test_output_is_printed_with_windows_line_ends() -> None:
    assert exe("'a'; 1 + 1; $true; 1.5").stdout == b"a\r\n2\r\nTrue\r\n1.5\r\n"


@pytest.mark.parametrize(("text", "code"), [
    ("'fine'", 0), ("exit 7", 7), ("throw 'x'", 1), ("[int]'x'", 1), ("[int]'x'; 'on'", 0), ("if ((", 1),
    ("Get-Unknown", 1), ("exit -1", 0xFFFFFFFF),
])
def test_the_exit_code_is_that_of_windows(text: str, code: int) -> None:
    assert exe(text).exit_code == code


def test_an_uncaught_error_is_on_standard_error_with_its_line() -> None:
    result = exe("'before'\nthrow 'boom'\n'after'")
    assert result.stdout == b"before\r\n"
    assert b"boom\r\nAt line:2" in result.stderr


def test_a_refusal_says_what_and_where() -> None:
    assert b"powershell.exe:2: the lab does not know the command Get-Unknown" in exe("\nGet-Unknown").stderr


def test_standard_input_is_there_as_lines_and_as_a_stream() -> None:
    assert exe("@($input).Count; @($input)[1]", b"a\r\nb\r\n").stdout == b"2\r\nb\r\n"
    assert exe("[Console]::In.ReadLine(); [Console]::In.ReadToEnd()", b"a\r\nb\r\nc").stdout == b"a\r\nb\r\nc\r\n"
    assert exe("$null -eq [Console]::In.ReadLine()").stdout == b"True\r\n"


def test_console_output_is_written_as_it_is() -> None:
    assert exe("[Console]::Out.Write('a'); [Console]::Error.Write('e')") == ProcessResult(b"a", b"e", 0)


def test_a_command_on_the_command_line_and_on_standard_input() -> None:
    assert run_powershell_exe(SmallWorld(), ["-Command", "1", "+", "1"], b"").stdout == b"2\r\n"
    assert run_powershell_exe(SmallWorld(), ["-NoLogo", "-Command", "-"], b"2 + 2\n").stdout == b"4\r\n"


def test_a_bad_encoded_command_is_a_usage_error() -> None:
    result = run_powershell_exe(SmallWorld(), ["-EncodedCommand", "!!!"], b"")
    assert (result.exit_code, result.stdout) == (64, b"")


def test_custom_objects_are_a_table_up_to_four_columns_and_a_list_beyond() -> None:
    assert exe("[pscustomobject]@{ A = 1; Bee = 'x' }").stdout.decode() == "\r\nA Bee\r\n- ---\r\n1 x\r\n\r\n\r\n"
    shown = exe("[pscustomobject]@{ A = 1; B = 2; C = 3; D = 4; Long = 1, 2 }").stdout.decode()
    assert "A    : 1\r\n" in shown
    assert "Long : {1, 2}\r\n" in shown


def test_execute_ps_of_pypsrp_gets_its_lines() -> None:
    commands = (PipelineCommand("Invoke-Expression", False, (("Command", "'a'; 1 + 1"),)),
                PipelineCommand("Out-String", False, (("Stream", None),)))
    assert Runspace(SmallWorld()).run_commands(commands).plain().output == ("a", "2")


def test_each_statement_of_a_pipeline_runs_and_variables_stay() -> None:
    runspace = Runspace(SmallWorld())
    first = PipelineCommand("$x = 5", True, (), end_of_statement=True)
    assert runspace.run_commands((first, PipelineCommand("$x + 1", True, ()))).plain().output == (6,)
    assert runspace.run("$x").plain().output == (5,)


def test_parameters_and_input_arrive_in_a_script() -> None:
    script = "param([string]$A, [int]$B)\n\"$A$B\"\n@($input).Count"
    assert Runspace(SmallWorld()).run(script, {"A": "x", "B": "7"}, [1, 2]).plain().output == ("x7", 2)


def test_streams_are_told_apart() -> None:
    result = Runspace(SmallWorld()).run(
        "Write-Warning w; Write-Verbose v -Verbose; Write-Error e; Write-Progress p s; Write-Host h; 'o'")
    assert (result.output, result.warnings, result.verbose, result.progress, result.host) == (
        ("o",), ("w",), ("v",), ("p: s",), ("h",))
    assert [error.message for error in result.errors] == ["e"]


def test_a_switched_off_preference_is_silent() -> None:
    result = Runspace(SmallWorld()).run("$ProgressPreference = 'SilentlyContinue'\n$WarningPreference = "
                                        "'SilentlyContinue'\nWrite-Progress p s; Write-Warning w")
    assert (result.progress, result.warnings) == ((), ())


def test_an_object_that_cannot_travel_is_a_refusal_not_a_guess() -> None:
    failed = Runspace(SmallWorld()).run("Get-Thing").plain().failed
    assert failed is not None
    assert failed.exception_type == REFUSED


def test_start_sleep_waits_by_the_clock_it_is_given() -> None:
    waited: list[float] = []
    Runspace(SmallWorld(), sleep=waited.append).run("Start-Sleep -Milliseconds 250; Start-Sleep 2")
    assert waited == [0.25, 2.0]


def test_a_runspace_without_standard_input_refuses_to_read_it() -> None:
    assert Runspace(SmallWorld()).run("[Console]::In.ReadLine()").refused
    assert Runspace(SmallWorld(), io.StringIO("x\n")).run("[Console]::In.ReadLine()").output == ("x",)


def test_a_refused_script_does_not_run_its_finally() -> None:
    result = Runspace(SmallWorld()).run("try { Get-Unknown } catch { 'c' } finally { 'f' }")
    assert (result.output, result.refused) == ((), True)


def test_a_script_without_end_is_given_up() -> None:
    failed = Runspace(SmallWorld()).run("while ($true) { $x = 1 }").failed
    assert failed is not None
    assert "the end of a script" in failed.message
