"""What the FTP service takes from configuration when it starts, as frozen values.

It must not know sockets. The service holds one `FtpSettings` from start to stop: a change on disk means nothing to
it until it is restarted (for the port range documented by the IIS reference; for the external address the lab takes
the conservative view that nothing is taken over earlier).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import cast

from provision.lab.windows.apphost import Document
from provision.lab.windows.elements import ConfigElement
from provision.lab.windows.sectionreader import open_section

SSL_ALLOW, SSL_REQUIRE = 0, 1
SSL_CREDENTIALS_ONLY, SSL_DENY = 2, 2


class BadFtpConfiguration(Exception):
    """The configuration does not let the service or a site start; the text goes to the event log."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorization rule: who ("*" is everyone, "?" anonymous), and whether it allows reading and writing."""

    allow: bool
    users: tuple[str, ...]
    read: bool
    write: bool


@dataclass(frozen=True, slots=True)
class AddressRule:
    """One ipSecurity entry."""

    address: str
    mask: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, from the site's `connections`."""

    unauthenticated: int
    control: int
    data: int


@dataclass(frozen=True, slots=True)
class FtpSite:
    """One FTP site. ENDPOINTS are (address or "*", port). EXTERNAL_ADDRESS None: answer with one's own."""

    name: str
    site_id: int
    endpoints: tuple[tuple[str, int], ...]
    root: Path
    auto_start: bool
    external_address: str | None
    control_policy: int
    data_policy: int
    certificate_hash: str
    match_pasv: bool
    match_port: bool
    timeouts: Timeouts
    max_connections: int
    reset_on_max: bool
    basic: bool
    anonymous: bool
    grants: tuple[Grant, ...]
    addresses: tuple[AddressRule, ...]
    unlisted_allowed: bool
    banner: str | None
    unix_listing: bool
    keep_partial_uploads: bool
    replace_on_rename: bool


@dataclass(frozen=True, slots=True)
class DenyByFailure:
    """Lock out a client address after MAX_FAILURES wrong logins within SECONDS."""

    max_failures: int
    seconds: int


@dataclass(frozen=True, slots=True)
class FtpSettings:
    """Everything at once. PORTS None: the ephemeral range."""

    ports: range | None
    sites: tuple[FtpSite, ...]
    deny: DenyByFailure | None


def read_settings(document: Document, local_path: Callable[[str], Path]) -> FtpSettings:
    """Settings from DOCUMENT; LOCAL_PATH turns a Windows path into a place on this machine.

    Raises BadFtpConfiguration, SectionRefused, SchemaViolation.
    """
    sites = open_section(document, "system.applicationHost/sites", ftp=True)
    return FtpSettings(
        ports=_ports(open_section(document, "system.ftpServer/firewallSupport", ftp=True)),
        sites=tuple(_site(document, site, local_path) for site in sites.entries() if _endpoints(site)),
        deny=_deny(open_section(document, "system.ftpServer/security/authentication", ftp=True)),
    )


def _ports(section: ConfigElement) -> range | None:
    low, high = section.number("lowDataChannelPort"), section.number("highDataChannelPort")
    if low == high == 0:
        return None
    if low < 1024 or high < low:
        raise BadFtpConfiguration(f"The data channel port range {low}-{high} is not valid.")
    return range(low, high + 1)


def _deny(section: ConfigElement) -> DenyByFailure | None:
    rule = section.child("denyByFailure")
    if not rule.value("enabled"):
        return None
    hours, minutes, seconds = (int(part) for part in str(rule.value("entryExpiration")).split(":"))
    return DenyByFailure(rule.number("maxFailure"), hours * 3600 + minutes * 60 + seconds)


def _endpoints(site: ConfigElement) -> tuple[tuple[str, int], ...]:
    found = []
    for binding in site.child("bindings").entries():
        if binding.value("protocol") == "ftp":
            address, port, _host = str(binding.value("bindingInformation")).split(":")
            found.append((address or "*", int(port)))
    return tuple(found)


def _site(document: Document, site: ConfigElement, local_path: Callable[[str], Path]) -> FtpSite:
    name, ftp = str(site.value("name")), site.child("ftpServer")
    security, connections = ftp.child("security"), ftp.child("connections")
    ssl, match = security.child("ssl"), security.child("dataChannelSecurity")
    addresses = open_section(document, "system.ftpServer/security/ipSecurity", ftp=True, location=name)
    return FtpSite(
        name=name,
        site_id=site.number("id"),
        endpoints=_endpoints(site),
        root=local_path(_physical_path(site)),
        auto_start=bool(ftp.value("serverAutoStart")),
        external_address=_external(name, str(ftp.child("firewallSupport").value("externalIp4Address"))),
        control_policy=ssl.number("controlChannelPolicy"),
        data_policy=ssl.number("dataChannelPolicy"),
        certificate_hash=str(ssl.value("serverCertHash")),
        match_pasv=bool(match.value("matchClientAddressForPasv")),
        match_port=bool(match.value("matchClientAddressForPort")),
        timeouts=_timeouts(connections),
        max_connections=connections.number("maxConnections"),
        reset_on_max=bool(connections.value("resetOnMaxConnections")),
        basic=_authentication(security, "basicAuthentication"),
        anonymous=_authentication(security, "anonymousAuthentication"),
        grants=_grants(document, name),
        addresses=tuple(map(_address_rule, addresses.entries())),
        unlisted_allowed=bool(addresses.value("allowUnlisted")),
        banner=_banner(ftp.child("messages")),
        keep_partial_uploads=bool(ftp.child("fileHandling").value("keepPartialUploads")),
        replace_on_rename=bool(ftp.child("fileHandling").value("allowReplaceOnRename")),
        unix_listing=bool(ftp.child("directoryBrowse").number("showFlags") & 1),
    )


def _timeouts(connections: ConfigElement) -> Timeouts:
    return Timeouts(connections.number("unauthenticatedTimeout"), connections.number("controlChannelTimeout"),
                    connections.number("dataChannelTimeout"))


def _physical_path(site: ConfigElement) -> str:
    for application in site.entries():
        if application.value("path") == "/":
            roots = [each for each in application.entries() if each.value("path") == "/"]
            return str(roots[0].value("physicalPath")) if roots else ""
    return ""


def _external(site: str, text: str) -> str | None:
    if not text:
        return None
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise BadFtpConfiguration(f"The external IPv4 address '{text}' of site '{site}' is not valid.") from None


def _authentication(security: ConfigElement, kind: str) -> bool:
    return bool(security.child("authentication").child(kind).value("enabled"))


def _grants(document: Document, site: str) -> tuple[Grant, ...]:
    section = open_section(document, "system.ftpServer/security/authorization", ftp=True, location=site)
    return tuple(Grant(
        allow=rule.number("accessType") == 0,
        users=tuple(part.strip().lower() for part in str(rule.value("users")).split(",") if part.strip()),
        read=bool(rule.number("permissions") & 1),
        write=bool(rule.number("permissions") & 2),
    ) for rule in section.entries())


def _address_rule(entry: ConfigElement) -> AddressRule:
    return AddressRule(str(entry.value("ipAddress")), str(entry.value("subnetMask")), bool(entry.value("allowed")))


def _banner(messages: ConfigElement) -> str | None:
    """The site's own banner; None for the service's usual one."""
    if messages.value("bannerMessage") and not messages.value("suppressDefaultBanner"):
        return cast(str, messages.value("bannerMessage"))
    return None
