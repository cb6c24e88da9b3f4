"""The language, case by case: what Windows PowerShell 5.1 gives for a script, which error ends it, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from powershell.smallworld import SmallWorld
from ruamel.yaml import YAML

from provision.lab.powershell.runspace import REFUSED, Runspace

CASES = Path(__file__).parent / "cases"


def _cases() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.yaml")):
        for number, case in enumerate(YAML(typ="safe", pure=True).load(file.read_text("utf-8"))):
            found.append(pytest.param(case, id=f"{file.stem}-{number}"))
    return found


def _plain(value: Any) -> Any:
    return (type(value).__name__, value) if isinstance(value, bool | int | float) else value


@pytest.mark.parametrize("case", _cases())
def test_a_script_does_what_windows_powershell_does(case: dict[str, Any]) -> None:
    run = Runspace(SmallWorld(), sleep=lambda _seconds: None).run(case["script"])
    result = run.plain()
    wanted = case.get("fails") or case.get("refuses")
    if wanted is None:
        assert result.failed is None
        assert [_plain(item) for item in result.output] == [_plain(item) for item in case["gives"]]
        assert len(result.errors) == case.get("errors", 0)
        assert run.exit_code == case.get("exit", 0) or case.get("errors")
        return
    assert result.failed is not None, f"it gave {result.output}"
    assert result.failed.script_line == wanted["line"]
    assert wanted["says"].lower() in result.failed.message.lower()
    assert (result.failed.exception_type == REFUSED) == ("refuses" in case)
    assert result.failed.exception_type.endswith(wanted.get("type", ""))
