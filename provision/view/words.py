"""The field's own words for resources and changes: one word for the property, short words for its values. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from provision.model.change import Change
from provision.model.ports import PortSet
from provision.model.resources import (
    DataChannelPorts,
    ExternalAddress,
    File,
    FirewallPorts,
    FirewallRule,
    ForeignContent,
    FtpService,
    OurText,
    Package,
    Resource,
    SelinuxBoolean,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Service,
    Sysctl,
    VipAddress,
)
from provision.model.state import Key
from provision.planning.plan import HAPROXY_FOLDER

WORDS = {
    Package.kind: "package",
    File.kind: "file",
    FirewallPorts.kind: "firewall",
    SelinuxBoolean.kind: "SELinux",
    SelinuxMode.kind: "SELinux",
    SelinuxPermissiveDomain.kind: "SELinux",
    Sysctl.kind: "sysctl",
    VipAddress.kind: "VIP",
    Service.kind: "service",
    DataChannelPorts.kind: "data channel ports",
    ExternalAddress.kind: "external address",
    FirewallRule.kind: "firewall rule",
    FtpService.kind: "FTP service",
}
"""The property words by kind of resource."""

ORDER = tuple(kind for kind in WORDS if kind not in (File.kind, Service.kind))
"""Kinds as they are listed; files and what runs them come last on a balancer."""


def rank_of(key: Key) -> tuple[int, Key]:
    """Where a key stands in a list: what is installed and opened, then files, then services."""
    return (ORDER.index(key.kind) if key.kind in ORDER else len(ORDER) + (key.kind == Service.kind), key)


def listed(changes: Iterable[Change]) -> list[Change]:
    """Changes in the order in which they are shown."""
    return sorted(changes, key=lambda one: rank_of(one.key))


NAMELESS = (DataChannelPorts.kind, FtpService.kind)
"""A server has one of each: their names say nothing."""

ABSENT = "absent"


def property_word(key: Key) -> str:
    """What a property is called; haproxy.cfg by its own name."""
    return "haproxy.cfg" if key.kind == File.kind and key.name.startswith(HAPROXY_FOLDER) else WORDS[key.kind]


def name_of(key: Key) -> str:
    """Which of several it is: a site, a path, a zone; empty where there is only one."""
    return "" if key.kind in NAMELESS or property_word(key) == "haproxy.cfg" else key.name


def facets(resource: Resource) -> Mapping[str, str]:
    """What can be said about a resource, by aspect: two that are equal in an aspect say the same there."""
    match resource:
        case DataChannelPorts() | ExternalAddress() | FirewallRule() | FtpService():
            return _windows(resource)
        case Package() | SelinuxPermissiveDomain() | VipAddress() | File() | Service():
            return _installed(resource)
        case FirewallPorts(runtime, permanent):
            return _twice(_ports(runtime), _ports(permanent))
        case SelinuxBoolean(current, persistent):
            return _twice(_on(current), _on(persistent))
        case SelinuxMode(mode, boot) | Sysctl(mode, boot):
            return _twice(mode, boot or "not set")


def _windows(resource: DataChannelPorts | ExternalAddress | FirewallRule | FtpService) -> Mapping[str, str]:
    match resource:
        case DataChannelPorts(ports):
            return {"range": f"{ports.low}-{ports.high}"}
        case ExternalAddress(address, inherited):
            return {"address": f"{address} (inherited)" if inherited else address}
        case FirewallRule(enabled, ports, remote):
            rule = {"ports": f"TCP {_list(ports)} in", "from": f"from {', '.join(remote) or 'anywhere'}"}
            return rule | {"enabled": "rule enabled" if enabled else "rule disabled"}
        case FtpService(start, running, current):
            life = _life(running, current, "runs what is configured", "runs older settings")
            return {"start": f"start {start}", **life}


def _installed(resource: Package | SelinuxPermissiveDomain | VipAddress | File | Service) -> Mapping[str, str]:
    match resource:
        case Package():
            return {"installed": "installed"}
        case SelinuxPermissiveDomain():
            return {"mode": "permissive"}
        case VipAddress(device, prefix):
            return {"device": f"on {device}", "prefix": f"/{prefix}"}
        case File(content, mode, owner):
            return {"content": _content(content), "mode": f"mode {mode:04o}", "owner": f"owner {owner}"}
        case Service(enabled, running, current):
            life = _life(running, current, "runs what is on disk", "runs what was there before")
            return {"boot": "enabled" if enabled else "disabled", **life}


def _life(running: bool, current: bool, fresh: str, stale: str) -> dict[str, str]:
    """A service that does not run runs nothing, neither old nor new."""
    return {"running": "running", "current": fresh if current else stale} if running else {"running": "stopped"}


def _content(content: OurText | ForeignContent) -> str:
    if isinstance(content, ForeignContent):
        return f"not provision's text (SHA-256 {content.sha256[:12]})"
    count = len(content.text.splitlines())
    return f"{count} line" if count == 1 else f"{count} lines"


def _twice(now: str, boot: str) -> dict[str, str]:
    return {"both": f"{now}{TWICE}"} if now == boot else {"now": f"{now} now", "boot": f"{boot} at boot"}


TWICE = ", now and at boot"


def _list(ports: PortSet) -> str:
    return ", ".join(map(str, ports)) or "no ports"


def _ports(ports: PortSet) -> str:
    return ", ".join(f"{one}/tcp" for one in ports) or "closed"


def _on(value: bool) -> str:
    return "on" if value else "off"


def value_words(resource: Resource | None) -> str:
    """A resource in words; what goes without saying (an enabled rule, a fresh service) is left out."""
    if resource is None:
        return ABSENT
    told = [one for one in facets(resource).values() if one not in SELF_EVIDENT]
    return ", ".join(told)


SELF_EVIDENT = (
    "rule enabled",
    "runs what is configured",
    "runs what is on disk",
    "mode 0644",
    "owner root:root",
    "owner root",
)
"""What goes without saying of something that is new or gone."""


def change_words(change: Change) -> str:
    """What changes, old and new, only in the aspects that differ."""
    name, before, after = name_of(change.key), change.before, change.after
    if before is None and isinstance(after, FirewallPorts) and after.runtime == after.permanent:
        return f"{_ports(after.runtime)} in {name}{TWICE}"
    if before is None and isinstance(after, Package):
        return name
    if before is None and isinstance(after, Service | FirewallRule | File):
        return _joined(name, value_words(after))
    old, new = _side(before, after), _side(after, before)
    if new.endswith(TWICE):
        old = old.removesuffix(TWICE)
    return _joined(name, f"{old} -> {new}")


def _joined(name: str, words: str) -> str:
    return f"{name}: {words}" if name and words else name or words


def _side(one: Resource | None, other: Resource | None) -> str:
    if one is None or other is None:
        return value_words(one)
    if isinstance(one, File) and isinstance(other, File):
        return _file_side(one, other)
    mine, theirs = facets(one), facets(other)
    return ", ".join(words for aspect, words in mine.items() if theirs.get(aspect) != words)


def _file_side(one: File, other: File) -> str:
    mine, theirs = facets(one), facets(other)
    told = [words for aspect, words in mine.items() if theirs[aspect] != words]
    if one.content != other.content and mine["content"] == theirs["content"]:
        told.insert(0, mine["content"])
    return ", ".join(told)


def text_diff(change: Change) -> list[str]:
    """The unified diff of a text of ours that changes, secrets masked; the whole of one that is new or gone.

    Nothing where one side is content that is not known here.
    """
    before, after = _text(change.before), _text(change.after)
    if before is None or after is None or before == after:
        return []
    rows = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return list(rows)[2:]


def _text(resource: Resource | None) -> str | None:
    match resource:
        case None:
            return ""
        case File(OurText(text), _, _):
            return text
    return None
