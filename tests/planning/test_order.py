"""In which order ports change hands, and what a plan says of sessions."""

from hypothesis import given
from hypothesis import strategies as st

from provision.model.change import Change
from provision.model.ports import PortRange, PortSet
from provision.model.resources import (
    DataChannelPorts,
    ExternalAddress,
    File,
    FirewallPorts,
    FtpService,
    OurText,
    Service,
)
from provision.model.state import Key, State
from provision.planning.order import accepting, port_stages
from provision.planning.plan import Effect, Plan, Step, effects
from provision.planning.safety import consequences

NAMES = ("win1", "win2", "win3", "win4")


def cut(low, size, names):
    return {name: PortSet.of(PortRange(low + i * size, low + (i + 1) * size - 1)) for i, name in enumerate(names)}


slicings = st.builds(cut, st.integers(2000, 2040), st.integers(1, 20), st.permutations(NAMES))


@given(slicings, slicings)
def test_in_every_stage_a_port_leads_to_one_server(old, new):
    for stage in port_stages(old, new, exclusive=True):
        owned = list(stage.ownership.values())
        assert sum(map(len, owned)) == len(PortSet.of(*owned))


@given(slicings, slicings)
def test_a_server_that_moves_is_carried_on_its_old_and_its_new_ports(old, new):
    waiting = set(new)
    for stage in port_stages(old, new, exclusive=True):
        for name in waiting:
            assert old[name] - stage.torn <= stage.ownership[name]
            assert not stage.torn & stage.ownership[name] - new[name]
        for name in stage.movers:
            assert new[name] <= stage.ownership[name]
        waiting -= set(stage.movers)
    assert not waiting


@given(slicings, slicings)
def test_every_server_moves_exactly_once(old, new):
    movers = [name for stage in port_stages(old, new, exclusive=True) for name in stage.movers]
    assert sorted(movers) == sorted(new)


@given(st.integers(2000, 2040), st.integers(1, 20), st.integers(2000, 2040), st.integers(1, 20))
def test_slices_that_keep_their_order_are_never_torn(low, size, other_low, other_size):
    stages = port_stages(cut(low, size, NAMES), cut(other_low, other_size, NAMES), exclusive=True)
    assert not any(stage.torn for stage in stages)


def test_slices_in_a_ring_are_torn_and_it_is_said():
    old, new = cut(2000, 5, ("win1", "win2")), cut(2000, 5, ("win2", "win1"))
    stages = port_stages(old, new, exclusive=True)
    assert PortSet.of(*(stage.torn for stage in stages))
    said = consequences(Plan((), (), 0, ""), {}, stages[0].torn)
    assert "before theirs has moved" in said[0].text


def test_the_first_run_has_one_stage():
    new = cut(2000, 5, ("win1", "win2"))
    (stage,) = port_stages({}, new, exclusive=True)
    assert stage.ownership == new
    assert stage.movers == ("win1", "win2")


def test_in_the_shared_layout_all_carry_old_and_new_at_once():
    old = {"win1": PortSet.parse("2000-2009"), "win2": PortSet.parse("2000-2009")}
    new = {"win1": PortSet.parse("3000-3009"), "win2": PortSet.parse("3000-3009")}
    (stage,) = port_stages(old, new, exclusive=False)
    assert stage.ownership["win1"] == PortSet.parse("2000-2009,3000-3009")


def test_accepting_closes_nothing_and_opens_everything():
    key, gone = Key("lb1", "firewall", "public"), Key("lb1", "firewall", "dmz")
    live = State({key: FirewallPorts(PortSet.of(1), PortSet.of(1)), gone: FirewallPorts(PortSet.of(5), PortSet())})
    desired = State({key: FirewallPorts(PortSet.of(2), PortSet.of(2))})
    both = accepting(live, desired)
    assert both[key] == FirewallPorts(PortSet.of(1, 2), PortSet.of(1, 2))
    assert both[gone] == live[gone]


RANGE = Change(Key("win1", "data-channel-ports", "server"), None, DataChannelPorts(PortRange(2000, 2009)))
ADDRESS = Change(Key("win1", "external-address", "ftp"), None, ExternalAddress("10.0.0.1"))
CFG = Change(Key("lb1", "file", "/etc/haproxy/haproxy.cfg"), None, File(OurText("x"), 0o640, "root:root"))
RUNS = Service(enabled=True, running=True, current=True)


def test_a_new_range_restarts_the_ftp_service():
    assert effects([RANGE, ADDRESS]) == (Effect.RESTARTS_FTPSVC,)


def test_a_new_configuration_reloads_haproxy_and_with_the_service_it_starts():
    assert effects([CFG]) == (Effect.RELOADS_HAPROXY,)
    start = Change(Key("lb1", "service", "haproxy"), None, RUNS)
    assert effects([CFG, start]) == (Effect.STARTS_HAPROXY,)


def test_a_service_that_runs_something_old_is_reloaded_or_restarted():
    stale = Service(enabled=True, running=True, current=False)
    assert effects([Change(Key("lb1", "service", "haproxy"), stale, RUNS)]) == (Effect.RELOADS_HAPROXY,)
    old, new = FtpService("Automatic", True, False), FtpService("Automatic", True, True)
    assert effects([Change(Key("win1", "ftp-service", "ftpsvc"), old, new)]) == (Effect.RESTARTS_FTPSVC,)


def test_enabling_a_running_service_has_no_effect_on_sessions():
    off = Service(enabled=False, running=True, current=True)
    assert effects([Change(Key("lb1", "service", "haproxy"), off, RUNS)]) == ()


def test_the_plan_says_what_breaks():
    moved = Change(RANGE.key, DataChannelPorts(PortRange(1990, 2004)), RANGE.after)
    plan = Plan((Step("win1", (moved, ADDRESS)),), (), 0, "")
    texts = [one.text for one in consequences(plan, {"win1": 3}, PortSet())]
    assert "restarts ftpsvc: drops 3 sessions" in texts
    assert any("directly" in text for text in texts)
    assert any("moves from 1990-2004 to 2000-2009" in text for text in texts)
