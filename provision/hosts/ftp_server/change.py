"""Changes a Windows server: the call that makes a set of changes, and the meaning of its answer.

Pure. That a change took is never believed here: the engine reads the server again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from provision.errors import ChangeFailed
from provision.hosts.ftp_server import answers, wire
from provision.model.change import Change
from provision.model.cluster import Cluster, Server
from provision.model.command import PowerShellCall
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource

SCRIPT = "Set-FtpServerState.ps1"


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """What the script says it did: a word for each thing, the number of commits to IIS, whether ftpsvc restarted."""

    changed: tuple[str, ...]
    commits: int
    restarted: bool


def change_call(cluster: Cluster, server: Server, changes: Iterable[Change]) -> PowerShellCall:
    """The one call that makes `changes` (all of `server`). What is not in them is not touched.

    Raises ValueError for a change of another host, or of something that is no part of a Windows server.
    """
    order: dict[str, Any] = {"cluster": cluster.name, "ruleName": cluster.rule_name}
    addresses, restart = [], False
    for change in changes:
        if change.key.host != server.name:
            raise ValueError(f"{change.key} is not on {server.name}")
        restart = restart or needs_restart(change)
        match change.key.kind:
            case DataChannelPorts.kind:
                order["dataChannelPorts"] = {"set": _ports(change.after)}
            case ExternalAddress.kind:
                addresses.append({"site": change.key.name, "set": _address(change.after)})
            case FirewallRule.kind:
                order["firewallRule"] = {"set": _rule(change.after)}
            case FtpService.kind:
                order["service"] = _service(change.after)
            case _:
                raise ValueError(f"{change.key} is not a thing of a Windows server")
    if addresses:
        order["externalAddresses"] = addresses
    if restart:
        _ask_restart(order)
    return PowerShellCall(SCRIPT, json.dumps(order))


def needs_restart(change: Change) -> bool:
    """Whether ftpsvc must start again for `change` to count.

    A new range counts only after a restart of the service; an external address at the latest then
    (Microsoft, "Configuring FTP Firewall Settings in IIS 7": the note on passive port ranges).
    """
    if change.key.kind in (DataChannelPorts.kind, ExternalAddress.kind):
        return True
    before, after = change.before, change.after
    stale = isinstance(before, FtpService) and before.running and not before.current
    return stale and isinstance(after, FtpService) and after.running


def _ask_restart(order: dict[str, Any]) -> None:
    """Ask for a restart, unless the service is to be stopped, or is disabled: then it cannot be started again."""
    service = order.setdefault("service", {})
    if service.get("running", True) and service.get("startType") != "Disabled":
        service["restart"] = True


def _ports(after: Resource | None) -> Mapping[str, int] | None:
    return {"low": after.range.low, "high": after.range.high} if isinstance(after, DataChannelPorts) else None


def _address(after: Resource | None) -> str | None:
    """What the site itself is to say: nothing where it inherits; an empty address of its own cannot be written."""
    return after.address or None if isinstance(after, ExternalAddress) and not after.inherited else None


def _rule(after: Resource | None) -> Mapping[str, Any] | None:
    if not isinstance(after, FirewallRule):
        return None
    ports = [str(one) for one in after.ports]
    return {
        "ports": ports,
        "remoteAddresses": list(after.remote_addresses),
        "service": "ftpsvc",
        "enabled": after.enabled,
    }


def _service(after: Resource | None) -> dict[str, Any]:
    """A service cannot be removed: an absent `after` leaves it alone."""
    if not isinstance(after, FtpService):
        return {}
    if after.start_type == "Disabled" and after.running:
        return {"startType": after.start_type}
    return {"startType": after.start_type, "running": after.running}


def parse_change(text: str, server: Server) -> ChangeReport:
    """What the answer to `change_call` says. Raises ChangeFailed: P401 to P409, or P410 for another shape."""
    answer = answers.open_answer(text, wire.Changed, server, ChangeFailed)
    return ChangeReport(answer.changed, answer.commits, answer.restarted)
