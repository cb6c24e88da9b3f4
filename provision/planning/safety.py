"""What a plan breaks, said before it does: sessions, direct clients, ranges that move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from provision.model.change import Change
from provision.model.ports import PortSet
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, SelinuxMode
from provision.planning.plan import Effect, Plan, Step

DROPPING = (Effect.RESTARTS_FTPSVC, Effect.STOPS_FTPSVC, Effect.STOPS_HAPROXY)
"""Effects that end sessions."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that users will notice, in words, and on which host."""

    host: str
    text: str


def consequences(plan: Plan, sessions: Mapping[str, int], torn: PortSet) -> tuple[Consequence, ...]:
    """Everything `plan` breaks. `sessions`: open FTP sessions by host, -1 where unknown. `torn`: see PortStage."""
    said: dict[Consequence, None] = {}
    for step in plan.steps:
        for one in _of_step(step, sessions.get(step.host, -1)):
            said[one] = None
    if torn:
        text = f"ports {torn} lead to another server before theirs has moved: transfers on them can fail meanwhile"
        said[Consequence("", text)] = None
    return tuple(said)


def _of_step(step: Step, sessions: int) -> Iterator[Consequence]:
    for effect in step.effects:
        if effect in DROPPING:
            count = "an unknown number of sessions" if sessions < 0 else _plural(sessions, "session")
            yield Consequence(step.host, f"{effect.split(',')[0]}: drops {count}")
    for change in step.changes:
        yield from _of_change(change)


def _of_change(change: Change) -> Iterator[Consequence]:
    match change.before, change.after:
        case DataChannelPorts(before), DataChannelPorts(after):
            gone = PortSet.of(before) - PortSet.of(after)
            if gone:
                yield Consequence(change.key.host, f"the passive range moves from {before} to {after}")
        case before, ExternalAddress(after, _) if not (isinstance(before, ExternalAddress) and before.address == after):
            text = f"clients that use this server directly are told to open data connections to {after}"
            yield Consequence(change.key.host, text)
        case SelinuxMode("permissive"), SelinuxMode("enforcing"):
            yield Consequence(change.key.host, "SELinux enforces again, for every service of this machine")
        case FirewallRule(), None:
            yield Consequence(change.key.host, "the balancers lose their rule in Windows Firewall")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
