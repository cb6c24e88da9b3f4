"""`busctl call` and `get-property` on firewalld's message bus interface, in busctl's own text and JSON.

A D-Bus value is given here as (signature, Python value); how busctl prints it is in `dbus_text`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.firewall import SERVICES, FirewallError, Zone, zone_of_interface
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.richrules import parse_rule
from provision.lab.balancer.words.dbus_text import Value, text_of
from provision.lab.balancer.words.zones import Zones, active, set_default, zone_of_source

NAME = "org.fedoraproject.FirewallD1"
PATH = "/org/fedoraproject/FirewallD1"
Answer = tuple[str, Value]
_FOR_EVERYBODY = ("getDefaultZone", "getZones", "getActiveZones", "getZoneOf", "listServices")
_RUNTIME_READS = ("get", "query")


class NoSuchMethod(Exception):
    """The interface has no such method with that signature."""


class NoSuchObject(Exception):
    """No zone or service has that number."""


def busctl(machine: Machine, call: Call) -> Reply:
    """Answer one call."""
    words = [word for word in call.arguments if word not in ("--system", "--no-pager", "-q", "--quiet", "--verbose")]
    as_json = [word for word in words if word.startswith("--json") or word == "-j"]
    words = [
        word
        for word in words
        if not word.startswith(("--json", "-j", "--timeout", "--expect-reply", "--allow-inter", "--auto-start"))
    ]
    if as_json and not machine.settings.shape.json_output:
        return complain(f"busctl: unrecognized option '{as_json[0]}'")
    if not words or words[0] not in ("call", "get-property") or len(words) < 5:
        return complain(f"Unknown command verb {words[0]}." if words else "Too few arguments.")
    verb, service, path, interface, member, *arguments = words
    if service != NAME or not machine.firewall_runs:
        return complain(f"{_failed(verb, member, interface)}{_nobody(machine, service)}")
    if not call.is_root and not member.startswith(_FOR_EVERYBODY):
        reads = interface == f"{NAME}.zone" and member.startswith(_RUNTIME_READS)
        action = f"{NAME}.config.info" if reads else f"{NAME}.config"
        return complain(f"{_failed(verb, member, interface)}Not Authorized(polkit): {action}")
    try:
        signature, value = _dispatch(machine, verb, path, interface, member, arguments)
    except FirewallError as error:
        return complain(f"Call failed: {error}")
    except NoSuchObject:
        return complain(f"Call failed: Method \"{member}\" with signature \"\" on interface \"{interface}\" doesn't exist")
    except NoSuchMethod:
        if verb == "get-property":
            missing = f"org.freedesktop.DBus.Error.InvalidArgs: Property '{member}' does not exist"
            return complain(f"{_failed(verb, member, interface)}{missing}")
        return complain(
            f"{_failed(verb, member, interface)}Traceback (most recent call last):",
            "dbus.exceptions.UnknownMethodException: org.freedesktop.DBus.Error.UnknownMethod: "
            f"Unknown method: {member} is not a valid method of interface {interface}",
        )
    if as_json:
        wrapped = value if verb == "get-property" else [value]
        return say(json.dumps({"type": signature, "data": wrapped}, separators=(",", ":"))) if signature else Reply()
    return say(f"{signature} {text_of(signature, value)}".rstrip()) if signature else Reply()


def _failed(verb: str, member: str, interface: str) -> str:
    return "Call failed: " if verb == "call" else f"Failed to get property {member} on interface {interface}: "


def _nobody(machine: Machine, service: str) -> str:
    if machine.settings.shape.dbus_broker:
        return "The name is not activatable"
    return f"The name {service} was not provided by any .service files"


def _dispatch(machine: Machine, verb: str, path: str, interface: str, member: str, arguments: Sequence[str]) -> Answer:
    if verb == "get-property":
        found = {"state": "RUNNING", "version": machine.settings.shape.firewalld, "interface_version": "0.6"}.get(
            member
        )
        if found is None:
            raise NoSuchMethod
        return "s", found
    table = _TABLES.get((path if not path.startswith(f"{PATH}/config/") else path.rpartition("/")[0], interface))
    method = (table or {}).get((member, arguments[0] if arguments else ""))
    if method is None:
        raise NoSuchMethod
    return method(machine, path, list(arguments[1:]))


def _runtime(machine: Machine) -> Zones:
    return Zones(machine, permanent=False)


def _permanent(machine: Machine) -> Zones:
    return Zones(machine, permanent=True)


def _pairs(ports: Sequence[str]) -> list[list[str]]:
    return [port.split("/") for port in ports]


def _zone_number(machine: Machine, name: str) -> str:
    names = sorted(_permanent(machine).all)
    if name not in names:
        raise FirewallError("INVALID_ZONE", name)
    return f"{PATH}/config/zone/{names.index(name)}"


def _zone_at(machine: Machine, path: str) -> str:
    names = sorted(_permanent(machine).all)
    number = path.rpartition("/")[2]
    if not number.isdigit() or int(number) >= len(names):
        raise NoSuchObject
    return names[int(number)]


def _service_number(name: str) -> str:
    names = sorted(SERVICES)
    if name not in names:
        raise FirewallError("INVALID_SERVICE", name)
    return f"{PATH}/config/service/{names.index(name)}"


def _service_ports(path: str) -> list[list[str]]:
    number = path.rpartition("/")[2]
    names = sorted(SERVICES)
    if not number.isdigit() or int(number) >= len(names):
        raise NoSuchObject
    return _pairs(SERVICES[names[int(number)]])


def _active(machine: Machine) -> dict[str, dict[str, list[str]]]:
    def parts(zone: Zone) -> dict[str, list[str]]:
        found = {"interfaces": list(zone.interfaces), "sources": list(zone.sources)}
        return {key: value for key, value in found.items() if value}

    return {name: parts(zone) for name, zone in active(_runtime(machine).all).items()}


def _reload(machine: Machine) -> Answer:
    machine.reload_firewall()
    return "", None


def _default(machine: Machine, name: str) -> Answer:
    set_default(machine, name)
    return "", None


def _nothing(done: object) -> Answer:
    return "", None


Method = Callable[[Machine, str, list[str]], Answer]
_TABLES: Mapping[tuple[str, str], Mapping[tuple[str, str], Method]] = {
    (PATH, NAME): {
        ("getDefaultZone", ""): lambda m, p, a: ("s", _runtime(m).default),
        ("setDefaultZone", "s"): lambda m, p, a: _default(m, a[0]),
        ("reload", ""): lambda m, p, a: _reload(m),
        ("listServices", ""): lambda m, p, a: ("as", sorted(SERVICES)),
    },
    (PATH, f"{NAME}.zone"): {
        ("getZones", ""): lambda m, p, a: ("as", sorted(_runtime(m).all)),
        ("getActiveZones", ""): lambda m, p, a: ("a{sa{sas}}", _active(m)),
        ("getZoneOfInterface", "s"): lambda m, p, a: ("s", zone_of_interface(_runtime(m).all, a[0]) or ""),
        ("getZoneOfSource", "s"): lambda m, p, a: ("s", zone_of_source(_runtime(m).all, a[0]) or ""),
        ("getPorts", "s"): lambda m, p, a: ("aas", _pairs(_runtime(m).zone(a[0]).ports)),
        ("getServices", "s"): lambda m, p, a: ("as", list(_runtime(m).zone(a[0]).services)),
        ("getRichRules", "s"): lambda m, p, a: ("as", list(_runtime(m).zone(a[0]).rich_rules)),
        ("getInterfaces", "s"): lambda m, p, a: ("as", list(_runtime(m).zone(a[0]).interfaces)),
        ("getSources", "s"): lambda m, p, a: ("as", list(_runtime(m).zone(a[0]).sources)),
        ("queryPort", "sss"): lambda m, p, a: ("b", _runtime(m).has_port(a[0], f"{a[1]}/{a[2]}")),
        ("addPort", "sssi"): lambda m, p, a: ("s", _runtime(m).add_port(a[0], f"{a[1]}/{a[2]}")),
        ("removePort", "sss"): lambda m, p, a: ("s", _runtime(m).remove_port(a[0], f"{a[1]}/{a[2]}")),
        ("queryService", "ss"): lambda m, p, a: ("b", a[1] in _runtime(m).zone(a[0]).services),
        ("addService", "ssi"): lambda m, p, a: ("s", _runtime(m).add(a[0], "services", a[1])),
        ("removeService", "ss"): lambda m, p, a: ("s", _runtime(m).remove(a[0], "services", a[1])),
        ("queryRichRule", "ss"): lambda m, p, a: ("b", str(parse_rule(a[1])) in _runtime(m).zone(a[0]).rich_rules),
        ("addRichRule", "ssi"): lambda m, p, a: ("s", _runtime(m).add(a[0], "rich_rules", a[1])),
        ("removeRichRule", "ss"): lambda m, p, a: ("s", _runtime(m).remove(a[0], "rich_rules", a[1])),
    },
    (f"{PATH}/config", f"{NAME}.config"): {
        ("getZoneByName", "s"): lambda m, p, a: ("o", _zone_number(m, a[0])),
        ("getZoneNames", ""): lambda m, p, a: ("as", sorted(_permanent(m).all)),
        ("listZones", ""): lambda m, p, a: ("ao", [_zone_number(m, name) for name in sorted(_permanent(m).all)]),
        ("getServiceByName", "s"): lambda m, p, a: ("o", _service_number(a[0])),
        ("getServiceNames", ""): lambda m, p, a: ("as", sorted(SERVICES)),
    },
    (f"{PATH}/config/service", f"{NAME}.config.service"): {
        ("getPorts", ""): lambda m, p, a: ("a(ss)", _service_ports(p)),
    },
    (f"{PATH}/config/zone", f"{NAME}.config.zone"): {
        ("getPorts", ""): lambda m, p, a: ("a(ss)", _pairs(_permanent(m).zone(_zone_at(m, p)).ports)),
        ("getServices", ""): lambda m, p, a: ("as", list(_permanent(m).zone(_zone_at(m, p)).services)),
        ("getRichRules", ""): lambda m, p, a: ("as", list(_permanent(m).zone(_zone_at(m, p)).rich_rules)),
        ("getInterfaces", ""): lambda m, p, a: ("as", list(_permanent(m).zone(_zone_at(m, p)).interfaces)),
        ("getSources", ""): lambda m, p, a: ("as", list(_permanent(m).zone(_zone_at(m, p)).sources)),
        ("getTarget", ""): lambda m, p, a: ("s", _permanent(m).zone(_zone_at(m, p)).target),
        ("queryPort", "ss"): lambda m, p, a: ("b", _permanent(m).has_port(_zone_at(m, p), f"{a[0]}/{a[1]}")),
        ("addPort", "ss"): lambda m, p, a: _nothing(_permanent(m).add_port(_zone_at(m, p), f"{a[0]}/{a[1]}")),
        ("removePort", "ss"): lambda m, p, a: _nothing(_permanent(m).remove_port(_zone_at(m, p), f"{a[0]}/{a[1]}")),
        ("addService", "s"): lambda m, p, a: _nothing(_permanent(m).add(_zone_at(m, p), "services", a[0])),
        ("removeService", "s"): lambda m, p, a: _nothing(_permanent(m).remove(_zone_at(m, p), "services", a[0])),
        ("addRichRule", "s"): lambda m, p, a: _nothing(_permanent(m).add(_zone_at(m, p), "rich_rules", a[0])),
        ("removeRichRule", "s"): lambda m, p, a: _nothing(_permanent(m).remove(_zone_at(m, p), "rich_rules", a[0])),
        ("queryRichRule", "s"): lambda m, p, a: (
            "b",
            str(parse_rule(a[0])) in _permanent(m).zone(_zone_at(m, p)).rich_rules,
        ),
    },
}
