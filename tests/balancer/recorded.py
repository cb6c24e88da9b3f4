"""Recorded outputs of the genuine tools, as data: tests/balancer/cases.

Each case says where its text is from (`source`) and how sure that is (`sure`):
seen        somebody published it from a real machine
documented  a manual, or the tool's own source, says that it looks so
inferred    nobody showed it; put together from what is known of the neighbours

Of an output there is only what the case is about.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from printing import frame, printed, unit, units
from ruamel.yaml import YAML

from provision.hosts.balancer.frames import Frame

CASES = Path(__file__).parent / "cases"
CERTAINTY = ("seen", "documented", "inferred")
SERVICES = ("haproxy", "rsyslog", "firewalld")


def load(path):
    return YAML(typ="safe").load(path.read_text())


def cases(folder):
    """Every case of a folder, each as one parameter; its id is the file's name and the case's own words."""
    files = sorted((CASES / folder).glob("*.yaml"))
    return [pytest.param(one, id=f"{path.stem}: {one['case']}") for path in files for one in load(path)]


def answer(value):
    """A frame's status and text: written as the text alone, as `{status, says}`, or as null where it was not asked."""
    if value is None or isinstance(value, str):
        return None if value is None else (0, value)
    return value["status"], value.get("says", "")


def answers(case):
    return {name: answer(value) for name, value in case.get("frames", {}).items()}


def reading(case):
    """What read.sh prints on a plain machine that answers as the case says. `running`: services, with their main pid."""
    running = {name: unit(name, enabled=True, running=True, pid=pid) for name, pid in case.get("running", {}).items()}
    return printed(units(**running), answers(case))


def framed(found):
    """The bytes of a script's answers."""
    known = [Frame(name, *value) for name, value in found.items() if value is not None]
    return b"".join(frame(one) for one in (*known, Frame("end", 0, "")))
