"""In which order passive ports change hands, so that no server hands out a port that its balancer does not carry.

Make before break: the balancers first accept old and new, then servers move one by one, then the balancers close.
In the sliced layout a port leads to one server only, so a server whose new slice touches the old slice of another
has to wait until that one has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from provision.model.ports import PortSet
from provision.model.resources import (
    DataChannelPorts,
    ExternalAddress,
    File,
    FirewallPorts,
    FtpService,
    Resource,
    Service,
)
from provision.model.state import Key, State
from provision.planning.diff import diff

Ownership = Mapping[str, PortSet]
"""Which passive ports lead to which server, by server name."""


@dataclass(frozen=True, slots=True)
class PortStage:
    """The balancers' port ownership, and the servers that move (in this order) while it holds.

    `torn` are ports that a server which has not moved yet may still hand out although they lead elsewhere already:
    only where slices are exchanged in a ring, which no order can avoid.
    """

    ownership: Ownership
    movers: tuple[str, ...]
    torn: PortSet


def port_stages(old: Ownership, new: Ownership, *, exclusive: bool) -> tuple[PortStage, ...]:
    """The stages from `old` to `new` for the servers in `new`, in its order; the last stage is followed by `new`.

    `exclusive`: a port leads to one server only (sliced layout). Servers that keep their ports move in the first
    stage: for other reasons they may still have to change.
    """
    before = {name: old.get(name, PortSet()) for name in new}
    if not exclusive:
        union = {name: before[name] | new[name] for name in new}
        return (PortStage(union, tuple(new), PortSet()),)
    stages: list[PortStage] = []
    waiting = list(new)
    while waiting:
        ready = [name for name in waiting if not _meets(new[name], name, before, waiting)]
        stage = _stage(before, new, waiting, ready or waiting[:1])
        stages.append(stage)
        waiting = [name for name in waiting if name not in stage.movers]
    return tuple(stages)


def _meets(ports: PortSet, name: str, before: Ownership, waiting: Sequence[str]) -> bool:
    return any(ports & before[other] for other in waiting if other != name)


def _stage(before: Ownership, new: Ownership, waiting: Sequence[str], movers: Sequence[str]) -> PortStage:
    arrived = PortSet.of(*(new[name] for name in new if name not in waiting or name in movers))
    ownership, torn = {}, PortSet()
    for name in new:
        mine = new[name] if name not in waiting or name in movers else PortSet()
        old = before[name] if name in waiting else PortSet()
        ownership[name] = old - (arrived - mine) | mine
        torn |= old & (arrived - mine)
    return PortStage(ownership, tuple(movers), torn)


def attainable(past: State) -> State:
    """`past` as far as one can go back to it: nobody makes a service run something older than what is on disk."""
    fresh: dict[Key, Resource] = {}
    for key, one in past.resources.items():
        fresh[key] = replace(one, current=one.running) if isinstance(one, Service | FtpService) else one
    return State(fresh, past.unread)


CONFIGURATION = (File, DataChannelPorts, ExternalAddress)
"""What services read when they start: to change it is to load it anew."""


def way_home(live: State, past: State) -> State:
    """What `live` has to become to be `past` again, as far as one can go back.

    A service that was found running something older than what is on disk, and still does, is as it was found: it is
    let alone, unless its configuration goes back as well and is loaded with that.
    """
    wanted = attainable(past)
    moved = diff(live.read_only(), wanted.read_only())
    if any(isinstance(one, CONFIGURATION) for change in moved for one in (change.before, change.after)):
        return wanted
    same = {key: one for key, one in past.resources.items() if live.resources.get(key) == one}
    return State({**wanted.resources, **same}, past.unread)


def accepting(live: State, desired: State) -> State:
    """What a balancer should be while servers move: all that is desired, and nothing closed or removed yet."""
    kept: dict[Key, Resource] = {**live.resources, **desired.resources}
    for key, one in desired.resources.items():
        before = live.resources.get(key)
        if isinstance(one, FirewallPorts) and isinstance(before, FirewallPorts):
            kept[key] = FirewallPorts(before.runtime | one.runtime, before.permanent | one.permanent)
    return State(kept)
