"""What is allowed and still said: each risk with its code and place, nothing for a file without risks."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.definition.advice import advice
from provision.definition.load import parse_cluster
from provision.errors import Problem

SET = {"WINRM_PASSWORD": "x", "STATS_PASSWORD": "x"}
ALWAYS = {"P134", "P136"}
"""How many transfers a server carries is always said; the base's probe logs in without TLS."""


def advise(text: str, environ: dict[str, str] | None = None, *, there: bool = True) -> tuple[Problem, ...]:
    cluster = parse_cluster(text, Path("demo.yml"))
    return advice(cluster, environ=SET if environ is None else environ, exists=lambda _path: there)


@pytest.fixture
def calm(base: str) -> str:
    """The base with its slices pinned."""
    text = base.replace("  ports_per_server: 50\n", "").replace("ftp_port: 2121", "passive_ports: 10000-10049")
    return text.replace("address: 10.0.0.12\n", "address: 10.0.0.12\n    passive_ports: 10050-10099\n")


RISKS = [
    ("affinity: source", "passive_layout: shared", "P130", "shared"),
    ("scheme: https", "scheme: http", "P131", "http"),
    ("  scheme: https\n", "", "P131", "winrm"),
    ("scheme: https", "scheme: https\n  port: 5985", "P131", "5985"),
    ("scheme: https", "scheme: https\n  verify: false", "P132", "false"),
    ("scheme: https", "scheme: https\n  auth: kerberos", "P142", "kerberos"),
    ("allow: [10.0.0.0/24]", "allow: any", "P135", "any"),
    ("allow: [10.0.0.0/24]", "admin: true", "P135", "true"),
    ("  allow: [10.0.0.0/24]\n", '  bind: "*"\n', "P135", '"*"'),
    ("firewall_zone: public", "selinux: permissive", "P137", "permissive"),
    ("firewall_zone: public", "selinux: permissive-domain", "P137", "permissive-domain"),
    ("session_timeout: 4h", "session_timeout: 5m", "P138", "5m"),
    ("session_timeout: 4h", "session_timeout: 4h\n  check: {interval: 5m}", "P138", "check"),
    ("session_timeout: 4h", "session_timeout: 4h\n  transfer_timeout: 5h", "P138", "5h"),
    ("session_timeout: 4h", "session_timeout: 4h\n  transparent: true", "P141", "true"),
    ("session_timeout: 4h", "session_timeout: 4h\n  splice: true", "P143", "true"),
    ("10050-10099", "10050-10089", "P140", "10000-10099"),
]


@pytest.mark.parametrize(("old", "new", "code", "at"), RISKS, ids=[f"{one[2]} {one[1].strip()}" for one in RISKS])
def test_a_risk_is_named_at_its_place(old: str, new: str, code: str, at: str, calm: str) -> None:
    text = calm.replace(old, new)
    if "shared" in new:
        text = "\n".join(one for one in text.split("\n") if not one.startswith("    passive_ports"))
    found = [one for one in advise(text) if one.code == code]
    assert len(found) == 1
    line = text.split("\n")[found[0].line - 1]
    assert line[found[0].column - 1 :][: found[0].length] == at


def test_a_calm_file_gets_only_what_is_always_said(calm: str) -> None:
    assert {one.code for one in advise(calm)} == ALWAYS


def test_how_many_transfers_a_server_carries_is_said(calm: str) -> None:
    assert next(one for one in advise(calm) if one.code == "P134").message == "each server carries at most 50 transfers at once"
    uneven = calm.replace("10050-10099", "10050-10059")
    assert "at most 10 to 50 transfers" in next(one for one in advise(uneven) if one.code == "P134").message


def test_slices_cut_by_position_are_listed_ready_to_be_pinned(base: str) -> None:
    found = next(one for one in advise(base) if one.code == "P133")
    assert found.allowed.endswith("ftp1 10000-10049, ftp2 10050-10099")


def test_a_single_server_has_nothing_to_pin(base: str) -> None:
    alone = base.replace("  - name: ftp2\n    address: 10.0.0.12\n", "")
    assert "P133" not in {one.code for one in advise(alone)}


def test_one_servers_own_risk_names_it_and_a_common_one_is_said_once(calm: str) -> None:
    own = calm.replace("    address: 10.0.0.12\n", "    address: 10.0.0.12\n    winrm: {verify: false}\n")
    assert [one.message for one in advise(own) if one.code == "P132"] == ["ftp2: certificates are not checked"]
    common = calm.replace("scheme: https", "scheme: https\n  verify: false")
    assert [one.message for one in advise(common) if one.code == "P132"] == ["certificates are not checked"]


def test_unset_and_empty_variables_are_named_with_their_line(calm: str) -> None:
    found = [one for one in advise(calm, {"STATS_PASSWORD": ""}) if one.code == "P121"]
    assert [one.message.split()[3:] for one in found] == [["WINRM_PASSWORD", "is", "not", "set"], ["STATS_PASSWORD", "is", "empty"]]
    assert calm.split("\n")[found[0].line - 1] == "  password: env:WINRM_PASSWORD"


def test_files_that_are_not_there_are_named(calm: str) -> None:
    found = [one.message for one in advise(calm, there=False) if one.code == "P139"]
    assert [Path(one.split(" is ")[0]).name for one in found] == ["id", "probe-password"]


def test_advice_contacts_nothing_and_is_in_the_order_of_the_file(base: str, wire: list[str]) -> None:
    found = advise(base.replace("scheme: https", "scheme: http"), {}, there=False)
    assert [(one.line, one.column) for one in found] == sorted((one.line, one.column) for one in found)
    assert wire == []
