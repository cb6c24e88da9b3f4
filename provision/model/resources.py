"""What can be managed on a host, one small frozen dataclass a kind. Equality is the whole comparison.

A resource says how something *is, should be or was*; that it is absent is said by its key not being in the state.
Each is normalised when it is built. Adding a kind: write the class here, add it to `KINDS`, read and change it in
`provision.hosts`. The codec and the diff need nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from provision.model.ports import PortRange, PortSet

# --- balancer ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the distribution that is installed. Its version is a fact, not a state: we only ever install."""

    kind: ClassVar[str] = "package"


@dataclass(frozen=True, slots=True)
class OurText:
    """Text that we wrote (it carries our first line). Secrets in it stand as `<secret FINGERPRINT>`."""

    text: str


@dataclass(frozen=True, slots=True)
class ForeignContent:
    """Content that we did not write: known by its SHA-256 (hex). The original stays on the balancer, mode 0600."""

    sha256: str


@dataclass(frozen=True, slots=True)
class File:
    """A file on a balancer; the key's name is its path without the balancer's root. `mode` as in chmod (0o644)."""

    kind: ClassVar[str] = "file"
    content: OurText | ForeignContent
    mode: int
    owner: str


@dataclass(frozen=True, slots=True)
class FirewallPorts:
    """TCP ports that firewalld admits, now and at boot. The key's name is `ZONE` or `ZONE from NETWORK`."""

    kind: ClassVar[str] = "firewall"
    runtime: PortSet
    permanent: PortSet


@dataclass(frozen=True, slots=True)
class SelinuxBoolean:
    """An SELinux boolean now and after a reboot; the key's name is the boolean's."""

    kind: ClassVar[str] = "selinux-boolean"
    current: bool
    persistent: bool


@dataclass(frozen=True, slots=True)
class SelinuxMode:
    """SELinux's mode now and after a reboot; the key's name is `mode`. A disabled SELinux has no such resource."""

    kind: ClassVar[str] = "selinux-mode"
    current: Literal["enforcing", "permissive"]
    persistent: Literal["enforcing", "permissive", "disabled"]


@dataclass(frozen=True, slots=True)
class SelinuxPermissiveDomain:
    """A domain that SELinux lets do everything and logs; the key's name is the domain (`haproxy_t`)."""

    kind: ClassVar[str] = "selinux-permissive-domain"


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A kernel setting now and after a reboot; the key's name is its dotted name. None: not set at boot."""

    kind: ClassVar[str] = "sysctl"
    current: str
    persistent: str | None


@dataclass(frozen=True, slots=True)
class VipAddress:
    """The VIP as an address of this balancer, held by NetworkManager; the key's name is the address."""

    kind: ClassVar[str] = "vip"
    device: str
    prefix: int


@dataclass(frozen=True, slots=True)
class Service:
    """A systemd service; the key's name is the unit's without `.service`.

    `current` says that it runs what is on disk: the running process was started or reloaded with the very
    configuration that lies there now. A service that does not run is never current.
    """

    kind: ClassVar[str] = "service"
    enabled: bool
    running: bool
    current: bool

    def __post_init__(self) -> None:
        if self.current and not self.running:
            object.__setattr__(self, "current", False)


# --- Windows server ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DataChannelPorts:
    """IIS's data channel port range, one for the whole server; the key's name is `server`. Absent is its own state."""

    kind: ClassVar[str] = "data-channel-ports"
    range: PortRange


@dataclass(frozen=True, slots=True)
class ExternalAddress:
    """The external IPv4 address of one FTP site; the key's name is the site's. `inherited`: from the site defaults."""

    kind: ClassVar[str] = "external-address"
    address: str
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """Our inbound allow rule in Windows Firewall, for ftpsvc, all profiles; the key's name is the rule's `-Name`."""

    kind: ClassVar[str] = "firewall-rule"
    enabled: bool
    ports: PortSet
    remote_addresses: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "remote_addresses", tuple(sorted(set(self.remote_addresses))))


@dataclass(frozen=True, slots=True)
class FtpService:
    """The Windows service `ftpsvc`. `current`: it was started since the data channel port range last changed."""

    kind: ClassVar[str] = "ftp-service"
    start_type: Literal["Automatic", "Manual", "Disabled"]
    running: bool
    current: bool

    def __post_init__(self) -> None:
        if self.current and not self.running:
            object.__setattr__(self, "current", False)


Resource = (
    Package
    | File
    | FirewallPorts
    | SelinuxBoolean
    | SelinuxMode
    | SelinuxPermissiveDomain
    | Sysctl
    | VipAddress
    | Service
    | DataChannelPorts
    | ExternalAddress
    | FirewallRule
    | FtpService
)

KINDS: dict[str, type[Resource]] = {
    one.kind: one
    for one in (
        Package,
        File,
        FirewallPorts,
        SelinuxBoolean,
        SelinuxMode,
        SelinuxPermissiveDomain,
        Sysctl,
        VipAddress,
        Service,
        DataChannelPorts,
        ExternalAddress,
        FirewallRule,
        FtpService,
    )
}
