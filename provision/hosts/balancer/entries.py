"""Which of firewalld's entries come and go so that ports are open or closed. Pure arithmetic of port ranges.

It must not know zones or commands. Seen on firewalld 1.3: a range inside an entry counts as open already and adds
nothing; taking out a part splits the entry; taking out what spans several entries takes out nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from provision.model.ports import PortRange, PortSet

Entries = tuple[PortRange, ...]
"""Ports as they were written: overlapping, adjacent, in any order."""


def whole(live: Entries, opened: PortSet, closed: PortSet) -> tuple[list[PortRange], list[PortRange]]:
    """The entries to add, and those to remove whole. Overlaps broke some versions: only gaps are added."""
    return list(opened - PortSet.of(*live)), [one for one in live if PortSet.of(one) <= closed]


def cuts(live: Entries, closed: PortSet) -> Iterator[tuple[PortRange, PortSet, PortSet]]:
    """Entries that are partly closed: each with the part, and with what must stay open of it.

    firewalld from 0.9 on takes the part out of the entry; before, an entry is a word. `do_cut` finds out which it is.
    """
    staying = PortSet.of(*(one for one in live if not closed & PortSet.of(one)))
    for one in live:
        part = closed & PortSet.of(one)
        rest = PortSet.of(one) - part
        if part and rest:
            yield one, part, rest - staying
            staying |= rest


def rules(live: Entries, opened: PortSet, closed: PortSet) -> tuple[list[PortRange], list[PortRange]]:
    """The rich rules to add and to remove. A rule is one text: where a part is closed, the rest comes first."""
    removed = [one for one in live if closed & PortSet.of(one)]
    staying = PortSet.of(*(one for one in live if one not in removed))
    rest = (opened | PortSet.of(*removed)) - closed - staying
    return list(rest), removed
