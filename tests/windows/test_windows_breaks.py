"""Each break of a Windows host changes the one thing it names."""

from __future__ import annotations

import ftplib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from windows.iishost import ADDRESS, Connect, edit_ftp, edit_range, passive, restart

from provision.lab.windows.breaks import BREAKS
from provision.lab.windows.control import ControlSocket
from provision.lab.windows.faultfile import FaultFile, HostFaults
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.state import FirewallRule


@pytest.fixture
def controlled(host: WindowsHost) -> Iterator[WindowsHost]:
    """A host with a range and an address of its own, and the control socket that its process would open."""
    edit_range(host, 10040, 10041)
    edit_ftp(host, lambda ftp: ftp.child("firewallSupport").write("externalIp4Address", "127.0.46.100"))
    restart(host)
    host.store.change(lambda state: replace(state, rules=(*state.rules, FirewallRule("provision-x", "x"))))
    def service(asked: Mapping[str, Any]) -> dict[str, object]:
        actions: Mapping[str, Callable[[str], object]] = {
            "stop": host.services.stop, "start": host.services.start, "restart": lambda _name: restart(host)}
        actions[asked["action"]](asked["name"])
        return {}

    control = ControlSocket(host.directory, {"service": service, "reload": lambda _asked: {}})
    control.start()
    yield host
    control.close()


def do(host: WindowsHost, name: str) -> str:
    return BREAKS[name].apply(host.directory)


def test_an_external_address_changed_by_hand_is_in_force(controlled: WindowsHost, connect: Connect) -> None:
    assert "10.0.0.9" in do(controlled, "external-address")
    assert passive(connect())[0] == "10.0.0.9"


def test_a_removed_external_address_makes_the_server_answer_its_own(
    controlled: WindowsHost, connect: Connect
) -> None:
    do(controlled, "external-address-removed")
    assert passive(connect())[0] == ADDRESS


def test_a_range_without_restart_is_on_disk_and_not_in_force(controlled: WindowsHost, connect: Connect) -> None:
    do(controlled, "range-without-restart")
    assert 'lowDataChannelPort="40000"' in controlled.config_path.read_text()
    assert passive(connect())[1] in (10040, 10041)


def test_a_forgotten_restart_makes_the_marker_younger_than_the_service(controlled: WindowsHost) -> None:
    with pytest.raises(LookupError):
        do(controlled, "restart-forgotten")
    key = "HKLM:\\SOFTWARE\\provision\\lab"
    controlled.store.change(lambda state: replace(state, registry={key: {"Low": 1, "ChangedAt": "2020"}}))
    do(controlled, "restart-forgotten")
    changed = datetime.fromisoformat(str(controlled.state.registry[key]["ChangedAt"]))
    assert changed.timestamp() + 0.001 > (controlled.state.services["ftpsvc"].started_at or 0)
    assert controlled.state.registry[key]["Low"] == 1


@pytest.mark.parametrize(("name", "start_type"), [("service-stopped", "Automatic"), ("service-disabled", "Disabled")])
def test_a_stopped_service_is_stopped(controlled: WindowsHost, name: str, start_type: str) -> None:
    do(controlled, name)
    service = controlled.state.services["ftpsvc"]
    assert (service.status, service.start_type) == ("Stopped", start_type)


@pytest.mark.parametrize(("name", "left"), [
    ("firewall-rule-disabled", [(False, ("Any",))]), ("firewall-rule-narrowed", [(True, ("10.0.0.1",))]),
    ("firewall-rule-removed", [])])
def test_a_break_of_our_rule_touches_no_other(
    controlled: WindowsHost, name: str, left: list[tuple[bool, tuple[str, ...]]]
) -> None:
    others = [rule for rule in controlled.state.rules if rule.name != "provision-x"]
    do(controlled, name)
    ours = [rule for rule in controlled.state.rules if rule.name == "provision-x"]
    assert [(rule.enabled, rule.remote_addresses) for rule in ours] == left
    assert [rule for rule in controlled.state.rules if rule.name != "provision-x"] == others


def test_a_rule_that_is_not_there_cannot_be_broken(host: WindowsHost) -> None:
    with pytest.raises(LookupError, match="no rule of provision"):
        do(host, "firewall-rule-disabled")


@pytest.mark.parametrize(("name", "faults"), [("winrm-closed", HostFaults(closed=True)),
                                              ("winrm-slow", HostFaults(latency_seconds=20.0))])
def test_faults_of_winrm_are_set_and_mended(controlled: WindowsHost, name: str, faults: HostFaults) -> None:
    file = FaultFile(controlled.directory)
    do(controlled, name)
    assert file.read() == faults
    mend = BREAKS[name].mend
    assert mend
    mend(controlled.directory)
    assert file.read() == HostFaults()


def test_a_changed_password_comes_back_with_the_mend_even_when_broken_twice(controlled: WindowsHost) -> None:
    before = controlled.passwords()
    do(controlled, "wrong-password")
    do(controlled, "wrong-password")
    assert controlled.passwords()["labadmin"] != before["labadmin"]
    mend = BREAKS["wrong-password"].mend
    assert mend
    mend(controlled.directory)
    assert controlled.passwords() == before


def test_a_host_that_does_not_run_cannot_be_told(host: WindowsHost, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        do(host, "service-stopped")


def mend(host: WindowsHost, name: str) -> None:
    act = BREAKS[name].mend
    assert act
    act(host.directory)


def test_ssl_required_refuses_plain_logins_until_it_is_mended(controlled: WindowsHost, connect: Connect) -> None:
    do(controlled, "ssl-required")
    with pytest.raises(ftplib.error_perm, match="534"):
        connect()
    mend(controlled, "ssl-required")
    assert connect().voidcmd("NOOP")


def test_other_content_is_shown_until_it_is_mended(controlled: WindowsHost, connect: Connect) -> None:
    connect().mkd("folder")
    connect().storbinary("STOR file", io.BytesIO(b"ours"))
    do(controlled, "content-differs")
    assert connect().nlst() == ["folder"]
    mend(controlled, "content-differs")
    assert sorted(connect().nlst()) == ["file", "folder"]


def test_reserved_ports_give_425_until_they_are_released(controlled: WindowsHost, connect: Connect) -> None:
    do(controlled, "ports-reserved")
    ftp = connect()
    with pytest.raises(ftplib.error_temp, match="425"):
        ftp.sendcmd("PASV")
    mend(controlled, "ports-reserved")
    assert passive(ftp)[1] in (10040, 10041)


def test_a_policy_that_ignores_local_rules_closes_the_server(controlled: WindowsHost, connect: Connect) -> None:
    do(controlled, "local-rules-ignored")
    with pytest.raises((EOFError, OSError)):
        connect()
    mend(controlled, "local-rules-ignored")
    assert connect().voidcmd("NOOP")


def test_a_removed_feature_takes_the_service_along_and_comes_back_with_it(
    controlled: WindowsHost, connect: Connect
) -> None:
    do(controlled, "ftp-feature-removed")
    assert controlled.state.service("ftpsvc") is None
    assert not controlled.state.has_ftp
    mend(controlled, "ftp-feature-removed")
    assert passive(connect())[0] == "127.0.46.100"
