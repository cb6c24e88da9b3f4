"""Reads a Windows server: the call, and the meaning of its answer as resources, facts and findings.

Pure. Does not know what the server should be (`desired`), nor how the call gets there (`provision.remote`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provision.errors import ReadFailed
from provision.hosts.ftp_server import answers, findings, findings_network
from provision.hosts.ftp_server.facts import ServerFacts, SiteFacts
from provision.hosts.ftp_server.view import View
from provision.hosts.ftp_server.wire import Answer, BareAnswer, OwnRule, Site
from provision.model.change import Finding
from provision.model.cluster import Cluster, Server
from provision.model.command import PowerShellCall
from provision.model.ports import PortRange
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource
from provision.model.state import Key

SCRIPT = "Get-FtpServerState.ps1"

PORTS, SERVICE = "server", "ftpsvc"
"""Names of the two things of which a server has one: its data channel port range and its FTP service."""


@dataclass(frozen=True, slots=True)
class ServerReading:
    """One server as it is: managed state, facts, and what a person should be told."""

    resources: Mapping[Key, Resource]
    facts: ServerFacts
    findings: tuple[Finding, ...]


def read_call(cluster: Cluster, server: Server) -> PowerShellCall:
    """The one call that reads everything about `server`."""
    ports = server.passive_ports
    question = {
        "cluster": cluster.name,
        "ruleName": cluster.rule_name,
        "sites": list(server.sites or ()),
        "ftpAddress": server.ftp_address,
        "ftpPort": server.ftp_port,
        "passivePorts": {"low": ports.low, "high": ports.high},
    }
    return PowerShellCall(SCRIPT, json.dumps(question))


def parse_reading(text: str, cluster: Cluster, server: Server) -> ServerReading:
    """What the answer to `read_call` means.

    Raises ReadFailed: P401 to P409 for an error of the script, P410 for an answer of another shape, P401 when the FTP
    service is not installed, P402 for a site that is not there, P411 when no site is ours, P412 for a broken range.
    """
    answer = _installed(answers.open_envelope(text, server, ReadFailed), server)
    _refuse_missing_sites(answer, server)
    sites = tuple(_site_facts(one, server) for one in answer.sites)
    managed = tuple(one for one, fact in zip(answer.sites, sites, strict=True) if fact.managed)
    if not managed:
        raise ReadFailed(
            "P411",
            f"no FTP site is bound to {server.ftp_address}:{server.ftp_port}",
            host=server.name,
            why="FTP sites there: " + (", ".join(f"{s.name} on {' '.join(s.bindings)}" for s in sites) or "none"),
            next="Name the sites in the cluster file (servers[].sites), or bind one to that address and port.",
        )
    facts = _facts(answer, sites)
    view = View(cluster, server, answer, managed, tuple(s.name for s in sites if s.answers))
    try:
        return ServerReading(dict(_resources(answer, cluster, server)), facts, tuple(findings.find(view)))
    except ValueError as error:  # a word of the right type that means nothing: no port, no address, no range
        what = "the script's answer is not understood"
        raise ReadFailed("P410", what, host=server.name, why=str(error), next=answers.UNEXPECTED.next) from error


def _installed(data: Any, server: Server) -> Answer:
    """The full answer; a server without the FTP service answers short."""
    short = isinstance(data, dict) and set(data) == {"host", "feature"}
    if not short:
        return answers.check_data(data, Answer, server, ReadFailed)
    feature = answers.check_data(data, BareAnswer, server, ReadFailed).feature
    remedy = answers.REMEDIES["FtpFeatureMissing"]
    hint = remedy.next.format(words=feature.install_command)
    raise ReadFailed(remedy.code, remedy.what, host=server.name, why="Web-Ftp-Server is missing", next=hint)


def _refuse_missing_sites(answer: Answer, server: Server) -> None:
    if answer.missing_sites:
        remedy = answers.REMEDIES["NoSuchSite"]
        there = ", ".join(site.name for site in answer.sites) or "none"
        missing = ", ".join(answer.missing_sites)
        raise ReadFailed(
            remedy.code,
            remedy.what,
            host=server.name,
            why=f"missing: {missing}",
            next=remedy.next.format(words=there),
        )


def answers_at(binding: str, server: Server) -> bool:
    """Whether a binding (ADDRESS:PORT:HOST; the address may be * or empty) receives what the balancer sends."""
    address, _, rest = binding.partition(":")
    port = rest.partition(":")[0]
    return address in ("*", "", server.ftp_address) and port == str(server.ftp_port)


def _site_facts(site: Site, server: Server) -> SiteFacts:
    here = any(answers_at(binding, server) for binding in site.bindings)
    return SiteFacts(
        name=site.name,
        bindings=site.bindings,
        state=site.state,
        managed=here if server.sites is None else site.managed,
        answers=here,
        external_address=site.external_address.value,
        own_address=site.external_address.state == "explicit",
        folder=site.physical_path,
    )


def _facts(answer: Answer, sites: tuple[SiteFacts, ...]) -> ServerFacts:
    host = answer.host
    return ServerFacts(
        computer_name=host.computer_name,
        windows=f"{host.os_caption.strip()} ({host.os_version})",
        powershell=host.ps_version,
        time=host.time,
        sites=sites,
        default_address=answer.site_defaults.external_address.value,
        service_started=answer.service.started_at,
        config_changed=answer.config_changed_at,
        sessions=answer.sessions,
    )


def _resources(answer: Answer, cluster: Cluster, server: Server) -> Iterator[tuple[Key, Resource]]:
    """What is there, at sites of others as well: the scope decides what is compared.

    An empty external address says nothing, unless it hides one of the site defaults.
    """
    ports = answer.data_channel_ports
    if ports.state == "explicit":
        yield Key(server.name, DataChannelPorts.kind, PORTS), DataChannelPorts(_range(answer, server))
    for site in answer.sites:
        address = site.external_address
        hides = address.state == "explicit" and answer.site_defaults.external_address.value != ""
        if address.value or hides:
            resource = ExternalAddress(address.value, inherited=address.state == "inherited")
            yield Key(server.name, ExternalAddress.kind, site.name), resource
    rule = answer.firewall_rule
    if isinstance(rule, OwnRule):
        yield Key(server.name, FirewallRule.kind, cluster.rule_name), _rule(rule)
    running = answer.service.status == "Running"
    service = FtpService(answer.service.start_type, running, is_current(answer))
    yield Key(server.name, FtpService.kind, SERVICE), service


def _range(answer: Answer, server: Server) -> PortRange:
    low, high = answer.data_channel_ports.low, answer.data_channel_ports.high
    try:
        return PortRange(low, high)
    except ValueError as error:
        raise ReadFailed(
            "P412",
            f"IIS holds {low}-{high} as data channel port range, which is none",
            host=server.name,
            why="low and high must both be 0, or low must not be above high",
            next="Set it in IIS Manager (server, FTP Firewall Support) to 0-0 or a real range, then run again.",
        ) from error


def _rule(rule: OwnRule) -> FirewallRule:
    """Our rule; one that was turned into something else admits nobody, and thus counts as not enabled."""
    ports = findings_network.rule_ports(rule.local_ports)
    addresses = tuple(_plain(one) for one in rule.remote_addresses)
    return FirewallRule(rule.enabled and not findings_network.altered(rule), ports, addresses)


def _plain(address: str) -> str:
    """An address filter's word, without the mask that says one host."""
    return address.removesuffix("/255.255.255.255").removesuffix("/32")


def is_current(answer: Answer) -> bool:
    """Whether ftpsvc started since its range last changed.

    The marker tells when, as long as it names the range that is there now. Otherwise any later edit of
    applicationHost.config may have been it, so only a start after the last edit counts.
    """
    started, marker, ports = answer.service.started_at, answer.range_marker, answer.data_channel_ports
    if started is None:
        return False
    if marker is not None and (marker.low, marker.high) == (ports.low, ports.high):
        return started >= marker.changed_at
    return started >= answer.config_changed_at
