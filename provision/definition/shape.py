"""The shape of the cluster file: every key, its type, default and bounds, as strict pydantic models.

The models hold what is written, as it is written; `build` says what it means. Only rules for a single value stand here
(from `values`); what several values must be together is checked by `names`, `addresses`, `ports`, `slices` and
`combinations`. The JSON Schema for editors is generated from these models: descriptions are part of the interface.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from provision.definition import values


def _text(check: Callable[[str], object], pattern: str = "", **schema: object) -> tuple[AfterValidator, WithJsonSchema]:
    """Text that `check` accepts, kept as it is written; `pattern` (whole text) is what editors are told."""

    def checked(text: str) -> str:
        check(text)
        return text

    told: dict[str, object] = {"type": "string", **schema}
    if pattern:
        told["pattern"] = f"^(?:{pattern})$"
    return AfterValidator(checked), WithJsonSchema(told)


_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_DNS = rf"{values.DNS_LABEL}(?:\.{values.DNS_LABEL})*"
_PREFIX = r"(?:[1-9]|[12][0-9]|3[0-2])"
_SECRET = r"ask|env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^/]+/.+|cmd:.+"  # noqa: S105 -- a pattern, not a password
_EXAMPLES = {"examples": ["env:WINRM_PASSWORD", "file:secrets/winrm", "ask"]}
_SITE = f"[^{values.SITE_NAME_FORBIDS.replace(chr(92), chr(92) * 2)}]+"

ClusterName = Annotated[str, *_text(values.cluster_name, values.CLUSTER_NAME)]
HostName = Annotated[str, *_text(values.host_name, values.HOST_NAME)]
SiteName = Annotated[str, *_text(values.site_name, _SITE, maxLength=values.LONGEST_SITE_NAME)]
ZoneName = Annotated[str, *_text(values.zone_name, values.ZONE_NAME)]
SshUser = Annotated[str, *_text(values.ssh_user, values.SSH_USER)]
StatsUser = Annotated[str, *_text(values.stats_user, values.STATS_USER)]
Account = Annotated[str, *_text(values.account, minLength=1, maxLength=256)]
LocalPath = Annotated[str, *_text(values.local_path, minLength=1, maxLength=1024)]
Directory = Annotated[str, *_text(values.probe_directory, minLength=1, maxLength=255)]
Ipv4 = Annotated[str, *_text(values.ipv4, _IPV4)]
HostAddress = Annotated[str, *_text(values.host_address, _DNS)]
BindAddress = Annotated[str, *_text(values.bind_address, rf"\*|{_IPV4}")]
Network = Annotated[str, *_text(values.network, rf"{_IPV4}(?:/{_PREFIX})?")]
PortRange = Annotated[str, *_text(values.port_range, values.PORT_RANGE)]
Duration = Annotated[str, *_text(values.duration, values.DURATION)]
SecretText = Annotated[str, *_text(values.secret_reference, _SECRET, **_EXAMPLES)]

Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1, le=100)]


def _kind(value: object) -> str:
    """Which branch of a union a value belongs to, so that its errors are those of one branch."""
    return {list: "list", int: "number"}.get(type(value), "word")


TableSize = Annotated[
    Annotated[int, Field(ge=1, le=values.LARGEST_TABLE), Tag("number")]
    | Annotated[str, *_text(values.size, values.SIZE), Tag("word")],
    Discriminator(_kind),
]
Allow = Annotated[
    Annotated[list[Network], Field(min_length=1), Tag("list")] | Annotated[Literal["any"], Tag("word")],
    Discriminator(_kind),
]


class Shape(BaseModel):
    """Strict: no conversion between types, no unknown key, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class CheckShape(Shape):
    """HAProxy's health check of each server: the FTP banner (220), then QUIT."""

    interval: Duration = Field(default="10s", description="Time between two checks.")
    rise: Count = Field(default=2, description="Good checks in a row until a server is up.")
    fall: Count = Field(default=2, description="Bad checks in a row until a server is down.")


