"""What a valid cluster file means: `ClusterShape` -> `Cluster`, every default filled in.

It must not refuse anything: all checks have been made. Paths become absolute here (`~`, and relative to the file),
and a balancer's root loses its symbolic links, because it is written into files and sockets.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provision.definition import values
from provision.definition.complaint import Place, dotted
from provision.definition.draft import DEFAULT_FTP_PORT, WINRM_PORTS
from provision.definition.nodes import Span
from provision.definition.shape import BalancerShape, ClusterShape, FtpShape, ServerShape, SshShape, StatsShape
from provision.definition.slices import cut
from provision.model.cluster import (
    Balancer,
    Cluster,
    Ftp,
    HealthCheck,
    Probe,
    Server,
    Ssh,
    Stats,
    StickTable,
    WinRM,
)
from provision.model.ports import PortRange
from provision.model.secret import SecretRef

SHORTEST_TABLE_EXPIRY = 1800
"""Seconds a stick table entry lives at least, unless the file says otherwise."""


def absolute_path(text: str, folder: Path) -> Path:
    """A path of the file: `~` expanded (where that home is known), relative to `folder`."""
    try:
        return folder.absolute() / Path(text).expanduser()
    except RuntimeError:
        return folder.absolute() / text


def real_root(text: str, folder: Path) -> str:
    """A balancer's root without symbolic links. "/" stays what it is."""
    return text if text == "/" else os.path.realpath(absolute_path(text, folder))


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds one cluster. `file` is its path as the user wrote it; `spot` tells where a value stands in it."""

    shape: ClusterShape
    file: Path
    text: str
    spot: Callable[[Place], Span]

    def cluster(self) -> Cluster:
        """The whole of it."""
        shape = self.shape
        slices = self._slices()
        return Cluster(
            name=shape.cluster,
            vip=shape.vip,
            vip_owner=shape.vip_owner,
            ftp=_ftp(shape.ftp, shape.vip),
            balancers=tuple(self._balancer(one, index) for index, one in enumerate(shape.balancers)),
            servers=tuple(self._server(one, index, slices[index]) for index, one in enumerate(shape.servers)),
            stats=self._stats(shape.stats) if shape.stats else None,
            probe=self._probe(),
            file=self.file,
            text=self.text,
        )

    def _slices(self) -> tuple[PortRange, ...]:
        whole = values.port_range(self.shape.ftp.passive_ports)
        servers = self.shape.servers
        if self.shape.ftp.passive_layout == "shared":
            return (whole,) * len(servers)
        pins = tuple(values.port_range(one.passive_ports) for one in servers if one.passive_ports)
        return pins or cut(whole, len(servers), self.shape.ftp.ports_per_server)

    def _balancer(self, shape: BalancerShape, index: int) -> Balancer:
        return Balancer(
            name=shape.name,
            address=shape.address,
            ssh=self._ssh(shape.ssh, ("balancers", index, "ssh")),
            source=shape.source,
            firewall_zone=shape.firewall_zone,
            selinux=shape.selinux,
            haproxy=shape.haproxy,
            root=real_root(shape.root, self.file.parent),
        )

    def _ssh(self, shape: SshShape, place: Place) -> Ssh:
        return Ssh(
            port=shape.port,
            user=shape.user,
            key_file=self._path(shape.key_file),
            password=self._secret(shape.password, (*place, "password")),
            sudo_password=self._secret(shape.sudo_password, (*place, "sudo_password")),
            known_hosts=self._path(shape.known_hosts),
        )

    def _server(self, shape: ServerShape, index: int, mine: PortRange) -> Server:
        return Server(
            name=shape.name,
            address=shape.address,
            ftp_address=shape.ftp_address or shape.address,
            ftp_port=shape.ftp_port or self.shape.ftp.port or DEFAULT_FTP_PORT,
            sites=tuple(shape.sites) if shape.sites is not None else None,
            passive_ports=mine,
            pinned=shape.passive_ports is not None,
            winrm=self._winrm(shape, ("servers", index, "winrm")),
        )

    def _winrm(self, server: ServerShape, place: Place) -> WinRM:
        """The top-level keys, replaced one by one by the server's own."""
        own = server.winrm
        both = self.shape.winrm.model_copy(update=own.model_dump(exclude_unset=True))
        scheme = both.scheme or "http"
        port = own.port if own.scheme else both.port
        return WinRM(
            scheme=scheme,
            port=port or WINRM_PORTS[scheme],
            auth=both.auth or "negotiate",
            transport=both.transport or "psrp",
            user=both.user or "",
            password=self._secret(both.password, (*(place if own.password else ("winrm",)), "password")),
            ca_file=self._path(both.ca_file),
            verify=both.verify is not False,
        )

    def _stats(self, shape: StatsShape) -> Stats:
        networks = () if shape.allow is None else shape.allow
        return Stats(
            bind=shape.bind,
            port=shape.port,
            user=shape.user,
            password=self._secret(shape.password, ("stats", "password")),
            admin=shape.admin,
            allow="any" if networks == "any" else tuple(dict.fromkeys(map(values.network, networks))),
        )

    def _probe(self) -> Probe | None:
        shape = self.shape.probe
        if shape is None:
            return None
        scheme, target = values.secret_reference(shape.password)
        span = self.spot(("probe", "password"))
        password = SecretRef(scheme, target, "probe.password", span.line, span.column)
        return Probe(user=shape.user, password=password, tls=shape.tls, directory=shape.directory)

    def _path(self, text: str | None) -> Path | None:
        return None if text is None else absolute_path(text, self.file.parent)

    def _secret(self, text: str | None, place: Place) -> SecretRef | None:
        if text is None:
            return None
        scheme, target = values.secret_reference(text)
        span = self.spot(place)
        return SecretRef(scheme, target, dotted(place), span.line, span.column)


def _ftp(shape: FtpShape, vip: str) -> Ftp:
    session = values.duration(shape.session_timeout)
    expire = values.duration(shape.table.expire) if shape.table.expire else max(session, SHORTEST_TABLE_EXPIRY)
    size = shape.table.size if isinstance(shape.table.size, int) else values.size(shape.table.size)
    return Ftp(
        port=shape.port,
        external_address=shape.external_address or vip,
        passive_ports=values.port_range(shape.passive_ports),
        layout=shape.passive_layout,
        affinity=shape.affinity,
        session_timeout=session,
        transfer_timeout=values.duration(shape.transfer_timeout),
        check=HealthCheck(values.duration(shape.check.interval), shape.check.rise, shape.check.fall),
        table=StickTable(size, expire),
        transparent=shape.transparent,
        splice=shape.splice,
    )
