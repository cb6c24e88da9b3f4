"""What a single value of the cluster file may be: names, addresses, ports, times, sizes, secret references. Pure.

Every function takes text and returns what it means, or raises `BadValueError` with code, message and what is allowed.
Nothing here knows where in the file the text stood, nor any other value of the file.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from provision.definition.complaint import BadValueError, shown
from provision.model.ports import PortRange

CLUSTER_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
HOST_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
ZONE_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,16}"
SSH_USER = r"[A-Za-z0-9_][A-Za-z0-9._@\\-]{0,63}"
STATS_USER = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
DNS_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
DURATION = r"([1-9][0-9]{0,8})([smhd])"
SIZE = r"([1-9][0-9]{0,8})([km]?)"
PORT_RANGE = r"([0-9]{1,5})-([0-9]{1,5})"

SITE_NAME_FORBIDS = '\\/?;:@&=+$,|"<>'
"""Characters that no IIS site name holds: SiteCollection.InvalidSiteNameCharacters of Microsoft.Web.Administration."""

LONGEST_SITE_NAME = 259
"""Characters in a site name. IIS documents no number; Windows' own limit for a path is taken."""

LONGEST_TIMEOUT = 24 * 86_400
"""Seconds. HAProxy holds a timeout as milliseconds in 31 bits: 24 days and 20 hours."""

LARGEST_TABLE = 100_000_000
"""Entries of a stick table; each takes some 50 bytes of memory, so more is a slip of the hand."""

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

REFERENCE = "a reference: env:NAME, file:PATH, keyring:SERVICE/USER, cmd:COMMAND or ask"


def cluster_name(text: str) -> str:
    """The identity of a cluster: it names files, a firewall rule and folders."""
    return _named(text, CLUSTER_NAME, "a cluster name", "a-z, 0-9 and -, beginning with a letter or digit, at most 40")


def host_name(text: str) -> str:
    """The name of a server or balancer: it becomes a word in haproxy.cfg, a file name and a key of snapshots."""
    allowed = "A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"
    return _named(text, HOST_NAME, "a host name", allowed)


def zone_name(text: str) -> str:
    """A zone of firewalld; firewalld itself allows 17 characters."""
    return _named(text, ZONE_NAME, "a firewalld zone", "letters, digits, '_' and '-', at most 17 characters")


def ssh_user(text: str) -> str:
    r"""A login name on a balancer, also DOMAIN\user or user@realm."""
    return _named(text, SSH_USER, "a login name", "letters, digits and . _ @ \\ -, at most 64 characters")


def stats_user(text: str) -> str:
    """The user of the statistics page. HTTP's Basic login cannot carry a colon in it (RFC 7617, section 2)."""
    return _named(text, STATS_USER, "a user name", "letters, digits and . _ @ -, no colon, at most 64 characters")


def account(text: str) -> str:
    r"""A Windows or FTP account: any printable text, also DOMAIN\user and user@domain."""
    return _printable(text, "an account name", 256)


def site_name(text: str) -> str:
    """The name of an IIS site."""
    _printable(text, "a site name", LONGEST_SITE_NAME)
    wrong = sorted(set(text) & set(SITE_NAME_FORBIDS))
    if wrong:
        listed = " ".join(wrong)
        raise BadValueError("P110", f"{shown(text)} cannot be an IIS site: {listed}", f"none of {SITE_NAME_FORBIDS}")
    return text


def local_path(text: str) -> str:
    """A path on this machine or a balancer's root: printable, not empty."""
    return _printable(text, "a path", 1024)


def probe_directory(text: str) -> str:
    """The FTP directory in which verification may write; relative to the login's own, or absolute."""
    _printable(text, "an FTP directory", 255)
    if ".." in text.split("/") or "\\" in text:
        raise BadValueError("P109", f"{shown(text)} may lead elsewhere", "names with / between them, no '..' and no \\")
    return text


def ipv4(text: str) -> str:
    """A single IPv4 address that a host can have. Loopback is judged elsewhere: a lab may use it."""
    allowed = "one IPv4 address such as 192.168.1.123"
    try:
        address = IPv4Address(text)
    except AddressValueError:
        raise BadValueError("P111", f"{shown(text)} is {_mistaken(text)}", allowed) from None
    if address.is_multicast or address in IPv4Network("0.0.0.0/8") or address in IPv4Network("240.0.0.0/4"):
        raise BadValueError("P111", f"{text} cannot be the address of a host", allowed)
    return text


def host_address(text: str) -> str:
    """An IPv4 address or a DNS name (RFC 1123; `_` as Active Directory allows it). Nothing is looked up."""
    if _looks_numeric(text) or not _is_dns_name(text):
        try:
            return ipv4(text)
        except BadValueError as bad:
            raise BadValueError("P111", bad.message, "an IPv4 address or a DNS name, without a port") from None
    return text


def bind_address(text: str) -> str:
    """Where the statistics page listens: one IPv4 address, or * for all."""
    return text if text == "*" else ipv4(text)


