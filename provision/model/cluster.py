"""The cluster as its file describes it, validated and with every default filled in. `definition` builds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from provision.model.ports import PortRange, PortSet
from provision.model.secret import SecretRef

Layout = Literal["sliced", "shared"]
SelinuxPolicy = Literal["boolean", "permissive-domain", "permissive", "unmanaged"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """HAProxy's check of a server: `interval` in seconds, `rise` and `fall` in checks."""

    interval: int = 10
    rise: int = 2
    fall: int = 2


@dataclass(frozen=True, slots=True)
class StickTable:
    """HAProxy's stick table: `size` in entries, `expire` in seconds."""

    size: int = 100_000
    expire: int = 14_400


@dataclass(frozen=True, slots=True)
class Ftp:
    """What FTP looks like at the VIP. Timeouts in seconds."""

    port: int
    external_address: str
    passive_ports: PortRange
    layout: Layout
    affinity: Literal["source", "none"]
    session_timeout: int
    transfer_timeout: int
    check: HealthCheck
    table: StickTable
    transparent: bool
    splice: bool


@dataclass(frozen=True, slots=True)
class Ssh:
    """How to reach a balancer. None means: what the operator's ssh configuration says."""

    port: int | None = None
    user: str | None = None
    key_file: Path | None = None
    password: SecretRef | None = None
    sudo_password: SecretRef | None = None
    known_hosts: Path | None = None


@dataclass(frozen=True, slots=True)
class Balancer:
    """One HAProxy machine. `root` prefixes every path ("/" but for the lab)."""

    name: str
    address: str
    ssh: Ssh
    source: str | None
    firewall_zone: str | None
    selinux: SelinuxPolicy
    haproxy: Literal["main", "fragment"] | None
    root: str

    def path(self, absolute: str) -> str:
        """`absolute` (it starts with /) under this balancer's root."""
        return absolute if self.root == "/" else self.root.rstrip("/") + absolute


@dataclass(frozen=True, slots=True)
class WinRM:
    """How to reach a Windows server."""

    scheme: Literal["http", "https"]
    port: int
    auth: str
    transport: Literal["psrp", "winrs"]
    user: str
    password: SecretRef | None
    ca_file: Path | None
    verify: bool


@dataclass(frozen=True, slots=True)
class Server:
    """One Windows server with IIS FTP.

    `sites` is None when the file names none: then every FTP site bound to `ftp_address` or `*` on `ftp_port` is meant.
    `passive_ports` is this server's slice in the sliced layout, the whole range in the shared one;
    `pinned` says that the file gave the slice, so that it does not move when the list of servers changes.
    """

    name: str
    address: str
    ftp_address: str
    ftp_port: int
    sites: tuple[str, ...] | None
    passive_ports: PortRange
    pinned: bool
    winrm: WinRM


@dataclass(frozen=True, slots=True)
class Stats:
    """HAProxy's statistics page. `allow` is "any" or the networks (CIDR) for which the firewall opens the port."""

    bind: str
    port: int
    user: str | None
    password: SecretRef | None
    admin: bool
    allow: Literal["any"] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """The account with which verification logs in. Files are written below `directory` only; None: none are."""

    user: str
    password: SecretRef
    tls: Literal["none", "explicit"]
    directory: str | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A whole cluster. `file` is where it came from, as the user wrote it; `text` the file's own text."""

    name: str
    vip: str
    vip_owner: Literal["external", "static"]
    ftp: Ftp
    balancers: tuple[Balancer, ...]
    servers: tuple[Server, ...]
    stats: Stats | None
    probe: Probe | None
    file: Path
    text: str

    @property
    def for_lab(self) -> bool:
        """Whether it describes the embedded lab: its balancers live in a folder of this machine."""
        return any(one.root != "/" for one in self.balancers)

    @property
    def rule_name(self) -> str:
        """The fixed name of our rule in Windows Firewall."""
        return f"provision-{self.name}"

    @property
    def ownership(self) -> dict[str, PortSet]:
        """Which passive ports lead to which server, by server name, once everything is as the file says."""
        return {server.name: PortSet.of(server.passive_ports) for server in self.servers}

    def balancer(self, name: str) -> Balancer:
        """The balancer of that name. Raises KeyError."""
        return {one.name: one for one in self.balancers}[name]

    def server(self, name: str) -> Server:
        """The server of that name. Raises KeyError."""
        return {one.name: one for one in self.servers}[name]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host's name, servers first, in the order of the file."""
        return tuple(one.name for one in self.servers) + tuple(one.name for one in self.balancers)

    def secret_refs(self) -> tuple[SecretRef, ...]:
        """Every secret reference in the file, each once, in the order in which they are needed."""
        refs = [self.stats.password if self.stats else None, self.probe.password if self.probe else None]
        refs += [server.winrm.password for server in self.servers]
        refs += [ref for one in self.balancers for ref in (one.ssh.password, one.ssh.sudo_password)]
        return tuple(dict.fromkeys(ref for ref in refs if ref is not None))
