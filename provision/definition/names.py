"""Names that must differ: hosts over the whole file, sites on one server. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from provision.definition.complaint import Complaint, Place, shown
from provision.definition.draft import Draft


def check_names(draft: Draft) -> Iterator[Complaint]:
    """Doubled names. Case is ignored: file names, DNS and IIS ignore it too."""
    hosts = [(*place, "name") for place in draft.hosts()]
    yield from _doubled(draft, hosts, "host name", "a name of its own for every server and balancer, ignoring case")
    for server in draft.places("servers"):
        listed = draft.raw(*server, "sites")
        sites = [(*server, "sites", index) for index in range(len(listed) if isinstance(listed, list) else 0)]
        yield from _doubled(draft, sites, "site", "each site once, ignoring case")


def _doubled(draft: Draft, places: list[Place], what: str, allowed: str) -> Iterator[Complaint]:
    seen: dict[str, Place] = {}
    for place in places:
        name = draft.text(*place)
        if name is None:
            continue
        first = seen.setdefault(name.casefold(), place)
        if first != place:
            kind = f"{place[0][:-1]} name" if what == "host name" and isinstance(place[0], str) else what
            yield Complaint("P107", place, f"{kind} {shown(name)} is used twice", allowed, first=first)
