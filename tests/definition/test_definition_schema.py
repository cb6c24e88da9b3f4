"""The JSON Schema: complete, valid for what is shipped, and strict about what the loader refuses."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from provision.definition.json_schema import json_schema
from provision.definition.load import parse_cluster

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = tomllib.loads((HERE / "cases" / "values.toml").read_text())["case"]
SINGLE_VALUE_CODES = ("P105", "P108", "P109", "P110", "P115", "P116")
BEYOND_A_SCHEMA = {
    "a port with a point",  # to JSON Schema 8404.0 is an integer
    "a port with an underscore",  # spellings of numbers: YAML readers have made numbers of them
    "an octal port",
    "a port with a leading zero",
    "a hexadecimal port",
    "no, which YAML 1.1 takes for false, as a name",
    "a command with an open quote",
    "a time longer than HAProxy can count",
    "a probe directory that leads elsewhere",
    "a control character in a site name",
    "a hidden direction mark in a site name",
}


def example() -> str:
    """The commented example of the documentation."""
    return re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "cluster-file.md").read_text(encoding="utf-8"), re.DOTALL)[0]


def errors(text: str) -> list[str]:
    return [one.message for one in Draft202012Validator(json_schema()).iter_errors(YAML(typ="safe", pure=True).load(text))]


def objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "", schema
    yield from schema["$defs"].items()


def test_the_schema_is_itself_valid() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", sorted((ROOT / "clusters").glob("*.yml")), ids=lambda path: path.stem)
def test_the_shipped_clusters_fit_the_schema(path: Path) -> None:
    assert errors(path.read_text(encoding="utf-8")) == []


def test_the_commented_example_fits_the_schema_and_is_valid() -> None:
    assert errors(example()) == []
    assert parse_cluster(example(), Path("example.yml")).name == "example"


def test_every_key_has_a_description_and_no_mapping_takes_others() -> None:
    for name, one in objects(json_schema()):
        assert one["additionalProperties"] is False, name
        assert [key for key, value in one["properties"].items() if not value.get("description")] == []


def test_no_key_may_be_null() -> None:
    assert "null" not in str(json_schema()).replace("None", "null")


def test_every_key_of_the_schema_stands_in_the_example() -> None:
    known = {key for _, one in objects(json_schema()) for key in one["properties"]}
    assert known - set(re.findall(r"(\w+):", example())) == set()


@pytest.mark.parametrize("case", [one for one in CASES if one["code"] in SINGLE_VALUE_CODES], ids=lambda one: one["why"])
def test_editors_are_warned_of_wrong_single_values(case: dict[str, Any], base: str) -> None:
    try:
        found = errors(base.replace(case["old"], case["new"]))
    except YAMLError:
        return  # an editor marks what is not YAML
    assert found != [] or case["why"] in BEYOND_A_SCHEMA


def test_bounds_and_defaults_are_in_the_schema() -> None:
    ftp = json_schema()["$defs"]["FtpShape"]["properties"]
    assert (ftp["port"]["minimum"], ftp["port"]["maximum"], ftp["port"]["default"]) == (1, 65535, 21)
    assert (ftp["session_timeout"]["default"], ftp["passive_layout"]["enum"]) == ("4h", ["sliced", "shared"])
    assert ftp["table"]["default"] == {"size": "100k"}
