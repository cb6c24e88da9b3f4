"""A plan is data: steps in order, each the changes of one host and what they do to sessions; plus what is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from provision.model.change import Change
from provision.model.codec import encode_state
from provision.model.resources import DataChannelPorts, ExternalAddress, File, FtpService, Package, Service
from provision.model.state import State
from provision.planning.diff import diff, fold

HAPROXY_FOLDER = "/etc/haproxy/"
"""Files below it are HAProxy's configuration: changing one reloads the service."""
RSYSLOG_FOLDER = "/etc/rsyslog.d/"
"""Files below it are rsyslog's: changing one restarts it."""


class Effect(StrEnum):
    """What a step does to a running service."""

    STARTS_HAPROXY = "starts haproxy"
    RELOADS_HAPROXY = "reloads haproxy, open connections stay"
    STOPS_HAPROXY = "stops haproxy, drops every session"
    RESTARTS_RSYSLOG = "restarts rsyslog"
    STARTS_FTPSVC = "starts ftpsvc"
    RESTARTS_FTPSVC = "restarts ftpsvc, drops its sessions"
    STOPS_FTPSVC = "stops ftpsvc, drops its sessions"


@dataclass(frozen=True, slots=True)
class Wave:
    """Hosts that are brought, one after the other, to what `target` says of them."""

    hosts: tuple[str, ...]
    target: State


@dataclass(frozen=True, slots=True)
class Step:
    """The changes of one host that are made in one go, and their effects."""

    host: str
    changes: tuple[Change, ...]

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the step does to running services."""
        return effects(self.changes)


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` in their order lead from the live state to the desired one, but for `kept`, which we never undo.

    `live` is the fingerprint of the live state that the plan was made from: applying refuses when it moved.
    """

    steps: tuple[Step, ...]
    kept: tuple[Change, ...]
    unchanged: int
    live: str

    @property
    def empty(self) -> bool:
        """Nothing to do."""
        return not self.steps

    def net(self) -> tuple[Change, ...]:
        """The difference over all steps, each key once: what `plan` shows."""
        first: dict[object, Change] = {}
        for change in (one for step in self.steps for one in step.changes):
            start = first.get(change.key)
            if start is None:
                first[change.key] = change
            elif start.before == change.after:
                del first[change.key]
            else:
                first[change.key] = Change(change.key, start.before, change.after)
        return tuple(first.values())


def fingerprint(state: State) -> str:
    """Sixteen hex digits that differ when the state differs."""
    text = json.dumps(encode_state(state), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_kept(change: Change) -> bool:
    """Packages are only ever installed: their removal is reported as kept and is no difference."""
    return isinstance(change.before, Package) and change.after is None


def make_plan(live: State, waves: Sequence[Wave]) -> Plan:
    """The plan that brings `live` through `waves`. Raises UnreadHosts when a host of either side was not read."""
    steps: list[Step] = []
    kept: dict[object, Change] = {}
    now = live
    for host, target in ((host, wave.target) for wave in waves for host in wave.hosts):
        changes = diff(now.of_hosts([host]), target.of_hosts([host]))
        kept |= {one.key: one for one in changes if is_kept(one)}
        changes = tuple(one for one in changes if not is_kept(one))
        now = fold(now, changes)
        if changes:
            steps.append(Step(host, changes))
    touched = {change.key for step in steps for change in step.changes} | set(kept)
    unchanged = len(set(now.resources) - touched)
    return Plan(tuple(steps), tuple(kept.values()), unchanged, fingerprint(live))


def effects(changes: Iterable[Change]) -> tuple[Effect, ...]:
    """What these changes of one host, made in one go, do to its running services."""
    found: dict[Effect, None] = {}
    for change in changes:
        effect = _effect(change)
        if effect:
            found[effect] = None
    if {Effect.STARTS_HAPROXY, Effect.STOPS_HAPROXY} & found.keys():
        found.pop(Effect.RELOADS_HAPROXY, None)
    if {Effect.STARTS_FTPSVC, Effect.STOPS_FTPSVC} & found.keys():
        found.pop(Effect.RESTARTS_FTPSVC, None)
    return tuple(found)


def _effect(change: Change) -> Effect | None:
    match change.before or change.after:
        case File() if change.key.name.startswith(HAPROXY_FOLDER):
            return Effect.RELOADS_HAPROXY
        case File() if change.key.name.startswith(RSYSLOG_FOLDER):
            return Effect.RESTARTS_RSYSLOG
        case DataChannelPorts() | ExternalAddress():
            return Effect.RESTARTS_FTPSVC
        case Service():
            return _systemd_effect(change)
        case FtpService():
            return _ftpsvc_effect(change)
    return None


def _systemd_effect(change: Change) -> Effect | None:
    runs, will = _running(change.before), _running(change.after)
    if change.key.name == "rsyslog":
        return Effect.RESTARTS_RSYSLOG if will else None
    if runs and will:
        return None if _current(change.before) else Effect.RELOADS_HAPROXY
    if runs == will:
        return None
    return Effect.STARTS_HAPROXY if will else Effect.STOPS_HAPROXY


def _ftpsvc_effect(change: Change) -> Effect | None:
    runs, will = _running(change.before), _running(change.after)
    if runs and will:
        return None if _current(change.before) else Effect.RESTARTS_FTPSVC
    if runs == will:
        return None
    return Effect.STARTS_FTPSVC if will else Effect.STOPS_FTPSVC


def _running(resource: object) -> bool:
    return isinstance(resource, Service | FtpService) and resource.running


def _current(resource: object) -> bool:
    return isinstance(resource, Service | FtpService) and resource.current
