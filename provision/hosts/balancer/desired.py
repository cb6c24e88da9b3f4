"""A balancer as its cluster file wants it, given what the machine is. Pure.

Never asks what is there now, but for facts that decide how a thing must be said (version, zone, unit).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from provision.errors import ReadFailed
from provision.hosts.balancer.cfg_reader import read_cfg
from provision.hosts.balancer.digest import first_line, owner_of
from provision.hosts.balancer.facts import SYSCONFIG, BalancerDesired, BalancerFacts
from provision.hosts.balancer.findings import page_is_reachable, wanted_ports
from provision.hosts.balancer.found import BOOLEAN, DOMAIN, NONLOCAL
from provision.hosts.balancer.haproxy_cfg import Version, haproxy_cfg
from provision.hosts.balancer.masks import Masks
from provision.hosts.balancer.repositories import remedy
from provision.hosts.balancer.tokens import Token
from provision.model.cluster import Balancer, Cluster, SelinuxPolicy
from provision.model.ports import PortSet
from provision.model.resources import (
    File,
    FirewallPorts,
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

CFG_MODE = 0o640
"""haproxy.cfg holds the statistics page's password; HAProxy reads it as root, before it changes its user."""


def desired(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, ownership: Mapping[str, PortSet], masks: Masks
) -> BalancerDesired:
    """What this balancer should be, with `ownership` of the passive ports (in a transition: old and new together).

    Raises ReadFailed (P503) while it is not known which HAProxy the machine would run, and (P551) when a secret or
    a name cannot be written into haproxy.cfg.
    """
    if facts.haproxy.version is None:
        what, why = "no repository offers haproxy", facts.haproxy.trouble
        raise ReadFailed("P503", what, host=balancer.name, why=why, next=remedy(why))
    texts: dict[str, bytes] = {}
    found = [
        ("haproxy", Package()),
        *_files(cluster, balancer, facts, ownership, masks),
        *_openings(cluster, balancer, facts, ownership),
        *_selinux(balancer.selinux, facts),
        *_address(cluster, facts),
        *_services(facts),
    ]
    for _, one in found:
        if isinstance(one, File) and isinstance(one.content, OurText):
            texts[one.content.text] = _bytes(balancer, one.content.text, masks)
    keyed = {Key(balancer.name, one.kind, name): one for name, one in found}
    return BalancerDesired(keyed, texts)


def render_cfg(cluster: Cluster, balancer: Balancer, version: Version, masks: Masks) -> str:
    """haproxy.cfg as `desired` would write it, without a machine: placeholders stand for secrets."""
    secret = masks.placeholder(cluster.stats.password) if cluster.stats else None
    return haproxy_cfg(
        cluster, balancer, version, balancer.haproxy or "main", ownership=cluster.ownership, stats_secret=secret
    )


def log_snippet(
    cluster: Cluster, balancer: Balancer, *, old_syntax: bool, load: bool, listen: bool, address: str = "*"
) -> str:
    """Rsyslog's part: local2 over UDP on loopback into the file that the package's logrotate rule knows.

    `load` and `listen` are false where another file does it already: `rsyslogd -N1` refuses imudp twice. The old
    syntax keeps an address for every input that follows, also in files of others: `address`, which was in force before,
    is put back.
    """
    lines = [first_line(cluster.name)]
    if old_syntax:
        lines += ["$ModLoad imudp"] if load else []
        back = f"$UDPServerAddress {Token(address).text}"
        lines += ["$UDPServerAddress 127.0.0.1", "$UDPServerRun 514", back] if listen else []
    else:
        lines += ['module(load="imudp")'] if load else []
        lines += ['input(type="imudp" address="127.0.0.1" port="514")'] if listen else []
    return "\n".join([*lines, f"local2.* {balancer.path('/var/log/haproxy.log')}", "& stop", ""])


def unit_options(cluster: Cluster, existing: str | None, fragment: str) -> str:
    """EL7's /etc/sysconfig/haproxy with our fragment as a further `-f`; everything else in it stays.

    The words that we read here are those of `existing`: a file of ours is read back to what it was.
    """
    kept = [line for line in (existing or "").splitlines() if not re.match(r"OPTIONS=", line)]
    kept = [line for line in kept if owner_of(line) is None]
    options = re.search(r"^OPTIONS=[\"']?([^\"'\n]*)", existing or "", re.MULTILINE)
    words = options[1].replace(f"-f {fragment}", "").split() if options else []
    value = " ".join([*words, "-f", fragment])
    return "\n".join([first_line(cluster.name), *kept, f'OPTIONS="{value}"', ""])


