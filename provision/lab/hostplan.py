"""What each host of a lab is made as, derived from the cluster: host.json of every server and balancer.

It must not know processes. The lab obeys the cluster file: addresses, ports, sites, users come from there.
"""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from provision.errors import LabError
from provision.lab.places import PREFIX, Places
from provision.lab.windows.apphost import replace_file
from provision.lab.windows.settings import HostSettings, Login, SiteSettings, save_settings
from provision.lab.winrm.tls import CaFiles, make_tls
from provision.model.cluster import Balancer, Cluster, Server

LOOPBACK = IPv4Network("127.0.0.0/8")
DEFAULT_SITE = "Default FTP Site"
FTP_USER = "ftpuser"
SHARE = "files"


def check_is_lab(cluster: Cluster, places: Places) -> None:
    """Refuse a cluster that is not for the lab: every address in 127/8, every balancer's root under `.lab`."""
    addresses = [cluster.vip, *(one.address for one in cluster.servers), *(one.address for one in cluster.balancers)]
    outside = [address for address in addresses if not _is_loopback(address)]
    if outside:
        what = "are no loopback addresses" if len(outside) > 1 else "is not a loopback address"
        raise LabError("P807", f"{', '.join(outside)} {what}", where=str(cluster.file),
                       why="the lab runs on addresses in 127.0.0.0/8 only", next="provision lab up lab")
    for balancer in cluster.balancers:
        root = Path(balancer.root)
        if root.name != balancer.name or not (root.parent.name == places.link.name
                                              or root.parent.name.startswith(PREFIX)):
            raise LabError("P807", f"balancer {balancer.name} has the root {balancer.root}", where=str(cluster.file),
                           why="the lab keeps it under .lab", next=f"set root: .lab/{balancer.name}")


def _is_loopback(address: str) -> bool:
    try:
        return IPv4Address(address) in LOOPBACK
    except ValueError:
        return False


def check_made_for(cluster: Cluster, places: Places) -> None:
    """Remember what the lab is made for; refuse a cluster file that says otherwise since: machines do not move."""
    note, now = places.folder / "made-for.json", json.dumps(_outline(cluster), indent=2) + "\n"
    if not note.exists():
        replace_file(note, now.encode())
    elif note.read_text("utf-8") != now:
        raise LabError("P808", "the cluster file changed since the lab was made", where=str(cluster.file),
                       why="hosts, addresses, sites or users are others now", next=f"provision lab reset {cluster.file}")


def _outline(cluster: Cluster) -> dict[str, object]:
    return {
        "vip": cluster.vip,
        "servers": [[one.name, one.address, one.ftp_address, one.ftp_port, one.sites, one.winrm.user, one.winrm.scheme,
                     one.winrm.port] for one in cluster.servers],
        "balancers": [[one.name, one.address, one.ssh.port, one.ssh.user, one.source] for one in cluster.balancers],
        "probe": [cluster.probe.user, cluster.probe.directory] if cluster.probe else None,
    }


def write_plans(cluster: Cluster, places: Places) -> None:
    """Write host.json, and the certificates of the servers, for every host that has none yet."""
    for number, server in enumerate(cluster.servers, 1):
        folder = places.host(server.name)
        if not (folder / "host.json").exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            stock = number == len(cluster.servers) and number > 1
            save_settings(folder, _windows(cluster, server, places, passive_rule_open=stock))
    for balancer in cluster.balancers:
        folder = places.host(balancer.name)
        if not (folder / "host.json").exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            content = json.dumps(_balancer(cluster, balancer, places), indent=2) + "\n"
            replace_file(folder / "host.json", content.encode())


def _windows(cluster: Cluster, server: Server, places: Places, *, passive_rule_open: bool) -> HostSettings:
    """The last of several servers keeps the stock firewall rule that opens 1024-65535, the others are hardened: so both
    kinds are seen."""
    folder = places.host(server.name)
    ca = CaFiles(places.folder / "ca.pem", places.folder / "ca-key.pem")
    tls = make_tls(folder, server.address, name=server.name, ca=ca)
    plain, secure = (server.winrm.port, 5986) if server.winrm.scheme == "http" else (5985, server.winrm.port)
    return HostSettings(
        name=server.name, address=server.address, logins=_logins(cluster, server, places),
        sites=tuple(_site(cluster, server, places, number, name)
                    for number, name in enumerate(server.sites or (DEFAULT_SITE,))),
        winrm_http_port=plain, winrm_https_port=secure, ca=tls.ca, certificate=tls.certificate,
        certificate_key=tls.key, shares=places.shares, passive_rule_open=passive_rule_open)


def _logins(cluster: Cluster, server: Server, places: Places) -> tuple[Login, ...]:
    """The administrator of WinRM, and the account that FTP clients use. Each host has a password file of its own
    for the administrator: that is what `lab break wrong-password` changes."""
    own = places.host(server.name) / "administrator-password"
    replace_file(own, places.password_file("winrm").read_bytes())
    user = cluster.probe.user if cluster.probe else FTP_USER
    administrator = Login(server.winrm.user.rpartition("\\")[2], own, administrator=True)
    if user.lower() == administrator.name.lower():
        return (administrator,)
    return (administrator, Login(user, places.password_file("ftp"), administrator=False))


def _site(cluster: Cluster, server: Server, places: Places, number: int, name: str) -> SiteSettings:
    """The first site is bound to the server's FTP port, further ones to the ports after it; the content of equal
    sites is shared by all servers, as on a file server."""
    address = "*" if server.ftp_address == server.address else server.ftp_address
    folder = "ftproot" if number == 0 else f"ftproot{number + 1}"
    content = places.shares / SHARE / folder
    probe = cluster.probe.directory if cluster.probe and cluster.probe.directory else ""
    (content / probe.strip("/")).mkdir(parents=True, exist_ok=True)
    return SiteSettings(name, f"{address}:{server.ftp_port + number}:", f"\\\\{SHARE}\\{folder}")


def _balancer(cluster: Cluster, balancer: Balancer, places: Places) -> dict[str, object]:
    return {
        "name": balancer.name, "address": balancer.address, "port": balancer.ssh.port or 22,
        "source": balancer.source or balancer.address, "vip": cluster.vip,
        "user": balancer.ssh.user or "root",
        "authorized_keys": [(places.folder / "id_ed25519.pub").read_text("utf-8").strip()],
    }
