"""firewalld's zones as values: ports, services, rich rules, and what they admit.

Pure. It knows firewalld's rules for joining and splitting port ranges (0.9 and later; older versions compare strings),
and nothing of its command line, its message bus or haproxy.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from provision.lab.balancer.richrules import RichRule, parse_rule
from provision.lab.balancer.wall import CODES, FirewallError

Interval = tuple[int, int]

SERVICES: Mapping[str, tuple[str, ...]] = {
    "ssh": ("22/tcp",),
    "ftp": ("21/tcp",),
    "http": ("80/tcp",),
    "https": ("443/tcp",),
    "dhcpv6-client": ("546/udp",),
    "cockpit": ("9090/tcp",),
    "mdns": ("5353/udp",),
    "samba-client": ("137/udp", "138/udp"),
    "syslog": ("514/udp",),
    "dns": ("53/tcp", "53/udp"),
}
ZONES = ("block", "dmz", "drop", "external", "home", "internal", "public", "trusted", "work")


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone. `ports` are firewalld's own texts, '21/tcp' or '10000-10020/tcp', in the order of their making."""

    target: str = "default"
    interfaces: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    rich_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Firewall:
    """What firewalld holds: `runtime` is in force, `permanent` is on disk."""

    default_zone: str = "public"
    runtime: Mapping[str, Zone] = field(default_factory=dict)
    permanent: Mapping[str, Zone] = field(default_factory=dict)


def stock_zones() -> dict[str, Zone]:
    """The zones of a minimal install, with the services that firewalld's own files open, in their order."""
    zones = {name: Zone() for name in ZONES}
    zones |= dict.fromkeys(("public", "work"), Zone(services=("ssh", "dhcpv6-client")))
    zones |= dict.fromkeys(("home", "internal"), Zone(services=("ssh", "mdns", "samba-client", "dhcpv6-client")))
    zones |= {
        "dmz": Zone(services=("ssh",)),
        "external": Zone(services=("ssh",)),
        "trusted": Zone(target="ACCEPT"),
        "drop": Zone(target="DROP"),
        "block": Zone(target="%%REJECT%%"),
    }
    return zones


def boot(firewall: Firewall, interface: str) -> Firewall:
    """What a start or a reload makes: permanent becomes runtime, and NetworkManager gives the interface its zone."""
    runtime = dict(firewall.permanent)
    if not any(interface in zone.interfaces for zone in runtime.values()):
        zone = runtime[firewall.default_zone]
        runtime[firewall.default_zone] = Zone(
            zone.target, (*zone.interfaces, interface), zone.sources, zone.services, zone.ports, zone.rich_rules
        )
    return Firewall(firewall.default_zone, runtime, dict(firewall.permanent))


def parse_port(text: str) -> tuple[Interval, str]:
    """'10000-10020/tcp' as ((10000, 10020), 'tcp'); a reversed range is turned round, as firewalld does."""
    number, slash, protocol = text.partition("/")
    if not slash or not protocol:
        raise FirewallError(
            "INVALID_PORT", "bad port (most likely missing protocol), correct syntax is portid[-portid]/protocol"
        )
    if protocol not in ("tcp", "udp", "sctp", "dccp"):
        raise FirewallError("INVALID_PROTOCOL", f"'{protocol}' not in {{'tcp'|'udp'|'sctp'|'dccp'}}")
    first, dash, second = number.partition("-")
    ends = (first, second if dash else first)
    if not all(end.isascii() and end.isdigit() and 0 < int(end) < 65536 for end in ends):
        raise FirewallError("INVALID_PORT", number)
    low, high = sorted(int(end) for end in ends)
    return (low, high), protocol


def port_text(interval: Interval, protocol: str) -> str:
    """The way back from `parse_port`."""
    low, high = interval
    return f"{low}/{protocol}" if low == high else f"{low}-{high}/{protocol}"


def _named(text: str, where: str) -> str:
    """A port in the words of a warning: what is on disk is named bare, what is in force in quotes and with its zone."""
    number, _, protocol = text.partition("/")
    return f"'{number}:{protocol}'{where}" if where else f"{number}:{protocol}"


def add_port(ports: Sequence[str], text: str, coalesces: bool, where: str) -> tuple[str, ...]:
    """`ports` with one more; ALREADY_ENABLED when it is covered. `where` ends the sentence of that error."""
    (low, high), protocol = parse_port(text)
    wanted = port_text((low, high), protocol)
    if not coalesces:
        if wanted in ports:
            raise FirewallError("ALREADY_ENABLED", _named(wanted, where))
        return (*ports, wanted)
    kept: list[str] = []
    for present in ports:
        (start, end), name = parse_port(present)
        if name == protocol and start <= low and high <= end:
            raise FirewallError("ALREADY_ENABLED", _named(wanted, where))
        if name == protocol and start <= high and low <= end:
            low, high = min(low, start), max(high, end)
        else:
            kept.append(present)
    return (*kept, port_text((low, high), protocol))


