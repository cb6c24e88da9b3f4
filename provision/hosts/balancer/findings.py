"""What a reading brings to light that is no difference: dangers, things of others, what HAProxy's check lets through.

Pure. Codes are P50x to P54x of error_codes.toml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal

from provision.hosts.balancer.cfg_reader import Bind, Section, read_cfg
from provision.hosts.balancer.facts import MAIN, BalancerFacts
from provision.hosts.balancer.haproxy_cfg import HANDS_ON_LISTENERS, haproxy_cfg
from provision.hosts.balancer.repositories import remedy
from provision.model.change import Finding
from provision.model.cluster import Balancer, Cluster
from provision.model.ports import PortRange, PortSet

Level = Literal["refuse", "warn", "note"]
_Loaded = Mapping[str, tuple[Section, ...]]
_NEWEST = (3, 0)
_HANDS_ON_UNASKED = (2, 6)
"""From then on master and workers were seen to pass the listeners on by themselves; 2.2 does not, 2.4 is not known."""
_NO_OVERRIDE = 8
"""From EL8 on the policy does not let HAProxy, as root, pass over the owner of a file (dac_override)."""


def findings(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, sections: _Loaded
) -> tuple[Finding, ...]:
    """All findings about one balancer. `sections`: what each file holds that HAProxy loads now, by path."""
    found = (
        *_package(facts),
        *_main_file(balancer, facts),
        *_strays(cluster, balancer, facts, sections),
        *_neighbours(cluster, balancer, facts, sections),
        *_let_through(sections),
        *_handing_on(balancer, facts, sections),
        *_vip(cluster, facts),
        *_firewall(cluster, balancer, facts),
        *_selinux(balancer, facts),
        *_kernel(cluster, facts),
        *_logs(facts),
        *_masked(facts),
    )
    return tuple(Finding(balancer.name, *one) for one in found)


_Row = tuple[str, Level, str, str]


def _package(facts: BalancerFacts) -> Iterator[_Row]:
    haproxy = facts.haproxy
    if haproxy.version is None:
        text = f"haproxy is not installed, and no repository offers it: {haproxy.trouble}"
        yield "P503", "refuse", text, remedy(haproxy.trouble)
    if haproxy.installed and haproxy.served is None and haproxy.main in ("ours", "foreign"):
        yield (
            "P543",
            "note",
            "HAProxy's admin socket could not be asked; whether it runs what is on disk is judged by times",
            "install socat, and give the global section a 'stats socket'",
        )


def _main_file(balancer: Balancer, facts: BalancerFacts) -> Iterator[_Row]:
    haproxy, mode = facts.haproxy, facts.mode(balancer)
    if mode == "main" and haproxy.main == "foreign":
        beside = f"say 'haproxy: fragment' for {balancer.name} to live beside it"
        fix = f"{beside}, or run with --adopt to replace it (the original is kept)"
        yield "P501", "refuse", f"{MAIN} was written by somebody else and would be replaced", fix
    if mode == "main" and haproxy.main == "other cluster":
        fix = f"say 'haproxy: fragment' for {balancer.name}"
        yield "P502", "refuse", f"{MAIN} belongs to another cluster of provision", fix
    if mode == "fragment" and haproxy.main == "absent" and haproxy.installed:
        yield "P512", "refuse", f"a fragment needs a main file, and {MAIN} does not exist", "say 'haproxy: main'"


def _strays(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, sections: _Loaded
) -> Iterator[_Row]:
    """In a main file of ours, everything else that the unit loads counts as well, in every reload."""
    if facts.mode(balancer) != "main" or facts.haproxy.main == "foreign":
        return
    for path in sections:
        if path not in (MAIN, facts.config_file(cluster, balancer)):
            fix = "move it away, or use 'haproxy: fragment'"
            yield "P513", "warn", f"HAProxy also loads {path}, which is not ours", fix


def _wanted(cluster: Cluster, balancer: Balancer, facts: BalancerFacts) -> tuple[Section, ...]:
    """Our sections, as they will be."""
    version = facts.haproxy.version or _NEWEST
    mode, ownership = facts.mode(balancer), cluster.ownership
    return read_cfg(haproxy_cfg(cluster, balancer, version, mode, ownership=ownership, stats_secret="-"))  # noqa: S106  # a placeholder


def _neighbours(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, sections: _Loaded
) -> Iterator[_Row]:
    """Sections of others that stay beside ours. HAProxy runs with two on one port: the kernel then splits at random."""
    replaced = {MAIN} if facts.mode(balancer) == "main" else set()
    replaced.add(facts.config_file(cluster, balancer))
    others = [part for path, parts in sections.items() if path not in replaced for part in parts]
    ours = _wanted(cluster, balancer, facts)
    taken = [bind for part in others for bind in part.binds]
    for other in (one for one in taken if any(one.meets(bind) for part in ours for bind in part.binds)):
        yield "P514", "refuse", f"section {other.section} listens on {_place(other)} too", "move one of the two"
    names = {part.name for part in others if part.kind in ("listen", "frontend", "backend")}
    for name in sorted(names & {part.name for part in ours}):
        yield "P515", "refuse", f"another file has a section named {name} as well", "rename that section"


def _let_through(sections: _Loaded) -> Iterator[_Row]:
    for path, parts in sections.items():
        for bind in (bind for part in parts for bind in part.binds if bind.reversed_range):
            yield "P516", "warn", f"{path}: section {bind.section} binds a reversed range", "write it low to high"
        for server in (server for part in parts for server in part.unchecked_servers):
            yield "P517", "warn", f"{path}: server {server} asks for a check and names no port", "add 'check port'"
    inside = [bind for parts in sections.values() for part in parts for bind in part.binds]
    for one, other in combinations(inside, 2):
        if one.meets(other):
            text = f"sections {one.section} and {other.section} both listen on {_place(other)}"
            yield "P518", "warn", text, "move one of the two: the kernel splits connections between them"


def _handing_on(balancer: Balancer, facts: BalancerFacts, sections: _Loaded) -> Iterator[_Row]:
    """Beside somebody's main file its admin socket decides whether a reload keeps the listeners."""
    version = facts.haproxy.version or _NEWEST
    if facts.mode(balancer) == "main" or not HANDS_ON_LISTENERS <= version < _HANDS_ON_UNASKED:
        return
    words = [words for parts in sections.values() for part in parts if part.kind == "global" for words in part.lines]
    if not any(one[:2] == ("stats", "socket") and "expose-fd" in one for one in words):
        text = f"a reload of this HAProxy {version[0]}.{version[1]} can reset a connection that comes in just then"
        yield "P545", "note", text, f"add 'expose-fd listeners' to the 'stats socket' line of {MAIN}"


