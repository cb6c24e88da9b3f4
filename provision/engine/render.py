"""Everything that would be sent or written, made without any host: for review, for doing it by hand.

Offline and byte-stable: no clock, no secret, no reading. What only a host can tell stands as a placeholder in capitals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from provision.errors import UsageError
from provision.hosts.balancer.by_hand import by_hand as balancer_by_hand
from provision.hosts.balancer.desired import render_cfg
from provision.hosts.balancer.masks import Masks
from provision.hosts.balancer.scripts import script
from provision.hosts.ftp_server.by_hand import by_hand as server_by_hand
from provision.hosts.ftp_server.change import change_call
from provision.hosts.ftp_server.reading import PORTS, SERVICE, read_call
from provision.model.change import Change
from provision.model.cluster import Balancer, Cluster, Server
from provision.model.command import PowerShellCall
from provision.model.ports import PortSet
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource
from provision.model.state import Key
from provision.remote.scripts import script_text

Version = tuple[int, int]
OLDEST, NEWEST = (1, 5), (3, 99)
"""HAProxy versions that the writer knows."""

SHELL_SCRIPTS = ("read", "change", "record", "fetch", "live")
SITE_PLACEHOLDER = "NAME OF THE SITE"
MASKS = Masks(b"")
"""No secret is resolved: each stands as `<secret REFERENCE>`."""


def haproxy_version(text: str) -> Version:
    """`2.4` or `2.4.22` as (2, 4). Raises UsageError for anything that is no version from 1.5 on."""
    match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})(\.\d{1,3})?", text)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if not OLDEST <= version <= NEWEST:
        raise UsageError("P901", f"--haproxy: {text!r} is no version that is known", why="1.5 to 3.x, such as 2.4")
    return version


def configurations(cluster: Cluster, version: Version) -> dict[str, str]:
    """haproxy.cfg by balancer."""
    return {one.name: render_cfg(cluster, one, version, MASKS) for one in cluster.balancers}


def everything(cluster: Cluster, version: Version) -> dict[str, str]:
    """Every file by its path, ordered."""
    files = {"by-hand.md": steps_by_hand(cluster, version)}
    for name, text in configurations(cluster, version).items():
        files[f"balancers/{name}/haproxy.cfg"] = text
    for name in SHELL_SCRIPTS:
        files[f"scripts/{name}.sh"] = script(name)
    for server in cluster.servers:
        for word, call in (("get", read_call(cluster, server)), ("set", whole_change(cluster, server))):
            files[f"servers/{server.name}/{word}.json"] = _indented(call)
            files[f"scripts/{call.script}"] = script_text(call.script)
    return dict(sorted(files.items()))


def steps_by_hand(cluster: Cluster, version: Version) -> str:
    """The same steps for a person, in Markdown, in the order that keeps service up: accept, move, check."""
    lines = [
        f"# {cluster.name} by hand",
        "",
        f"From {cluster.file.name}. Balancers first: they accept before servers move.",
        "",
    ]
    lines += ["## Balancers", ""]
    for balancer in cluster.balancers:
        lines += [*balancer_by_hand(cluster, balancer, version), ""]
    lines += ["## Windows servers, one after the other", ""]
    for server in cluster.servers:
        lines += [*server_by_hand(cluster, server, [one.source for one in cluster.balancers if one.source]), ""]
    return "\n".join(lines).rstrip() + "\n"


def whole_change(cluster: Cluster, server: Server) -> PowerShellCall:
    """The one call that brings a server on which nothing was set to what the file says."""
    ports = PortSet.of(server.ftp_port, server.passive_ports)
    sources = tuple(_source(one) for one in cluster.balancers)
    wanted: Mapping[tuple[str, str], Resource] = {
        (DataChannelPorts.kind, PORTS): DataChannelPorts(server.passive_ports),
        **{
            (ExternalAddress.kind, site): ExternalAddress(cluster.ftp.external_address)
            for site in server.sites or (SITE_PLACEHOLDER,)
        },
        (FirewallRule.kind, cluster.rule_name): FirewallRule(True, ports, sources),
        (FtpService.kind, SERVICE): FtpService("Automatic", running=True, current=True),
    }
    return change_call(
        cluster, server, [Change(Key(server.name, kind, name), None, one) for (kind, name), one in wanted.items()]
    )


def _source(balancer: Balancer) -> str:
    """Without `source` only the balancer itself knows from which address it reaches a server."""
    return balancer.source or f"ADDRESS OF {balancer.name}"


def _indented(call: PowerShellCall) -> str:
    return json.dumps(json.loads(call.json), indent=2) + "\n"
