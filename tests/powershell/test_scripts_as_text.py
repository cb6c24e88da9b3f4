"""The shipped scripts as text: they parse, are ASCII, explain themselves, and keep to docs/powershell-subset.md."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from powershell.labserver import GET, SCRIPTS, SET

from provision.lab.powershell import syntax
from provision.lab.powershell.cmdlets import LANGUAGE_CMDLETS
from provision.lab.powershell.reader import read_script

BOTH = pytest.mark.parametrize("script", [GET, SET], ids=["Get", "Set"])
SUBSET = (Path(__file__).parents[2] / "docs" / "powershell-subset.md").read_text("utf-8")
MODULE_NOUNS = ("NetFirewall", "NetTCP", "Cim")


def nodes(value: object) -> Iterator[syntax.Node]:
    """Every node of a tree."""
    if isinstance(value, tuple):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, syntax.Node):
        yield value
        for field in dataclasses.fields(value):
            yield from nodes(getattr(value, field.name))


def commands(script: str) -> dict[str, list[syntax.Command]]:
    found: dict[str, list[syntax.Command]] = {}
    for node in nodes(read_script(script)):
        if isinstance(node, syntax.Command) and isinstance(node.name, syntax.Literal):
            found.setdefault(str(node.name.value), []).append(node)
    return found


def functions(script: str) -> dict[str, str]:
    return {found[1]: found[0] for found in re.finditer(r"^function ([\w-]+) \{.*?^\}", script, re.DOTALL | re.MULTILINE)}


def test_there_are_two_scripts_and_both_are_looked_at_here() -> None:
    assert sorted(path.name for path in SCRIPTS.iterdir()) == ["Get-FtpServerState.ps1", "Set-FtpServerState.ps1"]


@BOTH
def test_a_script_is_ascii_in_lines_that_fit_and_without_tabs(script: str) -> None:
    assert script.isascii()
    assert max(len(line) for line in script.splitlines()) <= 125
    assert "\t" not in script
    assert "\r" not in script


@BOTH
def test_a_script_explains_itself(script: str) -> None:
    help_text = script[:script.index("#>")]
    for section in (".SYNOPSIS", ".DESCRIPTION", ".PARAMETER Json\n", ".PARAMETER JsonPath", ".EXAMPLE", ".NOTES"):
        assert section in help_text
    assert "only a real Windows Server can show" in help_text


@BOTH
def test_a_script_is_strict_and_stops_at_errors(script: str) -> None:
    assert "\nSet-StrictMode -Version Latest\n$ErrorActionPreference = 'Stop'\n$ProgressPreference = 'SilentlyContinue'\n" in script


@BOTH
def test_a_script_uses_only_commands_that_the_subset_lists(script: str) -> None:
    listed = set(re.findall(r"`([A-Z]\w+-\w+|netsh\.exe)", SUBSET)) | set(functions(script))
    assert set(commands(script)) <= listed


@BOTH
def test_every_function_is_used_and_short(script: str) -> None:
    called = set(commands(script))
    for name, text in functions(script).items():
        assert name in called, name
        assert text.count("\n") <= 50, name


def test_the_functions_that_both_scripts_have_are_the_same() -> None:
    get, set_ = functions(GET), functions(SET)
    assert {name: get[name] for name in get.keys() & set_.keys()} == {name: set_[name] for name in get.keys() & set_.keys()}
    assert {"Assert-Environment", "Get-OwnRule", "ConvertTo-ErrorAnswer"} <= get.keys() & set_.keys()


@BOTH
def test_cmdlets_of_modules_say_what_an_error_does(script: str) -> None:
    # A module does not see the caller's $ErrorActionPreference, unless it is global.
    splats_that_stop = re.findall(r"\$(\w+) = @\{[^}]*ErrorAction = 'Stop'", script)
    for name, calls in commands(script).items():
        if not any(name.partition("-")[2].startswith(noun) for noun in MODULE_NOUNS):
            continue
        for call in calls:
            words = {element.name.lower() for element in call.elements if isinstance(element, syntax.NamedArgument)}
            splats = {element.variable.name for element in call.elements if isinstance(element, syntax.Splat)}
            assert "erroraction" in words or splats & set(splats_that_stop), f"line {call.line}: {name}"


def test_get_holds_nothing_that_writes() -> None:
    verbs = {name.partition("-")[0] for name in commands(GET) if name not in functions(GET)}
    assert verbs <= {"Get", "Test", "Select", "Sort", "Where", "ForEach", "ConvertTo", "ConvertFrom", "New", "Add",
                     "Set", "netsh.exe"}
    assert {name for name in commands(GET) if name.startswith(("New-", "Set-", "Add-"))} == {
        "New-Object", "New-CodedError", "Set-StrictMode", "Add-Type"}
    methods = {str(node.name.value) for node in nodes(read_script(GET))
               if isinstance(node, syntax.Invocation) and isinstance(node.name, syntax.Literal)}
    assert not methods & {"CommitChanges", "SetAttributeValue", "Delete", "Start", "Stop", "SetMetadata", "ExecuteMethod"}


@BOTH
def test_no_text_is_turned_into_code(script: str) -> None:
    assert not {"Invoke-Expression", "Invoke-Command"} & set(commands(script))
    assert "[scriptblock]" not in script


def test_the_cmdlets_of_the_language_are_those_that_the_subset_lists() -> None:
    section = SUBSET.split("## Cmdlets that belong to the language")[1].split("Types:")[0]
    assert {name.lower() for name in re.findall(r"`(\w+-\w+)", section)} == set(LANGUAGE_CMDLETS)
