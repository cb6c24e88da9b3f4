"""A printer of what a Windows server answers: resources in, the reading script's JSON out. And a cluster to go with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from provision.hosts.ftp_server.reading import ServerReading, parse_reading
from provision.model.cluster import (
    Balancer,
    Cluster,
    Ftp,
    HealthCheck,
    Probe,
    Server,
    Ssh,
    StickTable,
    WinRM,
)
from provision.model.ports import PortRange
from provision.model.resources import DataChannelPorts, ExternalAddress, FirewallRule, FtpService, Resource
from provision.model.secret import SecretRef
from provision.model.state import Key

WIN1, SITE, VIP = "win1", "Default FTP Site", "10.0.0.100"
RULE = "provision-shop"
STARTED, BEFORE, AFTER = "2026-03-01T10:00:00.000Z", "2026-03-01T09:00:00.000Z", "2026-03-01T11:00:00.000Z"


def balancer(name: str = "lb1") -> Balancer:
    """A balancer with nothing special about it."""
    return Balancer(name, "10.0.0.2", Ssh(), "10.0.0.2", None, "boolean", None, "/")


def server(name: str = WIN1, low: int = 10000, high: int = 10009, sites: tuple[str, ...] | None = (SITE,)) -> Server:
    """A server with a slice of ten ports."""
    winrm = WinRM("https", 5986, "ntlm", "psrp", "Administrator", None, None, verify=True)
    address = f"10.0.0.1{name[-1]}"
    return Server(name, address, address, 21, sites, PortRange(low, high), pinned=False, winrm=winrm)


def cluster(**changes: Any) -> Cluster:
    """Two servers with slices behind one balancer; `changes` go to the cluster or, where it has them, to its `ftp`."""
    ftp = Ftp(
        21,
        VIP,
        PortRange(10000, 10019),
        "sliced",
        "source",
        300,
        600,
        HealthCheck(),
        StickTable(),
        False,
        False,
    )
    of_ftp = {name: value for name, value in changes.items() if name in Ftp.__dataclass_fields__}
    others = {name: value for name, value in changes.items() if name not in of_ftp}
    servers = (server(), server("win2", 10010, 10019))
    plain = Cluster(
        "shop",
        VIP,
        "external",
        replace(ftp, **of_ftp),
        (balancer(),),
        servers,
        None,
        None,
        Path("shop.yml"),
        "",
    )
    return replace(plain, **others)


def probe(tls: str = "none") -> Probe:
    """A probe account without a directory."""
    return Probe(
        "probe",
        SecretRef("env", "PROBE", "probe.password"),
        "explicit" if tls == "explicit" else "none",
        None,
    )


def site(name: str = SITE, **changes: Any) -> dict[str, Any]:
    """An FTP site as it stands in the answer, with IIS's defaults where they are harmless."""
    return {
        "name": name,
        "id": 1,
        "bindings": ["*:21:"],
        "managed": name == SITE,
        "state": "Started",
        "externalAddress": {"state": "explicit", "value": VIP},
        "ssl": {"controlChannelPolicy": "SslAllow", "dataChannelPolicy": "SslAllow"},
        "matchClientAddressForPasv": True,
        "controlChannelTimeout": 300,
        "denyByFailure": False,
        "ipSecurityEntries": 0,
        "physicalPath": "C:\\inetpub\\ftproot",
        **changes,
    }


def rule(name: str = "other", ports: str = "1024-65535", **changes: Any) -> dict[str, Any]:
    """Somebody else's firewall rule as it stands in the answer."""
    return {
        "name": name,
        "displayName": name.title(),
        "localPorts": [ports],
        "remoteAddresses": ["Any"],
        "service": "ftpsvc",
        **changes,
    }


