"""`provision lab ...`: the only place of the product that reaches the embedded lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from provision.cli.desk import Desk, command_line
from provision.errors import UsageError
from provision.lab import orchestra
from provision.lab.demo import Demo, tell
from provision.lab.faults import break_lab, list_breaks, mend_lab
from provision.lab.orchestra import LabStatus
from provision.lab.places import Places
from provision.model.cluster import Cluster
from provision.view.marks import ADD, SAME, UNKNOWN, Lines, columns, line, next_lines, verbatim

DEMO_HOME = "demo-home"
"""The demo keeps its generations inside the lab's folder: they are gone with the lab."""


def up(desk: Desk, cluster: str) -> int:
    """Start what does not run."""
    status = _orchestrate(desk, cluster, orchestra.up)
    return _shown(desk, status, next_lines(command_line("plan", cluster), command_line("lab", "down", cluster)))


def down(desk: Desk, cluster: str) -> int:
    """Stop every host."""
    return _shown(desk, _orchestrate(desk, cluster, orchestra.down), [])


def status(desk: Desk, cluster: str) -> int:
    """What runs; 0 also when nothing does."""
    return _shown(desk, _orchestrate(desk, cluster, orchestra.status), [])


def reset(desk: Desk, cluster: str) -> int:
    """A lab out of the box."""
    return _shown(desk, _orchestrate(desk, cluster, orchestra.reset), next_lines(command_line("plan", cluster)))


def break_(desk: Desk, name: str | None, cluster: str, host: str | None, list_: bool) -> int:
    """Inject a fault, or list them."""
    if list_ or name is None:
        return _faults(desk, wanted=list_)
    found = desk.load(cluster)
    done = break_lab(found, found.file, name, host)
    return desk.finish(
        0, [line(done), *next_lines(command_line("drift", cluster))], lambda: {"fault": name, "done": done}
    )


def mend(desk: Desk, name: str, cluster: str, host: str | None) -> int:
    """Take a fault back."""
    found = desk.load(cluster)
    done = mend_lab(found, found.file, name, host)
    return desk.finish(0, [line(done)], lambda: {"fault": name, "done": done})


def secret(desk: Desk, name: str, cluster: str) -> int:
    """Print a password of the lab: it opens nothing but the lab."""
    password = Places.of(desk.load(cluster).file).password(name)
    return desk.finish(0, [verbatim(password)], lambda: {"secret": password})


def demo(desk: Desk, cluster: str) -> int:
    """Tell the story on a lab out of the box, and take the lab down again; a story that fails leaves it up."""
    found = desk.load(cluster)
    if orchestra.status(found, found.file).is_up:
        desk.door.complain([line(UNKNOWN, "the lab that is up is reset for the demo")])
    orchestra.reset(found, found.file)
    places = Places.of(found.file)
    tell(Demo(found, places.folder / DEMO_HOME, places.password("ftp"), lambda text: _say(desk, text)))
    orchestra.down(found, found.file)
    return desk.finish(0, next_lines(command_line("lab", "up", cluster)), lambda: {"demo": "told"})


def _say(desk: Desk, text: str) -> None:
    shown = [line(one) for one in text.split("\n")]
    (desk.door.talk if desk.common.json else desk.door.result)(shown)


def _orchestrate(desk: Desk, name: str, act: Callable[[Cluster, Path], LabStatus]) -> LabStatus:
    cluster = desk.load(name)
    return act(cluster, cluster.file)


def _shown(desk: Desk, status: LabStatus, rest: Lines) -> int:
    heads = ("host", "kind", "address", "process", "requests")
    rows = [
        (one.name, one.kind, one.address, str(one.pid or "-"), str(one.requests if one.requests is not None else "-"))
        for one in status.hosts
    ]
    state = line(ADD, "the lab is up: ", str(status.folder)) if status.is_up else line(SAME, "the lab is not up")
    hosts = [{**asdict(one), "directory": str(one.directory)} for one in status.hosts]
    document = {"up": status.is_up, "folder": str(status.folder), "hosts": hosts}
    return desk.finish(0, [*columns(heads, rows), state, *(rest if status.is_up else [])], lambda: document)


def _faults(desk: Desk, *, wanted: bool) -> int:
    faults = list_breaks()
    if not wanted:
        raise UsageError("P901", "which fault?", next=command_line("lab", "break", "--list"))
    rows = [(one.name, one.kind, one.mended_by, one.sentence) for one in faults]
    table = columns(("fault", "of a", "mended by", "what it does"), rows)
    return desk.finish(0, table, lambda: {"faults": [asdict(one) for one in faults]})
