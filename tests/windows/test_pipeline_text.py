"""A client's pipeline becomes a script whose values are parameters, never text."""

from __future__ import annotations

import pytest

from provision.lab.windows.pipelinetext import BadPipeline, pipeline_script
from provision.lab.winrm.scripthost import PipelineCommand


def command(text: str, *parameters: tuple[str | None, object], script: bool = False,
            end: bool = False) -> PipelineCommand:
    return PipelineCommand(text, script, parameters, end)


def test_commands_of_a_statement_are_piped() -> None:
    text, values = pipeline_script([command("Invoke-Expression", ("Command", "hostname; 'x'")),
                                    command("Out-String", ("Stream", None))])
    assert text == "param($lab0)\nInvoke-Expression -Command:$lab0 | Out-String -Stream"
    assert values == {"lab0": "hostname; 'x'"}


def test_statements_stand_on_lines_of_their_own() -> None:
    text, values = pipeline_script([command("Get-Service", (None, "ftpsvc"), end=True), command("Get-Date")])
    assert text == "param($lab0)\nGet-Service $lab0\nGet-Date"
    assert values == {"lab0": "ftpsvc"}


def test_a_script_with_parameters_is_a_block_that_gets_them() -> None:
    text, values = pipeline_script([command("param($Json) $Json", ("Json", "{}"), script=True)])
    assert text.splitlines()[1] == "& ([scriptblock]::Create($lab0)) -Json:$lab1"
    assert values == {"lab0": "param($Json) $Json", "lab1": "{}"}


@pytest.mark.parametrize("name", ["Get-Date; Stop-Service", "$(x)", "", "a b", "Get-Date\n"])
def test_a_name_that_is_code_is_refused(name: str) -> None:
    with pytest.raises(BadPipeline):
        pipeline_script([command(name)])
    with pytest.raises(BadPipeline):
        pipeline_script([command("Get-Date", (name or ";", 1))])
