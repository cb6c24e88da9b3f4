"""Findings about Windows Firewall and about ports that something else on the server holds. Pure; see `findings`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provision.hosts.ftp_server.view import View
from provision.hosts.ftp_server.wire import OtherRule, OwnRule
from provision.model.change import Finding
from provision.model.ports import PortRange, PortSet

OPEN_TO_ALL = frozenset({"any", "*", "0.0.0.0-255.255.255.255", "0.0.0.0/0", "0.0.0.0/0.0.0.0"})
"""How Windows Firewall says "from everywhere" (in lower case)."""


def find(view: View) -> Iterator[Finding]:
    """All findings about the network side of one server."""
    for topic in (_rules_of_others, _policy, _our_rule, _ports, _listeners):
        yield from topic(view)


def _rules_of_others(view: View) -> Iterator[Finding]:
    answer = view.answer
    wide = [rule for rule in answer.firewall_open if _is_wide(rule, view.passive)]
    if wide:
        yield view.say(
            "P427",
            "warn",
            f"open to every address, so that our rule restricts nothing: {_rules(wide)}",
            "Disable them where only the balancers should reach FTP: "
            + "; ".join(f"Disable-NetFirewallRule -Name '{rule.name}'" for rule in wide),
        )
    if answer.firewall_blocked:
        yield view.say(
            "P428",
            "warn",
            f"blocking rules win over ours: {_rules(answer.firewall_blocked)}",
            "Disable them, or narrow them to what they are meant for.",
        )


def _policy(view: View) -> Iterator[Finding]:
    answer = view.answer
    deaf = [one.name for one in answer.firewall_profiles if one.enabled and not one.allow_local_rules]
    if deaf:
        yield view.say(
            "P429",
            "warn",
            f"group policy ignores local firewall rules in profile {', '.join(deaf)}: our rule has no effect there",
            f"Have TCP {view.server.ftp_port} and {view.server.passive_ports} opened in the policy itself.",
        )
    off = [one.name for one in answer.firewall_profiles if not one.enabled]
    if off:
        yield view.say(
            "P439",
            "warn",
            f"Windows Firewall is off in profile {', '.join(off)}: nothing is restricted there",
            f"Set-NetFirewallProfile -Name {','.join(off)} -Enabled True",
        )
    if answer.stateful_ftp:
        yield view.say(
            "P430",
            "warn",
            "StatefulFtp is on: Windows Firewall reads PASV answers, which name the VIP, and breaks FTP over TLS",
            "netsh advfirewall set global StatefulFtp disable",
        )


def _is_wide(rule: OtherRule, passive: PortSet) -> bool:
    everywhere = any(one.casefold() in OPEN_TO_ALL for one in rule.remote_addresses)
    return everywhere and bool(rule_ports(rule.local_ports) & passive)


def rule_ports(words: tuple[str, ...]) -> PortSet:
    """A port filter's words ('21', '10000-10020', 'Any') as ports; words such as 'RPC' name no fixed port."""
    parts = []
    for word in words:
        try:
            parts.append(PortSet.of(PortRange(0, 65535)) if word.casefold() == "any" else PortSet.parse(word))
        except ValueError:
            continue
    return PortSet.of(*parts)


def _rules(rules: Iterable[OtherRule]) -> str:
    return ", ".join(f"'{rule.display_name}' ({','.join(rule.local_ports)})" for rule in rules)


def altered(rule: OwnRule) -> tuple[str, ...]:
    """In which words our rule is no longer the inbound allow rule for ftpsvc that we make; () if it is."""
    wanted = {
        "direction": (rule.direction, "inbound"),
        "action": (rule.action, "allow"),
        "protocol": (rule.protocol, "tcp"),
        "service": (rule.service, "ftpsvc"),
        "profiles": (rule.profiles, "any"),
    }
    return tuple(f"{name} {found}" for name, (found, ours) in wanted.items() if found.casefold() != ours)


def _our_rule(view: View) -> Iterator[Finding]:
    rule = view.answer.firewall_rule
    odd = altered(rule) if isinstance(rule, OwnRule) else ()
    if odd:
        yield view.say(
            "P440",
            "warn",
            f"our rule {view.cluster.rule_name} was turned into something else: {', '.join(odd)}; it admits nobody",
            "The next `provision cluster` makes it again.",
        )


def _ports(view: View) -> Iterator[Finding]:
    administered = [PortSet.parse(one[:-1]) for one in view.answer.reserved_ports if one.endswith("*")]
    taken = [PortSet.parse(one) for one in view.answer.reserved_ports if not one.endswith("*")]
    reserved = PortSet.of(*taken) & view.passive
    start, size = view.server.passive_ports.low, len(view.server.passive_ports)
    reserve = f"netsh int ipv4 add excludedportrange protocol=tcp startport={start} numberofports={size}"
    if reserved:
        yield view.say(
            "P431",
            "refuse",
            f"Windows has reserved {reserved} for another component: IIS cannot bind there and answers PASV with 425",
            "Choose other passive ports, or free them (`netsh int ipv4 show excludedportrange protocol=tcp`;"
            f" Hyper-V and NAT reserve at start-up: reserve first, with `{reserve}`).",
        )
    dynamic = (PortSet.parse(view.answer.dynamic_ports) & view.passive) - PortSet.of(*administered)
    if dynamic:
        yield view.say(
            "P432",
            "refuse",
            f"{dynamic} lies in the dynamic port range {view.answer.dynamic_ports}: any program may hold such a port",
            f"Reserve the ports with `{reserve}`, or choose ports outside.",
        )


def _listeners(view: View) -> Iterator[Finding]:
    if view.answer.listeners:
        sockets = ", ".join(f"{one.port} (process {one.process_id})" for one in view.answer.listeners)
        yield view.say(
            "P433",
            "refuse",
            f"another program listens inside the passive range: {sockets}. The balancer would lead clients to it",
            "Move that program (`tasklist /svc` names the process), or choose other passive ports.",
        )
