"""The main road on the lab: drift, cluster, drift, cluster again, break and mend, roll back. In this order."""

import json

import pytest

MENDED = [
    ("external-address", "win", "external-address"),
    ("range-without-restart", "win", "data-channel-ports"),
    ("service-stopped", "win", "ftp-service"),
    ("firewall-rule-disabled", "win", "firewall-rule"),
    ("haproxy-edited", "lb1", "file"),
    ("port-closed-runtime", "lb1", "firewall"),
    ("port-closed-permanent", "lb1", "firewall"),
    ("selinux-boolean-off", "lb1", "selinux-boolean"),
    ("selinux-permissive", "lb1", "selinux-mode"),
    ("selinux-permissive-at-boot", "lb1", "selinux-mode"),
]
UNREADABLE = ["winrm-closed", "wrong-password", "host-key-changed"]


def different(report):
    return [(one["host"], one["kind"]) for one in report["differences"]]


def test_1_before_the_first_run_everything_differs(lab):
    report = lab.json("drift", code=2)
    assert {"lb1", "win1", "win2"} == {host for host, _ in different(report)}


def test_2_without_a_terminal_and_without_yes_nothing_happens(lab):
    assert "--yes" in lab.on_cluster("cluster", code=64).stderr
    lab.json("drift", code=2)


def test_3_cluster_builds_it_and_drift_is_quiet(built):
    assert different(built.json("drift", code=0)) == []


def lives(lab):
    """Which FTP service processes there are, and what HAProxy's unit logged so far: both grow with every restart."""
    folder = lab.folder.resolve()
    services = [json.loads((folder / name / "windows.json").read_text())["services"] for name in ("win1", "win2")]
    return [one["ftpsvc"]["process_id"] for one in services], (folder / "lb1" / "host.log").read_text().count("haproxy.service")


def test_4_a_second_run_changes_restarts_and_reloads_nothing(built):
    before = lives(built)
    assert built.json("cluster", "--yes", code=0)["outcome"] == "unchanged"
    assert lives(built) == before
    built.break_it("service-stopped")
    built.on_cluster("cluster", "--yes", code=0)
    assert lives(built)[0] != before[0]


@pytest.mark.parametrize(("name", "host", "kind"), MENDED)
def test_5_what_is_broken_by_hand_is_found_and_mended(built, name, host, kind):
    built.break_it(name)
    found = different(built.json("drift", code=2))
    assert any(where.startswith(host) and what == kind for where, what in found), found
    built.on_cluster("cluster", "--yes", code=0)
    assert different(built.json("drift", code=0)) == []


@pytest.mark.parametrize("name", UNREADABLE)
def test_6_a_host_that_cannot_be_read_is_unknown_and_the_others_are_not_delayed(built, name):
    built.break_it(name)
    report = built.json("drift", code=3)
    assert len(report["unread"]) == 1
    assert built.on_cluster("cluster", "--yes").returncode == 1
    built.provision("lab", "mend", name, str(built.file), code=0)
    built.json("drift", code=0)


def test_7_rollback_to_the_beginning_gives_back_absent(built):
    built.on_cluster("rollback", "--to", "0", "--yes", code=0)
    report = built.json("drift", code=2)
    ranges = [one for one in report["differences"] if one["kind"] == "data-channel-ports"]
    assert [one["live"] for one in ranges] == [None, None]
    addresses = [one for one in report["differences"] if one["kind"] == "external-address"]
    assert {one["live"] is None for one in addresses} == {True}
