"""What a Windows server's answer means as resources and facts, and what it is when it is no answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ftpserver.windows_answers import (
    AFTER,
    BEFORE,
    RULE,
    SITE,
    VIP,
    WIN1,
    answered,
    cluster,
    data,
    own_rule,
    printed,
    read,
    refused,
    server,
    service,
    site,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.errors import ReadFailed
from provision.hosts.ftp_server.reading import parse_reading, read_call
from provision.model.ports import PortRange, PortSet
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource
from provision.model.state import Key

PORTS_KEY = Key(WIN1, "data-channel-ports", "server")
ADDRESS_KEY = Key(WIN1, "external-address", SITE)
RULE_KEY = Key(WIN1, "firewall-rule", RULE)
SERVICE_KEY = Key(WIN1, "ftp-service", "ftpsvc")

ranges = st.tuples(st.integers(1025, 65535), st.integers(1025, 65535)).map(lambda p: PortRange(min(p), max(p)))
port_ranges = st.just(PortRange(0, 0)) | ranges
addresses = st.ip_addresses(v=4).map(str)
external = st.builds(ExternalAddress, addresses, st.booleans())
rules = st.builds(
    FirewallRule,
    st.booleans(),
    st.lists(ranges, min_size=1).map(lambda r: PortSet.of(*r)),
    st.lists(addresses, min_size=1).map(tuple),
)
start_types = st.sampled_from(["Automatic", "Manual", "Disabled"])
services = st.builds(FtpService, start_types, st.booleans(), st.booleans())


@st.composite
def windows_resources(draw: st.DrawFn) -> dict[Key, Resource]:
    held: dict[Key, Resource] = {SERVICE_KEY: draw(services)}
    if draw(st.booleans()):
        held[PORTS_KEY] = DataChannelPorts(draw(port_ranges))
    if draw(st.booleans()):
        held[RULE_KEY] = draw(rules)
    for name in (SITE, "Second"):
        if draw(st.booleans()):
            held[Key(WIN1, "external-address", name)] = draw(external)
    return held


@settings(max_examples=150, deadline=None)
@given(windows_resources())
def test_what_a_server_prints_is_read_as_what_it_is(resources: dict[Key, Resource]) -> None:
    one = server(sites=None)
    assert parse_reading(printed(resources), cluster(servers=(one,)), one).resources == resources


def test_the_question_names_sites_rule_address_and_the_slice_of_the_server() -> None:
    call = read_call(cluster(), server())
    assert call.script == "Get-FtpServerState.ps1"
    assert json.loads(call.json) == {
        "cluster": "shop",
        "ruleName": RULE,
        "sites": [SITE],
        "ftpAddress": "10.0.0.11",
        "ftpPort": 21,
        "passivePorts": {"low": 10000, "high": 10009},
    }


def test_a_fresh_server_has_neither_range_nor_address_nor_rule() -> None:
    fresh = {"state": "absent", "value": ""}
    reading = read(
        dataChannelPorts={"state": "absent", "low": 0, "high": 0},
        sites=[site(externalAddress=fresh)],
        firewallRule={"present": False},
        rangeMarker=None,
    )
    assert set(reading.resources) == {SERVICE_KEY}


def test_the_range_zero_to_zero_is_a_value_and_not_absent() -> None:
    reading = read(dataChannelPorts={"state": "explicit", "low": 0, "high": 0})
    assert reading.resources[PORTS_KEY] == DataChannelPorts(PortRange(0, 0))


def test_half_a_range_cannot_be_read_and_the_message_says_what_iis_holds() -> None:
    with pytest.raises(ReadFailed, match="10000-0") as caught:
        read(dataChannelPorts={"state": "explicit", "low": 10000, "high": 0})
    assert caught.value.code == "P412"


def test_an_empty_address_of_its_own_is_absent_unless_it_hides_one_of_the_site_defaults() -> None:
    empty = [site(externalAddress={"state": "explicit", "value": ""})]
    assert ADDRESS_KEY not in read(sites=empty).resources
    defaults = {"externalAddress": {"state": "explicit", "value": "10.9.9.9"}}
    assert read(sites=empty, siteDefaults=defaults).resources[ADDRESS_KEY] == ExternalAddress("")


def test_an_address_from_the_site_defaults_is_known_as_inherited() -> None:
    reading = read(sites=[site(externalAddress={"state": "inherited", "value": VIP})])
    assert reading.resources[ADDRESS_KEY] == ExternalAddress(VIP, inherited=True)


@pytest.mark.parametrize(
    "change",
    [
        {"direction": "Outbound"},
        {"action": "Block"},
        {"protocol": "UDP"},
        {"service": "Any"},
        {"profiles": "Domain"},
    ],
)
def test_our_rule_turned_into_something_else_counts_as_not_enabled(change: dict[str, str]) -> None:
    reading = read(firewallRule=own_rule(**change))
    rule = reading.resources[RULE_KEY]
    assert isinstance(rule, FirewallRule)
    assert not rule.enabled
    assert "P440" in {one.code for one in reading.findings}


def test_a_mask_that_says_one_host_is_no_difference() -> None:
    reading = read(firewallRule=own_rule(remoteAddresses=["10.0.0.2/255.255.255.255"]))
    assert reading.resources[RULE_KEY] == FirewallRule(True, PortSet.parse("21,10000-10009"), ("10.0.0.2",))


def test_a_rule_for_any_port_is_read_as_all_ports() -> None:
    rule = read(firewallRule=own_rule(localPorts=["Any"])).resources[RULE_KEY]
    assert isinstance(rule, FirewallRule)
    assert rule.ports == PortSet.parse("0-65535")


@pytest.mark.parametrize(
    ("marker", "written", "current"),
    [
        ({"low": 10000, "high": 10009, "changedAt": BEFORE}, AFTER, True),
        ({"low": 10000, "high": 10009, "changedAt": AFTER}, BEFORE, False),
        ({"low": 9000, "high": 9009, "changedAt": BEFORE}, AFTER, False),
        ({"low": 9000, "high": 9009, "changedAt": AFTER}, BEFORE, True),
        (None, BEFORE, True),
        (None, AFTER, False),
    ],
    ids=[
        "started after our change, other edits since do not count",
        "not restarted after our change",
        "changed by hand after our change, not restarted",
        "changed by hand, restarted",
        "never ours, nothing edited since the start",
        "never ours, edited since the start",
    ],
)
def test_running_is_not_yet_running_what_is_configured(marker: Any, written: str, current: bool) -> None:
    reading = read(rangeMarker=marker, configChangedAt=written)
    assert reading.resources[SERVICE_KEY] == FtpService("Automatic", True, current)


def test_a_stopped_service_is_never_current() -> None:
    assert read(service=service("Manual", None)).resources[SERVICE_KEY] == FtpService("Manual", False, False)


def test_without_names_the_sites_on_the_ftp_address_are_ours_and_others_are_left_alone() -> None:
    one = server(sites=None)
    sites = [
        site("any", managed=False),
        site("own", managed=False, bindings=["10.0.0.11:21:ftp.example.com"]),
        site("port", managed=False, bindings=["*:2121:"]),
        site("address", managed=False, bindings=["10.9.9.9:21:"]),
    ]
    reading = read(cluster(servers=(one,)), one, sites=sites)
    assert reading.facts.managed_sites == ("any", "own")
    assert reading.facts.other_sites == ("port", "address")


def test_facts_tell_the_machine_and_its_sessions() -> None:
    facts = read(sessions=7).facts
    assert (facts.computer_name, facts.sessions, facts.windows) == (
        "WIN1",
        7,
        "Microsoft Windows Server 2016 Standard (10.0.14393)",
    )


def failure(text: str, **changes: Any) -> ReadFailed:
    with pytest.raises(ReadFailed) as caught:
        parse_reading(text, cluster(), replace(server(), **changes))
    return caught.value


def test_a_server_without_the_ftp_service_is_told_how_to_install_it() -> None:
    feature = {"installed": False, "installCommand": "Install-WindowsFeature -Name Web-Ftp-Server"}
    error = failure(answered({"host": data()["host"], "feature": feature}))
    assert (error.code, error.host) == ("P401", WIN1)
    assert "Install-WindowsFeature -Name Web-Ftp-Server" in error.next


def test_a_site_that_is_not_there_is_named_with_those_that_are() -> None:
    error = failure(answered(data(missingSites=["Shop"], sites=[site("One"), site("Two")])))
    assert error.code == "P402"
    assert "Shop" in error.why
    assert error.next == "FTP sites there: One, Two"


def test_a_server_on_which_no_site_is_meant_says_where_its_sites_are_bound() -> None:
    error = failure(answered(data(sites=[site("Far", managed=False, bindings=["*:2121:"])])), sites=None)
    assert error.code == "P411"
    assert "Far on *:2121:" in error.why


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("NotElevated", "P403"),
        ("Not64Bit", "P404"),
        ("NotWindowsPowerShell51", "P405"),
        ("CommitConflict", "P406"),
        ("BadInput", "P408"),
        ("Unexpected", "P409"),
        ("SomethingNew", "P409"),
    ],
)
def test_every_error_of_a_script_is_one_of_ours_with_its_message_and_a_fix(code: str, ours: str) -> None:
    error = failure(refused(code, "access to X denied"))
    assert error.code == ours
    assert error.next
    assert "access to X denied" in str(error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with ''"),
        ("<html>proxy</html>", "<html>proxy"),
        ('{"format":2,"ok":true,"data":{}}', "format"),
        ('{"format":1,"ok":false}', "neither ok"),
        ('{"format":1,"ok":true}', "'null'"),
        (answered({**data(), "surprise": 1}), "surprise"),
        (answered({name: value for name, value in data().items() if name != "sessions"}), "sessions"),
        (answered(data(sessions="3")), "sessions"),
        (answered(data(statefulFtp=0)), "statefulFtp"),
        (answered(data(sites=[{**site(), "id": True}])), "sites.0.id"),
        (answered(data(firewallRule={"present": True})), "firewallRule"),
        (answered(data(sites=[site(state="Fine")])), "sites.0.state"),
    ],
)
def test_an_answer_of_another_shape_is_refused_with_the_place(text: str, said: str) -> None:
    error = failure(text)
    assert error.code in ("P410", "P409")
    assert said in error.why


def test_a_byte_order_mark_and_blank_lines_around_the_answer_do_no_harm() -> None:
    whole = cluster()
    assert parse_reading("\ufeff" + answered(data()) + "\r\n", whole, whole.servers[0]).resources
