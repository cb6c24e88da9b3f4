"""What is sent to a Windows server to change it, what it should be, and what its answer means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ftpserver.windows_answers import RULE, SITE, VIP, WIN1, answered, cluster, read, refused, server, site

from provision.errors import ChangeFailed
from provision.hosts.ftp_server.change import ChangeReport, change_call, parse_change
from provision.hosts.ftp_server.desired import desired
from provision.model.change import Change
from provision.model.ports import PortRange, PortSet
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource
from provision.model.state import Key, State
from provision.planning.diff import diff


def change(kind: str, name: str, before: Resource | None, after: Resource | None) -> Change:
    return Change(Key(WIN1, kind, name), before, after)


def order(*changes: Change) -> dict[str, Any]:
    call = change_call(cluster(), server(), changes)
    assert call.script == "Set-FtpServerState.ps1"
    sent = json.loads(call.json)
    assert (sent.pop("cluster"), sent.pop("ruleName")) == ("shop", RULE)
    return dict(sent)


PORTS = DataChannelPorts(PortRange(10000, 10009))
OURS = FirewallRule(True, PortSet.parse("21,10000-10009"), ("10.0.0.2",))
RUNS, STALE, STOPPED = (
    FtpService("Automatic", True, True),
    FtpService("Automatic", True, False),
    FtpService("Manual", False, False),
)


def test_a_new_range_is_set_and_the_service_restarted_in_the_same_call() -> None:
    sent = order(change("data-channel-ports", "server", None, PORTS))
    assert sent == {"dataChannelPorts": {"set": {"low": 10000, "high": 10009}}, "service": {"restart": True}}


def test_an_absent_range_is_made_absent_again_and_not_zero() -> None:
    assert order(change("data-channel-ports", "server", PORTS, None))["dataChannelPorts"] == {"set": None}


def test_the_range_zero_to_zero_is_put_back_as_such() -> None:
    sent = order(change("data-channel-ports", "server", PORTS, DataChannelPorts(PortRange(0, 0))))
    assert sent["dataChannelPorts"] == {"set": {"low": 0, "high": 0}}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (ExternalAddress(VIP), VIP),
        (ExternalAddress(""), None),
        (ExternalAddress(VIP, inherited=True), None),
        (None, None),
    ],
)
def test_a_site_says_its_address_itself_only_where_it_does_not_inherit(
    after: Resource | None, said: str | None
) -> None:
    sent = order(change("external-address", SITE, ExternalAddress("10.9.9.9"), after))
    assert sent == {"externalAddresses": [{"site": SITE, "set": said}], "service": {"restart": True}}


def test_a_firewall_rule_needs_no_restart() -> None:
    rule = {
        "ports": ["21", "10000-10009"],
        "remoteAddresses": ["10.0.0.2"],
        "service": "ftpsvc",
        "enabled": True,
    }
    assert order(change("firewall-rule", RULE, None, OURS)) == {"firewallRule": {"set": rule}}


def test_our_rule_is_removed_where_there_was_none() -> None:
    assert order(change("firewall-rule", RULE, OURS, None)) == {"firewallRule": {"set": None}}


@pytest.mark.parametrize(
    ("before", "after", "service"),
    [
        (STALE, RUNS, {"startType": "Automatic", "running": True, "restart": True}),
        (STOPPED, RUNS, {"startType": "Automatic", "running": True}),
        (RUNS, STOPPED, {"startType": "Manual", "running": False}),
        (STALE, FtpService("Disabled", True, True), {"startType": "Disabled"}),
        (FtpService("Manual", True, True), RUNS, {"startType": "Automatic", "running": True}),
    ],
)
def test_the_service_restarts_only_when_it_runs_something_old(before: Resource, after: Resource, service: Any) -> None:
    assert order(change("ftp-service", "ftpsvc", before, after)) == {"service": service}


def test_a_service_that_is_to_stop_is_not_restarted_for_a_range() -> None:
    sent = order(change("data-channel-ports", "server", PORTS, None), change("ftp-service", "ftpsvc", RUNS, STOPPED))
    assert sent["service"] == {"startType": "Manual", "running": False}


def test_a_change_of_another_host_is_refused() -> None:
    with pytest.raises(ValueError, match="not on win1"):
        change_call(cluster(), server(), [Change(Key("win2", "data-channel-ports", "server"), None, PORTS)])


def test_what_is_desired_is_the_slice_the_address_the_rule_and_a_service_that_runs_it() -> None:
    assert desired(cluster(), server(), read().facts, ["10.0.0.3", "10.0.0.2"]) == {
        Key(WIN1, "data-channel-ports", "server"): PORTS,
        Key(WIN1, "external-address", SITE): ExternalAddress(VIP),
        Key(WIN1, "firewall-rule", RULE): FirewallRule(True, OURS.ports, ("10.0.0.2", "10.0.0.3")),
        Key(WIN1, "ftp-service", "ftpsvc"): RUNS,
    }


def test_a_server_on_which_all_is_well_is_as_desired() -> None:
    reading = read()
    wanted = State(desired(cluster(), server(), reading.facts, ["10.0.0.2"]))
    assert diff(State(reading.resources), wanted) == ()


@pytest.mark.parametrize(("inherited", "stays"), [(VIP, True), ("10.9.9.9", False)])
def test_the_right_address_in_the_site_defaults_is_left_there(inherited: str, stays: bool) -> None:
    facts = read(sites=[site(externalAddress={"state": "inherited", "value": inherited})]).facts
    wanted = desired(cluster(), server(), facts, ["10.0.0.2"])
    assert wanted[Key(WIN1, "external-address", SITE)] == ExternalAddress(VIP, inherited=stays)


def test_a_rule_without_sources_is_never_made() -> None:
    with pytest.raises(ValueError, match="addresses"):
        desired(cluster(), server(), read().facts, [])


def test_the_answer_to_a_change_tells_what_was_done() -> None:
    text = answered({"changed": ["dataChannelPorts"], "commits": 1, "restarted": True})
    assert parse_change(text, server()) == ChangeReport(("dataChannelPorts",), 1, restarted=True)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (refused("CommitConflict"), "P406", "Close IIS Manager"),
        (
            refused("ServiceFailed", "did not start", ["event 10: range in use", "event 11"]),
            "P407",
            "event 10",
        ),
        (refused("NoSuchSite", "no Shop", {"sites": ["One", "Two"]}), "P402", "One, Two"),
        (refused("FtpFeatureMissing", "no ftpsvc"), "P401", "Install-WindowsFeature -Name Web-Ftp-Server"),
        (answered({"changed": [], "commits": 0}), "P410", "by hand"),
    ],
)
def test_a_change_that_failed_says_why_and_what_to_do(text: str, code: str, said: str) -> None:
    with pytest.raises(ChangeFailed) as caught:
        parse_change(text, server())
    assert caught.value.code == code
    assert caught.value.host == WIN1
    assert said in caught.value.next
