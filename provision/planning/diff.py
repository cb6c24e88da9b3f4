"""The difference of two states, and its application. Neither side knows which of them is live.

Laws: diff(a, a) == (); fold(a, diff(a, b)) == b; diff(b, a) is diff(a, b) with each change inverted.
"""

from __future__ import annotations

from collections.abc import Iterable

from provision.model.change import Change
from provision.model.state import State


class UnreadHosts(ValueError):
    """A state with unread hosts cannot be compared: unknown is neither clean nor different."""


class Moved(ValueError):
    """A change does not start from what is there."""


def diff(before: State, after: State) -> tuple[Change, ...]:
    """Every change that leads from `before` to `after`, ordered by key. Raises UnreadHosts."""
    unread = sorted({*before.unread, *after.unread})
    if unread:
        raise UnreadHosts(f"not read: {', '.join(unread)}")
    keys = sorted({*before.resources, *after.resources})
    pairs = ((key, before.resources.get(key), after.resources.get(key)) for key in keys)
    return tuple(Change(key, old, new) for key, old, new in pairs if old != new)


def fold(state: State, changes: Iterable[Change]) -> State:
    """`state` after `changes`. Raises Moved when a change's `before` is not what `state` holds."""
    resources = dict(state.resources)
    for change in changes:
        if resources.get(change.key) != change.before:
            raise Moved(str(change.key))
        if change.after is None:
            del resources[change.key]
        else:
            resources[change.key] = change.after
    return State(resources, state.unread)