def network(text: str) -> str:
    """An IPv4 network as ADDRESS/PREFIX, or one address, which is returned as /32."""
    allowed = "a network such as 192.168.1.0/24, or any"
    if not re.fullmatch(r"[0-9.]+(?:/[0-9]{1,2})?", text):
        raise BadValueError("P111", f"{shown(text)} is not a network", allowed)
    try:
        parsed = IPv4Network(text)
    except (AddressValueError, NetmaskValueError):
        raise BadValueError("P111", f"{shown(text)} is not a network", allowed) from None
    except ValueError:
        right = IPv4Network(text, strict=False)
        raise BadValueError("P111", f"{text} has bits set behind its prefix", f"the network is {right}") from None
    if parsed.prefixlen == 0:
        raise BadValueError("P111", f"{text} is every address", "say it: allow: any")
    return str(parsed)


def port_range(text: str) -> PortRange:
    """LOW-HIGH, in order. Which ports are sensible is judged with the rest of the file."""
    match = re.fullmatch(PORT_RANGE, text)
    if match is None:
        hint = f", LOW-LOW for a single port: {text}-{text}" if re.fullmatch("[0-9]{1,5}", text) else ""
        raise BadValueError("P102", f"{shown(text)} is not a port range", f"LOW-HIGH, as in 10000-10020{hint}")
    low, high = int(match[1]), int(match[2])
    if low > high:
        raise BadValueError("P102", f"the range {text} is reversed", f"LOW-HIGH: {high}-{low}")
    if high > 65535:
        raise BadValueError("P102", f"the range {text} ends above 65535", "must lie in 1025-65535")
    return PortRange(low, high)


def duration(text: str) -> int:
    """A time in whole seconds, from 1 s to 24 d, written as a number and a unit: 30s, 5m, 4h, 2d."""
    allowed = "a number and a unit, from 1s to 24d: 30s, 5m, 4h, 2d"
    match = re.fullmatch(DURATION, text)
    if re.fullmatch("[1-9][0-9]{0,8}", text):
        raise BadValueError("P115", f"{shown(text)} has no unit", f"{text}s for seconds; {allowed}")
    if match is None:
        raise BadValueError("P115", f"{shown(text)} is not a time", allowed)
    seconds = int(match[1]) * UNIT_SECONDS[match[2]]
    if seconds > LONGEST_TIMEOUT:
        raise BadValueError("P115", f"{text} is longer than HAProxy can count", allowed)
    return seconds


def size(text: str) -> int:
    """A number of table entries: 5000, 100k (thousand), 1m (million)."""
    match = re.fullmatch(SIZE, text)
    entries = int(match[1]) * {"": 1, "k": 1000, "m": 1_000_000}[match[2]] if match else 0
    if not 1 <= entries <= LARGEST_TABLE:
        raise BadValueError("P109", f"{shown(text)} is not a table size", "1 to 100m entries: 5000, 100k, 1m")
    return entries


def secret_reference(text: str) -> tuple[str, str]:
    """(scheme, target) of a secret reference. The messages never repeat the text: it may be the secret itself."""
    scheme, colon, target = text.partition(":")
    if text == "ask":
        return "ask", ""
    if not colon or scheme not in _TARGET_CHECKS:
        raise BadValueError("P116", "a secret stands here in plain text", REFERENCE)
    if not _TARGET_CHECKS[scheme](target):
        raise BadValueError("P116", f"this {scheme}: reference names nothing that can be looked up", REFERENCE)
    return scheme, target


def _is_command(target: str) -> bool:
    try:
        return bool(shlex.split(target)) and target.isprintable()
    except ValueError:
        return False


_TARGET_CHECKS = {
    "env": lambda target: re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", target) is not None,
    "file": lambda target: bool(target.strip()) and target.isprintable(),
    "keyring": lambda target: re.fullmatch(r"[^/]+/.+", target) is not None and target.isprintable(),
    "cmd": _is_command,
}


def _named(text: str, pattern: str, what: str, allowed: str) -> str:
    if not re.fullmatch(pattern, text):
        raise BadValueError("P110", f"{shown(text)} cannot be {what}", allowed)
    return text


def _printable(text: str, what: str, longest: int) -> str:
    """Text without control, format, private or unassigned characters, without blanks at its ends."""
    allowed = f"printable text without blanks at its ends, at most {longest} characters"
    if not text or text != text.strip() or len(text) > longest:
        raise BadValueError("P110", f"{shown(text)} cannot be {what}", allowed)
    hidden = next((one for one in text if unicodedata.category(one)[0] == "C"), None)
    if hidden is not None:
        raise BadValueError("P110", f"{shown(text)} cannot be {what}: it holds U+{ord(hidden):04X}", allowed)
    return text


def _looks_numeric(text: str) -> bool:
    """Whether a reader would take `text` for an IPv4 address: its last label is a number (RFC 1123, section 2.1)."""
    return re.fullmatch(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)", text) is not None


def _is_dns_name(text: str) -> bool:
    return len(text) <= 253 and re.fullmatch(rf"{DNS_LABEL}(?:\.{DNS_LABEL})*", text) is not None


def _mistaken(text: str) -> str:
    """What a text that is no IPv4 address seems to be."""
    if "://" in text:
        return "a URL, not an address"
    if text.count(":") > 1:
        return "IPv6: IIS answers PASV with IPv4 only"
    if re.fullmatch(r"[^:]+:[0-9]+", text):
        return "an address with a port; ports have keys of their own"
    if re.fullmatch(r"[0-9.]+/[0-9]+", text):
        return "a network, not an address"
    if re.search(r"(?:^|\.)0[0-9]", text):
        return "ambiguous: some programs read a leading 0 as octal"
    return "not an address"