def data(**changes: Any) -> dict[str, Any]:
    """A whole answer of a server on which everything is as it should be, with `changes` on top."""
    return {
        "host": {
            "computerName": "WIN1",
            "osVersion": "10.0.14393",
            "osCaption": "Microsoft Windows Server 2016 Standard",
            "psVersion": "5.1.14393.2273",
            "is64Bit": True,
            "time": AFTER,
        },
        "feature": {"installed": True, "installCommand": "Install-WindowsFeature -Name Web-Ftp-Server"},
        "dataChannelPorts": {"state": "explicit", "low": 10000, "high": 10009},
        "siteDefaults": {"externalAddress": {"state": "absent", "value": ""}},
        "sites": [site()],
        "missingSites": [],
        "firewallRule": own_rule(),
        "firewallOpen": [],
        "firewallBlocked": [],
        "firewallProfiles": [{"name": "Domain", "enabled": True, "allowLocalRules": True}],
        "statefulFtp": False,
        "service": service("Automatic", STARTED),
        "rangeMarker": {"low": 10000, "high": 10009, "changedAt": BEFORE},
        "configChangedAt": BEFORE,
        "sharedConfig": False,
        "reservedPorts": [],
        "dynamicPorts": "49152-65535",
        "listeners": [],
        "sessions": 0,
        **changes,
    }


def own_rule(**changes: Any) -> dict[str, Any]:
    """Our rule as NetSecurity prints it."""
    return {
        "present": True,
        "enabled": True,
        "direction": "Inbound",
        "action": "Allow",
        "protocol": "TCP",
        "localPorts": ["21", "10000-10009"],
        "remoteAddresses": ["10.0.0.2"],
        "service": "ftpsvc",
        "profiles": "Any",
        **changes,
    }


def service(start_type: str, started: str | None) -> dict[str, Any]:
    """The service; it runs when it has a start time."""
    status, process = ("Running", 1234) if started else ("Stopped", 0)
    return {
        "name": "ftpsvc",
        "startType": start_type,
        "status": status,
        "startedAt": started,
        "processId": process,
    }


def answered(content: Mapping[str, Any]) -> str:
    """The envelope around an answer's data."""
    return json.dumps({"format": 1, "ok": True, "data": content})


def refused(code: str, message: str = "it did not work", content: object = None) -> str:
    """The envelope around an error of a script."""
    error = {"code": code, "message": message, "type": "System.Exception", "line": 42, "data": content}
    return json.dumps({"format": 1, "ok": False, "error": error})


def read(whole: Cluster | None = None, one: Server | None = None, **changes: Any) -> ServerReading:
    """The reading of an answer with `changes`."""
    whole = whole or cluster()
    return parse_reading(answered(data(**changes)), whole, one or whole.servers[0])


def printed(resources: Mapping[Key, Resource]) -> str:
    """What a server that is as `resources` say answers: the inverse of the parser, for the law of the round trip."""
    content = data(
        dataChannelPorts={"state": "absent", "low": 0, "high": 0},
        firewallRule={"present": False},
        rangeMarker=None,
    )
    held = {key.name: one for key, one in resources.items() if isinstance(one, ExternalAddress)}
    content["sites"] = [site(name, externalAddress=_address(held.get(name))) for name in (SITE, "Second")]
    for one in resources.values():
        match one:
            case DataChannelPorts():
                content["dataChannelPorts"] = {
                    "state": "explicit",
                    "low": one.range.low,
                    "high": one.range.high,
                }
            case FirewallRule():
                ports, remote = [str(part) for part in one.ports], list(one.remote_addresses)
                content["firewallRule"] = own_rule(enabled=one.enabled, localPorts=ports, remoteAddresses=remote)
            case FtpService():
                content["service"] = service(one.start_type, STARTED if one.running else None)
                content["configChangedAt"] = BEFORE if one.current else AFTER
            case _:
                continue
    return answered(content)


def _address(one: ExternalAddress | None) -> dict[str, str]:
    if one is None:
        return {"state": "absent", "value": ""}
    return {"state": "inherited" if one.inherited else "explicit", "value": one.address}
