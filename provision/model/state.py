"""State: what is managed and how it is, should be or was; scope: which part of the world that is. No I/O.

One type serves as desired, live and past state. A host that could not be read stands in `unread`, with the reason,
and has no resources: unknown is neither "clean" nor "empty".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from provision.model.ports import PortSet
from provision.model.resources import KINDS, FirewallPorts, Resource, Service


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Names one thing on one host. `kind` is a resource's kind; `name` tells it from others of the kind there."""

    host: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.host}: {self.kind} {self.name}"


def _is_nothing(resource: Resource) -> bool:
    """An opening without ports is no opening, and a service that neither runs nor would at boot is none: absent."""
    match resource:
        case FirewallPorts():
            return not (resource.runtime or resource.permanent)
        case Service():
            return not (resource.enabled or resource.running)
    return False


@dataclass(frozen=True, slots=True)
class State:
    """Resources by key, and the hosts that could not be read with the reason. Equal states are equal everywhere."""

    resources: Mapping[Key, Resource] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {key: one for key, one in sorted(self.resources.items()) if not _is_nothing(one)}
        for key, one in kept.items():
            if KINDS.get(key.kind) is not type(one):
                raise ValueError(f"{key} cannot hold a {type(one).__name__}")
            if key.host in self.unread:
                raise ValueError(f"{key.host} is unread and has resources")
        object.__setattr__(self, "resources", MappingProxyType(kept))
        object.__setattr__(self, "unread", MappingProxyType(dict(sorted(self.unread.items()))))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return dict(self.resources) == dict(other.resources) and dict(self.unread) == dict(other.unread)

    def __getitem__(self, key: Key) -> Resource:
        return self.resources[key]

    def get(self, host: str, kind: str, name: str) -> Resource | None:
        """The resource, or None when it is absent. Raises KeyError for an unread host: unknown is not absent."""
        if host in self.unread:
            raise KeyError(f"{host} was not read: {self.unread[host]}")
        return self.resources.get(Key(host, kind, name))

    def where(self, keep: Callable[[Key], bool]) -> State:
        """The part whose keys `keep` admits; unread hosts stay."""
        return State({key: one for key, one in self.resources.items() if keep(key)}, self.unread)

    def of_hosts(self, hosts: Iterable[str]) -> State:
        """The part that belongs to `hosts`."""
        names = set(hosts)
        kept = {key: one for key, one in self.resources.items() if key.host in names}
        return State(kept, {host: why for host, why in self.unread.items() if host in names})

    def merged(self, other: State) -> State:
        """Both together; where both know a key or a host, `other` wins."""
        unread = {**self.unread, **other.unread}
        both = {**self.resources, **other.resources}
        return State({key: one for key, one in both.items() if key.host not in unread}, unread)

    def read_only(self) -> State:
        """Without the unread hosts: for a comparison that says separately what is unknown."""
        return State(self.resources, {})


@dataclass(frozen=True, slots=True)
class Scope:
    """What we manage: keys, and for firewall openings the ports that are ours in them.

    Servers hold things that are not ours; a state is restricted to a scope before it is compared. A snapshot keeps
    its scope, and a rollback uses the union of both, so that what was created since is removed again.
    """

    keys: Mapping[Key, PortSet | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", MappingProxyType(dict(sorted(self.keys.items()))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scope) and dict(self.keys) == dict(other.keys)

    @classmethod
    def of(cls, state: State) -> Scope:
        """The scope that `state` spans: its keys, and the ports of its openings."""
        return cls({key: _ports_of(one) for key, one in state.resources.items()})

    def __or__(self, other: Scope) -> Scope:
        keys = dict(self.keys)
        for key, ports in other.keys.items():
            mine = keys.get(key)
            keys[key] = ports if mine is None or ports is None else mine | ports
        return Scope(keys)

    def restrict(self, state: State) -> State:
        """The part of `state` that lies in this scope; openings are cut down to the ports that are ours."""
        kept = {key: _cut(one, self.keys[key]) for key, one in state.resources.items() if key in self.keys}
        return State(kept, state.unread)


def _ports_of(resource: Resource) -> PortSet | None:
    return resource.runtime | resource.permanent if isinstance(resource, FirewallPorts) else None


def _cut(resource: Resource, ports: PortSet | None) -> Resource:
    if not isinstance(resource, FirewallPorts) or ports is None:
        return resource
    return FirewallPorts(resource.runtime & ports, resource.permanent & ports)
