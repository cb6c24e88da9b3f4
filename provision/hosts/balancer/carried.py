"""Which passive ports a balancer leads to which server now, by our own file as it lies there. Pure."""

from __future__ import annotations

from provision.hosts.balancer.cfg_reader import Section, read_cfg
from provision.hosts.balancer.facts import BalancerReading
from provision.model.cluster import Cluster
from provision.model.ports import PortSet
from provision.model.resources import File, OurText


def carried_ports(cluster: Cluster, reading: BalancerReading) -> dict[str, PortSet]:
    """By server name; servers that the cluster file no longer names are in it too. Empty without a file of ours."""
    found: dict[str, PortSet] = {}
    for key, one in reading.resources.items():
        if isinstance(one, File) and isinstance(one.content, OurText) and key.name.startswith("/etc/haproxy/"):
            for section in read_cfg(one.content.text):
                for server in _servers(section):
                    found[server] = found.get(server, PortSet()) | _passive(cluster, section)
    return found


def _servers(section: Section) -> list[str]:
    return [words[1] for words in section.lines if words[0] == "server" and len(words) > 1]


def _passive(cluster: Cluster, section: Section) -> PortSet:
    return PortSet.of(*(bind.ports for bind in section.binds)) - PortSet.of(cluster.ftp.port)
