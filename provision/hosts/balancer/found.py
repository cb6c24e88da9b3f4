"""The resources that a reading shows: each kind from the words that a server prints for it. Pure.

What is absent is not in the result. A kind of resource is added by one function here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, cast

from provision.hosts.balancer.answers import Answers
from provision.hosts.balancer.digest import digest_of, sha256
from provision.hosts.balancer.facts import AddressFacts, BalancerFacts, HaproxyFacts, Selinux
from provision.hosts.balancer.firewalld import Zone
from provision.hosts.balancer.times import process_start, youngest_start
from provision.model.ports import PortSet
from provision.model.resources import (
    File,
    FirewallPorts,
    ForeignContent,
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

BOOLEAN = "haproxy_connect_any"
DOMAIN = "haproxy_t"
NONLOCAL = "net.ipv4.ip_nonlocal_bind"
SYSCTL_LINE = r"(\S+) = ?(.*)"
"""What `sysctl NAME...` prints for each."""


def resources(answers: Answers, facts: BalancerFacts) -> Iterator[tuple[str, Resource]]:
    """Every resource of this balancer, ours or not, with its name: the scope decides later what is compared."""
    if facts.haproxy.installed:
        yield "haproxy", Package()
    yield from _files(answers)
    for zone in facts.firewall.zones.values():
        yield from _openings(zone)
    if facts.selinux != "disabled":
        yield from _selinux(answers, facts.selinux)
    yield from _sysctl(answers)
    yield from _vip(answers, facts.address)
    yield "haproxy", _haproxy_service(answers, facts.haproxy)
    if facts.log.present:
        yield "rsyslog", _rsyslog_service(answers)


def _files(answers: Answers) -> Iterator[tuple[str, Resource]]:
    rows = {answers.logical(path): (int(mode, 8), owner) for mode, owner, _, path in _stat(answers)}
    me = f"{answers.need('whoami').first}:{answers.need('group').first}"
    for path, text in answers.texts.items():
        mode, owner = rows[path]
        if answers.balancer.root != "/" and owner == me:
            owner = "root:root"  # in a lab an ordinary user plays root
        yield path, File(_content(answers, path, text), mode, owner)


def _stat(answers: Answers) -> list[tuple[str, ...]]:
    return answers.rows("stat", r"([0-7]{1,4}) (\S+) (\d+\.\d+) (.+)")


def _content(answers: Answers, path: str, text: str) -> OurText | ForeignContent:
    """Ours by its first line; a text that did not come over as it lies there (NUL, not UTF-8) cannot be ours."""
    whole = sha256(text) == answers.hashes[path]
    if answers.is_ours(text) and whole and _is_utf8(text):
        return OurText(answers.masks.mask(text))
    return ForeignContent(answers.hashes[path])


def _is_utf8(text: str) -> bool:
    """Bytes that are no UTF-8 arrive as lone surrogates."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _openings(zone: Zone) -> Iterator[tuple[str, Resource]]:
    networks = {network for network, _ in (*zone.runtime.rules, *zone.permanent.rules)}
    for network in (None, *sorted(networks)):
        runtime, permanent = (PortSet.of(*one.of(network)) for one in (zone.runtime, zone.permanent))
        name = zone.name if network is None else f"{zone.name} from {network}"
        if runtime or permanent:
            yield name, FirewallPorts(runtime, permanent)


def _selinux(answers: Answers, mode: Literal["enforcing", "permissive"]) -> Iterator[tuple[str, Resource]]:
    yield "mode", SelinuxMode(mode, stored_mode(answers))
    current = re.fullmatch(rf"{BOOLEAN} --> (on|off)(?: pending: (?:on|off))?", answers.need("boolean").first)
    if current is not None:
        yield BOOLEAN, SelinuxBoolean(current[1] == "on", _stored_boolean(answers))
    elif answers.need("boolean").ok:
        raise ValueError(f"getsebool said {answers.need('boolean').first!r}")
    if any(line.strip() == DOMAIN for line in answers.text("domains").splitlines()):
        yield DOMAIN, SelinuxPermissiveDomain()


