"""The laws of the one state type, for any states at all."""

import pytest
from hypothesis import given
from planning.strategies import addresses, port_sets, states

from provision.model.change import Change
from provision.model.codec import decode_scope, decode_state, encode_scope, encode_state
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallPorts, FtpService, Package, Service
from provision.model.ports import PortRange, PortSet
from provision.model.state import Key, Scope, State
from provision.planning.diff import Moved, UnreadHosts, diff, fold
from provision.planning.plan import Wave, fingerprint, make_plan


@given(states)
def test_a_state_does_not_differ_from_itself(state):
    assert diff(state, state) == ()


@given(states, states)
def test_folding_the_difference_leads_there(a, b):
    assert fold(a, diff(a, b)) == b


@given(states, states)
def test_after_the_difference_nothing_is_left(a, b):
    assert diff(fold(a, diff(a, b)), b) == ()


@given(states, states)
def test_the_way_back_is_the_inverse(a, b):
    assert set(diff(b, a)) == {change.inverse() for change in diff(a, b)}


@given(states)
def test_what_is_encoded_is_decoded(state):
    assert decode_state(encode_state(state)) == state


@given(states, states)
def test_a_scope_is_encoded_and_decoded(a, b):
    scope = Scope.of(a) | Scope.of(b)
    assert decode_scope(encode_scope(scope)) == scope


@given(states, states)
def test_a_plan_of_any_two_states_leads_there_but_for_kept_packages(a, b):
    plan = make_plan(a, [Wave(("lb1", "lb2", "win1", "win2"), b)])
    reached = fold(a, [change for step in plan.steps for change in step.changes])
    assert diff(reached, b) == plan.kept
    assert all(isinstance(change.before, Package) for change in plan.kept)


@given(states, states, states)
def test_the_net_of_a_plan_with_detours_is_the_difference(a, detour, b):
    everyone = ("lb1", "lb2", "win1", "win2")
    start = a.where(lambda key: key.kind != "package")
    ways = [Wave(everyone, one.where(lambda key: key.kind != "package")) for one in (detour, b)]
    assert set(make_plan(start, ways).net()) == set(diff(start, ways[-1].target))


@given(states)
def test_a_scope_of_a_state_holds_all_of_it(state):
    assert Scope.of(state).restrict(state) == state


@given(states, states)
def test_restricting_twice_is_restricting_once(a, b):
    once = Scope.of(b).restrict(a)
    assert Scope.of(b).restrict(once) == once


@given(port_sets, port_sets)
def test_port_sets_are_sets(a, b):
    assert (a | b) - b == a - b
    assert a & b == b & a
    assert (a - b) | (a & b) == a
    assert PortSet.parse(str(a)) == a


@given(states, states)
def test_equal_fingerprints_mean_equal_states(a, b):
    assert (fingerprint(a) == fingerprint(b)) == (a == b)


# The seven traps, settled in types.


def test_trap_1_unread_is_not_empty():
    unread = State({}, {"lb1": "no answer"})
    with pytest.raises(UnreadHosts):
        diff(unread, State())
    with pytest.raises(KeyError):
        unread.get("lb1", "package", "haproxy")


def test_trap_1_an_unread_host_holds_no_resources():
    with pytest.raises(ValueError, match="unread"):
        State({Key("lb1", "package", "haproxy"): Package()}, {"lb1": "no answer"})


def test_trap_2_ports_of_others_lie_outside_the_scope():
    key = Key("lb1", "firewall", "public")
    ours = State({key: FirewallPorts(PortSet.of(21), PortSet.of(21))})
    live = State({key: FirewallPorts(PortSet.of(21, 22), PortSet.of(22))})
    assert Scope.of(ours).restrict(live)[key] == FirewallPorts(PortSet.of(21), PortSet())


def test_trap_2_a_rollback_removes_what_was_created_since():
    key = Key("win1", "external-address", "Default FTP Site")
    now, past = State({key: ExternalAddress("10.0.0.1")}), State()
    scope = Scope.of(now) | Scope.of(past)
    assert diff(scope.restrict(now), scope.restrict(past)) == (Change(key, ExternalAddress("10.0.0.1"), None),)


def test_trap_3_absent_is_neither_zero_nor_empty():
    key = Key("win1", "data-channel-ports", "server")
    zero = State({key: DataChannelPorts(PortRange(0, 0))})
    assert diff(State(), zero) != ()


@given(addresses)
def test_trap_3_inherited_is_not_explicit(address):
    assert ExternalAddress(address, inherited=True) != ExternalAddress(address)


def test_trap_6_a_service_that_does_not_run_is_never_current():
    assert Service(enabled=True, running=False, current=True) == Service(enabled=True, running=False, current=False)
    assert not FtpService("Automatic", running=False, current=True).current


def test_trap_7_a_change_from_elsewhere_is_refused():
    key = Key("win1", "external-address", "Default FTP Site")
    moved = State({key: ExternalAddress("10.0.0.9")})
    with pytest.raises(Moved):
        fold(moved, [Change(key, ExternalAddress("10.0.0.1"), ExternalAddress("10.0.0.2"))])


def test_an_opening_without_ports_and_a_service_that_is_off_are_absent():
    nothing = {
        Key("lb1", "firewall", "public"): FirewallPorts(PortSet(), PortSet()),
        Key("lb1", "service", "haproxy"): Service(enabled=False, running=False, current=False),
    }
    assert State(nothing) == State()
