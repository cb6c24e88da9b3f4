"""`provision lab ...`: the only place of the product that reaches the embedded lab."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from provision.cli.desk import Desk, command_line, home
from provision.cli.program import pasted
from provision.engine.generations import Store, held
from provision.errors import SnapshotError, UsageError
from provision.lab import orchestra
from provision.lab.demo import Demo, tell
from provision.lab.faults import break_lab, list_breaks, mend_lab, seen_by
from provision.lab.neighbours import other_lab
from provision.lab.orchestra import LabStatus
from provision.lab.places import Places
from provision.model.cluster import Cluster
from provision.view.marks import ADD, ALERT, SAME, UNKNOWN, Lines, columns, line, next_lines, verbatim

DEMO_HOME = "demo-home"
"""The demo keeps its generations inside the lab's folder: they are gone with the lab."""


def up(desk: Desk, cluster: str) -> int:
    """Start what does not run. Where nothing is left of a lab, its generations are set aside as well."""
    found = desk.load(cluster)
    fresh = not Places.of(found.file).folder.exists()
    status = orchestra.up(found, found.file)
    if fresh:
        _set_aside(desk, found)
    return _shown(desk, status, _next(("plan", cluster), ("lab", "down", cluster)))


def down(desk: Desk, cluster: str, purge: bool) -> int:
    """Stop every host; with PURGE remove their folder with its keys and passwords, and the link."""
    found = desk.load(cluster)
    status = orchestra.down(found, found.file)
    if purge:
        orchestra.forget(found.file)
        desk.door.complain([line(SAME, f"removed: {status.folder}, with its keys and passwords")])
        _set_aside(desk, found)
    return _shown(desk, status, [])


def status(desk: Desk, cluster: str) -> int:
    """What runs; 0 also when nothing does, or another lab."""
    found = desk.load(cluster)
    places = Places.of(found.file)
    other = other_lab(places)
    if other is not None:
        words = f"another lab is up behind {places.link}: {', '.join(other.hosts)} run for {other.cluster_file} [P803]"
        desk.door.complain([line(ALERT, words), *_next(("lab", "status", other.cluster_file))])
    return _shown(desk, orchestra.status(found, found.file), [])


def reset(desk: Desk, cluster: str) -> int:
    """A lab out of the box. The generations of the one that is gone are set aside: nothing could go back to them."""
    found = desk.load(cluster)
    status = orchestra.reset(found, found.file)
    _set_aside(desk, found)
    return _shown(desk, status, _next(("plan", cluster)))


def _set_aside(desk: Desk, cluster: Cluster) -> None:
    """Rename the folder of generations of a lab that is gone, and say so. Raises Locked, SnapshotError (P703)."""
    store = Store(home(desk.environ), cluster.name)
    if not store.numbers():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    beside = store.folder.with_name(f"{cluster.name}.lab-gone-{stamp}")
    with held(store):
        try:
            store.folder.rename(beside)
        except OSError as error:
            what, why = "the generations of the lab that is gone cannot be set aside", error.strerror or str(error)
            raise SnapshotError("P703", what, where=str(store.folder), why=why) from error
    desk.door.complain([line(SAME, f"the generations of the lab that is gone were set aside: {beside}")])


def break_(desk: Desk, name: str | None, cluster: str, host: str | None, list_: bool) -> int:
    """Inject a fault, or list them."""
    if list_ or name is None:
        return _faults(desk, wanted=list_)
    found = desk.load(cluster)
    done = break_lab(found, found.file, name, host)
    return desk.finish(0, [line(done), *_next((seen_by(name), cluster))], lambda: {"fault": name, "done": done})


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
    """Tell the story on a lab out of the box, and take the lab down again; a story that fails leaves it up.

    Where there was no lab before, nothing is left of the demo's.
    """
    found = desk.load(cluster)
    places = Places.of(found.file)
    was_there = places.folder.exists()
    if was_there:
        words = "the lab that is there is made afresh for the demo: what its hosts hold is lost; it ends down"
        desk.door.complain([line(UNKNOWN, words)])
    orchestra.reset(found, found.file)
    _set_aside(desk, found)
    tell(Demo(found, places.folder / DEMO_HOME, places.password("ftp"), lambda text: _say(desk, text)))
    orchestra.down(found, found.file)
    if not was_there:
        orchestra.forget(found.file)
    return desk.finish(0, _next(("lab", "up", cluster)), lambda: {"demo": "told"})


def _next(*commands: tuple[str, ...]) -> Lines:
    """What comes next, in words that work where the program itself was called by its path."""
    return next_lines(*(pasted(command_line(*words)) for words in commands))


def _say(desk: Desk, text: str) -> None:
    shown = [line(one) for one in text.split("\n")]
    (desk.door.talk if desk.common.json else desk.door.result)(shown)


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
    heads, *table = columns(("fault", "of a", "mended by"), [(one.name, one.kind, one.mended_by) for one in faults])
    told = [(row, line(one.sentence, indent=4)) for row, one in zip(table, faults, strict=True)]
    rows = [heads, *(each for pair in told for each in pair)]
    return desk.finish(0, rows, lambda: {"faults": [asdict(one) for one in faults]})
