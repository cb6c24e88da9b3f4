"""The shell scripts as constants: each is the shared functions, its own, and one call.

Nothing is ever formatted into them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from provision.model.cluster import Balancer, Cluster

_PARTS = {
    "read": (("common.sh", "read.sh"), "read_all"),
    "change": (("common.sh", "read.sh", "change.sh"), "change_all"),
    "record": (("common.sh", "generations.sh"), "record_generations"),
    "fetch": (("common.sh", "generations.sh"), "fetch_generations"),
    "live": (("common.sh", "live.sh"), "live_all"),
}


@cache
def script(name: str) -> str:
    """The whole text of a script: read, change, record, fetch or live. Raises KeyError for any other."""
    parts, entry = _PARTS[name]
    folder = files(__package__)
    return "".join((folder / part).read_text("utf-8") for part in parts) + f'{entry} "$@"\n'


def fragment_path(cluster: Cluster, *, conf_d: bool) -> str:
    """Where our fragment lies: in conf.d where the unit loads it (EL8 and later), else beside the main file."""
    folder = "/etc/haproxy/conf.d" if conf_d else "/etc/haproxy"
    return f"{folder}/provision-{cluster.name}.cfg"


def read_arguments(cluster: Cluster, balancer: Balancer) -> tuple[str, ...]:
    """The arguments of read_all, in its order."""
    servers = dict.fromkeys(server.ftp_address for server in cluster.servers)
    zone = balancer.firewall_zone or "-"
    fixed = (balancer.root, cluster.name, cluster.vip, cluster.vip_owner, zone, balancer.selinux)
    return (*fixed, fragment_path(cluster, conf_d=True), *servers)
