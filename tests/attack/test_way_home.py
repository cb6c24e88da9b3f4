"""Going back after a failure asks for no more than what was found, and for all of it."""

from provision.model.ports import PortSet
from provision.model.resources import File, FirewallPorts, ForeignContent, Service
from provision.model.state import Key, State
from provision.planning.diff import diff
from provision.planning.order import way_home

STALE = Service(enabled=True, running=True, current=False)
FRESH = Service(enabled=True, running=True, current=True)
CFG, SERVICE = Key("lb1", "file", "/etc/haproxy/haproxy.cfg"), Key("lb1", "service", "haproxy")
FIREWALL = Key("lb1", "firewall", "public")


def file(name):
    return File(ForeignContent(name * 64), 0o640, "root:root")


def found(**more):
    return State({CFG: file("a"), SERVICE: STALE, **more})


def test_a_service_that_was_found_stale_and_still_is_is_let_alone():
    assert diff(found(), way_home(found(), found())) == ()


def test_what_else_was_changed_goes_back_without_touching_the_stale_service():
    opened = State({**found().resources, FIREWALL: FirewallPorts(PortSet.of(21), PortSet.of(21))})
    assert [one.key for one in diff(opened, way_home(opened, found()))] == [FIREWALL]


def test_a_stale_service_whose_file_goes_back_is_loaded_anew():
    live = State({CFG: file("b"), SERVICE: FRESH})
    assert [one.key for one in diff(live, way_home(live, found()))] == [CFG]


def test_a_file_that_goes_back_leaves_no_stale_service():
    live = State({CFG: file("b"), SERVICE: STALE})
    assert way_home(live, found())[SERVICE] == FRESH
