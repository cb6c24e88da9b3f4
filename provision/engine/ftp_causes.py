"""Likely causes in words: from where and how an FTP step failed, or from what a 227 said, to a code and a sentence.

Pure: a table and a few rules, no I/O. What each code means at length stands in `error_codes.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provision.engine.ftp_client import Passive
from provision.engine.ftp_control import FtpFailure, Step
from provision.model.cluster import Cluster
from provision.model.ports import PortSet

PlaceKind = Literal["vip", "server", "slice"]
"""Through the VIP; at one server through a balancer; at one server with its data connections through the VIP."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A code of `error_codes.toml`, and the likely cause in words."""

    code: str
    text: str


DROPPED = {
    "vip": "HAProxy does not listen there, or firewalld on the balancer does not admit the port",
    "server": "Windows Firewall does not admit the balancer's address to the port, or IIS does not listen there",
    "slice": "HAProxy does not run or does not listen on this server's slice, or firewalld on the balancer does not"
    " admit it",
}

NO_CHANNEL = Cause(
    "P620",
    "Windows Firewall drops what comes from the balancer to this port, or the balancer's sshd opens no channels"
    " (AllowTcpForwarding)",
)

NO_SSH = Cause(
    "P620",
    "the balancer itself could not be used over SSH, so nothing is known of the server behind it: mend that first",
)

TABLE: dict[tuple[str, str, PlaceKind | None], Cause] = {
    ("connect", "refused", "vip"): Cause("P602", "HAProxy does not run, or does not listen on the VIP"),
    ("connect", "timeout", "vip"): Cause("P602", "no balancer holds the VIP, or a firewall drops the port"),
    ("connect", "refused", None): Cause("P602", "ftpsvc does not run, or no site is bound to this address and port"),
    ("connect", "timeout", None): Cause("P602", "Windows Firewall does not admit the balancer, or the server is down"),
    ("connect", "unreachable", "vip"): Cause(
        "P602", "firewalld on the balancer rejects the port, or there is no route"
    ),
    ("connect", "closed", "vip"): Cause(
        "P602", "no balancer holds the VIP, or HAProxy has no server that is UP: `provision status` shows both"
    ),
    ("connect", "closed", None): Cause("P602", "ftpsvc does not run, or Windows Firewall does not admit the balancer"),
    ("connect", "dial", None): NO_CHANNEL,
    ("connect", "ssh", None): NO_SSH,
    ("greeting", "closed", "vip"): Cause(
        "P603",
        "HAProxy has no server that is UP, or it cannot reach one from the VIP, which no balancer may hold:"
        " `provision status` shows both",
    ),
    ("greeting", "timeout", "vip"): Cause(
        "P603", "HAProxy cannot reach a server: Windows Firewall, SELinux, or ftpsvc"
    ),
    ("greeting", "closed", None): Cause("P603", "the site is stopped, or refuses the balancer's address"),
    ("data", "dial", None): NO_CHANNEL,
    ("data", "ssh", None): NO_SSH,
}
"""By step, way of failing and kind of place (None: any)."""

NEEDS_TLS = Cause("P604", "the site requires TLS: write `tls: explicit` under probe")
TRANSFERS = ("list", "store", "retrieve")

REPLIES: tuple[tuple[tuple[Step, ...], tuple[int, ...], Cause], ...] = (
    ((), (421,), Cause("P603", "the server takes no more sessions: maxConnections, or it is shutting down")),
    (("tls",), (), Cause("P605", "the site has no certificate, or its policy does not allow TLS")),
    ((), (521, 522, 534), NEEDS_TLS),
    (("login",), (), Cause("P606", "wrong user or password of the probe, or the account may not use this site")),
    (("directory",), (), Cause("P610", "probe.directory does not exist here, or the account may not enter it")),
    (("pasv",), (227,), Cause("P617", "the 227 cannot be read: something on the way rewrites it")),
    (("pasv",), (), Cause("P618", "no passive port is free: reserved by Windows (10013), or all in use")),
    (("store",), (), Cause("P619", "the account may not write in probe.directory, or the disk is full")),
    (("retrieve",), (), Cause("P612", "the file that was just written is not there")),
    (("delete",), (), Cause("P616", "the account may write but not delete in probe.directory")),
)
"""By steps and replies (empty: any); the first row that fits counts."""

STALLED = {
    "vip": "the data connection was taken by the balancer and did not arrive at the server that waits for it:"
    " the port leads to another server, or Windows Firewall does not admit it",
    "server": "the data connection was opened and IIS does not take it for its own (matchClientAddressForPasv)",
    "slice": "the data connection did not arrive at this server: its slice leads elsewhere, or is not admitted there",
}


def cause_of(failure: FtpFailure, kind: PlaceKind) -> Cause:
    """The likely cause of a failed step."""
    if failure.reply:
        return _cause_of_reply(failure, kind)
    found = TABLE.get((failure.step, failure.way, kind)) or TABLE.get((failure.step, failure.way, None))
    if found:
        return found
    if failure.step == "data":
        return Cause("P608", DROPPED[kind])
    if failure.step in TRANSFERS and failure.way in ("timeout", "closed"):
        return Cause("P609", STALLED[kind])
    if failure.way == "tls":
        return Cause("P605", "TLS cannot be agreed: no certificate is bound to the site, or only old versions are on")
    return Cause("P617", "the session broke or took too long; look at the server's load and at its FTP log")


def _cause_of_reply(failure: FtpFailure, kind: PlaceKind) -> Cause:
    """By the reply's digits; a server that says 5xx and speaks of TLS at the login means what IIS's 534 means."""
    if failure.step in TRANSFERS and failure.reply in (425, 426):
        return Cause("P609", STALLED[kind])
    says_tls = any(word in failure.text.upper() for word in ("SSL", "TLS"))
    if failure.step == "login" and failure.reply >= 500 and says_tls:
        return NEEDS_TLS
    for steps, replies, cause in REPLIES:
        if (not steps or failure.step in steps) and (not replies or failure.reply in replies):
            return cause
    return Cause("P617", "an answer that FTP does not foresee here")


def cause_of_passive(cluster: Cluster, passive: Passive, allowed: PortSet, server: str | None) -> Cause | None:
    """What is wrong with a 227; None when it names the external address and one of the `allowed` ports.

    `server` is the one that answered, where that is known.
    """
    wanted = cluster.ftp.external_address
    who = server or "the server that answered"
    if passive.address != wanted:
        restart = "or ftpsvc was not restarted since it was set"
        return Cause("P607", f"it names {passive.address}, not {wanted}: {who} has no external address, {restart}")
    if passive.port in allowed:
        return None
    owner = next((name for name, ports in cluster.ownership.items() if passive.port in ports), None)
    if owner:
        moved = "an ftpsvc that was not restarted since the slices moved, or an address that leads to another server"
        return Cause("P611", f"port {passive.port} belongs to the slice of {owner}, not of {who}: {moved}")
    return Cause(
        "P615",
        f"port {passive.port} lies outside {allowed}: ftpsvc of {who} was not restarted since its range was set,"
        " or the range was changed by hand",
    )