def _place(bind: Bind) -> str:
    return f"{bind.address}:{bind.ports}"


def _vip(cluster: Cluster, facts: BalancerFacts) -> Iterator[_Row]:
    if facts.address.vip_held or cluster.vip_owner == "static":
        return
    if cluster.ftp.transparent:
        text = f"the VIP {cluster.vip} is not on this machine; 'transparent' hides it: HAProxy starts, nobody connects"
        yield "P519", "warn", text, "ask what should hold it (keepalived, the cloud, the interface)"
    elif len(cluster.balancers) == 1:
        fix = "give the machine the address, or say 'vip_owner: static' or 'transparent: true'"
        yield "P519", "refuse", f"the VIP {cluster.vip} is not on this machine, and HAProxy could not bind it", fix
    else:
        yield "P519", "note", f"the VIP {cluster.vip} is not on this machine now", ""


def wanted_ports(cluster: Cluster, ownership: Mapping[str, PortSet]) -> PortSet:
    """The ports of FTP itself: control and every passive port that leads anywhere."""
    return PortSet.of(cluster.ftp.port, *ownership.values())


def page_is_reachable(cluster: Cluster, balancer: Balancer) -> bool:
    """Whether the statistics page listens anywhere but on loopback. In a lab 127/8 plays the network."""
    if cluster.stats is None:
        return False
    loopback = "127." if balancer.root == "/" else "127.0.0.1"
    return not cluster.stats.bind.startswith(loopback)


