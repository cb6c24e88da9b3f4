"""Set-FtpServerState.ps1 as shipped, on a modelled Windows: each change alone, the way back, conflicts, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from powershell.labserver import EVERYTHING, RULE, SET, SITE, MeddledWorld, Server

from provision.lab.windows.state import FirewallRule


def test_everything_is_set_in_one_commit(server: Server) -> None:
    done = server.set(**EVERYTHING)
    assert done == {"changed": ["dataChannelPorts", f"externalAddress:{SITE}", "firewallRule", "restarted"],
                    "commits": 1, "restarted": True}


def test_a_second_time_changes_nothing(server: Server) -> None:
    order = {**EVERYTHING, "service": {"startType": "Automatic", "running": True}}
    server.set(**order)
    before = server.config, server.host.state
    assert server.set(**order) == {"changed": [], "commits": 0, "restarted": False}
    assert (server.config, server.host.state) == before


def test_null_gives_back_absent(server: Server) -> None:
    fresh = server.get()
    server.set(**EVERYTHING)
    server.set(dataChannelPorts={"set": None}, externalAddresses=[{"site": SITE, "set": None}],
               firewallRule={"set": None})
    back = server.get()
    for key in ("dataChannelPorts", "sites", "firewallRule", "siteDefaults"):
        assert back[key] == fresh[key]


def test_a_key_that_is_missing_is_not_touched(server: Server) -> None:
    server.set(**EVERYTHING)
    before = server.get()
    server.set(externalAddresses=[])
    after = server.get()
    for key in ("dataChannelPorts", "sites", "firewallRule", "service", "rangeMarker", "configChangedAt"):
        assert after[key] == before[key]


@pytest.mark.parametrize("says", [True, False], ids=["says inherited", "says own"])
def test_removing_an_address_shows_the_inherited_one(server: Server, says: bool) -> None:
    server.host.store.change(lambda state: replace(state, inherited_counts_as_default=says))
    server.site_defaults("10.1.1.1")
    server.set(externalAddresses=[{"site": SITE, "set": "10.2.2.2"}])
    server.set(externalAddresses=[{"site": SITE, "set": None}])
    assert server.get()["sites"][0]["externalAddress"] == {"state": "inherited", "value": "10.1.1.1"}


def test_removing_what_is_only_inherited_changes_nothing(server: Server) -> None:
    server.site_defaults("10.1.1.1")
    assert server.set(externalAddresses=[{"site": SITE, "set": None}])["commits"] == 0


def test_the_marker_is_written_when_the_range_changes_and_only_then(server: Server) -> None:
    server.set(externalAddresses=[{"site": SITE, "set": "10.2.2.2"}])
    assert server.get()["rangeMarker"] is None
    server.set(dataChannelPorts={"set": {"low": 5000, "high": 5010}})
    first = server.get()["rangeMarker"]
    assert (first["low"], first["high"]) == (5000, 5010)
    server.set(dataChannelPorts={"set": {"low": 5000, "high": 5010}})
    assert server.get()["rangeMarker"] == first


def test_the_marker_of_a_removed_range_says_nought(server: Server) -> None:
    server.set(dataChannelPorts={"set": {"low": 5000, "high": 5010}})
    server.set(dataChannelPorts={"set": None})
    marker = server.get()["rangeMarker"]
    assert (marker["low"], marker["high"]) == (0, 0)


def test_the_marker_is_older_than_the_restart_that_follows(server: Server) -> None:
    server.set(**EVERYTHING)
    data = server.get()
    assert data["rangeMarker"]["changedAt"] <= data["service"]["startedAt"]


def test_clusters_keep_their_markers_apart(server: Server) -> None:
    server.set(dataChannelPorts={"set": {"low": 5000, "high": 5010}})
    assert server.get(cluster="other")["rangeMarker"] is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_commit_that_meets_another_writer_is_tried_again_whole(server: Server, times: int) -> None:
    done = server.set(MeddledWorld(server.host, times), **EVERYTHING)
    assert done["commits"] == 1
    assert server.get()["dataChannelPorts"]["low"] == 10000
    assert server.config.count("somebody else") == times


def test_the_third_conflict_ends_it_and_nothing_is_written(server: Server) -> None:
    error = server.refused(SET, MeddledWorld(server.host, 3), **EVERYTHING)
    assert error["code"] == "CommitConflict"
    data = server.get()
    assert (data["dataChannelPorts"]["state"], data["rangeMarker"], data["firewallRule"]) == (
        "absent", None, {"present": False})


def test_a_wrong_site_stops_before_any_change_and_lists_those_there_are(server: Server) -> None:
    before = server.config, server.host.state
    order: dict[str, Any] = {**EVERYTHING, "externalAddresses": [{"site": SITE, "set": "10.1.1.1"},
                                                                 {"site": "Nowhere", "set": "10.1.1.1"}]}
    error = server.refused(**order)
    assert (error["code"], error["data"]) == ("NoSuchSite", [SITE])
    assert (server.config, server.host.state) == before


def test_a_missing_feature_stops_before_any_change(server: Server) -> None:
    server.host.store.change(lambda state: replace(
        state, features=("Web-Server",), services={key: each for key, each in state.services.items() if key != "ftpsvc"}))
    before = server.config
    error = server.refused(**EVERYTHING)
    assert error["code"] == "FtpFeatureMissing"
    assert "Install-WindowsFeature -Name Web-Ftp-Server" in error["message"]
    assert server.config == before


@pytest.mark.parametrize("edit", [
    {"enabled": False}, {"local_ports": ("2121",)}, {"remote_addresses": ("Any",)}, {"service": "Any"},
    {"action": "Block"}, {"protocol": "UDP"}, {"profiles": ("Domain",)},
], ids=lambda edit: next(iter(edit)))
def test_a_rule_that_was_edited_by_hand_is_put_right(server: Server, edit: dict[str, Any]) -> None:
    server.set(firewallRule={"set": RULE})
    wanted = server.get()["firewallRule"]
    server.host.store.change(lambda state: replace(state, rules=tuple(
        replace(rule, **edit) if rule.name == "provision-lab" else rule for rule in state.rules)))
    assert server.set(firewallRule={"set": RULE})["changed"] == ["firewallRule"]
    assert server.get()["firewallRule"] == wanted


def test_the_order_of_ports_and_the_mask_of_one_address_are_no_difference(server: Server) -> None:
    server.host.store.change(lambda state: replace(state, rules=(*state.rules, FirewallRule(
        "provision-lab", "x", local_ports=("10000-10029", "2121"), remote_addresses=("127.0.61.1/255.255.255.255",),
        service="ftpsvc"))))
    assert server.set(firewallRule={"set": RULE})["changed"] == []


def test_other_rules_are_left_alone(server: Server) -> None:
    before = server.host.state.rules
    server.set(firewallRule={"set": RULE})
    server.set(firewallRule={"set": None})
    assert server.host.state.rules == before


def test_a_stopped_service_is_started_and_its_start_type_set(server: Server) -> None:
    server.set(service={"running": False, "startType": "Manual"})
    assert server.get()["service"]["startType"] == "Manual"
    done = server.set(service={"running": True, "startType": "Automatic"})
    assert done == {"changed": ["startType", "started"], "commits": 0, "restarted": False}


def test_a_stopped_service_is_not_restarted(server: Server) -> None:
    server.set(service={"running": False})
    assert server.set(service={"restart": True}) == {"changed": [], "commits": 0, "restarted": False}


def test_a_service_that_does_not_start_leaves_its_reason_and_its_events(server: Server) -> None:
    server.set(service={"running": False, "startType": "Disabled"})
    error = server.refused(service={"running": True})
    assert error["code"] == "ServiceFailed"
    assert "Failed to start service" in error["message"]
    assert error["message"].endswith("The service is now Stopped.")
    assert error["data"] == []


def test_the_events_of_a_start_that_failed_are_in_the_error(server: Server) -> None:
    server.set(service={"running": False})
    server.edit_config("<sites>", "<sites><broken>")
    error = server.refused(service={"running": True})
    assert error["code"] == "ServiceFailed"
    assert any("Service Control Manager 7023: The Microsoft FTP Service" in line for line in error["data"])


@pytest.mark.parametrize("order", [
    {"dataChannelPorts": {}}, {"dataChannelPorts": {"set": {"low": 6000, "high": 5000}}},
    {"dataChannelPorts": {"set": {"low": 80, "high": 90}}}, {"dataChannelPorts": {"set": {"low": "5000", "high": 1}}},
    {"dataChannelPorts": {"set": {"low": 5000, "high": 70000}}}, {"dataChannelPorts": {"set": {"low": 0, "high": 9000}}},
    {"externalAddresses": [{"site": SITE, "set": "10.0.0.256"}]}, {"externalAddresses": [{"site": SITE, "set": ""}]},
    {"externalAddresses": [{"site": SITE, "set": "10.0.0.1\n"}]}, {"externalAddresses": [{"site": SITE}]},
    {"externalAddresses": {"site": SITE, "set": None}}, {"firewallRule": {"set": {**RULE, "ports": []}}},
    {"firewallRule": {"set": {**RULE, "ports": ["21;22"]}}}, {"firewallRule": {"set": {**RULE, "remoteAddresses": []}}},
    {"firewallRule": {"set": {**RULE, "remoteAddresses": ["10.0.0.1 "]}}},
    {"firewallRule": {"set": {**RULE, "enabled": "yes"}}}, {"service": {"startType": "Boot"}},
    {"service": {"running": False, "restart": True}}, {"service": {"startType": "Disabled", "running": True}},
    {"ruleName": "*"}, {"cluster": "..\\x"}, {"surprise": 1},
])
def test_an_order_that_does_not_fit_is_refused_before_any_change(server: Server, order: dict[str, Any]) -> None:
    before = server.config, server.host.state
    assert server.refused(**order)["code"] == "BadInput"
    assert (server.config, server.host.state) == before
