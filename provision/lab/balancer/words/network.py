"""`ip` and `ss`: addresses are the host's own state, connections are the machine's, as far as they concern this host."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.closedpath import machine_tool
from provision.lab.balancer.machine import Machine

LOOKING_SECONDS = 5.0


def _interfaces(machine: Machine) -> list[tuple[int, str, str, tuple[str, ...]]]:
    return [(1, "lo", "host", ("127.0.0.1/8",)), (2, machine.settings.interface, "global", machine.state.addresses)]


def ip(machine: Machine, call: Call) -> Reply:
    """`ip [-o] [-4] [-j] [-br] address show [dev D] [to A]`, `ip route get A`, `ip route`, `ip address add|del`."""
    flags = [word for word in call.arguments if word.startswith("-")]
    words = [word for word in call.arguments if not word.startswith("-")]
    if any(flag.startswith("-j") for flag in flags) and not machine.settings.shape.json_output:
        return complain('Option "-j" is unknown, try "ip -help".', code=255)
    verb = words[0] if words else ""
    if verb and "address".startswith(verb) and len(words) > 1 and words[1] in ("add", "del", "replace"):
        return _edit(machine, call, words[1:])
    if verb and "address".startswith(verb):
        return _addresses(machine, flags, words[2:] if len(words) > 1 else [])
    if verb and "route".startswith(verb) and words[1:2] == ["get"] and len(words) > 2:
        return _route_get(machine, flags, words[2])
    if verb and "route".startswith(verb):
        return say(*_routes(machine))
    if verb and "link".startswith(verb):
        return say(
            *(f"{number}: {name}: <UP,LOWER_UP> mtu 1500 state UP" for number, name, _, _ in _interfaces(machine))
        )
    return complain(f'Object "{verb}" is unknown, try "ip help".', code=1)


def _chosen(machine: Machine, words: Sequence[str]) -> list[tuple[int, str, str, str]] | str:
    pairs = dict(zip(words[::2], words[1::2], strict=False)) if len(words) > 1 else {"dev": words[0]} if words else {}
    device, to = pairs.get("dev"), pairs.get("to")
    known = {name for _, name, _, _ in _interfaces(machine)}
    if device is not None and device not in known:
        return device
    return [
        (number, name, scope, cidr)
        for number, name, scope, cidrs in _interfaces(machine)
        for cidr in cidrs
        if device in (None, name) and (to is None or cidr.partition("/")[0] == to.partition("/")[0])
    ]


def _addresses(machine: Machine, flags: Sequence[str], words: Sequence[str]) -> Reply:
    rows = _chosen(machine, words)
    if isinstance(rows, str):
        return complain(f'Device "{rows}" does not exist.')
    if any(flag.startswith("-j") for flag in flags):
        return say(json.dumps(_as_json(machine, rows), separators=(",", ":")))
    if any(flag.startswith("-o") for flag in flags):
        return say(
            *(
                f"{number}: {name}    inet {_inet(machine, scope, name, cidr)}\\       valid_lft forever preferred_lft forever"
                for number, name, scope, cidr in rows
            )
        )
    names = list(dict.fromkeys((number, name) for number, name, _, _ in rows))
    if any(flag.startswith("-br") for flag in flags):
        return say(
            *(
                f"{name:<16} UP             {' '.join(cidr for _, one, _, cidr in rows if one == name)}"
                for _, name in names
            )
        )
    lines: list[str] = []
    for number, name in names:
        kind = "LOOPBACK" if name == "lo" else "BROADCAST,MULTICAST"
        lines.append(
            f"{number}: {name}: <{kind},UP,LOWER_UP> mtu {65536 if name == 'lo' else 1500} qdisc fq_codel state UP group default qlen 1000"
        )
        for _, one, scope, cidr in rows:
            if one == name:
                lines += [
                    f"    inet {_inet(machine, scope, name, cidr)}",
                    "       valid_lft forever preferred_lft forever",
                ]
    return say(*lines)


def _inet(machine: Machine, scope: str, name: str, cidr: str) -> str:
    network = ipaddress.IPv4Interface(cidr).network
    flag = "noprefixroute " if cidr in machine.state.connection else ""  # so NetworkManager adds them, nobody else
    broadcast = f" brd {network.broadcast_address}" if network.prefixlen < 31 and name != "lo" else ""
    return f"{cidr}{broadcast} scope {scope} {flag}{name}"


def _as_json(machine: Machine, rows: Sequence[tuple[int, str, str, str]]) -> list[dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for number, name, scope, cidr in rows:
        address, _, length = cidr.partition("/")
        entry = found.setdefault(
            name, {"ifindex": number, "ifname": name, "flags": ["UP", "LOWER_UP"], "operstate": "UP", "addr_info": []}
        )
        listed = entry["addr_info"]
        if isinstance(listed, list):
            listed.append({"family": "inet", "local": address, "prefixlen": int(length), "scope": scope, "label": name})
    return list(found.values())


def _route_get(machine: Machine, flags: Sequence[str], target: str) -> Reply:
    try:
        address = ipaddress.IPv4Address(target)
    except ValueError:
        kind = "inet" if "-4" in flags else "any valid"
        return complain(f'Error: {kind} prefix is expected rather than "{target}".')
    own = {cidr.partition("/")[0] for cidr in machine.state.addresses}
    networks = [ipaddress.IPv4Interface(cidr).network for cidr in machine.state.addresses]
    old = machine.settings.shape.major == 7  # kernel 3.10 tells no uid, and iproute2 of its time put a blank more
    source, end = ("  src", " ") if old else (" src", " uid 0 ")
    if str(address) in own:
        line, cache = f"local {address} dev lo{source} {address}{end}", "    cache <local> "
    elif not any(address in network for network in networks):
        return complain("RTNETLINK answers: Network is unreachable", code=2)
    else:
        line, cache = f"{address} dev {machine.settings.interface}{source} {machine.settings.source}{end}", "    cache "
    if any(flag.startswith("-o") for flag in flags):
        return say(f"{line}\\{cache}")
    return say(line, cache)


def _routes(machine: Machine) -> list[str]:
    networks = {ipaddress.IPv4Interface(cidr) for cidr in machine.state.addresses}
    return [
        f"{item.network} dev {machine.settings.interface} proto kernel scope link src {item.ip} metric 100"
        for item in sorted(networks)
        if item.network.prefixlen < 32
    ]


def _edit(machine: Machine, call: Call, words: Sequence[str]) -> Reply:
    if not call.is_root:
        return complain("RTNETLINK answers: Operation not permitted", code=2)
    if len(words) < 4 or words[-2] != "dev" or words[-1] != machine.settings.interface:
        return complain('Not enough information: "dev" argument is required.', code=255)
    verb, cidr = words[0], words[1] if "/" in words[1] else f"{words[1]}/32"
    held = machine.state.addresses
    if verb == "add" and cidr in held:
        return complain("RTNETLINK answers: File exists", code=2)
    if verb == "del" and cidr not in held:
        return complain("RTNETLINK answers: Cannot assign requested address", code=2)
    rest = tuple(address for address in held if address != cidr)
    machine.change(lambda state: replace(state, addresses=rest if verb == "del" else (*rest, cidr)))
    return Reply()


def ss(machine: Machine, call: Call) -> Reply:
    """The machine's own ss, and of its lines those that concern an address of this host."""
    binary = machine_tool("ss")
    if binary is None:
        return complain("ss: command not found", code=127)
    done = subprocess.run(
        [binary, *call.arguments], capture_output=True, text=True, timeout=LOOKING_SECONDS, check=False
    )
    if done.returncode:
        return Reply(done.returncode, done.stdout, done.stderr)
    own = re.compile("|".join(rf"(?<![\d.]){re.escape(address)}(?=:|\b)" for address in machine.settings.own_addresses))
    lines = done.stdout.splitlines()
    head = [line for line in lines[:1] if line.startswith(("State", "Netid", "Recv-Q"))]
    return say(*head, *(line for line in lines[len(head) :] if own.search(line)))