def remove_port(ports: Sequence[str], text: str, coalesces: bool, where: str) -> tuple[str, ...]:
    """`ports` without one; a range is split around it by versions that join. NOT_ENABLED when it is not there."""
    (low, high), protocol = parse_port(text)
    wanted = port_text((low, high), protocol)
    if wanted in ports:
        return tuple(port for port in ports if port != wanted)
    for present in ports if coalesces else ():
        (start, end), name = parse_port(present)
        if name == protocol and start <= low and high <= end:
            rest = [(start, low - 1)] if start < low else []
            rest += [(high + 1, end)] if high < end else []
            return (*(port for port in ports if port != present), *(port_text(part, name) for part in rest))
    raise FirewallError("NOT_ENABLED", _named(wanted, where))


def has_port(ports: Sequence[str], text: str, inside: bool) -> bool:
    """Is the port there; with `inside` a port within a range counts (0.9 and later)."""
    (low, high), protocol = parse_port(text)
    if not inside:
        return port_text((low, high), protocol) in ports
    parsed = (parse_port(present) for present in ports)
    return any(name == protocol and start <= low and high <= end for (start, end), name in parsed)


def zone_of_interface(zones: Mapping[str, Zone], interface: str) -> str | None:
    """The zone that an interface is bound to."""
    return next((name for name, zone in zones.items() if interface in zone.interfaces), None)


def source_networks(zones: Mapping[str, Zone]) -> tuple[str, ...]:
    """Every network that some zone or rich rule names; 0.0.0.0/0 stands for everybody else and comes first."""
    named = {network for zone in zones.values() for network in zone.sources}
    rules = (parse_rule(text) for zone in zones.values() for text in zone.rich_rules)
    named |= {rule.source for rule in rules if rule.source is not None}
    networks = sorted({ipaddress.ip_network(text, strict=False) for text in named if ":" not in text}, key=str)
    return ("0.0.0.0/0", *(str(network) for network in networks if network.prefixlen > 0))


def _zone_for(zones: Mapping[str, Zone], network: ipaddress.IPv4Network, interface: str) -> Zone:
    best: tuple[int, Zone] | None = None
    for zone in zones.values():
        for text in zone.sources:
            other = ipaddress.ip_network(text, strict=False)
            if isinstance(other, ipaddress.IPv4Network) and network.subnet_of(other):
                best = max(best or (-1, zone), (other.prefixlen, zone), key=lambda pair: pair[0])
    return best[1] if best else zones[zone_of_interface(zones, interface) or "public"]


def _rule_intervals(rule: RichRule) -> list[Interval]:
    texts = [f"{rule.port}/{rule.protocol}"] if rule.port else list(SERVICES.get(rule.service or "", ()))
    if rule.port is None and rule.service is None:
        return [(1, 65535)]
    return [interval for interval, protocol in map(parse_port, texts) if protocol == "tcp"]


def _without(intervals: list[Interval], closed: Interval) -> list[Interval]:
    low, high = closed
    rest: list[Interval] = []
    for start, end in intervals:
        rest += [(start, min(end, low - 1))] if start < low else []
        rest += [(max(start, high + 1), end)] if end > high else []
    return rest


def _applies(rule: RichRule, network: ipaddress.IPv4Network) -> bool:
    if rule.family == "ipv6":
        return False
    if rule.source is None:
        return True
    return network.subnet_of(ipaddress.IPv4Network(rule.source, strict=False)) != rule.source_inverted


def open_tcp(zones: Mapping[str, Zone], source: str, interface: str, ssh_port: int) -> tuple[Interval, ...]:
    """The TCP ports that clients of the network `source` may reach, joined and in order.

    The service ssh stands for port `ssh_port`, where this host's SSH really listens. Rich rules that refuse come before
    those that accept, as firewalld orders them.
    """
    network = ipaddress.IPv4Network(source, strict=False)
    zone = _zone_for(zones, network, interface)
    rules = [rule for rule in map(parse_rule, zone.rich_rules) if _applies(rule, network)]
    found: list[Interval] = [(1, 65535)] if zone.target == "ACCEPT" else []
    texts = [*zone.ports, *(port for name in zone.services for port in SERVICES.get(name, ()))]
    found += [interval for interval, protocol in map(parse_port, texts) if protocol == "tcp"]
    found += [(ssh_port, ssh_port)] if "ssh" in zone.services else []
    for rule in rules:
        found += _rule_intervals(rule) if rule.action == "accept" else []
    for rule in rules:
        for interval in _rule_intervals(rule) if rule.action in ("reject", "drop") else []:
            found = _without(found, interval)
    return join(found)


def join(intervals: Sequence[Interval]) -> tuple[Interval, ...]:
    """Sorted, with overlapping and adjacent intervals made one."""
    joined: list[Interval] = []
    for low, high in sorted(intervals):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


__all__ = [
    "CODES",
    "SERVICES",
    "ZONES",
    "Firewall",
    "FirewallError",
    "Interval",
    "Zone",
    "add_port",
    "boot",
    "has_port",
    "join",
    "open_tcp",
    "parse_port",
    "port_text",
    "remove_port",
    "source_networks",
    "stock_zones",
    "zone_of_interface",
]
