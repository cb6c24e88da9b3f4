"""Whole readings of machines of each generation, as data: what they printed, and what that means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from balancer_clusters import MASKS, cluster
from printing import frame
from ruamel.yaml import YAML

from provision.hosts.balancer.desired import desired
from provision.hosts.balancer.frames import Frame
from provision.hosts.balancer.reading import parse_reading
from provision.model.codec import decode_resource
from provision.model.resources import File, OurText
from provision.model.state import Key, Scope, State
from provision.planning.diff import diff

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


def load(path):
    return YAML(typ="safe").load(path.read_text())


def meant(case):
    """The cluster that the machine of the case belongs to."""
    one = cluster("sliced", balancer={"address": "127.0.34.1", "source": "127.0.34.1", "root": case["root"]})
    ftp = replace(one.ftp, port=2121, transparent=False, external_address="127.0.34.100")
    moved = [replace(s, address=f"127.0.34.1{i}", ftp_address=f"127.0.34.1{i}", ftp_port=2121) for i, s in enumerate(one.servers)]
    return replace(one, vip="127.0.34.100", ftp=ftp, servers=tuple(moved))


def read(case):
    found = [Frame(name, one["status"], one.get("text", "")) for name, one in case["frames"].items()]
    data = b"".join(frame(one) for one in (*found, Frame("end", 0, "")))
    one = meant(case)
    return parse_reading(data, one, one.balancers[0], MASKS)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_recorded_machine_is_read_as_what_it_is(path):
    case = load(path)
    reading = read(case)
    facts, expected = reading.facts, case["expected"]
    assert [facts.os, list(facts.haproxy.version), facts.haproxy.main, facts.haproxy.conf_d] == expected["facts"]
    assert sorted(one.code for one in reading.findings) == expected["findings"]
    for text, resource in expected["resources"].items():
        kind, _, name = text.partition(" ")
        assert reading.resources[Key("lb1", kind, name)] == decode_resource({"kind": kind, **resource})


@pytest.mark.parametrize("path", [one for one in CASES if "built" in one.stem], ids=lambda path: path.stem)
def test_a_machine_that_was_built_shows_no_difference(path):
    case = load(path)
    reading, one = read(case), meant(case)
    target = State(desired(one, one.balancers[0], reading.facts, one.ownership, MASKS).resources)
    assert diff(Scope.of(target).restrict(State(reading.resources)), target) == ()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_no_recorded_password_reaches_a_resource(path):
    texts = [one.content.text for one in read(load(path)).resources.values() if isinstance(one, File) and isinstance(one.content, OurText)]
    assert not any("canary-7Q" in text for text in texts)
