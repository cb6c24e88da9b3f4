"""What firewalld does to its zones, whoever asks: `firewall-cmd` and the message bus share it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from provision.lab.balancer.firewall import (
    SERVICES,
    Firewall,
    FirewallError,
    Zone,
    add_port,
    has_port,
    remove_port,
    source_networks,
    zone_of_interface,
)
from provision.lab.balancer.gate import CLASSES
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.richrules import parse_rule

Kind = Literal["services", "rich_rules", "sources"]


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of one host, in force (`permanent` False) or on disk."""

    machine: Machine
    permanent: bool

    @property
    def all(self) -> dict[str, Zone]:
        """Name -> zone."""
        wall = self.machine.state.firewall
        return dict(wall.permanent if self.permanent else wall.runtime)

    @property
    def default(self) -> str:
        """The default zone's name."""
        return self.machine.state.firewall.default_zone

    def name(self, name: str) -> str:
        """The zone that is meant; '' is the default. INVALID_ZONE."""
        chosen = name or self.default
        if chosen not in self.all:
            raise FirewallError("INVALID_ZONE", chosen)
        return chosen

    def zone(self, name: str) -> Zone:
        """One zone, by name or '' for the default."""
        return self.all[self.name(name)]

    def edit(self, name: str, make: Callable[[Zone], Zone]) -> str:
        """Replace one zone; returns its name."""
        chosen = self.name(name)

        def changed(wall: Firewall) -> Firewall:
            zones = dict(wall.permanent if self.permanent else wall.runtime)
            zones[chosen] = make(zones[chosen])
            if len(source_networks(zones)) > CLASSES:
                raise FirewallError("UNKNOWN_ERROR", f"the lab tells at most {CLASSES - 1} source networks apart")
            return replace(wall, permanent=zones) if self.permanent else replace(wall, runtime=zones)

        self.machine.change(lambda state: replace(state, firewall=changed(state.firewall)))
        return chosen

    def _where(self, name: str, word: str) -> str:
        return "" if self.permanent else f" {word} '{self.name(name)}'"

    def add_port(self, name: str, text: str) -> str:
        """ALREADY_ENABLED, INVALID_PORT, INVALID_PROTOCOL, INVALID_ZONE."""
        where = self._where(name, "already in")
        coalesces = self.machine.settings.shape.coalesces
        return self.edit(name, lambda zone: replace(zone, ports=add_port(zone.ports, text, coalesces, where)))

    def remove_port(self, name: str, text: str) -> str:
        """NOT_ENABLED and the errors of `add_port`."""
        where = self._where(name, "not in")
        coalesces = self.machine.settings.shape.coalesces
        return self.edit(name, lambda zone: replace(zone, ports=remove_port(zone.ports, text, coalesces, where)))

    def has_port(self, name: str, text: str) -> bool:
        """A port inside a range counts for versions that join ranges."""
        return has_port(self.zone(name).ports, text, self.machine.settings.shape.coalesces)

    def add(self, name: str, kind: Kind, text: str) -> str:
        """A service, rich rule or source; ALREADY_ENABLED, and what `_checked` refuses."""
        item, where = _checked(self, name, kind, text), self._where(name, "already in")
        return self.edit(name, lambda zone: _set(zone, kind, _with(_get(zone, kind), item, where)))

    def remove(self, name: str, kind: Kind, text: str) -> str:
        """NOT_ENABLED when it is not there."""
        item = str(parse_rule(text)) if kind == "rich_rules" else text
        where = self._where(name, "not in")
        return self.edit(name, lambda zone: _set(zone, kind, _without(_get(zone, kind), item, where)))

    def bind_interface(self, name: str, interface: str) -> str:
        """Move an interface into a zone."""
        old = zone_of_interface(self.all, interface)
        if old is not None:
            self.edit(old, lambda zone: replace(zone, interfaces=tuple(i for i in zone.interfaces if i != interface)))
        return self.edit(name, lambda zone: replace(zone, interfaces=(*zone.interfaces, interface)))


def zone_of_source(zones: Mapping[str, Zone], source: str) -> str | None:
    """The zone that is bound to exactly this source."""
    return next((name for name, zone in zones.items() if source in zone.sources), None)


def _checked(zones: Zones, name: str, kind: Kind, text: str) -> str:
    """INVALID_SERVICE, INVALID_RULE, INVALID_ADDR; ZONE_CONFLICT when another zone has the source."""
    if kind == "services" and text not in SERVICES:
        raise FirewallError("INVALID_SERVICE", text)
    if kind == "rich_rules":
        return str(parse_rule(text))
    if kind == "sources":
        _check_source(zones.all, zones.name(name), text)
    return text


def _check_source(zones: Mapping[str, Zone], zone: str, source: str) -> None:
    try:
        ipaddress.ip_network(source, strict=False)
    except ValueError as error:
        raise FirewallError("INVALID_ADDR", source) from error
    owner = zone_of_source(zones, source)
    if owner not in (None, zone):
        raise FirewallError("ZONE_CONFLICT", f"'{source}' already bound to '{owner}'")


def active(zones: Mapping[str, Zone]) -> dict[str, Zone]:
    """Zones with an interface or a source."""
    return {name: zone for name, zone in zones.items() if zone.interfaces or zone.sources}


def _get(zone: Zone, kind: Kind) -> tuple[str, ...]:
    return {"services": zone.services, "rich_rules": zone.rich_rules, "sources": zone.sources}[kind]


def _set(zone: Zone, kind: Kind, items: tuple[str, ...]) -> Zone:
    match kind:
        case "services":
            return replace(zone, services=items)
        case "rich_rules":
            return replace(zone, rich_rules=items)
        case "sources":
            return replace(zone, sources=items)


def _with(present: Sequence[str], item: str, where: str) -> tuple[str, ...]:
    if item in present:
        raise FirewallError("ALREADY_ENABLED", f"'{item}'{where}" if where else item)
    return (*present, item)


def _without(present: Sequence[str], item: str, where: str) -> tuple[str, ...]:
    if item not in present:
        raise FirewallError("NOT_ENABLED", f"'{item}'{where}" if where else item)
    return tuple(entry for entry in present if entry != item)


def set_default(machine: Machine, name: str) -> None:
    """Another default zone, in runtime and permanent at once, as firewalld does; the interface goes with it."""
    runtime = Zones(machine, permanent=False)
    runtime.name(name)
    if zone_of_interface(runtime.all, machine.settings.interface) == runtime.default:
        runtime.bind_interface(name, machine.settings.interface)
    machine.change(lambda state: replace(state, firewall=replace(state.firewall, default_zone=name)))


def runtime_to_permanent(machine: Machine) -> None:
    """What is in force is written to disk; the interface stays NetworkManager's."""

    def bare(zone: Zone) -> Zone:
        return replace(zone, interfaces=tuple(i for i in zone.interfaces if i != machine.settings.interface))

    machine.change(
        lambda state: replace(
            state,
            firewall=replace(
                state.firewall, permanent={name: bare(zone) for name, zone in state.firewall.runtime.items()}
            ),
        )
    )