def stored_mode(answers: Answers) -> Selinux:
    """The mode from the next boot on. Raises ValueError where the file of an SELinux that is there does not say it."""
    stored = re.search(r"^\s*SELINUX=(\w+)", answers.text("selinux-config"), re.MULTILINE)
    if stored is None or stored[1] not in ("enforcing", "permissive", "disabled"):
        raise ValueError("/etc/selinux/config does not say SELINUX=enforcing, permissive or disabled")
    return cast(Selinux, stored[1])


def _stored_boolean(answers: Answers) -> bool:
    """The choice in the policy store; without one the policy's default, which is off (rhcs.te)."""
    store = answers.need("booleans-stored")
    if store.status in (0, 1):
        return bool(re.search(rf"^\s*{BOOLEAN}\s*=\s*(1|on|true)\s*$", store.text, re.MULTILINE))
    listed = re.search(rf"^{BOOLEAN}\s+\((?:on|off)\s*,\s*(on|off)\)", answers.text("booleans"), re.MULTILINE)
    if listed is None:
        raise ValueError(f"neither the policy store nor semanage tells whether {BOOLEAN} is on at boot")
    return listed[1] == "on"


def _sysctl(answers: Answers) -> Iterator[tuple[str, Resource]]:
    current = answers.settings("sysctl", SYSCTL_LINE).get(NONLOCAL)
    stored = answers.settings("sysctl-stored", r"([a-z0-9_.]+)=(.*)").get(NONLOCAL)
    if current is not None:
        yield NONLOCAL, Sysctl(current.strip(), stored.strip() if stored is not None else None)


def _vip(answers: Answers, address: AddressFacts) -> Iterator[tuple[str, Resource]]:
    """The VIP counts as ours only where NetworkManager holds it: an address without that is gone after a boot."""
    held = answers.starting("connection:").values()
    wanted = rf"\b{re.escape(answers.cluster.vip)}/(\d+)\b"
    for frame in held:
        match = re.search(wanted, frame.text) if frame.ok else None
        if match is not None and address.vip_held and address.device is not None:
            yield answers.cluster.vip, VipAddress(address.device, int(match[1]))
            return


def _service(answers: Answers, name: str, *, current: bool) -> Service:
    unit = answers.unit(name)
    enabled = unit.get("UnitFileState", "") in ("enabled", "enabled-runtime")
    return Service(enabled, unit.get("ActiveState") in ("active", "reloading"), current)


def _haproxy_service(answers: Answers, haproxy: HaproxyFacts) -> Service:
    """Current when the digests that are served are those of our files; without a digest, by age."""
    ours = [answers.masks.mask(text) for text in answers.loaded().values() if answers.is_ours(text)]
    if haproxy.served is not None and (ours or haproxy.served):
        return _service(answers, "haproxy", current=haproxy.served == {digest_of(text) for text in ours})
    pid = answers.unit("haproxy").get("MainPID", "")
    started = youngest_start(answers.text("processes"), pid, answers.clock)
    changed = [float(time) for _, _, time, path in _stat(answers) if answers.logical(path) in answers.loaded()]
    late = started is not None and any(time > started for time in changed)
    return _service(answers, "haproxy", current=not late)


def _rsyslog_service(answers: Answers) -> Service:
    """Current when it started after the last change of its files and of the folder that holds them."""
    started = process_start(answers.text("log-process"), answers.text("log-since"), answers.clock)
    running = answers.unit("rsyslog").get("ActiveState") == "active"
    if running and started is None:
        raise ValueError(f"it is not known when rsyslog started: {answers.raw('log-process')[:80]!r}")
    times = [float(row[0]) for row in answers.rows("log-times", r"(\d+\.\d+) .+")]
    return _service(answers, "rsyslog", current=started is not None and all(time <= started for time in times))
