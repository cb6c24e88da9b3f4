"""How a Windows server should be, by its cluster file and what was read there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.hosts.ftp_server.facts import ServerFacts, SiteFacts
from provision.hosts.ftp_server.reading import PORTS, SERVICE
from provision.model.cluster import Cluster, Server
from provision.model.ports import PortSet
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource
from provision.model.state import Key


def desired(cluster: Cluster, server: Server, facts: ServerFacts, sources: Sequence[str]) -> dict[Key, Resource]:
    """What `server` should be. `sources`: the IPv4 addresses from which the balancers reach it, at least one.

    Raises ValueError without sources: a rule that admits nobody, or everybody, is never meant.
    """
    if not sources:
        raise ValueError("a server's firewall rule needs the balancers' addresses")
    return dict(_wanted(cluster, server, facts, sources))


def _wanted(
    cluster: Cluster, server: Server, facts: ServerFacts, sources: Sequence[str]
) -> Iterator[tuple[Key, Resource]]:
    yield Key(server.name, DataChannelPorts.kind, PORTS), DataChannelPorts(server.passive_ports)
    for site in facts.sites:
        if site.managed:
            yield (
                Key(server.name, ExternalAddress.kind, site.name),
                _address(cluster.ftp.external_address, site),
            )
    ports = PortSet.of(server.ftp_port, server.passive_ports)
    yield Key(server.name, FirewallRule.kind, cluster.rule_name), FirewallRule(True, ports, tuple(sources))
    yield Key(server.name, FtpService.kind, SERVICE), FtpService("Automatic", running=True, current=True)


def _address(wanted: str, site: SiteFacts) -> ExternalAddress:
    """The wanted address; where the site defaults already say it, the site need not say it again."""
    return ExternalAddress(wanted, inherited=site.external_address == wanted and not site.own_address)
