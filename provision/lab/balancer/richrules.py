"""firewalld's rich rules for one port or service: read, and written in firewalld's own normal form.

What a rule may say beyond that (masquerading, forwarding, marks) the lab refuses with firewalld's INVALID_RULE.
"""

from __future__ import annotations

import ipaddress
import shlex
from dataclasses import dataclass, replace

from provision.lab.balancer.wall import FirewallError


@dataclass(frozen=True, slots=True)
class RichRule:
    """One rule; `port` is 'N' or 'N-M', `action` is accept, reject or drop."""

    family: str | None = None
    priority: int = 0
    source: str | None = None
    source_inverted: bool = False
    port: str | None = None
    protocol: str | None = None
    service: str | None = None
    log: str | None = None
    action: str = ""

    def __str__(self) -> str:
        words = ["rule"]
        words += [f'priority="{self.priority}"'] if self.priority else []
        words += [f'family="{self.family}"'] if self.family else []
        if self.source is not None:
            words += ["source", *(["NOT"] if self.source_inverted else []), f'address="{self.source}"']
        words += ["service", f'name="{self.service}"'] if self.service else []
        words += ["port", f'port="{self.port}"', f'protocol="{self.protocol}"'] if self.port else []
        words += [self.log] if self.log is not None else []
        return " ".join([*words, self.action])


def _element(rule: RichRule, element: str, key: str, value: str) -> RichRule:
    match element, key:
        case "rule", "family":
            return replace(rule, family=value)
        case "rule", "priority" if value.lstrip("-").isdigit():
            return replace(rule, priority=int(value))
        case "source", "address":
            ipaddress.ip_network(value, strict=False)
            return replace(rule, source=value)
        case "source", ("NOT" | "not" | "invert"):
            return replace(rule, source_inverted=True)
        case "port", "port":
            return replace(rule, port=value)
        case "port", "protocol":
            return replace(rule, protocol=value)
        case "service", "name":
            return replace(rule, service=value)
        case "log", ("prefix" | "level"):
            return replace(rule, log=f'{rule.log} {key}="{value}"')
    raise FirewallError("INVALID_RULE", f"bad attribute '{key}'")


def _word(rule: RichRule, element: str, word: str) -> tuple[RichRule, str]:
    key, equals, value = word.partition("=")
    if equals or word in ("NOT", "not"):
        return _element(rule, element, key, value), element
    if word in ("accept", "reject", "drop"):
        return replace(rule, action=word), word
    if word == "log":
        return replace(rule, log="log"), word
    if word in ("source", "port", "service"):
        return rule, word
    raise FirewallError("INVALID_RULE", f"unknown element {word}")


def parse_rule(text: str) -> RichRule:
    """The rule that `text` says, with or without quotes; INVALID_RULE where firewalld would not take it."""
    try:
        words = shlex.split(text)
        if not words or words[0] != "rule":
            raise FirewallError("INVALID_RULE", "rule must start with 'rule'")
        rule, element = RichRule(), "rule"
        for word in words[1:]:
            rule, element = _word(rule, element, word)
    except ValueError as error:
        raise FirewallError("INVALID_RULE", str(error)) from error
    if not rule.action:
        raise FirewallError("INVALID_RULE", "no action, no log, no audit")
    if rule.source is not None and rule.family is None:
        raise FirewallError("INVALID_RULE", "when using an address, you must specify a family")
    if rule.port and not rule.protocol:
        raise FirewallError("INVALID_RULE", "wrong protocol")
    return rule
