"""The recorded cases themselves: where each is from, and that none of our questions and steps is without one."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from recorded import CASES, CERTAINTY, load

SCRIPTS = files("provision.hosts.balancer")
PATHS = sorted(CASES.rglob("*.yaml"))


def every(*folders):
    """All cases of some folders."""
    found = [load(path) for path in PATHS if path.parent.name in folders]
    return [case for one in found for case in (one if isinstance(one, list) else [one])]


def questions(script):
    """The names of the frames that a script prints, each up to what comes from a variable."""
    lines = [line for line in (SCRIPTS / script).read_text().splitlines() if not line.lstrip().startswith("#")]
    return {name for line in lines for name in re.findall(r'(?:^|\s)(?:fw_)?item "?([a-z][a-z0-9.:-]*)', line)}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.stem}/{path.stem}")
def test_every_case_says_where_its_text_is_from_and_how_sure_that_is(path):
    found = load(path)
    for case in found if isinstance(found, list) else [found]:
        assert case["source"].strip() and case["sure"] in CERTAINTY, case


@pytest.mark.parametrize(("script", "folders"), [("read.sh", ("answers", "asked", "machines")), ("live.sh", ("live",))])
def test_every_question_has_a_recorded_answer(script, folders):
    cases = every(*folders)
    answered = {name for case in cases for name in (*case.get("frames", {}), *(f"file:{path}" for path in case.get("files", {})))}
    answered |= {"stat", "sha256"} if any(case.get("files") for case in cases) else set()
    asked = questions(script)
    assert len(asked) > 5
    assert sorted(one for one in asked if not any(name == one or name.startswith(one) and one.endswith(":") for name in answered)) == []


def test_every_step_has_a_recorded_answer():
    taken = {"stage" if isinstance(step, dict) else step[0] for case in every("commands") for step in case["steps"]}
    assert taken == set(re.findall(r"^do_(?!steps)([a-z]+)\(\)", (SCRIPTS / "change.sh").read_text(), re.MULTILINE))


@pytest.mark.parametrize("shape", ["el7", "el8", "el9", "el10"])
def test_every_generation_is_asked_and_changed(shape):
    assert shape in {case["shape"] for case in every("commands")}
    assert {f"{shape}-found", f"{shape}-built"} <= {path.stem for path in PATHS}
