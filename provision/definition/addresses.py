"""What the addresses of a file must be together: who may share one, where loopback is allowed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from provision.definition import values
from provision.definition.complaint import Complaint, Place
from provision.definition.draft import Draft


def check_addresses(draft: Draft) -> Iterator[Complaint]:
    """Loopback outside a lab, names where IPv4 is needed, and addresses that two machines claim."""
    if not draft.is_lab:
        yield from _loopback(draft)
    yield from _named_servers(draft)
    yield from _shared(draft)
    yield from _vip_and_source(draft)


def _all_places(draft: Draft) -> Iterator[Place]:
    yield from (("vip",), ("ftp", "external_address"))
    for place in draft.hosts():
        yield from ((*place, key) for key in ("address", "source", "ftp_address") if draft.has(*place, key))


def _loopback(draft: Draft) -> Iterator[Complaint]:
    for place in _all_places(draft):
        address = draft.value(values.host_address, *place)
        if address is not None and _is_loopback(address):
            message = f"{address} is this machine itself"
            yield Complaint("P111", place, message, "an address of the network; 127/8 only in a lab (balancers[].root)")


def _is_loopback(address: str) -> bool:
    if address.lower() == "localhost" or address.lower().endswith(".localhost"):
        return True
    return _is_ipv4(address) and IPv4Address(address).is_loopback


def _is_ipv4(address: str) -> bool:
    return address.count(".") == 3 and address.replace(".", "").isdigit()


def _named_servers(draft: Draft) -> Iterator[Complaint]:
    """HAProxy and the firewall want IPv4: a server that is given by name needs ftp_address."""
    for server in draft.places("servers"):
        address = draft.value(values.host_address, *server, "address")
        if address is not None and not _is_ipv4(address) and not draft.has(*server, "ftp_address"):
            message = f"{draft.name_of(server)} is given by name and has no ftp_address"
            yield Complaint("P112", (*server, "address"), message, "ftp_address: the IPv4 address HAProxy connects to")


def _shared(draft: Draft) -> Iterator[Complaint]:
    """One address, one machine: IIS has one port range a machine, so one entry in the file."""
    owners: dict[str, tuple[Place, Place]] = {}
    for host in draft.hosts():
        for key in ("address", "ftp_address"):
            address = draft.value(values.host_address, *host, key)
            if address is None:
                continue
            owner, first = owners.setdefault(address.lower(), (host, (*host, key)))
            if owner != host:
                message = f"{address} is also {draft.name_of(owner)}'s address"
                yield Complaint("P112", (*host, key), message, "one machine, one entry, one address", first=first)


def _vip_and_source(draft: Draft) -> Iterator[Complaint]:
    """Neither the VIP, nor what PASV answers, nor a balancer's source may be a server's address."""
    taken: dict[str, Place] = {}
    for server in draft.places("servers"):
        for key in ("address", "ftp_address"):
            address = draft.value(values.ipv4, *server, key)
            if address is not None:
                taken.setdefault(address, server)
    watched: list[tuple[Place, str]] = [(("vip",), "the VIP"), (("ftp", "external_address"), "the external address")]
    watched += [((*one, "source"), "a balancer's source") for one in draft.places("balancers")]
    for place, what in watched:
        address = draft.value(values.ipv4, *place)
        if address in taken:
            message = f"{what} {address} is {draft.name_of(taken[address])}'s own address"
            yield Complaint("P112", place, message, "an address that no server has")
