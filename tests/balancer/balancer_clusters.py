"""Clusters for the balancer's tests, as `definition` would build them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from provision.hosts.balancer.masks import Masks
from provision.model.cluster import Balancer, Cluster, Ftp, HealthCheck, Server, Ssh, Stats, StickTable, WinRM
from provision.model.ports import PortRange
from provision.model.secret import Secret, SecretRef

PASSWORD = SecretRef("env", "HAPROXY_STATS_PASSWORD", "stats.password")
MASKS = Masks(b"key", {PASSWORD: Secret("canary-7Q")})
WINRM = WinRM("http", 5985, "negotiate", "psrp", "Administrator", None, None, True)
WHOLE = PortRange(10000, 10020)
SLICES = (PortRange(10000, 10009), PortRange(10010, 10019))


def server(number, ports, **more):
    address = f"192.168.1.{109 + number}"
    name = f"WinFTPServer2016FTP{number}"
    one = Server(name, address, address, 21, ("Default FTP Site",), ports, False, WINRM)
    return replace(one, **more)


def cluster(layout="shared", *, balancer=(), ftp=(), **more):
    shared = layout == "shared"
    settings = Ftp(
        port=21,
        external_address="192.168.1.123",
        passive_ports=WHOLE,
        layout=layout,
        affinity="source",
        session_timeout=300 if shared else 14_400,
        transfer_timeout=600,
        check=HealthCheck(),
        table=StickTable(10_485_760 if shared else 100_000, 1800 if shared else 14_400),
        transparent=True,
        splice=False,
    )
    one = Cluster(
        name="article",
        vip="192.168.1.123",
        vip_owner="external",
        ftp=replace(settings, **dict(ftp)),
        balancers=(replace(Balancer("lb1", "192.168.1.123", Ssh(), None, None, "boolean", None, "/"), **dict(balancer)),),
        servers=tuple(server(n, WHOLE if shared else SLICES[n - 1]) for n in (1, 2)),
        stats=Stats("*", 8080, "loadbalancer", PASSWORD, True, "any"),
        probe=None,
        file=Path("clusters/article.yml"),
        text="",
    )
    return replace(one, **more)
