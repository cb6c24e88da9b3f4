"""The answer of `powershell/Get-FtpServerState.ps1` as strictly checked values, field by field as the script prints it.

Nothing is interpreted here and nothing is guessed: an unknown, missing or mistyped field is an error. Knows nothing of
clusters, resources or our errors; `answers` opens the envelope, `reading` gives it a meaning.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

SiteState = Literal["Starting", "Started", "Stopping", "Stopped", "Unknown"]


class Strict(BaseModel):
    """Base of all: camelCase on the wire, no coercion, no unknown field, frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


class Machine(Strict):
    """The server itself; `time` is its own clock."""

    computer_name: str
    os_version: str
    os_caption: str
    ps_version: str
    is64_bit: bool
    time: AwareDatetime


class Feature(Strict):
    """Whether the FTP service is installed, and the command that installs it."""

    installed: bool
    install_command: str


class Ports(Strict):
    """The server-level data channel port range. Absent: low and high are 0."""

    state: Literal["explicit", "absent"]
    low: int
    high: int


class Address(Strict):
    """An external address: set here, inherited from the site defaults, or nowhere."""

    state: Literal["explicit", "inherited", "absent"]
    value: str


class SiteDefaults(Strict):
    """What every site inherits that does not say otherwise."""

    external_address: Address


class Ssl(Strict):
    """IIS's words for which channels must, may or must not be encrypted."""

    control_channel_policy: Literal["SslAllow", "SslRequire", "SslRequireCredentialsOnly"]
    data_channel_policy: Literal["SslAllow", "SslRequire", "SslDeny"]


class Site(Strict):
    """One FTP site. `bindings` as IIS writes them (ADDRESS:PORT:HOST); `control_channel_timeout` in seconds."""

    name: str
    id: int
    bindings: tuple[str, ...]
    managed: bool
    state: SiteState
    external_address: Address
    ssl: Ssl
    match_client_address_for_pasv: bool
    control_channel_timeout: int
    deny_by_failure: bool
    ip_security_entries: int
    physical_path: str


class NoRule(Strict):
    """Our rule is not there."""

    present: Literal[False]


class OwnRule(Strict):
    """The rule with our name, whatever it has become. Words as NetSecurity prints them."""

    present: Literal[True]
    enabled: bool
    direction: str
    action: str
    protocol: str
    local_ports: tuple[str, ...]
    remote_addresses: tuple[str, ...]
    service: str
    profiles: str


class OtherRule(Strict):
    """Somebody else's enabled inbound rule that touches our ports."""

    name: str
    display_name: str
    local_ports: tuple[str, ...]
    remote_addresses: tuple[str, ...]
    service: str


class Profile(Strict):
    """One profile of Windows Firewall (Domain, Private, Public)."""

    name: str
    enabled: bool
    allow_local_rules: bool


class WindowsService(Strict):
    """The service `ftpsvc`."""

    name: Literal["ftpsvc"]
    start_type: Literal["Automatic", "Manual", "Disabled"]
    status: str
    started_at: AwareDatetime | None
    process_id: int


class RangeMarker(Strict):
    """What our change script recorded when it last set the range. 0-0: it removed it."""

    low: int
    high: int
    changed_at: AwareDatetime


class Listener(Strict):
    """A socket of another program that listens inside the passive range."""

    port: int
    process_id: int


class BareAnswer(Strict):
    """All that a server without the FTP service tells."""

    host: Machine
    feature: Feature


class Answer(BareAnswer):
    """Everything that a server with the FTP service tells. `sessions` is -1 where it cannot be told."""

    data_channel_ports: Ports
    site_defaults: SiteDefaults
    sites: tuple[Site, ...]
    missing_sites: tuple[str, ...]
    firewall_rule: OwnRule | NoRule
    firewall_open: tuple[OtherRule, ...]
    firewall_blocked: tuple[OtherRule, ...]
    firewall_profiles: tuple[Profile, ...]
    stateful_ftp: bool
    service: WindowsService
    range_marker: RangeMarker | None
    config_changed_at: AwareDatetime
    shared_config: bool
    reserved_ports: tuple[str, ...]
    dynamic_ports: str
    listeners: tuple[Listener, ...]
    sessions: int


class Changed(Strict):
    """The answer of `powershell/Set-FtpServerState.ps1`: words for what it changed, commits made, ftpsvc restarted."""

    changed: tuple[str, ...]
    commits: int
    restarted: bool
