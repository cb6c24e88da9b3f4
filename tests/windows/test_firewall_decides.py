"""Windows Firewall's verdict on a connection: precedence, profiles, policies, intervals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provision.lab.windows.firewall import admits, built_in_profiles, built_in_rules
from provision.lab.windows.state import FirewallProfile, FirewallRule, Service, WindowsState

RULE = FirewallRule("own", "own", local_ports=("21", "10000-10020"), remote_addresses=("10.0.0.1", "10.1.0.0/16"),
                    service="ftpsvc")
STATE = WindowsState("WIN1", "10.0.0.11", profiles=built_in_profiles(), rules=(RULE,),
                     services={"mpssvc": Service("MpsSvc", "Windows Firewall", status="Running")})


def verdict(state: WindowsState, remote: str = "10.0.0.1", port: int = 21, service: str = "ftpsvc") -> bool:
    return admits(state, remote, port, service)


@pytest.mark.parametrize(("remote", "port", "admitted"), [
    ("10.0.0.1", 21, True), ("10.0.0.1", 10000, True), ("10.0.0.1", 10020, True), ("10.0.0.1", 10021, False),
    ("10.0.0.1", 22, False), ("10.0.0.2", 21, False), ("10.1.255.255", 21, True), ("10.2.0.0", 21, False)])
def test_ports_and_addresses_are_intervals(remote: str, port: int, admitted: bool) -> None:
    assert verdict(STATE, remote, port) is admitted


@pytest.mark.parametrize("change", [
    {"enabled": False}, {"direction": "Outbound"}, {"protocol": "UDP"}, {"service": "w3svc"}, {"profiles": ("Public",)}])
def test_a_rule_that_does_not_speak_of_the_connection_admits_nothing(change: dict[str, object]) -> None:
    assert not verdict(replace(STATE, rules=(replace(RULE, **change),)))  # type: ignore[arg-type]  # fields by name


def test_a_block_rule_beats_an_allow_rule_in_any_order() -> None:
    block = replace(RULE, name="block", action="Block", local_ports=("Any",))
    assert not verdict(replace(STATE, rules=(RULE, block)))
    assert not verdict(replace(STATE, rules=(block, RULE)))


@pytest.mark.parametrize("profile", [FirewallProfile("Private", enabled=False),
                                     FirewallProfile("Private", inbound="Allow")])
def test_a_profile_that_is_off_or_allows_by_default_admits_all(profile: FirewallProfile) -> None:
    assert verdict(replace(STATE, rules=(), profiles=(profile,)))


def test_a_stopped_firewall_service_filters_nothing() -> None:
    assert verdict(replace(STATE, rules=(), services={"mpssvc": Service("MpsSvc", "Windows Firewall")}))


def test_group_policy_can_leave_out_the_machines_own_rules() -> None:
    strict = replace(STATE, profiles=(FirewallProfile("Private", allow_local_rules=False),))
    assert not verdict(strict)
    assert verdict(replace(strict, rules=(replace(RULE, store="GroupPolicy"),)))


@pytest.mark.parametrize(("stock", "admitted"), [(True, True), (False, False)])
def test_the_stock_passive_rule_opens_high_ports_to_everybody(stock: bool, admitted: bool) -> None:
    state = replace(STATE, rules=built_in_rules(passive_open=stock))
    assert verdict(state, "192.0.2.1", 2121) is admitted
    assert verdict(state, "192.0.2.1", 21)
    assert not verdict(state, "192.0.2.1", 2121, service="w3svc")
