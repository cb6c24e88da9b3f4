"""What findings are made from: one server's answer beside its cluster, and how a finding about it is said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provision.hosts.ftp_server.wire import Answer, Site
from provision.model.change import Finding
from provision.model.cluster import Cluster, Server
from provision.model.ports import PortSet


@dataclass(frozen=True, slots=True)
class View:
    """The answer, the sites that are ours, and the names of those that answer where the balancer sends clients."""

    cluster: Cluster
    server: Server
    answer: Answer
    managed: tuple[Site, ...]
    answering: tuple[str, ...]

    def say(self, code: str, level: Literal["refuse", "warn", "note"], message: str, fix: str) -> Finding:
        """A finding about this server."""
        return Finding(self.server.name, code, level, message, fix)

    @property
    def passive(self) -> PortSet:
        """The passive ports of this server."""
        return PortSet.of(self.server.passive_ports)
