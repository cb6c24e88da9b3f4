"""Get-FtpServerState.ps1 as shipped, on a modelled Windows: every state it can tell apart, and what stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from powershell.labserver import EVERYTHING, GET, SET, SITE, RacedWorld, Server

from provision.lab.windows.state import ExcludedPorts, FirewallProfile, FirewallRule, WindowsState


def change(server: Server, **changes: object) -> None:
    server.host.store.change(lambda state: replace(state, **changes))


def add_rule(server: Server, rule: FirewallRule) -> None:
    server.host.store.change(lambda state: replace(state, rules=(*state.rules, rule)))


def external(server: Server) -> dict[str, str]:
    (site,) = server.get()["sites"]
    return site["externalAddress"]


def test_a_fresh_server_has_neither_range_nor_address(server: Server) -> None:
    data = server.get()
    assert data["dataChannelPorts"] == {"state": "absent", "low": 0, "high": 0}
    assert data["siteDefaults"]["externalAddress"] == {"state": "absent", "value": ""}
    assert data["sites"][0]["externalAddress"] == {"state": "absent", "value": ""}
    assert data["rangeMarker"] is None


def test_an_address_of_the_site_is_explicit(server: Server) -> None:
    server.set(externalAddresses=[{"site": SITE, "set": "10.9.8.7"}])
    assert external(server) == {"state": "explicit", "value": "10.9.8.7"}


@pytest.mark.parametrize("says", [True, False], ids=["says inherited", "says own"])
def test_an_address_of_the_site_defaults_is_inherited_whatever_servermanager_says(server: Server, says: bool) -> None:
    change(server, inherited_counts_as_default=says)
    server.site_defaults("10.1.1.1")
    data = server.get()
    assert data["siteDefaults"]["externalAddress"] == {"state": "explicit", "value": "10.1.1.1"}
    assert data["sites"][0]["externalAddress"] == {"state": "inherited", "value": "10.1.1.1"}


@pytest.mark.parametrize("says", [True, False], ids=["says inherited", "says own"])
def test_the_same_address_on_the_site_itself_is_explicit(server: Server, says: bool) -> None:
    change(server, inherited_counts_as_default=says)
    server.site_defaults("10.1.1.1")
    server.set(externalAddresses=[{"site": SITE, "set": "10.1.1.1"}])
    assert external(server) == {"state": "explicit", "value": "10.1.1.1"}


def test_a_range_that_is_stored_is_explicit(server: Server) -> None:
    server.set(dataChannelPorts={"set": {"low": 5000, "high": 6000}})
    assert server.get()["dataChannelPorts"] == {"state": "explicit", "low": 5000, "high": 6000}


def test_reading_writes_nothing(server: Server) -> None:
    before = server.config, server.host.state
    server.get()
    assert (server.config, server.host.state) == before


def test_sites_that_are_not_here_are_named(server: Server) -> None:
    data = server.get(sites=["Nowhere", SITE])
    assert data["missingSites"] == ["Nowhere"]
    assert [site["managed"] for site in data["sites"]] == [True]


def test_a_site_that_was_not_asked_for_is_shown_and_not_managed(server: Server) -> None:
    data = server.get(sites=[])
    assert [(site["name"], site["managed"]) for site in data["sites"]] == [(SITE, False)]


def test_a_list_of_one_stays_a_list(server: Server) -> None:
    data = server.get()
    assert data["sites"][0]["bindings"] == ["*:2121:"]
    assert data["firewallOpen"][0]["localPorts"] == ["1024-65535"]


def test_the_built_in_rule_that_opens_everything_is_found(server: Server) -> None:
    assert [rule["name"] for rule in server.get()["firewallOpen"]] == ["IIS-WebServerRole-FTP-Passive-In-TCP"]


@pytest.mark.parametrize(("rule", "found"), [
    (FirewallRule("r", "R", local_ports=("10029-10100",)), True),
    (FirewallRule("r", "R", local_ports=("10030-10100",)), False),
    (FirewallRule("r", "R", local_ports=("80", "2121")), True),
    (FirewallRule("r", "R", local_ports=("RPC",)), False),
    (FirewallRule("r", "R", protocol="UDP", local_ports=("2121",)), False),
    (FirewallRule("r", "R", enabled=False, local_ports=("2121",)), False),
    (FirewallRule("r", "R", direction="Outbound", local_ports=("2121",)), False),
    (FirewallRule("r", "R", service="w3svc", local_ports=("2121",)), False),
    (FirewallRule("r", "R", program="C:\\other.exe", local_ports=("2121",)), False),
    (FirewallRule("r", "R", protocol="Any"), True),
])
def test_a_rule_counts_when_it_touches_our_ports_for_ftpsvc(server: Server, rule: FirewallRule, found: bool) -> None:
    add_rule(server, rule)
    assert ("r" in [each["name"] for each in server.get()["firewallOpen"]]) == found


def test_a_rule_that_blocks_our_ports_is_told_apart(server: Server) -> None:
    add_rule(server, FirewallRule("no", "No", action="Block", local_ports=("10005",)))
    assert [rule["name"] for rule in server.get()["firewallBlocked"]] == ["no"]


def test_our_own_rule_is_read_with_all_it_says(server: Server) -> None:
    server.set(**EVERYTHING)
    assert server.get()["firewallRule"] == {
        "present": True, "enabled": True, "direction": "Inbound", "action": "Allow", "protocol": "TCP",
        "localPorts": ["2121", "10000-10029"], "remoteAddresses": ["127.0.61.1"], "service": "ftpsvc",
        "profiles": "Any"}


def test_a_policy_that_ignores_local_rules_is_seen(server: Server) -> None:
    change(server, profiles=(FirewallProfile("Domain", allow_local_rules=False), FirewallProfile("Private"),
                             FirewallProfile("Public", enabled=False)))
    assert server.get()["firewallProfiles"] == [
        {"name": "Domain", "enabled": True, "allowLocalRules": False},
        {"name": "Private", "enabled": True, "allowLocalRules": True},
        {"name": "Public", "enabled": False, "allowLocalRules": True}]


def test_reserved_ports_and_foreign_listeners_inside_the_range_are_found(server: Server) -> None:
    change(server, excluded_ports=(ExcludedPorts(10020, 10040), ExcludedPorts(50000, 50059)),
           listeners=((10001, 900), (10001, 900), (2200, 901)))
    data = server.get()
    assert data["reservedPorts"] == ["10020-10040"]
    assert data["listeners"] == [{"port": 10001, "processId": 900}]
    assert data["dynamicPorts"] == "49152-65535"


def test_a_stopped_service_has_no_start_and_its_sites_do_not_tell_their_sessions(server: Server) -> None:
    server.set(service={"running": False})
    data = server.get()
    assert (data["service"]["status"], data["service"]["startedAt"], data["service"]["processId"]) == ("Stopped", None, 0)
    assert data["sessions"] == -1


def test_stateful_ftp_is_read(server: Server) -> None:
    change(server, stateful_ftp=True)
    assert server.get()["statefulFtp"] is True


def test_a_missing_ftp_feature_ends_the_reading_with_the_command(server: Server) -> None:
    server.host.store.change(without_ftp)
    data = server.get()
    assert data["feature"] == {"installed": False,
                               "installCommand": "Install-WindowsFeature -Name Web-Ftp-Server -IncludeManagementTools"}
    assert set(data) == {"host", "feature"}


def without_ftp(state: WindowsState) -> WindowsState:
    left = {name: service for name, service in state.services.items() if name != "ftpsvc"}
    return replace(state, features=("Web-Server",), services=left)


@pytest.mark.parametrize("script", [GET, SET], ids=["Get", "Set"])
@pytest.mark.parametrize(("facts", "code"), [
    ({"is_64bit": False}, "Not64Bit"), ({"ps_version": "7.4.1"}, "NotWindowsPowerShell51"),
    ({"ps_version": "4.0"}, "NotWindowsPowerShell51"), ({"elevated": False}, "NotElevated"),
], ids=["32 bit", "PowerShell 7", "PowerShell 4", "not elevated"])
def test_the_wrong_surroundings_stop_both_scripts(server: Server, script: str, facts: dict[str, object],
                                                  code: str) -> None:
    change(server, **facts)
    assert server.refused(script)["code"] == code


@pytest.mark.parametrize("document", [
    {"cluster": "a\\b"}, {"cluster": ""}, {"ruleName": "x*"}, {"sites": "FTP"}, {"ftpPort": "21"},
    {"passivePorts": {"low": 1}}, {"passivePorts": None}, {"cluster": "a\n"},
])
def test_a_question_that_does_not_fit_is_bad_input(server: Server, document: dict[str, object]) -> None:
    assert server.refused(GET, **document)["code"] == "BadInput"


def test_a_site_name_with_any_characters_comes_back_whole(server: Server) -> None:
    server.edit_config('name="Default FTP Site"', 'name="&lt;b&gt; &quot;\u00fc\U0001f600\' $x"')
    (site,) = server.get()["sites"]
    assert site["name"] == "<b> \"\u00fc\U0001f600' $x"


def test_the_answer_is_one_ascii_line(server: Server) -> None:
    server.edit_config('name="Default FTP Site"', 'name="\u00fc\u2028\U0001f600"')
    (text,) = server.run(GET, {"cluster": "lab", "ruleName": "r", "sites": [], "ftpAddress": "x", "ftpPort": 21,
                               "passivePorts": {"low": 1, "high": 2}}).output
    assert str(text).isascii()
    assert "\n" not in str(text)


def test_a_file_that_says_otherwise_than_servermanager_is_an_error_not_an_answer(server: Server) -> None:
    script = GET.replace("$expected = $Node.GetAttribute('externalIp4Address')", "$expected = 'forged'")
    assert script != GET
    server.set(externalAddresses=[{"site": SITE, "set": "10.9.8.7"}])
    error = server.refused(script, cluster="lab", ruleName="r", sites=[], ftpAddress="x", ftpPort=21, passivePorts={"low": 1, "high": 2})
    assert (error["code"], error["data"]) == ("Unexpected", ["10.9.8.7", "forged"])


@pytest.mark.parametrize("times", [1, 2])
def test_a_reading_that_somebody_wrote_into_is_taken_again(server: Server, times: int) -> None:
    server.set(externalAddresses=[{"site": SITE, "set": "10.9.8.7"}])
    data = server.get(world=RacedWorld(server, times))
    assert data["sites"][0]["externalAddress"] == {"state": "explicit", "value": "10.0.0.0"}


def test_a_file_that_never_rests_is_an_error(server: Server) -> None:
    server.set(externalAddresses=[{"site": SITE, "set": "10.9.8.7"}])
    assert server.refused(GET, RacedWorld(server, 9))["code"] == "Unexpected"


@pytest.mark.parametrize(("own", "state"), [(None, "inherited"), ("10.2.2.2", "explicit")])
def test_with_shared_configuration_servermanager_is_believed(server: Server, own: str | None, state: str) -> None:
    server.site_defaults("10.1.1.1")
    server.set(externalAddresses=[{"site": SITE, "set": own}])
    file = server.host.config_path.with_name("redirection.config")
    file.write_text(file.read_text().replace("<configurationRedirection />", '<configurationRedirection enabled="true" />'))
    data = server.get()
    assert data["sharedConfig"] is True
    assert data["sites"][0]["externalAddress"] == {"state": state, "value": own or "10.1.1.1"}