class TableShape(Shape):
    """HAProxy's stick table, which holds clients to a server."""

    size: TableSize = Field(default="100k", description="Entries: a number, or with k (thousand) or m (million).")
    expire: Duration | None = Field(
        default=None, description="How long a client is remembered. Default: ftp.session_timeout, at least 30m."
    )


class FtpShape(Shape):
    """What FTP looks like at the VIP."""

    port: Port = Field(default=21, description="Port at the VIP, and at the servers unless they say otherwise.")
    external_address: Ipv4 | None = Field(
        default=None, description="What IIS answers to PASV. Default: vip; another one when the VIP stands behind NAT."
    )
    passive_ports: PortRange = Field(
        description="Ports of data connections, LOW-HIGH within 1025-65535, at most 4,096, none used otherwise."
    )
    passive_layout: Literal["sliced", "shared"] = Field(
        default="sliced",
        description="sliced: each server owns a slice of the range, so that the port names the server. "
        "shared: every server uses all of it, and clients are held to a server by their source address.",
    )
    ports_per_server: Annotated[int, Field(ge=1, le=4096)] | None = Field(
        default=None, description="Size of each slice. Default: range / servers. Ports left over stay closed."
    )
    affinity: Literal["source", "none"] = Field(
        default="source",
        description="source: a client's logins go to one server. none (sliced layout only): logins are spread freely.",
    )
    session_timeout: Duration = Field(
        default="4h", description="How long a control connection may be silent: longer than the longest transfer."
    )
    transfer_timeout: Duration = Field(default="10m", description="How long a data connection may move no byte.")
    check: CheckShape = Field(default=CheckShape(), description="Health check of the servers.")
    table: TableShape = Field(default=TableShape(), description="The stick table, where there is one.")
    transparent: bool = Field(
        default=False, description="Bind the VIP also while it is not there; a VIP that is missing is hidden by it."
    )
    splice: bool = Field(
        default=False, description="Forced kernel splicing of data connections: faster; old versions had defects in it."
    )


class SshShape(Shape):
    """How to reach a balancer. What is left out is taken from the operator's ssh configuration."""

    port: Port | None = Field(default=None, description="Port of the SSH server.")
    user: SshUser | None = Field(default=None, description="Login name: root, or a user with sudo.")
    key_file: LocalPath | None = Field(default=None, description="Private key; relative to this file, ~ is expanded.")
    password: SecretText | None = Field(default=None, description="Secret reference: login password.")
    sudo_password: SecretText | None = Field(default=None, description="Secret reference: password that sudo asks for.")
    known_hosts: LocalPath | None = Field(
        default=None, description="Known host keys; an unknown or changed key is refused. Relative to this file."
    )


class BalancerShape(Shape):
    """One HAProxy machine."""

    name: HostName = Field(description="Name of the balancer, unique among all hosts, also ignoring case.")
    address: HostAddress = Field(description="IPv4 address or DNS name for SSH.")
    ssh: SshShape = Field(default=SshShape(), description="How to log in.")
    source: Ipv4 | None = Field(
        default=None,
        description="Address from which this balancer reaches the servers. Default: what `ip route get` says there.",
    )
    firewall_zone: ZoneName | None = Field(
        default=None, description="firewalld zone to open the ports in. Default: the zone of the VIP's interface."
    )
    selinux: Literal["boolean", "permissive-domain", "permissive", "unmanaged"] = Field(
        default="boolean",
        description="boolean: stay enforcing with haproxy_connect_any on. permissive-domain: let haproxy_t do "
        "everything. permissive: the whole machine permissive (with a warning). unmanaged: left alone.",
    )
    haproxy: Literal["main", "fragment"] | None = Field(
        default=None,
        description="main: /etc/haproxy/haproxy.cfg is ours. fragment: one file of ours beside it. Default: as found.",
    )
    root: LocalPath = Field(
        default="/", description="For the lab: prefixes every path on the balancer. Relative to this file; short."
    )


