"""Whole readings of machines of each generation, as data: what they printed, and what that means.

A file of ours is the golden one of its version, with the password in its place.
"""

from __future__ import annotations

import pytest
from balancer_clusters import MASKS, cluster
from printing import BASE, files
from recorded import CASES, answers, framed, load
from test_genuine_answers import check

from provision.hosts.balancer.desired import desired
from provision.hosts.balancer.digest import carried
from provision.hosts.balancer.reading import parse_reading
from provision.model.resources import File, OurText
from provision.model.state import Scope, State
from provision.planning.diff import diff

MACHINES = sorted((CASES / "machines").glob("*.yaml"))
GOLDEN = CASES.parent / "golden"
CLUSTER = cluster("sliced")


def text_of(file):
    """A file's text as it lies on the machine."""
    return MASKS.reveal((GOLDEN / file["golden"]).read_text()).decode() if "golden" in file else file["text"]


def printed(case):
    """The whole answer; `<digest>` in it is that of the golden file."""
    texts = {path: (text_of(file), int(str(file["mode"]), 8), "root:root") for path, file in case["files"].items()}
    digest = next((found for text, _, _ in texts.values() if (found := carried(text))), "")
    found = {**answers(case), **(files(**texts) if texts else {})}
    found["served"] = (found["served"][0], found["served"][1].replace("<digest>", digest))
    return framed(found)


def read(case):
    return parse_reading(printed(case), CLUSTER, CLUSTER.balancers[0], MASKS)


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_a_recorded_machine_is_read_as_what_it_is(path):
    case = load(path)
    reading, expected = read(case), case["expected"]
    for name, wanted in {**expected["facts"], **expected["resources"]}.items():
        check(reading, name, wanted)
    assert sorted(one.code for one in reading.findings) == expected["findings"]


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_a_recorded_machine_answers_everything_that_is_asked(path):
    asked = {name for name in BASE if name not in ("version", "package-files")}
    assert asked <= set(load(path)["frames"])


@pytest.mark.parametrize("path", [one for one in MACHINES if "built" in one.stem], ids=lambda path: path.stem)
def test_a_machine_that_was_built_shows_no_difference(path):
    reading = read(load(path))
    target = State(desired(CLUSTER, CLUSTER.balancers[0], reading.facts, CLUSTER.ownership, MASKS).resources)
    assert diff(Scope.of(target).restrict(State(reading.resources)), target) == ()


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_no_recorded_password_reaches_a_resource(path):
    texts = [one.content.text for one in read(load(path)).resources.values() if isinstance(one, File) and isinstance(one.content, OurText)]
    assert not any("canary-7Q" in text for text in texts)
