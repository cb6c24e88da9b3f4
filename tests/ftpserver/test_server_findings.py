"""What is told about a server that stands behind a proxy: each finding from the setting that causes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ftpserver.windows_answers import SITE, balancer, cluster, probe, read, rule, server, service, site

from provision.model.change import Finding
from provision.model.cluster import Cluster
from provision.model.ports import PortRange


def found(code: str, whole: Cluster | None = None, **changes: Any) -> Finding:
    """The one finding of that code."""
    (finding,) = [one for one in read(whole, **changes).findings if one.code == code]
    return finding


def codes(whole: Cluster | None = None, **changes: Any) -> set[str]:
    return {one.code for one in read(whole, **changes).findings}


def test_a_server_on_which_all_is_well_gives_no_finding() -> None:
    assert read().findings == ()


@pytest.mark.parametrize(
    ("code", "level", "changes", "said"),
    [
        ("P420", "warn", {"sites": [site(denyByFailure=True)]}, "lock out all"),
        ("P421", "warn", {"sites": [site(ipSecurityEntries=2)]}, "admit all clients or none"),
        ("P422", "note", {"sites": [site(), site("Other", managed=False)]}, "'Other'"),
        ("P423", "warn", {"sites": [site(matchClientAddressForPasv=False)]}, "take over a data channel"),
        (
            "P425",
            "note",
            {"sites": [site(controlChannelTimeout=120)]},
            "IIS cuts a silent session after 120 s",
        ),
        (
            "P425",
            "warn",
            {"sites": [site(controlChannelTimeout=900)]},
            "balancer cuts a silent session after 300 s",
        ),
        ("P427", "warn", {"firewallOpen": [rule()]}, "restricts nothing"),
        ("P427", "warn", {"firewallOpen": [rule(ports="Any")]}, "restricts nothing"),
        ("P428", "warn", {"firewallBlocked": [rule("Deny FTP")]}, "blocking rules win"),
        (
            "P429",
            "warn",
            {"firewallProfiles": [{"name": "Domain", "enabled": True, "allowLocalRules": False}]},
            "Domain",
        ),
        (
            "P439",
            "warn",
            {"firewallProfiles": [{"name": "Public", "enabled": False, "allowLocalRules": True}]},
            "Public",
        ),
        ("P430", "warn", {"statefulFtp": True}, "breaks FTP over TLS"),
        ("P431", "refuse", {"reservedPorts": ["9990-10003"]}, "reserved 10000-10003"),
        ("P432", "refuse", {"dynamicPorts": "10005-20000"}, "10005-10009 lies in the dynamic"),
        ("P433", "refuse", {"listeners": [{"port": 10004, "processId": 77}]}, "10004 (process 77)"),
        ("P434", "refuse", {"sharedConfig": True}, "no server can have a slice"),
        ("P435", "warn", {"sites": [site(state="Stopped")]}, "stopped FTP site: 'Default FTP Site'"),
        ("P436", "refuse", {"sites": [site(bindings=["10.9.9.9:21:"])]}, "10.9.9.9:21:"),
        (
            "P437",
            "note",
            {"sites": [site(externalAddress={"state": "absent", "value": ""})]},
            "PASV with 10.0.0.100",
        ),
    ],
)
def test_a_setting_that_hurts_behind_a_proxy_is_told(code: str, level: str, changes: dict[str, Any], said: str) -> None:
    finding = found(code, **changes)
    assert (finding.host, finding.level) == ("win1", level)
    assert said in finding.message
    assert finding.fix or level == "note"


def test_only_the_setting_that_is_wrong_is_told() -> None:
    assert codes(sites=[site(denyByFailure=True)]) == {"P420"}


def test_rules_for_some_addresses_or_other_ports_leave_ours_its_meaning() -> None:
    narrow = [rule(remoteAddresses=["10.0.0.0/255.255.255.0"]), rule(ports="21"), rule(ports="RPC")]
    assert "P427" not in codes(firewallOpen=narrow)


def test_the_fix_for_an_open_rule_names_the_rule() -> None:
    assert "Disable-NetFirewallRule -Name 'IIS-Passive'" in found("P427", firewallOpen=[rule("IIS-Passive")]).fix


def test_several_balancers_are_told_of_with_the_address_check_on() -> None:
    assert found("P424", cluster(balancers=(balancer(), balancer("lb2")))).level == "note"


@pytest.mark.parametrize("policy", ["SslRequire", "SslRequireCredentialsOnly"])
def test_a_site_that_requires_tls_does_not_go_with_a_plain_probe(policy: str) -> None:
    strict = site(ssl={"controlChannelPolicy": policy, "dataChannelPolicy": "SslAllow"})
    assert "tls: explicit" in found("P426", cluster(probe=probe()), sites=[strict]).fix
    assert "P426" not in codes(cluster(probe=probe("explicit")), sites=[strict])
    assert "P426" not in codes(cluster(), sites=[strict])


def test_a_site_that_denies_tls_on_data_does_not_go_with_a_tls_probe() -> None:
    plain = site(ssl={"controlChannelPolicy": "SslAllow", "dataChannelPolicy": "SslDeny"})
    assert "P426" in codes(cluster(probe=probe("explicit")), sites=[plain])


def test_ports_that_an_administrator_reserved_can_be_used_in_the_dynamic_range() -> None:
    assert codes(dynamicPorts="10000-20000", reservedPorts=["10000-10009*"]) == set()


def test_a_partly_reserved_slice_in_the_dynamic_range_is_refused_for_the_rest() -> None:
    assert "10005-10009 lies" in found("P432", dynamicPorts="10000-20000", reservedPorts=["10000-10004*"]).message


def test_a_slice_outside_the_dynamic_range_is_fine() -> None:
    assert codes(dynamicPorts="10010-20000") == set()


def test_shared_configuration_is_no_obstacle_to_the_shared_layout() -> None:
    assert found("P434", cluster(layout="shared"), sharedConfig=True).level == "warn"


def test_shared_configuration_is_no_obstacle_to_a_single_server() -> None:
    assert found("P434", cluster(servers=(server(),)), sharedConfig=True).level == "warn"


def test_a_second_site_elsewhere_is_a_warning_only() -> None:
    second = site("Second", managed=True, bindings=["*:2121:"])
    one = server(sites=(SITE, "Second"))
    finding = found("P436", cluster(servers=(one,)), sites=[site(), second])
    assert finding.level == "warn"
    assert "'Second' on *:2121:" in finding.message


def test_sites_that_are_stopped_with_their_service_are_not_told_one_by_one() -> None:
    assert "P435" not in codes(sites=[site(state="Stopped")], service=service("Automatic", None))


def test_the_ports_in_question_are_those_of_the_servers_own_slice() -> None:
    moved = replace(server(), passive_ports=PortRange(10010, 10019))
    findings = read(cluster(), moved, reservedPorts=["10000-10009"], dynamicPorts="10000-10009").findings
    assert {one.code for one in findings} & {"P431", "P432"} == set()
