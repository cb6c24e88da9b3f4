"""Each single wrong value: its code, its line and column, and nothing is contacted."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from provision.definition.load import parse_cluster
from provision.errors import ClusterFileError, Problem

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "cases" / "values.toml").read_text())["case"]


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ClusterFileError) as caught:
        parse_cluster(text, Path("demo.yml"))
    return caught.value.problems


@pytest.mark.parametrize("case", CASES, ids=[one["why"] for one in CASES])
def test_a_wrong_value_is_refused_with_code_line_and_column(case: dict[str, Any], base: str, wire: list[str]) -> None:
    assert base.count(case["old"]) == 1, "the case must replace one thing"
    text = base.replace(case["old"], case["new"])
    marked = case.get("at") or case["new"].partition(": ")[2].split("\n")[0]
    at = text.find(marked, base.index(case["old"]))
    at = at if at >= 0 else text.rindex(marked)  # what lacks something stands above it
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)

    found = problems_of(text)

    assert {one.code for one in found} == {case["code"], *case.get("also", [])}
    assert (found[0].code, found[0].line, found[0].column) == (case["code"], line, column)
    assert len(found) == 1 + len(case.get("also", []))
    assert found[0].length == len(marked.rstrip("\n")) or case.get("at") or "\n" in marked
    assert wire == []


def test_the_base_of_the_cases_is_itself_valid(base: str) -> None:
    assert parse_cluster(base, Path("demo.yml")).name == "demo"
