"""Each way in which FTP through a cluster can fail, and the likely cause that is told for it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from verify.ftp_servers import PASSWORD, certificate, closed_port, ftp_server, scripted_server
from verify.verify_cases import (
    QUICK,
    VIP,
    Balancing,
    address_of,
    failed,
    make_cluster,
    means,
    running,
    slice_of,
    straight,
    verified,
)

from provision.engine.ftp_causes import cause_of
from provision.engine.ftp_control import FtpFailure
from provision.engine.ftp_stream import Stream
from provision.engine.verify import Check, VerifyReport, verify, verify_server
from provision.errors import ConnectionFailed, NoChannel
from provision.model.secret import Secret

GOOD = slice_of(1)[0]


def named(port: int, address: str = VIP) -> str:
    """The 227 that names an address and a port."""
    return f"227 Entering Passive Mode ({address.replace('.', ',')},{port >> 8},{port & 255})."


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def scripted(stack: ExitStack, **replies: str) -> VerifyReport:
    """Verification of a single server that answers as told, through the VIP and by itself."""
    usual = {"USER": "331 go on", "PASS": "230 in", "PASV": named(GOOD)}
    port = stack.enter_context(scripted_server(address_of(1), {**usual, **replies}))
    cluster = make_cluster([port])
    return verify(cluster, means(Balancing(cluster), limits=replace(QUICK, step=0.3)))


def at(report: VerifyReport, place: str) -> Check:
    """The failure at a place."""
    return next(check for check in report.checks if check.place == place and check.level == "failed")


@pytest.mark.parametrize(
    ("replies", "code", "said"),
    [
        ({"CONNECT": ""}, "P603", "no server that is UP"),
        ({"CONNECT": "hang"}, "P603", "cannot reach a server"),
        ({"CONNECT": "421 Too many users"}, "P603", "no more sessions"),
        ({"PASS": "530 User cannot log in."}, "P606", "wrong user or password"),
        ({"USER": "534 Policy requires SSL."}, "P604", "tls: explicit"),
        ({"USER": "550 SSL/TLS required on the control channel."}, "P604", "tls: explicit"),
        ({"CWD": "550 The system cannot find the file specified."}, "P610", "probe.directory does not exist"),
        ({"PASV": "425 Cannot open data connection."}, "P618", "reserved by Windows"),
        ({"PASV": named(GOOD, "192.168.1.110")}, "P607", "has no external address"),
        ({"PASV": named(51234)}, "P615", "ftpsvc of the server that answered was not restarted"),
        ({"PASV": ""}, "P617", "session broke"),
        ({"PASV": "227 Entering Passive Mode."}, "P617", "rewrites"),
    ],
)
def test_a_wrong_answer_through_the_vip_is_told_with_its_cause(
    replies: dict[str, str], code: str, said: str, stack: ExitStack
) -> None:
    check = at(scripted(stack, **replies), "VIP")
    assert check.code == code
    assert said in check.cause


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("425 Cannot open data connection.", "P609", "leads to another server"),
        ("426 Connection closed; transfer aborted.", "P609", "leads to another server"),
        ("534 Policy requires SSL.", "P604", "tls: explicit"),
        ("hang", "P609", "leads to another server"),
    ],
)
def test_a_listing_that_does_not_come_is_told_with_its_cause(
    answer: str, code: str, said: str, stack: ExitStack
) -> None:
    stack.enter_context(socket.create_server((address_of(1), GOOD)))
    check = at(scripted(stack, LIST=answer), "VIP")
    assert (check.code, check.what.split(":")[0]) == (code, "list")
    assert said in check.cause


def test_a_data_port_that_is_closed_is_told_with_the_place(stack: ExitStack) -> None:
    report = scripted(stack)
    assert at(report, "VIP").code == at(report, "server").code == "P608"
    assert "HAProxy does not listen there, or firewalld" in at(report, "VIP").cause
    assert "Windows Firewall does not admit the balancer" in at(report, "server").cause


def test_a_rejecting_firewall_is_told_from_a_service_that_is_not_there() -> None:
    rejected = cause_of(FtpFailure("connect", "unreachable", "No route to host"), "vip")
    assert rejected.code == "P602"
    assert "firewalld on the balancer rejects" in rejected.text


def test_nobody_listening_at_the_vip_means_haproxy_and_at_a_server_ftpsvc() -> None:
    cluster = make_cluster([closed_port(address_of(1))])
    report = verify(cluster, means(Balancing(cluster)))
    assert "HAProxy does not run" in at(report, "VIP").cause
    assert "ftpsvc does not run" in at(report, "server").cause
    assert not report.ok
    assert "[P602]" in report.cause


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (TimeoutError(), "P602", "Windows Firewall does not admit the balancer"),
        (OSError(errno.EPIPE, "connect failed"), "P602", "or Windows Firewall"),
        (NoChannel("P299", "no channel", host="lb1"), "P620", "AllowTcpForwarding"),
        (ConnectionFailed("P221", "another host key", host="lb1"), "P620", "balancer itself could not be used over SSH"),
    ],
)
def test_a_way_through_the_balancer_that_is_closed_is_told(error: Exception, code: str, said: str) -> None:
    cluster = make_cluster([21])

    def dial(address: str, port: int, seconds: float) -> Stream:
        raise error

    report = verify_server(cluster, cluster.servers[0], means(straight, via={"lb1": dial}))
    assert (failed(report).code, failed(report).via) == (code, "lb1")
    assert said in failed(report).cause


def test_a_server_whose_service_was_not_restarted_is_found_by_its_ports(tmp_path: Path) -> None:
    with ftp_server(address_of(1), tmp_path, range(30000, 30010), VIP) as port:
        check = failed(verified(make_cluster([port])))
    assert check.code == "P615"
    assert "lies outside 20010-20019" in check.cause
    assert "not restarted since its range was set" in check.cause


def test_a_server_without_an_external_address_is_found_by_its_own(tmp_path: Path) -> None:
    with ftp_server(address_of(1), tmp_path, slice_of(1)) as port:
        check = failed(verified(make_cluster([port])))
    assert check.code == "P607"
    assert address_of(1) in check.what


def test_a_server_that_uses_the_slice_of_another_is_found(tmp_path: Path) -> None:
    with (
        ftp_server(address_of(1), tmp_path, slice_of(2), VIP) as first,
        ftp_server(address_of(2), tmp_path, slice_of(2), VIP) as second,
    ):
        report = verified(make_cluster([first, second], directory=None))
    check = at(report, "server")
    assert (check.code, check.server) == ("P611", "win1")
    assert "belongs to the slice of win2" in check.cause


def test_a_slice_that_leads_to_another_server_is_found(tmp_path: Path) -> None:
    with running(tmp_path, directory=None) as cluster:
        crossed = dict.fromkeys(slice_of(2), "win1")
        report = verify(cluster, means(Balancing(cluster, owner_of=crossed)))
    assert at(report, "VIP").server == "win2"
    assert at(report, "VIP").code in ("P608", "P609")


def test_a_wrong_password_is_told_at_each_place(tmp_path: Path) -> None:
    with running(tmp_path, 1) as cluster:
        report = verified(cluster, password=Secret("canary-77"))
    assert {check.code for check in report.checks if check.level == "failed"} == {"P606"}
    assert "canary" not in repr(report)


def test_a_site_that_requires_tls_is_told_to_a_plain_probe(tmp_path: Path) -> None:
    with running(tmp_path, 1, of_server={"tls": certificate(tmp_path), "tls_control_required": True}) as cluster:
        assert failed(verified(cluster)).code == "P604"


def test_a_site_without_tls_is_told_to_a_tls_probe(tmp_path: Path) -> None:
    with running(tmp_path, 1, tls="explicit") as cluster:
        check = failed(verified(cluster))
    assert check.code == "P605"
    assert "no certificate" in check.cause


def test_a_directory_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    with running(tmp_path, 1, of_server={"perm": "elr"}) as cluster:
        check = failed(verified(cluster))
    assert check.code == "P619"
    assert "may not write" in check.cause


def test_a_file_that_may_not_be_deleted_is_a_warning_that_names_it(tmp_path: Path) -> None:
    with running(tmp_path, 1, of_server={"perm": "elrw"}) as cluster:
        report = verified(cluster)
    assert "provision-verify-t1.bin is left there" in report.checks[0].what
    warned = [check.code for check in report.checks if check.level == "warn"]
    assert warned
    assert set(warned) == {"P616"}
    assert report.ok


def test_a_file_that_comes_back_different_is_found(tmp_path: Path) -> None:
    class Filtered:
        """A data connection behind a filter that turns every zero byte."""

        def __init__(self, inner: Stream) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def recv(self, count: int, /) -> bytes:
            return self.inner.recv(count).replace(b"\0", b"\1")

    def dial(address: str, port: int, seconds: float) -> Stream:
        return Filtered(straight(address, port, seconds))

    with running(tmp_path, 1) as cluster:
        report = verify_server(cluster, cluster.servers[0], means(straight, via={"lb1": dial}))
    assert failed(report).code == "P612"
    assert list((tmp_path / "home").iterdir()) == []


def test_the_report_names_the_first_failure_in_one_sentence(tmp_path: Path) -> None:
    with running(tmp_path, 1) as cluster:
        report = verified(cluster, password=Secret(PASSWORD + "x"))
    assert report.cause.startswith("VIP: login: 530")
    assert report.cause.endswith("[P606]")


def test_a_vip_where_nobody_listens_is_told_once_and_not_for_each_slice(stack: ExitStack, tmp_path: Path) -> None:
    cluster = stack.enter_context(running(tmp_path))

    def refused(address: str, port: int, seconds: float) -> Stream:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    report = verify(cluster, means(refused))
    assert [check.code for check in report.checks if check.level == "failed"] == ["P602"]


def test_a_reset_at_the_vip_does_not_blame_the_servers() -> None:
    cause = cause_of(FtpFailure("connect", "closed", "Connection reset by peer"), "vip")
    assert "no balancer holds the VIP" in cause.text
    assert "ftpsvc" not in cause.text


def test_no_cause_at_the_vip_says_for_sure_what_was_not_looked_at(stack: ExitStack) -> None:
    cause = at(scripted(stack, CONNECT=""), "VIP").cause
    assert "or it cannot reach one" in cause
    assert "provision status" in cause
