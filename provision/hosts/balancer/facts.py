"""What a reading of a balancer brought to light, beside its resources: everything `desired` and `change` need to know.

Values only. No text of a foreign file is in here: it may hold secrets of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from provision.hosts.balancer.firewalld import Firewall
from provision.hosts.balancer.haproxy_cfg import Mode, Version
from provision.hosts.balancer.scripts import fragment_path
from provision.model.change import Finding
from provision.model.cluster import Balancer, Cluster
from provision.model.resources import Resource, Service
from provision.model.state import Key

MAIN = "/etc/haproxy/haproxy.cfg"
SYSCONFIG = "/etc/sysconfig/haproxy"

MainFile = Literal["absent", "stock", "ours", "other cluster", "foreign"]
Selinux = Literal["enforcing", "permissive", "disabled"]


@dataclass(frozen=True, slots=True)
class HaproxyFacts:
    """HAProxy as it is installed, or as it would be.

    `trouble`: the package tool's words when nothing can be installed.
    """

    installed: bool
    version: Version | None
    release: str = ""
    trouble: str = ""
    main: MainFile = "absent"
    config_paths: tuple[str, ...] = ()
    conf_d: bool = False
    served: frozenset[str] | None = None
    """The digests of this cluster that the admin socket shows; None: there was nobody to ask."""
    on_disk: str | None = None
    """The digest that our configuration on disk carries; None: none of ours is loaded."""
    fragment: bool = False
    """A fragment of this cluster lies there."""
    home_owner: str = "root"
    """Who owns /var/lib/haproxy, where the admin socket is made; the package's own choice is root from EL8 on."""


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """The VIP's device and prefix where this machine holds it; else the device towards the servers, and no prefix."""

    vip_held: bool
    device: str | None
    prefix: int
    sources: Mapping[str, str] = field(default_factory=dict)
    """Server address -> the address from which this balancer reaches it."""


@dataclass(frozen=True, slots=True)
class LogFacts:
    """rsyslog. `old_syntax`: EL7's. `imudp_elsewhere`: somebody else's file loads imudp; twice is refused.

    `late`: the file that loads it, where that is read after ours and does not listen where HAProxy logs to: then we
    can neither load the module nor use it.
    """

    present: bool
    old_syntax: bool
    imudp_elsewhere: bool
    listens_elsewhere: bool
    late: str = ""
    address: str = "*"
    """What `$UDPServerAddress` says where our file is read: it holds for inputs of others behind it."""


@dataclass(frozen=True, slots=True)
class BalancerFacts:
    """All facts of one reading. `hashes` are of the files as they lie there (secrets included), by logical path."""

    os: str
    major: int | None
    haproxy: HaproxyFacts
    address: AddressFacts
    firewall: Firewall
    selinux: Selinux
    selinux_at_boot: Selinux
    log: LogFacts
    sysconfig: str | None
    ephemeral: tuple[int, int] | None
    reserved: str
    hashes: Mapping[str, str]
    recorded: bytes | None
    """The newest generation document that this balancer keeps."""
    services: Mapping[str, Service] = field(default_factory=dict)
    """haproxy and rsyslog as they were found: what a change of their files alone must leave them as."""
    masked: tuple[str, ...] = ()
    """Units that can neither be started nor enabled, by their short names."""

    def mode(self, balancer: Balancer) -> Mode:
        """Main or fragment: as the cluster file says, else as it was found."""
        if balancer.haproxy is not None:
            return balancer.haproxy
        return "fragment" if self.haproxy.main == "foreign" and self.haproxy.fragment else "main"

    def config_file(self, cluster: Cluster, balancer: Balancer) -> str:
        """The path of our configuration on this balancer."""
        return MAIN if self.mode(balancer) == "main" else fragment_path(cluster, conf_d=self.haproxy.conf_d)

    @property
    def source_addresses(self) -> tuple[str, ...]:
        """Every address from which this balancer reaches servers, ordered."""
        return tuple(sorted(set(self.address.sources.values())))


@dataclass(frozen=True, slots=True)
class BalancerReading:
    """A balancer as it was found."""

    resources: Mapping[Key, Resource]
    facts: BalancerFacts
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class BalancerDesired:
    """A balancer as it should be.

    `texts`: for each masked text of a file of ours, its real bytes (secrets included).
    """

    resources: Mapping[Key, Resource]
    texts: Mapping[str, bytes] = field(repr=False)