def _firewall(cluster: Cluster, balancer: Balancer, facts: BalancerFacts) -> Iterator[_Row]:
    firewall = facts.firewall
    if not firewall.running:
        text = "firewalld does not run: nothing is opened, and what another firewall admits is not known"
        yield "P520", "warn", text, "systemctl enable --now firewalld, or open the ports where they are filtered"
        return
    zone = balancer.firewall_zone or firewall.zone_of(facts.address.device)
    if zone not in firewall.zones:
        yield "P523", "refuse", f"firewalld has no zone {zone}", "correct 'firewall_zone'"
        return
    ports = wanted_ports(cluster, cluster.ownership)
    for other in firewall.zones.values():
        if other.sources and other.name != zone and not ports <= PortSet.of(*other.runtime.ports):
            text = f"clients from {', '.join(other.sources)} fall into zone {other.name}, which wins over {zone}"
            yield "P521", "warn", text, f"open the ports in {other.name} too if these clients use FTP"
    for name in firewall.zones[zone].services:
        opened = firewall.services.get(name, PortSet()) & ports
        if opened:
            yield "P522", "note", f"service {name} opens {opened} in {zone} already; left as it is", ""


def _selinux(balancer: Balancer, facts: BalancerFacts) -> Iterator[_Row]:
    if facts.selinux == "disabled" and balancer.selinux != "unmanaged":
        yield "P532", "note", "SELinux is disabled here: nothing to set", ""
    lenient = facts.selinux == "permissive" and facts.selinux_at_boot != "enforcing"
    if lenient and balancer.selinux in ("boolean", "permissive-domain"):
        text = f"SELinux is permissive here, and {facts.selinux_at_boot} at boot: it denies nothing"
        fix = "setenforce 1, and SELINUX=enforcing in /etc/selinux/config, when its log is quiet"
        yield "P531", "note", text, fix
    foreign_home = facts.haproxy.home_owner != "root" and balancer.root == "/"
    enforces = "enforcing" in (facts.selinux, facts.selinux_at_boot) and not balancer.selinux.startswith("permissive")
    if enforces and foreign_home and (facts.major or 0) >= _NO_OVERRIDE:
        owner = facts.haproxy.home_owner
        text = f"/var/lib/haproxy belongs to {owner}: SELinux does not let HAProxy make its admin socket there"
        yield "P533", "warn", text, "chown root:root /var/lib/haproxy, as the package has it"
    if balancer.selinux == "permissive":
        text = "SELinux is made permissive for the whole machine, as the article does"
        yield "P530", "warn", text, "'selinux: boolean' keeps it enforcing"


def _kernel(cluster: Cluster, facts: BalancerFacts) -> Iterator[_Row]:
    """Ports that the kernel hands out for outgoing connections may be taken when HAProxy wants to bind them."""
    if facts.ephemeral is None:
        return
    ephemeral = PortSet.of(PortRange(*facts.ephemeral)) - PortSet.parse(facts.reserved)
    touched = PortSet.of(*cluster.ownership.values()) & ephemeral
    if touched:
        fix = f"choose ports outside {facts.ephemeral[0]}-{facts.ephemeral[1]}, or set ip_local_reserved_ports"
        yield "P540", "refuse", f"passive ports {touched} lie in the balancer's own ephemeral range", fix


def _logs(facts: BalancerFacts) -> Iterator[_Row]:
    if not facts.log.present:
        yield "P541", "warn", "rsyslog is not installed: HAProxy's log goes nowhere", "install rsyslog, then run again"
    if facts.log.late:
        text = f"{facts.log.late} loads imudp after our file, and not for 127.0.0.1:514: HAProxy's log goes nowhere"
        fix = "load imudp in /etc/rsyslog.conf above its include, or let that file listen on 127.0.0.1:514 too"
        yield "P542", "warn", text, fix


def _masked(facts: BalancerFacts) -> Iterator[_Row]:
    managed = ("haproxy", "rsyslog") if facts.log.present else ("haproxy",)
    for name in (one for one in facts.masked if one in managed):
        text = f"{name}.service is masked: somebody decided that it shall never start here"
        yield "P544", "refuse", text, f"systemctl unmask {name}"
