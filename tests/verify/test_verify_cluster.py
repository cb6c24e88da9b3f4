"""Verification of a whole cluster: which servers it meets, what it says it did, what it leaves behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from verify.ftp_servers import certificate
from verify.verify_cases import QUICK, VIP, Balancing, make_cluster, means, running, straight, verified

from provision.engine.ftp_stream import Stream
from provision.engine.verify import Check, verify, verify_server


def levels(checks: tuple[Check, ...]) -> list[tuple[str, str | None, str]]:
    return [(check.place, check.server, check.level) for check in checks]


def test_every_server_is_met_through_the_vip_and_tried_by_itself(tmp_path: Path) -> None:
    with running(tmp_path, 3) as cluster:
        report = verified(cluster)
    assert report.ok
    assert report.cause == ""
    assert sorted(report.met) == ["win1", "win2", "win3"]
    alone = [check.server for check in report.checks if check.place == "server"]
    assert alone == ["win1", "win2", "win3"]


def test_the_steps_tell_what_was_done(tmp_path: Path) -> None:
    with running(tmp_path, 1) as cluster:
        steps = verified(cluster).checks[0].steps
    assert [step.split()[0] for step in steps] == ["greeting", "login", "directory", "PASV", "LIST", "STOR,"]
    assert f"PASV {VIP}:2001" in steps[3]


def test_nothing_is_left_in_the_directory(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        assert verified(cluster).ok
    assert list((tmp_path / "home").iterdir()) == []


def test_without_a_directory_nothing_is_ever_written(tmp_path: Path) -> None:
    with running(tmp_path, of_server={"perm": "el"}, directory=None) as cluster:
        report = verified(cluster)
    assert report.ok
    assert not any("STOR" in step for check in report.checks for step in check.steps)


def test_over_tls_the_same_is_done(tmp_path: Path) -> None:
    strict = {"tls": certificate(tmp_path), "tls_control_required": True, "tls_data_required": True}
    with running(tmp_path, of_server=strict, tls="explicit") as cluster:
        report = verified(cluster)
    assert report.ok, report.cause
    assert "TLS" in report.checks[0].steps


def test_in_the_shared_layout_haproxys_sessions_name_the_server(tmp_path: Path) -> None:
    with running(tmp_path, layout="shared") as cluster:
        haproxy = Balancing(cluster)
        report = verify(cluster, means(haproxy, serving=haproxy.served.get, direct=(haproxy, haproxy)))
    assert report.ok, report.cause
    assert sorted(report.met) == ["win1", "win2"]


def test_a_server_that_nobody_can_name_is_not_guessed(tmp_path: Path) -> None:
    with running(tmp_path, layout="shared") as cluster:
        report = verify(cluster, means(Balancing(cluster)))
    assert report.ok
    assert report.met == ()
    (note,) = [check for check in report.checks if check.code == "P621"]
    assert note.level == "note"
    assert "cannot be told" in note.what


def test_with_affinity_one_address_meets_one_server_and_that_is_said(tmp_path: Path) -> None:
    with running(tmp_path, affinity="source") as cluster:
        report = verify(cluster, means(Balancing(cluster, sticky=True)))
    assert report.ok
    assert report.met == ("win1",)
    (note,) = [check for check in report.checks if check.code == "P621"]
    assert note.level == "note"
    assert "win2" in note.what
    assert "one client address" in note.cause


def test_the_slice_of_a_server_that_was_not_met_is_still_tried_through_the_vip(tmp_path: Path) -> None:
    with running(tmp_path, affinity="source") as cluster:
        report = verify(cluster, means(Balancing(cluster, sticky=True)))
    assert ("VIP", "win2", "lb1", "ok") in [(c.place, c.server, c.via, c.level) for c in report.checks]


def test_a_second_source_address_meets_the_second_server(tmp_path: Path) -> None:
    with running(tmp_path, affinity="source") as cluster:
        one, two = Balancing(cluster, sticky=True), Balancing(cluster, sticky=True)
        next_server = Balancing(cluster)
        next_server("127.0.32.100", 2100, 1).close()
        report = verify(cluster, means(one, direct=(one, next_server, two)))
    assert sorted(report.met) == ["win1", "win2"]


def test_a_server_that_haproxy_never_chooses_is_a_warning(tmp_path: Path) -> None:
    with running(tmp_path, affinity="none") as cluster:
        report = verify(cluster, means(Balancing(cluster, sticky=True)))
    (warning,) = [check for check in report.checks if check.code == "P621"]
    assert warning.level == "warn"
    assert "8 logins did not meet win2" in warning.what


def test_without_a_probe_only_greetings_are_checked_and_that_is_said(tmp_path: Path) -> None:
    with running(tmp_path, probe=False) as cluster:
        report = verified(cluster, password=None)
    assert report.ok
    assert levels(report.checks) == [
        ("VIP", None, "ok"),
        ("server", "win1", "ok"),
        ("server", "win2", "ok"),
        ("VIP", None, "note"),
    ]
    assert report.checks[-1].code == "P614"
    assert "only the greeting" in report.checks[-1].what


def test_a_probe_without_its_password_is_no_verification() -> None:
    with pytest.raises(ValueError, match="password"):
        verified(make_cluster([21]), password=None)


def test_servers_that_share_their_files_are_told_to(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        report = verified(cluster)
    assert ("files", "win2", "ok") in levels(report.checks)


def test_servers_with_files_of_their_own_are_a_warning_and_nothing_stays(tmp_path: Path) -> None:
    with running(tmp_path, shared_home=False) as cluster:
        report = verified(cluster)
    (warning,) = [check for check in report.checks if check.place == "files"]
    assert (warning.level, warning.code, warning.server) == ("warn", "P613", "win2")
    assert "written through win1 is not there" in warning.what
    assert report.ok
    assert [*(tmp_path / "home1").iterdir(), *(tmp_path / "home2").iterdir()] == []


def test_another_file_of_the_same_name_is_told_from_a_missing_one(tmp_path: Path) -> None:
    with running(tmp_path, shared_home=False) as cluster:
        (tmp_path / "home2" / "provision-verify-t1-copy.bin").write_bytes(b"older")
        report = verified(cluster)
    assert "another content" in next(check.what for check in report.checks if check.place == "files")


def test_a_copy_may_take_its_time_within_limits(tmp_path: Path) -> None:
    name = "provision-verify-t1-copy.bin"

    def replicate(seconds: float) -> None:
        (tmp_path / "home2" / name).write_bytes((tmp_path / "home1" / name).read_bytes())

    with running(tmp_path, shared_home=False) as cluster:
        report = verified(cluster, sleep=replicate, limits=replace(QUICK, copies=5.0))
    assert ("files", "win2", "ok") in levels(report.checks)


def test_one_server_can_be_verified_alone_through_every_balancer(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        both = means(Balancing(cluster), via={"lb1": straight, "lb2": straight})
        report = verify_server(cluster, cluster.servers[1], both)
    assert [(check.server, check.via) for check in report.checks] == [("win2", "lb1"), ("win2", "lb2")]


def test_each_check_is_told_when_it_is_made(tmp_path: Path) -> None:
    told: list[Check] = []
    with running(tmp_path) as cluster:
        report = verified(cluster, say=told.append)
    assert tuple(told) == report.checks


def test_a_service_that_is_just_coming_up_is_waited_for(tmp_path: Path) -> None:
    refusals = [0, 0, 0]
    waited: list[float] = []
    with running(tmp_path, 1) as cluster:
        haproxy = Balancing(cluster)

        def slow_to_rise(address: str, port: int, seconds: float) -> Stream:
            if refusals:
                refusals.pop()
                raise ConnectionRefusedError
            return haproxy(address, port, seconds)

        report = verify(cluster, means(slow_to_rise, sleep=waited.append, limits=replace(QUICK, patience=60.0)))
    assert report.ok
    assert waited == [1.0, 1.0, 1.0]
