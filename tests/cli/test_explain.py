"""The table of codes: complete, used, printable."""

import json
import re
from pathlib import Path

import pytest
from cli.cliworld import say

import provision
from provision.explain import table

SOURCE = Path(provision.__file__).parent


def codes_in_source():
    code = re.compile(r"[\"'](P\d{3})[\"']")
    files = [one for one in SOURCE.rglob("*.py") if "lab" not in one.parts] + list((SOURCE / "lab").rglob("*.py"))
    return {found for one in files for found in code.findall(one.read_text(encoding="utf-8"))}


def test_every_code_that_is_raised_is_explained():
    assert codes_in_source() - set(table()) == set()


def test_every_code_that_is_explained_is_raised():
    assert set(table()) - codes_in_source() == set()


@pytest.mark.parametrize("code", sorted(table()))
def test_an_explanation_says_something_in_each_part(code):
    one = table()[code]
    assert all(len(part.split()) >= 2 for part in (one.title, one.meaning, one.fix)), one


def test_a_code_is_explained_whatever_its_case():
    said = say("explain", "p704")
    assert said.code == 0
    assert said.out.startswith("P704  Another run is changing this cluster\n")


def test_all_codes_are_listed_without_an_argument():
    assert [one["code"] for one in json.loads(say("explain", "--json").out)["codes"]] == sorted(table())


def test_an_unknown_code_is_64():
    assert (said := say("explain", "P000")).code == 64
    assert "P905" in said.err


def test_titles_have_one_style():
    named = ("--limit", "firewalld", "haproxy", "matchClient", "probe.directory", "rsyslog", "sudo", "transparent")
    small = [one.title for one in table().values() if one.title[0].islower() and not one.title.startswith(named)]
    assert small == []
    assert [one.title for one in table().values() if one.title.endswith(".")] == []