class WinRMShape(Shape):
    """How to reach the Windows servers; a server's own `winrm` replaces single keys."""

    scheme: Literal["http", "https"] | None = Field(
        default=None, description="http (default; always with message encryption) or https (recommended)."
    )
    port: Port | None = Field(default=None, description="Default: 5985 for http, 5986 for https.")
    auth: Literal["negotiate", "ntlm", "basic", "kerberos", "credssp", "certificate"] | None = Field(
        default=None, description="Default: negotiate. basic only over https; kerberos, credssp, certificate: untested."
    )
    transport: Literal["psrp", "winrs"] | None = Field(
        default=None, description="psrp (default) or winrs: same scripts, same results."
    )
    user: Account | None = Field(default=None, description="Administrator's account: name, DOMAIN\\name or UPN.")
    password: SecretText | None = Field(default=None, description="Secret reference: the account's password.")
    ca_file: LocalPath | None = Field(
        default=None, description="Certificates (PEM) that https trusts. Default: the system's. Relative to this file."
    )
    verify: bool | None = Field(
        default=None, description="Default: true. false: certificates are not checked; every run and report says so."
    )


class ServerShape(Shape):
    """One Windows server with IIS FTP."""

    name: HostName = Field(description="Name of the server, unique among all hosts, also ignoring case.")
    address: HostAddress = Field(description="IPv4 address or DNS name for WinRM.")
    ftp_address: Ipv4 | None = Field(
        default=None, description="IPv4 address to which HAProxy connects. Default: address, which must then be IPv4."
    )
    ftp_port: Port | None = Field(default=None, description="FTP port of this server. Default: ftp.port.")
    sites: Annotated[list[SiteName], Field(min_length=1)] | None = Field(
        default=None, description="FTP sites that are ours. Default: those bound to ftp_address or * on the port."
    )
    passive_ports: PortRange | None = Field(
        default=None, description="This server's slice, for all servers or for none. Default: cut in order."
    )
    winrm: WinRMShape = Field(default=WinRMShape(), description="Keys that differ from the top-level winrm.")


class StatsShape(Shape):
    """HAProxy's statistics page."""

    bind: BindAddress = Field(default="127.0.0.1", description="Address where the page listens; * for all.")
    port: Port = Field(description="Port of the page.")
    user: StatsUser | None = Field(default=None, description="Needed with password, unless only the balancer sees it.")
    password: SecretText | None = Field(default=None, description="Secret reference: the page's password.")
    admin: bool = Field(default=False, description="Whether the page may take servers out and in.")
    allow: Allow | None = Field(
        default=None, description="Networks for which the firewall opens the port, or any. Default: for none."
    )


class ProbeShape(Shape):
    """The account with which verification logs in."""

    user: Account = Field(description="FTP account.")
    password: SecretText = Field(description="Secret reference: its password.")
    tls: Literal["none", "explicit"] = Field(default="none", description="explicit: AUTH TLS before the login.")
    directory: Directory | None = Field(
        default=None, description="Only there a file is written, read back and deleted. Default: nothing is written."
    )


class ClusterShape(Shape):
    """Microsoft IIS FTP servers behind HAProxy: one file describes one cluster."""

    cluster: ClusterName = Field(description="Identity of the cluster: a-z, 0-9 and -, at most 40 characters.")
    vip: Ipv4 = Field(description="IPv4 address where clients connect; not a server's.")
    vip_owner: Literal["external", "static"] = Field(
        default="external",
        description="external: keepalived, a cloud or the interface holds the VIP. "
        "static: one balancer, and the VIP is added through NetworkManager.",
    )
    ftp: FtpShape = Field(description="FTP at the VIP: ports, layout, timeouts.")
    balancers: Annotated[list[BalancerShape], Field(min_length=1)] = Field(description="HAProxy machines.")
    servers: Annotated[list[ServerShape], Field(min_length=1)] = Field(description="Windows servers with IIS FTP.")
    winrm: WinRMShape = Field(default=WinRMShape(), description="How to reach the Windows servers.")
    stats: StatsShape | None = Field(default=None, description="HAProxy's statistics page. Default: off.")
    probe: ProbeShape | None = Field(default=None, description="Account for verification. Default: off.")
