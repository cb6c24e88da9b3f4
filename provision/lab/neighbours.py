"""Other labs: the one that the link beside the cluster file leads to, and those that hold our addresses.

It must not know how a lab is started. What is behind the link is read from its folder, never asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from provision.errors import LabError
from provision.lab.hostprocess import ADDRESS_TAKEN, HostProcess
from provision.lab.places import CLUSTER_NOTE, Places


@dataclass(frozen=True, slots=True)
class OtherLab:
    """A lab that runs for another cluster file of the same folder. HOSTS: the names of those that run."""

    cluster_file: str
    hosts: tuple[str, ...]


def other_lab(places: Places) -> OtherLab | None:
    """The lab behind the link, when it is not ours and runs."""
    other = places.linked()
    if other is None or other == places.folder or not other.is_dir():
        return None
    running = tuple(sorted(each.name for each in other.iterdir()
                           if each.is_dir() and HostProcess(each.name, each, "").running_pid() is not None))
    return OtherLab(_file_of(other), running) if running else None


def refuse_other_lab(places: Places) -> None:
    """One link serves one lab: raises LabError (P803) while it leads to another that runs."""
    other = other_lab(places)
    if other is not None:
        raise LabError("P803", f"another lab is up behind {places.link}",
                       why=f"{', '.join(other.hosts)} run for {other.cluster_file}",
                       next=f"provision lab down {other.cluster_file}")


def explain_taken(error: LabError, addresses: Sequence[str]) -> LabError:
    """ERROR as it is, or, when the host's last words say that its address is taken, what that means (P809)."""
    if not any(words in error.why for words in ADDRESS_TAKEN):
        return error
    return LabError("P809", f"an address or port of the lab is taken: {', '.join(addresses)}", where=error.where,
                    why="another lab uses them, of another user or another copy of this folder, or a program does",
                    next="take that lab down where it was started, or copy the cluster file and write another"
                         " 127.0.x everywhere in the copy")


def _file_of(folder: Path) -> str:
    note = folder / CLUSTER_NOTE
    return note.read_text("utf-8").strip() if note.exists() else str(folder)
