"""The same change for a person on the Windows server, when the tool is not at hand: appcmd, PowerShell, netsh. Pure.

Written for `render`, which knows the cluster file only: nothing here depends on what a server answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.model.cluster import Cluster, Server

APPCMD = r"& $env:windir\System32\inetsrv\appcmd.exe"
SITES = "IIS:\\Sites\\"


def by_hand(cluster: Cluster, server: Server, sources: Sequence[str]) -> list[str]:
    """The steps for `server` as lines of Markdown. `sources`: the balancers' addresses; empty: a placeholder stands."""
    return [
        *_look(cluster, server),
        *_range(server),
        *_addresses(cluster, server),
        *_firewall(cluster, server, sources),
        *_restart(),
        *_check(cluster, server),
        *_back(cluster, server),
    ]


def quoted(text: str) -> str:
    """`text` as a PowerShell literal: nothing in it is expanded."""
    return "'" + text.replace("'", "''") + "'"


def _block(*commands: str) -> Iterator[str]:
    yield from ("", "```powershell", *commands, "```", "")


def _look(cluster: Cluster, server: Server) -> Iterator[str]:
    yield f"### {server.name} ({server.address})"
    yield ""
    yield "In an elevated, 64-bit Windows PowerShell 5.1. First note what is there, for the way back:"
    yield from _block(
        f"{APPCMD} list config -section:system.ftpServer/firewallSupport",
        f"{APPCMD} list config -section:system.applicationHost/sites /text:* | Select-String externalIp4Address",
        f"Get-NetFirewallRule -Name {quoted(cluster.rule_name)}",
        "Get-Service ftpsvc | Format-List Status, StartType",
        "netsh int ipv4 show excludedportrange protocol=tcp",
        "netsh int ipv4 show dynamicport tcp",
    )
    yield f"No excluded or dynamic port range may touch {server.passive_ports} (an administered exclusion, `*`, may)."


def _range(server: Server) -> Iterator[str]:
    ports = server.passive_ports
    yield ""
    yield "The data channel port range, one for the whole server:"
    yield from _block(
        f"{APPCMD} set config -section:system.ftpServer/firewallSupport "
        f"/lowDataChannelPort:{ports.low} /highDataChannelPort:{ports.high} /commit:apphost"
    )


def _addresses(cluster: Cluster, server: Server) -> Iterator[str]:
    address = cluster.ftp.external_address
    if server.sites is None:
        port = server.ftp_port
        yield f"The external address, for each FTP site bound to {server.ftp_address}:{port} or *:{port}:"
    else:
        yield "The external address of each FTP site:"
    yield from _block(
        "Import-Module WebAdministration",
        *(
            f"Set-ItemProperty {quoted(SITES + site)} -Name ftpServer.firewallSupport.externalIp4Address"
            f" -Value {quoted(address)}"
            for site in server.sites or ("NAME OF THE SITE",)
        ),
    )


def _firewall(cluster: Cluster, server: Server, sources: Sequence[str]) -> Iterator[str]:
    name = quoted(cluster.rule_name)
    ports, remote = (
        f"{server.ftp_port},{server.passive_ports}",
        ",".join(sources) or "ADDRESSES-OF-THE-BALANCERS",
    )
    yield "A firewall rule of its own, for the balancers only:"
    yield from _block(
        f"Remove-NetFirewallRule -Name {name} -ErrorAction SilentlyContinue",
        f"New-NetFirewallRule -Name {name} -DisplayName {name} -Profile Any -Direction Inbound -Action Allow"
        f" -Protocol TCP -LocalPort {ports} -RemoteAddress {remote} -Service ftpsvc",
    )


def _restart() -> Iterator[str]:
    yield "The service takes a new range only when it starts; this ends every FTP session on the server:"
    yield from _block(
        "Set-Service ftpsvc -StartupType Automatic", "Restart-Service ftpsvc -Force", "Get-Service ftpsvc"
    )


def _check(cluster: Cluster, server: Server) -> Iterator[str]:
    comma = cluster.ftp.external_address.replace(".", ",")
    yield (
        f"Check with a passive client (not ftp.exe, which has no passive mode): the answer to PASV begins with"
        f" `227 Entering Passive Mode ({comma},` and its port, the last two numbers as high*256+low, lies in"
        f" {server.passive_ports}."
    )


def _back(cluster: Cluster, server: Server) -> Iterator[str]:
    yield ""
    yield "The way back, where nothing was set before; else set what was noted:"
    yield from _block(
        f"{APPCMD} clear config -section:system.ftpServer/firewallSupport /commit:apphost",
        *(
            f"Clear-WebConfiguration -PSPath 'MACHINE/WEBROOT/APPHOST' -Filter {quoted(_own_address(site))}"
            for site in server.sites or ("NAME OF THE SITE",)
        ),
        f"Remove-NetFirewallRule -Name {quoted(cluster.rule_name)}",
        "Restart-Service ftpsvc -Force",
    )


def _own_address(site: str) -> str:
    """The XPath of a site's own external address, with a site name that may hold an apostrophe."""
    name = f'"{site}"' if "'" in site else f"'{site}'"
    return f"system.applicationHost/sites/site[@name={name}]/ftpServer/firewallSupport/@externalIp4Address"