def _bytes(balancer: Balancer, masked: str, masks: Masks) -> bytes:
    """The real bytes of a text, looked at once more: no value may have opened a section that we did not write."""
    try:
        data = masks.reveal(masked)
    except KeyError as problem:
        raise ReadFailed("P551", "a secret of haproxy.cfg is not at hand", host=balancer.name) from problem
    except ValueError as problem:
        raise ReadFailed(
            "P551", "the statistics page's password cannot stand in haproxy.cfg", host=balancer.name, why=str(problem)
        ) from problem
    names = [(one.kind, one.name) for one in read_cfg(masked)]
    if [(one.kind, one.name) for one in read_cfg(data.decode())] != names or len(set(names)) != len(names):
        raise ReadFailed("P551", "the configuration came out with other sections than were written", host=balancer.name)
    return data


def _files(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, ownership: Mapping[str, PortSet], masks: Masks
) -> Iterator[tuple[str, Resource]]:
    version, mode = facts.haproxy.version or (0, 0), facts.mode(balancer)
    secret = masks.placeholder(cluster.stats.password) if cluster.stats else None
    try:
        text = haproxy_cfg(cluster, balancer, version, mode, ownership=ownership, stats_secret=secret)
    except ValueError as problem:
        what = "a name cannot stand in haproxy.cfg"
        raise ReadFailed("P551", what, host=balancer.name, why=str(problem)) from problem
    path = facts.config_file(cluster, balancer)
    yield path, File(OurText(text), CFG_MODE, "root:root")
    if mode == "fragment" and not facts.haproxy.conf_d:
        options = unit_options(cluster, facts.sysconfig, balancer.path(path))
        yield SYSCONFIG, File(OurText(options), 0o644, "root:root")
    if facts.log.present:
        log = facts.log
        snippet = log_snippet(
            cluster,
            balancer,
            old_syntax=log.old_syntax,
            load=not log.imudp_elsewhere,
            listen=not (log.listens_elsewhere or log.late),
            address=log.address,
        )
        yield f"/etc/rsyslog.d/provision-{cluster.name}.conf", File(OurText(snippet), 0o644, "root:root")


def _openings(
    cluster: Cluster, balancer: Balancer, facts: BalancerFacts, ownership: Mapping[str, PortSet]
) -> Iterator[tuple[str, Resource]]:
    """Now and at boot, in the zone that the VIP's interface belongs to. Nothing while firewalld does not run."""
    if not facts.firewall.running:
        return
    zone = balancer.firewall_zone or facts.firewall.zone_of(facts.address.device)
    ports, stats = wanted_ports(cluster, ownership), cluster.stats
    if stats is not None and page_is_reachable(cluster, balancer):
        page = PortSet.of(stats.port)
        if stats.allow == "any":
            ports = ports | page
        else:
            for network in stats.allow:
                yield f"{zone} from {network}", FirewallPorts(page, page)
    yield zone, FirewallPorts(ports, ports)


def _selinux(policy: SelinuxPolicy, facts: BalancerFacts) -> Iterator[tuple[str, Resource]]:
    """HAProxy's domain may bind and connect to few ports by itself; the boolean allows both for all (rhcs.te).

    Beside both a machine that is set up to enforce does enforce: the article's `setenforce 0` is not needed any more.
    """
    if facts.selinux == "disabled":
        return
    if policy in ("boolean", "permissive-domain") and facts.selinux_at_boot == "enforcing":
        yield "mode", SelinuxMode("enforcing", "enforcing")
    match policy:
        case "boolean":
            yield BOOLEAN, SelinuxBoolean(current=True, persistent=True)
        case "permissive-domain":
            yield DOMAIN, SelinuxPermissiveDomain()
        case "permissive":
            yield "mode", SelinuxMode("permissive", "permissive")
        case "unmanaged":
            return


def _address(cluster: Cluster, facts: BalancerFacts) -> Iterator[tuple[str, Resource]]:
    """Where several balancers share a VIP that comes and goes, the one without it must be able to bind it as well."""
    if cluster.vip_owner == "external" and len(cluster.balancers) > 1 and not cluster.ftp.transparent:
        yield NONLOCAL, Sysctl("1", "1")
    if cluster.vip_owner == "static" and facts.address.device is not None:
        yield cluster.vip, VipAddress(facts.address.device, facts.address.prefix or 32)


def _services(facts: BalancerFacts) -> Iterator[tuple[str, Resource]]:
    yield "haproxy", Service(enabled=True, running=True, current=True)
    if facts.log.present:
        yield "rsyslog", Service(enabled=True, running=True, current=True)
