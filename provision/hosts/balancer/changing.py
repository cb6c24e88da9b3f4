"""Changes a balancer: one exec that does a set of changes in the safe order and reads the machine again. Pure.

Opening comes first and closing last: what is needed is there before HAProxy uses it, and goes after HAProxy let it go.
That a change took is never believed here: the engine compares what was read back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from provision.errors import ChangeFailed
from provision.hosts.balancer.causes import condensed, way_out
from provision.hosts.balancer.digest import carried, sha256
from provision.hosts.balancer.entries import cuts, rules, whole
from provision.hosts.balancer.facts import SYSCONFIG, BalancerFacts
from provision.hosts.balancer.firewalld import Zone
from provision.hosts.balancer.frames import Frame, FrameError, after, frames
from provision.hosts.balancer.repositories import remedy, telling
from provision.hosts.balancer.scripts import read_arguments, script
from provision.model.change import Change
from provision.model.cluster import Balancer, Cluster
from provision.model.command import ShellResult, ShellScript
from provision.model.ports import PortRange, PortSet
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

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class ChangeStep:
    """One step for change.sh: its words (none empty, no tab or line end in them), and the bytes that follow them."""

    words: tuple[str, ...]
    content: bytes | None = None

    def encoded(self) -> bytes:
        """As it goes over the wire. Raises ValueError for words that could break out of their line."""
        if any(not word or set(word) & set("\t\n\r\0") for word in self.words):
            raise ValueError("a step's words cannot be empty or hold tabs and line ends")
        return "\t".join(self.words).encode() + b"\n" + (self.content or b"")


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """What was done, in order; the first failure with the machine's own words; and the reading that came after."""

    done: tuple[str, ...]
    failed: ChangeFailed | None
    reading: bytes


def change_script(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, changes: Iterable[Change], texts: Mapping[str, bytes]
) -> ShellScript:
    """The one exec that makes `changes` (those of this balancer).

    `texts`: the real bytes of our masked texts; a text that is not in it, and foreign content, come back from the
    originals that the balancer keeps.
    """
    own = [one for one in changes if one.key.host == balancer.name]
    payload = b"".join(step.encoded() for step in change_steps(facts, own, texts))
    return ShellScript(f"change {balancer.name}", script("change"), read_arguments(cluster, balancer), payload)


def parse_change(result: ShellResult, balancer: Balancer) -> ChangeReport:
    """What came of it. Raises ChangeFailed (P552) when the output broke off: then it is not known what was done."""
    try:
        found = frames(result.stdout)
    except FrameError as problem:
        said = result.stderr.decode("utf-8", "replace").strip()[-500:]
        raise ChangeFailed(
            "P552",
            "the change broke off",
            host=balancer.name,
            why=said or str(problem),
            next="read it again with 'provision drift' before anything else",
        ) from problem
    done = tuple(one.name.removeprefix("done:").rstrip() for one in found if one.name.startswith("done:"))
    failures = [_failed(one, balancer) for one in found if one.name.startswith("failed:")]
    return ChangeReport(done, failures[0] if failures else None, after(result.stdout, "done:", "failed:"))


def _failed(frame: Frame, balancer: Balancer) -> ChangeFailed:
    """The first step that failed. A package tool's page of advice is cut down to what is wrong, and to what to do."""
    what, said = frame.name.removeprefix("failed:").strip(), frame.text.strip()
    installing = what.startswith("package ")
    why, fix = (telling(said), remedy(said)) if installing else (condensed(said), way_out(said, balancer.name))
    why = why or f"status {frame.status}"
    return ChangeFailed("P550", f"the step '{what}' failed", host=balancer.name, why=why, next=fix)


# --- the safe order -----------------------------------------------------------------------------------------------


def change_steps(facts: BalancerFacts, changes: Sequence[Change], texts: Mapping[str, bytes]) -> tuple[ChangeStep, ...]:
    """The steps of one run, in their order."""
    files = {one.key.name: one for one in changes if one.key.kind == File.kind}
    logs = {path: one for path, one in files.items() if path.startswith("/etc/rsyslog.d/")}
    configs = {path: one for path, one in files.items() if path not in logs}
    services = {one.key.name: one for one in changes if one.key.kind == Service.kind}
    settings = [step for one in changes for step in _setting(one)]
    return (
        *(ChangeStep(("package", one.key.name)) for one in changes if one.key.kind == Package.kind and one.after),
        *(step for opens, step in settings if opens),
        *_firewall(facts, changes, "add"),
        *_rsyslog(facts, logs, services.get("rsyslog"), texts),
        *_haproxy(facts, configs, services.get("haproxy"), texts),
        *_firewall(facts, changes, "remove"),
        *(step for opens, step in settings if not opens),
    )


