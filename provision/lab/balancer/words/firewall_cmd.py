"""`firewall-cmd`: firewalld's command line. Exit codes are firewalld's error numbers; adding twice is a warning and success."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.firewall import CODES, SERVICES, FirewallError, Zone, parse_port, zone_of_interface
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.richrules import parse_rule
from provision.lab.balancer.words.zones import Zones, active, runtime_to_permanent, set_default, zone_of_source

_PLAIN = ("--permanent", "--quiet", "-q")
_AS_WANTED = ("ALREADY_ENABLED", "NOT_ENABLED", "ZONE_ALREADY_SET")
_FOR_EVERYBODY = ("--get-default-zone", "--get-active-zones", "--get-zone", "--get-services")  # not even --state


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the zone it names, and the option with its value."""

    zones: Zones
    zone: str
    option: str
    value: str


def _split(words: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Options that qualify, and those that ask; '--zone X' and '--zone=X' are the same."""
    qualifiers: dict[str, str] = {}
    asked: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if key in _PLAIN:
            qualifiers[key] = "yes"
        elif key in ("--zone", "--timeout"):
            qualifiers[key] = value if equals else next(rest, "")
        elif equals or key not in _VALUED:
            asked.append((key, value))
        else:
            asked.append((key, next(rest, "")))
    return qualifiers, asked


def firewall_cmd(machine: Machine, call: Call) -> Reply:
    """Answer one call."""
    qualifiers, asked = _split(call.arguments)
    quiet = bool(qualifiers.keys() & {"--quiet", "-q"})
    reply = _answer(machine, call, qualifiers, asked)
    return Reply(reply.code) if quiet else reply


def _answer(machine: Machine, call: Call, qualifiers: Mapping[str, str], asked: list[tuple[str, str]]) -> Reply:
    wrong = _misuse([key for key, _ in asked])
    if wrong:
        return complain("usage: 'firewall-cmd --help' for usage information or see firewall-cmd(1) man page", wrong, code=2)
    if not machine.firewall_runs:
        return complain("not running" if asked[0][0] == "--state" else "FirewallD is not running", code=252)
    if not call.is_root and not all(key.startswith(_FOR_EVERYBODY) for key, _ in asked):
        return complain(
            "Authorization failed.",
            "    Make sure polkit agent is running or run the application as superuser.",
            code=253,
        )
    zones = Zones(machine, permanent="--permanent" in qualifiers)
    return _run_all(zones, qualifiers.get("--zone", ""), asked[0][0], [value for _, value in asked])


def _misuse(keys: list[str]) -> str:
    """What argparse says of these options, '' when it takes them."""
    unknown = next((key for key in keys if key not in _VALUED and key not in _BARE), None)
    if unknown is not None:
        return f"firewall-cmd: error: unrecognized arguments: {unknown}"
    other = next((key for key in keys if key != keys[0]), None)
    if other is not None:
        return f"firewall-cmd: error: argument {other}: not allowed with argument {keys[0]}"
    return "" if keys else "No option specified."


def _run_all(zones: Zones, zone: str, key: str, values: list[str]) -> Reply:
    """One option for each of its values. Among several, failures are warnings: one that succeeds, or that was so
    already, makes the whole a success."""
    replies: list[Reply] = []
    codes: list[int] = []
    warnings = ""
    for value in values:
        try:
            replies.append((_VALUED.get(key) or _BARE[key])(Asked(zones, zone, key, value)))
        except FirewallError as error:
            codes.append(0 if error.name in _AS_WANTED else error.code)
            if len(values) == 1 and codes[0]:
                return complain(f"Error: {error}", code=error.code)
            warnings += f"Warning: {error}\n"
    if replies:
        said = "".join(dict.fromkeys(reply.out for reply in replies))
        return Reply(
            max(reply.code for reply in replies), said, warnings + "".join(reply.err for reply in replies)
        )
    if 0 in codes:
        return Reply(0, "success\n", warnings)
    return Reply(codes[0] if len(set(codes)) == 1 else CODES["UNKNOWN_ERROR"], "", warnings)


def _done(run: Callable[[Asked], object]) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        run(asked)
        return say("success")

    return answer


def _yes(test: Callable[[Asked], bool]) -> Callable[[Asked], Reply]:
    return lambda asked: say("yes") if test(asked) else say("no", code=1)


def _words(read: Callable[[Zone], tuple[str, ...]]) -> Callable[[Asked], Reply]:
    return lambda asked: say(" ".join(read(asked.zones.zone(asked.zone))))


def _ports(asked: Asked) -> Reply:
    ports = asked.zones.zone(asked.zone).ports
    return say(" ".join(sorted(ports, key=_port_order) if _sorts(asked.zones) else ports))


def _port_order(text: str) -> tuple[str, int]:
    (low, _), protocol = parse_port(text)
    return protocol, low


def _services(zones: Zones, zone: Zone) -> str:
    return " ".join(sorted(zone.services) if _sorts(zones) else zone.services)


def _sorts(zones: Zones) -> bool:
    """firewall-cmd sorts services and the ports of --list-ports (not those of --list-all), 0.4 nothing."""
    return zones.machine.settings.shape.major >= 8


def _rules(asked: Asked) -> Reply:
    return say("\n".join(asked.zones.zone(asked.zone).rich_rules))


def describe(zones: Zones, name: str) -> str:
    """A zone as --list-all and --info-zone print it."""
    zone = zones.zone(name)
    shape = zones.machine.settings.shape
    marks = [
        *(["default"] if shape.major >= 10 and name == zones.default else []),
        *(["active"] if zone.interfaces or zone.sources else []),
    ]
    rows = [
        ("target", zone.target),
        *([("ingress-priority", "0"), ("egress-priority", "0")] if shape.major >= 10 else []),
        ("icmp-block-inversion", "no"),
        ("interfaces", " ".join(zone.interfaces)),
        ("sources", " ".join(zone.sources)),
        ("services", _services(zones, zone)),
        ("ports", " ".join(zone.ports)),
        ("protocols", ""),
        *([("forward", "yes")] if shape.major >= 9 else []),
        ("masquerade", "yes" if name == "external" else "no"),
        ("forward-ports", ""),
        ("source-ports", ""),
        ("icmp-blocks", ""),
    ]
    lines = [
        f"{name} ({', '.join(marks)})" if marks else name,
        *(f"  {key}: {value}".rstrip(" ") + " " * (not value) for key, value in rows),
    ]
    empty = ("",) if shape.major < 8 else ()  # before 0.9 a zone without rules ends in a line of one tab
    return "\n".join([*lines, "  rich rules: ", *(f"\t{rule}" for rule in zone.rich_rules or empty)])


def _list_all_zones(asked: Asked) -> Reply:
    return say("\n\n".join(describe(asked.zones, name) for name in sorted(asked.zones.all)), "")


def _active_zones(asked: Asked) -> Reply:
    default = asked.zones.default if asked.zones.machine.settings.shape.major >= 10 else None
    lines: list[str] = []
    for name, zone in active(asked.zones.all).items():
        lines.append(f"{name} (default)" if name == default else name)
        lines += [f"  interfaces: {' '.join(zone.interfaces)}"] if zone.interfaces else []
        lines += [f"  sources: {' '.join(zone.sources)}"] if zone.sources else []
    return say(*lines)


def _zone_of_interface(asked: Asked) -> Reply:
    found = zone_of_interface(asked.zones.all, asked.value)
    return say(found) if found else complain("no zone", code=2)


def _zone_of_source(asked: Asked) -> Reply:
    found = zone_of_source(asked.zones.all, asked.value)
    return say(found) if found else complain("no zone", code=2)


def _info_service(asked: Asked) -> Reply:
    if asked.value not in SERVICES:
        raise FirewallError("INVALID_SERVICE", asked.value)
    return say(
        asked.value,
        f"  ports: {' '.join(SERVICES[asked.value])}",
        "  protocols: ",
        "  source-ports: ",
        "  modules: ",
        "  destination: ",
    )


def _reload(asked: Asked) -> Reply:
    asked.zones.machine.reload_firewall()
    return say("success")


def _save(asked: Asked) -> Reply:
    runtime_to_permanent(asked.zones.machine)
    return say("success")


_VALUED: Mapping[str, Callable[[Asked], Reply]] = {
    "--add-port": _done(lambda a: a.zones.add_port(a.zone, a.value)),
    "--remove-port": _done(lambda a: a.zones.remove_port(a.zone, a.value)),
    "--query-port": _yes(lambda a: a.zones.has_port(a.zone, a.value)),
    "--add-service": _done(lambda a: a.zones.add(a.zone, "services", a.value)),
    "--remove-service": _done(lambda a: a.zones.remove(a.zone, "services", a.value)),
    "--query-service": _yes(lambda a: a.value in a.zones.zone(a.zone).services),
    "--add-rich-rule": _done(lambda a: a.zones.add(a.zone, "rich_rules", a.value)),
    "--remove-rich-rule": _done(lambda a: a.zones.remove(a.zone, "rich_rules", a.value)),
    "--query-rich-rule": _yes(lambda a: str(parse_rule(a.value)) in a.zones.zone(a.zone).rich_rules),
    "--add-source": _done(lambda a: a.zones.add(a.zone, "sources", a.value)),
    "--remove-source": _done(lambda a: a.zones.remove(a.zone, "sources", a.value)),
    "--query-source": _yes(lambda a: a.value in a.zones.zone(a.zone).sources),
    "--add-interface": _done(lambda a: a.zones.bind_interface(a.zone, a.value)),
    "--change-interface": _done(lambda a: a.zones.bind_interface(a.zone, a.value)),
    "--query-interface": _yes(lambda a: a.value in a.zones.zone(a.zone).interfaces),
    "--set-default-zone": _done(lambda a: set_default(a.zones.machine, a.value)),
    "--get-zone-of-interface": _zone_of_interface,
    "--get-zone-of-source": _zone_of_source,
    "--info-zone": lambda a: say(describe(a.zones, a.zones.name(a.value))),
    "--info-service": _info_service,
}
_BARE: Mapping[str, Callable[[Asked], Reply]] = {
    "--state": lambda a: say("running"),
    "--version": lambda a: say(a.zones.machine.settings.shape.firewalld),
    "--reload": _reload,
    "--complete-reload": _reload,
    "--runtime-to-permanent": _save,
    "--get-default-zone": lambda a: say(a.zones.default),
    "--get-active-zones": _active_zones,
    "--get-zones": lambda a: say(" ".join(sorted(a.zones.all))),
    "--get-services": lambda a: say(" ".join(sorted(SERVICES))),
    "--list-all": lambda a: say(describe(a.zones, a.zones.name(a.zone))),
    "--list-all-zones": _list_all_zones,
    "--list-ports": _ports,
    "--list-services": lambda a: say(_services(a.zones, a.zones.zone(a.zone))),
    "--list-interfaces": _words(lambda zone: zone.interfaces),
    "--list-sources": _words(lambda zone: zone.sources),
    "--list-protocols": _words(lambda zone: ()),
    "--list-rich-rules": _rules,
    "--get-target": lambda a: say(a.zones.zone(a.zone).target),
}
