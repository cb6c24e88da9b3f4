"""Which ports a file may use together: the passive range, and ports that already have a meaning. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from provision.definition.complaint import Complaint, Place
from provision.definition.draft import Draft, winrm_port
from provision.model.ports import PortRange

LOWEST_PASSIVE = 1025
"""IIS documents 1025-65535 for data channel ports."""

MOST_PASSIVE = 4096
"""Ports in the passive range: HAProxy opens a socket for each, in every process."""

SSH_PORT = 22
WINDOWS_PORTS = {5985: "WinRM's http port 5985", 5986: "WinRM's https port 5986", 47001: "WinRM's local port 47001"}


def check_ports(draft: Draft) -> Iterator[Complaint]:
    """The passive range's bounds and what it must not contain, then ports that two listeners would share."""
    wide = draft.range("ftp", "passive_ports")
    if wide is not None:
        yield from _passive(wide, draft)
    yield from _at_balancers(draft)
    yield from _at_servers(draft)


def _passive(wide: PortRange, draft: Draft) -> Iterator[Complaint]:
    taken = [what for port, what in sorted(_taken(draft).items()) if port in wide]
    faults = [f"contains {_listed(taken)}"] if taken else []
    if len(wide) > MOST_PASSIVE:
        faults.append(f"holds {len(wide)} ports")
    if wide.low < LOWEST_PASSIVE and not taken:
        faults.append(f"begins at {wide.low}")
    allowed = f"at most {MOST_PASSIVE} ports that nothing else uses; two hundred a server are plenty"
    if wide.low < LOWEST_PASSIVE:
        allowed = f"must lie in {LOWEST_PASSIVE}-65535"
    if faults:
        yield Complaint("P102", ("ftp", "passive_ports"), f"passive range {_listed(faults)}", allowed)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _taken(draft: Draft) -> dict[int, str]:
    """Ports that mean something else, with words for each."""
    taken = {SSH_PORT: f"the SSH port {SSH_PORT}", **WINDOWS_PORTS}
    for server in draft.places("servers"):
        taken.setdefault(winrm_port(draft, server), f"the WinRM port {winrm_port(draft, server)}")
        port = draft.port(*server, "ftp_port")
        if port is not None:
            taken.setdefault(port, f"the FTP port {port} of {draft.name_of(server)}")
    for balancer in draft.places("balancers"):
        port = draft.port(*balancer, "ssh", "port")
        if port is not None:
            taken.setdefault(port, f"the SSH port {port}")
    for place, what in ((("stats", "port"), "the statistics port"), (("ftp", "port"), "the FTP port")):
        port = draft.port(*place)
        if port is not None:
            taken[port] = f"{what} {port}"
    if not draft.has("ftp", "port"):
        taken[21] = "the FTP port 21"
    return taken


def _at_balancers(draft: Draft) -> Iterator[Complaint]:
    """FTP, SSH and the statistics page share the balancer's addresses (the VIP may be one of them)."""
    ftp, stats = draft.ftp_port(), draft.port("stats", "port")
    if stats is not None and stats == ftp:
        yield Complaint("P113", ("stats", "port"), f"port {stats} is the FTP port", "a port of its own")
    for balancer in draft.places("balancers"):
        given = draft.has(*balancer, "ssh", "port")
        ssh = draft.port(*balancer, "ssh", "port") if given else SSH_PORT
        where: Place = (*balancer, "ssh", "port") if given else ("ftp", "port")
        if ssh is not None and ssh == ftp:
            yield Complaint("P113", where, f"port {ssh} is FTP's and SSH's on {draft.name_of(balancer)}", "two ports")
        if ssh is not None and ssh == stats:
            message = f"port {ssh} is the SSH port of {draft.name_of(balancer)}"
            yield Complaint("P113", ("stats", "port"), message, "a port of its own")


def _at_servers(draft: Draft) -> Iterator[Complaint]:
    """A server's FTP port must not be one that Windows listens on for WinRM."""
    for server in draft.places("servers"):
        given = draft.has(*server, "ftp_port")
        port = draft.port(*server, "ftp_port") if given else draft.ftp_port()
        what = WINDOWS_PORTS.get(port or 0, f"the WinRM port {port}" if port == winrm_port(draft, server) else "")
        if what:
            where: Place = (*server, "ftp_port") if given else ("ftp", "port")
            yield Complaint("P113", where, f"the FTP port of {draft.name_of(server)} is {what}", "another port")
