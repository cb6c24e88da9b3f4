"""Named breaks of the lab: what a careless hand, a dying network or a changed password does to a host.

It must not know how provision finds or mends them. `break_lab` does one and says in a sentence what was done;
`mend_lab` takes back those that no `provision cluster` could mend. The breaks of Windows are in
`windows/breaks.py`, those of the balancer in `balancer/breaks.py`; here they meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from provision.errors import LabError
from provision.lab.balancer import breaks as balancer_breaks
from provision.lab.neighbours import refuse_other_lab
from provision.lab.places import Places
from provision.lab.windows import breaks as windows_breaks
from provision.model.cluster import Cluster

Kind = Literal["server", "balancer"]
Eye = Literal["drift", "verify"]

USE_SHOWS = frozenset({"content-differs", "ssl-required", "local-rules-ignored"})
"""Faults for which `drift` ends with 0, since nothing differs from the cluster file: FTP has to be used."""


class Break(Protocol):
    """A break as the rooms of the hosts offer it: APPLY and MEND take the host's folder and give a sentence."""

    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def apply(self) -> Callable[[Path], str]: ...
    @property
    def mend(self) -> Callable[[Path], str] | None: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of `lab break --list`. MENDED_BY: who takes it back, "provision cluster" or "lab mend".

    SEEN_BY: the command that shows it, `drift` for a difference, `verify` for what only use shows.
    """

    name: str
    kind: Kind
    sentence: str
    mended_by: Literal["provision cluster", "lab mend"]
    seen_by: Eye


def list_breaks() -> tuple[Fault, ...]:
    """Every fault there is, servers first, in the order of the tables."""
    return tuple(Fault(each.name, kind, each.sentence, "lab mend" if each.mend else "provision cluster",
                       seen_by(each.name))
                 for kind, table in _tables() for each in table.values())


def seen_by(name: str) -> Eye:
    """The command that shows the fault NAME."""
    return "verify" if name in USE_SHOWS else "drift"


def break_lab(cluster: Cluster, cluster_file: Path, name: str, host: str | None) -> str:
    """Do the break NAME to HOST (None: the first of its kind). Returns the sentence of what was done.

    Raises LabError for an unknown name, a host of the other kind, a lab that was never started, or
    another lab that is up behind the link.
    """
    kind, found = _find(name)
    target = _target(cluster, kind, name, host)
    return f"{target}: {_do(found.apply, cluster_file, target)}"


def mend_lab(cluster: Cluster, cluster_file: Path, name: str, host: str | None) -> str:
    """Take the break NAME back. Raises LabError as `break_lab`, and for one that `provision cluster` mends."""
    kind, found = _find(name)
    target = _target(cluster, kind, name, host)
    if found.mend is None:
        raise LabError("P805", f"'{name}' is not for the lab to mend", why="it is a difference like any other",
                       next=f"provision cluster {cluster_file}")
    return f"{target}: {_do(found.mend, cluster_file, target)}"


def _tables() -> tuple[tuple[Kind, Mapping[str, Break]], ...]:
    return (("server", windows_breaks.BREAKS), ("balancer", balancer_breaks.BREAKS))


def _find(name: str) -> tuple[Kind, Break]:
    for kind, table in _tables():
        if name in table:
            return kind, table[name]
    known = ", ".join(fault.name for fault in list_breaks())
    raise LabError("P804", f"there is no fault '{name}'", why=f"there are {known}", next="provision lab break --list")


def _target(cluster: Cluster, kind: Kind, name: str, host: str | None) -> str:
    candidates = [one.name for one in cluster.servers] if kind == "server" else [one.name for one in cluster.balancers]
    if host is None:
        return candidates[0]
    if host not in candidates:
        raise LabError("P805", f"'{name}' is a fault of a {kind}", where=host,
                       why=f"the {kind}s are {', '.join(candidates)}")
    return host


def _do(act: Callable[[Path], str], cluster_file: Path, host: str) -> str:
    places = Places.of(cluster_file)
    refuse_other_lab(places)
    folder = places.host(host)
    if not (folder / "host.json").exists():
        raise LabError("P806", "the lab was never started", where=host, next=f"provision lab up {cluster_file}")
    try:
        return act(folder)
    except (OSError, LookupError, ValueError) as error:
        raise LabError("P806", "the fault could not be injected", where=host, why=str(error),
                       next=f"provision lab status {cluster_file}") from error
