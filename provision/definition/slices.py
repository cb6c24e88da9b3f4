"""Slices of the passive range: cutting it in order, and what pinned slices must be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.definition.complaint import Complaint, Place
from provision.definition.draft import Draft
from provision.model.ports import PortRange


def cut(whole: PortRange, servers: int, ports_per_server: int | None) -> tuple[PortRange, ...]:
    """`servers` slices of equal size from the low end of `whole`; ports left over belong to nobody.

    `ports_per_server` defaults to as many as there are for each. Raises ValueError when the slices do not fit.
    """
    size = len(whole) // servers if ports_per_server is None else ports_per_server
    if size < 1 or size * servers > len(whole):
        raise ValueError(f"{servers} slices of {size} ports do not fit into {whole}")
    starts = (whole.low + index * size for index in range(servers))
    return tuple(PortRange(start, start + size - 1) for start in starts)


def check_slices(draft: Draft) -> Iterator[Complaint]:
    """All that can be wrong with slices, in either layout."""
    servers = list(draft.places("servers"))
    pinned = [server for server in servers if draft.has(*server, "passive_ports")]
    if draft.text("ftp", "passive_layout") == "shared":
        yield from _said_in_vain(draft, pinned)
    elif pinned:
        yield from _pinned(draft, servers, pinned)
    else:
        yield from _cut_in_order(draft, len(servers))


def _said_in_vain(draft: Draft, pinned: Sequence[Place]) -> Iterator[Complaint]:
    allowed = "in the shared layout every server uses the whole range: leave it out"
    if draft.has("ftp", "ports_per_server"):
        yield Complaint("P114", ("ftp", "ports_per_server"), "there are no slices to size", allowed, at_key=True)
    for server in pinned:
        message = f"{draft.name_of(server)} cannot have a slice"
        yield Complaint("P114", (*server, "passive_ports"), message, allowed, at_key=True)


def _cut_in_order(draft: Draft, servers: int) -> Iterator[Complaint]:
    whole = draft.range("ftp", "passive_ports")
    size = draft.raw("ftp", "ports_per_server")
    if whole is None or servers == 0:
        return
    if len(whole) < servers:
        message = f"{len(whole)} passive ports for {servers} servers"
        allowed = f"at least one port a server, {servers} in all; a slice is what a server can carry at once"
        yield Complaint("P114", ("ftp", "passive_ports"), message, allowed)
    elif type(size) is int and size * servers > len(whole):
        message = f"{servers} slices of {size} ports need {size * servers}, the range has {len(whole)}"
        yield Complaint("P114", ("ftp", "ports_per_server"), message, f"at most {len(whole) // servers}")


def _pinned(draft: Draft, servers: Sequence[Place], pinned: Sequence[Place]) -> Iterator[Complaint]:
    if draft.has("ftp", "ports_per_server"):
        message = "the slices are given, so there is nothing to size"
        yield Complaint("P114", ("ftp", "ports_per_server"), message, "leave it out, or every pin", at_key=True)
    for server in servers:
        if server not in pinned:
            message = f"{draft.name_of(server)} has no passive_ports, other servers have"
            yield Complaint("P114", server, message, "a slice for every server, or for none", first=pinned[0])
    yield from _within(draft, pinned)
    yield from _overlaps(draft, pinned)


def _within(draft: Draft, pinned: Sequence[Place]) -> Iterator[Complaint]:
    whole = draft.range("ftp", "passive_ports")
    for server in pinned:
        mine = draft.range(*server, "passive_ports")
        if whole is not None and mine is not None and not (mine.low in whole and mine.high in whole):
            message = f"the slice {mine} of {draft.name_of(server)} is not within the passive range"
            yield Complaint("P114", (*server, "passive_ports"), message, f"a part of {whole}")


def _overlaps(draft: Draft, pinned: Sequence[Place]) -> Iterator[Complaint]:
    """Each slice against the one before it by position: enough to find every slice that is in another's way."""
    known = [(mine, server) for server in pinned if (mine := draft.range(*server, "passive_ports")) is not None]
    reach: tuple[PortRange, Place] | None = None
    for mine, server in sorted(known, key=lambda pair: (pair[0], pair[1][1])):
        if reach is not None and mine.low <= reach[0].high:
            other = draft.name_of(reach[1])
            message = f"the slice {mine} of {draft.name_of(server)} overlaps {reach[0]} of {other}"
            first = (*reach[1], "passive_ports")
            yield Complaint("P114", (*server, "passive_ports"), message, "slices without common ports", first=first)
        if reach is None or mine.high > reach[0].high:
            reach = (mine, server)
