"""Generation documents on a balancer: write them there, fetch them. Pure; knows nothing of what is in a document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from provision.hosts.balancer.frames import FrameError, frames, starting
from provision.hosts.balancer.scripts import script
from provision.model.cluster import Balancer, Cluster
from provision.model.command import ShellScript


def record_script(cluster: Cluster, balancer: Balancer, documents: Mapping[int, bytes]) -> ShellScript:
    """One exec that writes `documents` (by number) and reads each back. A status other than 0: stderr says why.

    They land as NNNN.json, mode 0600, in var/lib/provision/CLUSTER/generations/.
    """
    payload = b""
    for number, document in sorted(documents.items()):
        digest = hashlib.sha256(document).hexdigest()
        payload += f"{number:04d}.json {len(document)} {digest}\n".encode() + document
    return ShellScript(f"record {balancer.name}", script("record"), (balancer.root, cluster.name), payload)


def fetch_script(cluster: Cluster, balancer: Balancer) -> ShellScript:
    """One exec that prints every document kept there."""
    return ShellScript(f"fetch {balancer.name}", script("fetch"), (balancer.root, cluster.name))


def parse_fetch(stdout: bytes) -> dict[int, bytes]:
    """The documents by number; one that cannot be read is left out, and so is everything when the output broke off."""
    try:
        found = starting(frames(stdout), "generation:")
    except FrameError:
        return {}
    names = {name: re.fullmatch(r"(\d{4,})\.json", name) for name in found}
    return {
        int(match[1]): found[name].text.encode("utf-8", "surrogateescape")
        for name, match in names.items()
        if match is not None and found[name].ok
    }
