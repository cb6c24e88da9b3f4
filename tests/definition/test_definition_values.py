"""Each single wrong value: its code, its line and column, and nothing is contacted."""

from __future__ import annotations

import socket
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


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("affinity: source", "afinity: source", "did you mean affinity?"),
        ("affinity: source", "Affinity: source", "did you mean affinity?"),
        ("firewall_zone:", "firewall-zone:", "did you mean firewall_zone?"),
        ("vip_owner: external", "passive_ports: 10000-10099", "did you mean ftp.passive_ports?"),
        ("vip_owner: external", "ftp_port: 21", "did you mean servers[].ftp_port?"),
        ("vip_owner: external", "zzzz: 21", "known here: cluster, vip, vip_owner, ftp, balancers, servers, winrm, stats, probe"),
        ("affinity: source", "affinity: sorce", "source or none; did you mean source?"),
        ("port: 8404", "port: 65536", "1 to 65535"),
        ("size: 100k", "size: 0", "1 to 100000000"),
        ("name: ftp1", "name: 123", 'text: write it in quotes, "123"'),
        ("passive_ports: 10000-10099", "passive_ports: 10000", "LOW-HIGH, as in 10000-10020"),
        ("passive_ports: 10000-10099", "passive_ports: 10099-10000", "LOW-HIGH: 10000-10099"),
        ("allow: [10.0.0.0/24]", "allow: [10.0.0.9/24]", "the network is 10.0.0.0/24"),
    ],
)
def test_a_problem_says_what_is_allowed_or_was_meant(old: str, new: str, hint: str, base: str) -> None:
    assert problems_of(base.replace(old, new, 1))[0].allowed == hint


def test_a_bare_number_of_seconds_is_told_its_unit(base: str) -> None:
    for written, hint in (("300", "a number and a unit: 300s for seconds"), ('"300"', "300s for seconds; ")):
        found = problems_of(base.replace("passive_ports: 10000-10099", f"passive_ports: 10000-10099\n  transfer_timeout: {written}", 1))
        assert any(one.allowed.startswith(hint) for one in found), found


def test_one_site_is_shown_as_a_list_of_one(base: str) -> None:
    text = base.replace("name: ftp1", "name: ftp1\n    sites: Default FTP Site", 1)
    assert "a list: [Default FTP Site]" in [one.allowed for one in problems_of(text)]


@pytest.mark.parametrize("text", ["a:\n    b: 1\n  c: 2\n", "a:\n  - b: x\n   c: y\n", "a: 1\n   b: 2\n"])
def test_a_line_that_is_indented_wrongly_is_told_so(text: str) -> None:
    (problem,) = problems_of(text)
    assert problem.code == "P103"
    assert problem.allowed.startswith("check the indentation")
    assert "<block" not in problem.message


def test_a_repeated_name_says_where_it_stood_first(base: str) -> None:
    found = problems_of(base.replace("name: ftp2", "name: Ftp1"))
    assert found[0].message == 'server name "Ftp1" is used twice (first at line 19)'


def test_a_name_that_may_not_resolve_is_not_looked_up(base: str, wire: list[str]) -> None:
    text = base.replace("address: 10.0.0.1\n", "address: no-such-host.invalid\n")
    assert parse_cluster(text, Path("demo.yml")).balancers[0].address == "no-such-host.invalid"
    assert wire == []


def test_the_watch_over_connections_sees_one(wire: list[str]) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
    assert wire == ["socket.__new__", "socket.bind"]


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ("20-2030", "contains the FTP port 21, the SSH port 22 and the SSH port 2022"),
        ("8000-18000", "contains the statistics port 8404 and holds 10001 ports"),
        ("47000-47010", "contains WinRM's local port 47001"),
        ("1000-1200", "begins at 1000"),
        ("10000-14096", "holds 4097 ports"),
    ],
)
def test_everything_that_is_wrong_with_a_range_is_said(ports: str, message: str, base: str) -> None:
    text = base.replace("10000-10099", ports).replace("  ports_per_server: 50\n", "")
    assert problems_of(text)[0].message == f"passive range {message}"


def test_the_largest_and_the_lowest_range_are_fine(base: str) -> None:
    assert len(parse_cluster(base.replace("10000-10099", "10000-14095"), Path("demo.yml")).ftp.passive_ports) == 4096
    assert parse_cluster(base.replace("10000-10099", "1025-1200"), Path("demo.yml")).ftp.passive_ports.low == 1025
