"""`firewall-cmd`: firewalld's command line. Exit codes are firewalld's error numbers; adding twice is a warning and success."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.firewall import SERVICES, FirewallError, Zone, zone_of_interface
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.richrules import parse_rule
from provision.lab.balancer.words.zones import Zones, active, runtime_to_permanent, set_default, zone_of_source

_PLAIN = ("--permanent", "--quiet", "-q")
UNKNOWN_ERROR = 254
_READS = ("--list", "--get", "--query", "--state", "--version", "--info")


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
    unknown = next((key for key, _ in asked if key not in _VALUED and key not in _BARE), None)
    if unknown is not None or not asked:
        return complain(
            "usage: see firewall-cmd man page",
            f"firewall-cmd: error: unrecognized arguments: {unknown}" if unknown else "No option specified.",
            code=2,
        )
    if asked[0][0] == "--version":
        return say(machine.settings.shape.firewalld)
    if not machine.firewall_runs:
        return complain("not running" if asked[0][0] == "--state" else "FirewallD is not running", code=252)
    if not call.is_root and not all(key.startswith(_READS) for key, _ in asked):
        return complain(
            "Authorization failed.",
            "    Make sure polkit agent is running or run the application as superuser.",
            code=253,
        )
    zones = Zones(machine, permanent="--permanent" in qualifiers)
    return _run_all(zones, qualifiers.get("--zone", ""), asked)


def _run_all(zones: Zones, zone: str, asked: list[tuple[str, str]]) -> Reply:
    """Of several options one may fail, and firewall-cmd ends with 0 all the same; it fails where every one did."""
    out = err = ""
    codes: list[int] = []
    for key, value in asked:
        try:
            reply = (_VALUED.get(key) or _BARE[key])(Asked(zones, zone, key, value))
        except FirewallError as error:
            if error.name not in ("ALREADY_ENABLED", "NOT_ENABLED", "ZONE_ALREADY_SET"):
                if len(asked) == 1:
                    return Reply(error.code, out, f"{err}Error: {error}\n")
                codes.append(error.code)
            reply = Reply(err=f"Warning: {error}\n", out="success\n")
        out, err = out + ("" if reply.out == out == "success\n" else reply.out), err + reply.err
        if reply.code:
            return Reply(reply.code, out, err)
    if len(codes) == len(asked):
        return Reply(codes[0] if len(set(codes)) == 1 else UNKNOWN_ERROR, "", err)
    return Reply(0, out, err)


def _done(run: Callable[[Asked], object]) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        run(asked)
        return say("success")

    return answer


def _yes(test: Callable[[Asked], bool]) -> Callable[[Asked], Reply]:
    return lambda asked: say("yes") if test(asked) else say("no", code=1)


def _words(read: Callable[[Zone], tuple[str, ...]]) -> Callable[[Asked], Reply]:
    return lambda asked: say(" ".join(read(asked.zones.zone(asked.zone))))


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
        ("services", " ".join(zone.services)),
        ("ports", " ".join(zone.ports)),
        ("protocols", ""),
        *([("forward", "yes")] if shape.major >= 9 else []),
        ("masquerade", "no"),
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
    "--list-ports": _words(lambda zone: zone.ports),
    "--list-services": _words(lambda zone: zone.services),
    "--list-interfaces": _words(lambda zone: zone.interfaces),
    "--list-sources": _words(lambda zone: zone.sources),
    "--list-protocols": _words(lambda zone: ()),
    "--list-rich-rules": _rules,
    "--get-target": lambda a: say(a.zones.zone(a.zone).target),
}
