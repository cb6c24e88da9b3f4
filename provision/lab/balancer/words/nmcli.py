"""`nmcli`: NetworkManager's one connection, the addresses that it gives at boot, and the device that takes them up."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import replace

from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine

_CONNECTION_ID = "System eth0"


def nmcli(machine: Machine, call: Call) -> Reply:
    """Connections and the device: show (-t -f, -g), modify [+-]ipv4.addresses, up, `device reapply`."""
    fields: list[str] = []
    words = list(call.arguments)
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        if flag in ("-f", "--fields", "-g", "--get-values", "-w", "--wait"):
            value = words.pop(0) if words else ""
            fields = value.split(",") if flag not in ("-w", "--wait") else fields
    values_only = any(flag in call.arguments for flag in ("-g", "--get-values"))
    kind, rest = (words[0], words[1:]) if words else ("", [])
    if kind and "connection".startswith(kind):
        return _connection(machine, call, rest, fields, values_only)
    if kind and "device".startswith(kind):
        return _device(machine, call, rest, fields, values_only)
    return complain(f"Error: argument '{kind}' not understood. Try passing --help instead.", code=2)


def _values(machine: Machine) -> dict[str, str]:
    return {
        "NAME": _CONNECTION_ID,
        "UUID": "5fb06bd0-0bb0-7ffb-45f1-d6edd65f3e03",
        "TYPE": "802-3-ethernet",
        "DEVICE": machine.settings.interface,
        "connection.id": _CONNECTION_ID,
        "connection.interface-name": machine.settings.interface,
        "connection.zone": "",
        "ipv4.method": "manual",
        "ipv4.addresses": ", ".join(machine.state.connection),
        "ipv4.gateway": "",
        "GENERAL.DEVICE": machine.settings.interface,
        "GENERAL.STATE": "100 (connected)",
        "GENERAL.CONNECTION": _CONNECTION_ID,
        "STATE": "connected",
        "CONNECTION": _CONNECTION_ID,
    }


def _print(machine: Machine, fields: Sequence[str], values_only: bool, table: bool) -> Reply:
    values = _values(machine)
    unknown = [field for field in fields if field not in values]
    if unknown:
        return complain(f"Error: invalid field '{unknown[0]}'; allowed fields: {','.join(values)}.", code=2)
    if table:
        return say(":".join(values[field].replace(":", "\\:") for field in fields))
    return say(*(values[field] if values_only else f"{field}:{values[field]}" for field in fields))


def _connection(machine: Machine, call: Call, words: Sequence[str], fields: Sequence[str], values_only: bool) -> Reply:
    verb, names = (words[0], [word for word in words[1:] if word not in ("--active", "id")]) if words else ("show", [])
    if names and names[0] not in (_CONNECTION_ID, _values(machine)["UUID"]):
        return complain(f"Error: {names[0]} - no such connection profile.", code=10)
    if "show".startswith(verb):
        chosen = list(fields) or ["NAME", "UUID", "TYPE", "DEVICE"]
        return _print(machine, chosen, values_only, table=not names)
    if not call.is_root:
        return complain(f"Error: Failed to modify connection '{_CONNECTION_ID}': Insufficient privileges")
    if "modify".startswith(verb) and len(names) == 3:
        return _modify(machine, names[1], names[2])
    if verb == "up":
        _reapply(machine)
        return say(
            "Connection successfully activated (D-Bus active path: /org/freedesktop/NetworkManager/ActiveConnection/2)"
        )
    return complain("Error: invalid arguments to 'connection' command.", code=2)


def _modify(machine: Machine, key: str, value: str) -> Reply:
    if key.lstrip("+-") != "ipv4.addresses":
        return complain(f"Error: invalid or not allowed setting '{key}': the lab models ipv4.addresses only.", code=2)
    try:
        given = tuple(str(ipaddress.IPv4Interface(part.strip())) for part in value.split(",") if part.strip())
    except ValueError:
        return complain(f"Error: failed to modify ipv4.addresses: invalid IP address: {value}.", code=2)
    held = machine.state.connection
    changed = {
        "+": (*held, *(one for one in given if one not in held)),
        "-": tuple(one for one in held if one not in given),
    }.get(key[0], given)
    machine.change(lambda state: replace(state, connection=changed))
    return Reply()


def _reapply(machine: Machine) -> None:
    before = set(machine.state.connection)
    settings = machine.settings
    outside = (
        (f"{settings.vip}/32",)
        if settings.vip_held and not any(one.startswith(f"{settings.vip}/") for one in before)
        else ()
    )
    machine.change(lambda state: replace(state, addresses=(*state.connection, *outside)))


def _device(machine: Machine, call: Call, words: Sequence[str], fields: Sequence[str], values_only: bool) -> Reply:
    verb, names = (words[0], words[1:]) if words else ("status", [])
    if names and names[-1] != machine.settings.interface:
        return complain(f"Error: Device '{names[-1]}' not found.", code=10)
    if verb == "reapply":
        if not call.is_root:
            return complain("Error: Reapplying connection to device failed: Not authorized to reapply.")
        _reapply(machine)
        return say(f"Connection successfully reapplied to device '{machine.settings.interface}'.")
    if verb in ("status", "show"):
        return _print(
            machine, list(fields) or ["DEVICE", "TYPE", "STATE", "CONNECTION"], values_only, table=verb == "status"
        )
    return complain("Error: invalid arguments to 'device' command.", code=2)