def _setting(change: Change) -> Iterator[tuple[bool, ChangeStep]]:
    """Steps for SELinux, kernel and address, each with whether it allows something (then it comes early)."""
    name, before, after = change.key.name, change.before, change.after
    match after if after is not None else before:
        case Sysctl():
            wanted = after if isinstance(after, Sysctl) else Sysctl("0", None)
            yield wanted.current != "0", ChangeStep(("sysctl", name, wanted.current, wanted.persistent or NOTHING))
        case SelinuxBoolean() if isinstance(after, SelinuxBoolean):
            yield after.current, ChangeStep(("boolean", name, _on(after.current), _on(after.persistent)))
        case SelinuxMode() if isinstance(after, SelinuxMode):
            yield after.current == "permissive", ChangeStep(("enforce", after.current, after.persistent))
        case SelinuxPermissiveDomain():
            yield after is not None, ChangeStep(("domain", name, _on(after is not None)))
        case VipAddress():
            for verb, one in (("remove", before), ("add", after)):
                if isinstance(one, VipAddress):
                    yield verb == "add", ChangeStep(("vip", verb, f"{name}/{one.prefix}", one.device))


def _on(value: bool) -> str:
    return "on" if value else "off"


# --- firewall -----------------------------------------------------------------------------------------------------


def _firewall(facts: BalancerFacts, changes: Iterable[Change], verb: str) -> Iterator[ChangeStep]:
    for change in changes:
        if change.key.kind != FirewallPorts.kind:
            continue
        name, _, network = change.key.name.partition(" from ")
        zone = facts.firewall.zones.get(name, Zone(name))
        old, new = _ports(change.before), _ports(change.after)
        parts = (
            ("runtime", zone.runtime, old.runtime, new.runtime),
            ("permanent", zone.permanent, old.permanent, new.permanent),
        )
        for when, live, had, wanted in parts:
            entries, opened, closed = live.of(network or None), wanted - had, had - wanted
            added, removed = rules(entries, opened, closed) if network else whole(entries, opened, closed)
            ports = added if verb == "add" else removed
            if ports:
                yield ChangeStep(("firewall", verb, when, name, network or NOTHING, _words(ports)))
            for entry, part, rest in cuts(entries, closed) if verb == "remove" and not network else ():
                yield ChangeStep(("cut", when, name, str(entry), _words(part), _words(rest) or NOTHING))


def _ports(resource: Resource | None) -> FirewallPorts:
    return resource if isinstance(resource, FirewallPorts) else FirewallPorts(PortSet(), PortSet())


def _words(ports: Iterable[PortRange]) -> str:
    return ",".join(map(str, ports))


# --- files and services -------------------------------------------------------------------------------------------


def _rsyslog(
    facts: BalancerFacts, files: Mapping[str, Change], change: Change | None, texts: Mapping[str, bytes]
) -> Iterator[ChangeStep]:
    if not files and change is None:
        return
    wanted = _service_after(facts, "rsyslog", change)
    yield from (step for one in files.values() for step in _file(facts, one, texts))
    yield ChangeStep(("rsyslog", _yes(wanted.running), _yes(wanted.enabled)))


def _haproxy(
    facts: BalancerFacts, files: Mapping[str, Change], change: Change | None, texts: Mapping[str, bytes]
) -> Iterator[ChangeStep]:
    """New options of the unit (EL7's second -f) reach HAProxy only in a restart; everything else in a reload."""
    if not files and change is None:
        return
    wanted = _service_after(facts, "haproxy", change)
    before = facts.services.get("haproxy")
    stale = before is not None and before.running and not before.current
    act = "restart" if SYSCONFIG in files else "reload" if files or stale else "none"
    yield from (step for one in files.values() for step in _file(facts, one, texts))
    yield ChangeStep(("haproxy", _yes(wanted.running), _yes(wanted.enabled), _digest(facts, files), act))


def _service_after(facts: BalancerFacts, name: str, change: Change | None) -> Service:
    stopped = Service(enabled=False, running=False, current=False)
    after = change.after if change is not None else facts.services.get(name)
    return after if isinstance(after, Service) else stopped


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _digest(facts: BalancerFacts, files: Mapping[str, Change]) -> str:
    """The digest that the new worker must show; "-": none of this cluster."""
    configs = {path: one for path, one in files.items() if path.startswith("/etc/haproxy/")}
    if not configs:
        return facts.haproxy.on_disk or NOTHING
    after = [one.after.content for one in configs.values() if isinstance(one.after, File)]
    digests = [carried(one.text) for one in after if isinstance(one, OurText)]
    return next((one for one in digests if one), NOTHING)


def _file(facts: BalancerFacts, change: Change, texts: Mapping[str, bytes]) -> Iterator[ChangeStep]:
    path, before, after = change.key.name, change.before, change.after
    if isinstance(before, File):
        original = _id(before)
        yield ChangeStep(("keep", path, original, facts.hashes.get(path, original)))
    else:
        yield ChangeStep(("keep", path, NOTHING, NOTHING))
    if not isinstance(after, File):
        yield ChangeStep(("remove", path))
        return
    mode, owner, content = f"{after.mode:o}", after.owner, after.content
    data = texts.get(content.text) if isinstance(content, OurText) else None
    if data is None:
        yield ChangeStep(("restore", path, mode, owner, _id(after)))
    else:
        yield ChangeStep(("stage", path, mode, owner, str(len(data)), hashlib.sha256(data).hexdigest()), data)


def _id(file: File) -> str:
    """Where the original of a file is kept: by its content if foreign, by its masked text if ours."""
    return file.content.sha256 if isinstance(file.content, ForeignContent) else sha256(file.content.text)
