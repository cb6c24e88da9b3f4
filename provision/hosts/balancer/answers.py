"""The answers of one reading by name, with the few that everything depends on taken apart. Pure.

It must not know what a resource or a finding is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from provision.hosts.balancer.digest import owner_of
from provision.hosts.balancer.firewalld import read_firewall
from provision.hosts.balancer.frames import Frame, starting
from provision.hosts.balancer.masks import Masks
from provision.hosts.balancer.times import Clock
from provision.model.cluster import Balancer, Cluster


class Answers:
    """The frames of one reading, taken apart as far as facts and resources both need them.

    Raises ValueError for what is not understood.
    """

    def __init__(self, found: tuple[Frame, ...], cluster: Cluster, balancer: Balancer, masks: Masks) -> None:
        self.found = {one.name: one for one in found}
        self.cluster = cluster
        self.balancer = balancer
        self.masks = masks
        self.texts = {path: one.text for path, one in starting(found, "file:").items() if one.ok}
        self.hashes = {self.logical(path): digest for digest, path in self._digests()}
        self.units = _units(self.need("units").text)
        self.firewall = read_firewall(found, running=self.unit("firewalld").get("ActiveState") == "active")
        self.paths = tuple(self.need("config-paths").text.split())
        self.clock = Clock.parse(self.need("clock").text)

    def need(self, name: str) -> Frame:
        """A frame that every reading has."""
        if name not in self.found:
            raise ValueError(f"the reading has no {name}")
        return self.found[name]

    def text(self, name: str) -> str:
        """What a command printed that ended well; empty when it failed or was not asked."""
        frame = self.found.get(name)
        return frame.text if frame is not None and frame.ok else ""

    def rows(self, name: str, pattern: str) -> list[tuple[str, ...]]:
        """The groups of every line that has the form; other lines are the tools' complaints."""
        return [match.groups() for line in self.raw(name).splitlines() if (match := re.fullmatch(pattern, line))]

    def settings(self, name: str, pattern: str) -> dict[str, str]:
        """Lines of a name and a value; a later line wins."""
        return {row[0]: row[1] for row in self.rows(name, pattern)}

    def _digests(self) -> list[tuple[str, str]]:
        """Of each file, by path. A line whose name holds a backslash starts with one, and has it doubled."""
        rows = self.rows("sha256", r"(\\?)([0-9a-f]{64}) [ *](.+)")
        return [(digest, path.replace("\\\\", "\\") if escaped else path) for escaped, digest, path in rows]

    def starting(self, prefix: str) -> dict[str, Frame]:
        """The frames whose name starts with `prefix`, by the rest of it."""
        return starting(tuple(self.found.values()), prefix)

    def raw(self, name: str) -> str:
        """What a command printed, however it ended."""
        return self.found[name].text if name in self.found else ""

    def logical(self, path: str) -> str:
        """A path without the balancer's root."""
        root = self.balancer.root.rstrip("/")
        return path.removeprefix(root) if root and path.startswith(root + "/") else path

    def unit(self, name: str) -> Mapping[str, str]:
        """A unit's properties; empty when systemd said nothing of it."""
        return self.units.get(f"{name}.service", {})

    def loaded(self) -> dict[str, str]:
        """The texts of the files that the unit loads."""
        folders = tuple(path.rstrip("/") + "/" for path in self.paths)

        def is_loaded(path: str) -> bool:
            return path in self.paths or (path.endswith(".cfg") and path.startswith(folders))

        return {path: text for path, text in self.texts.items() if is_loaded(path)}

    def is_ours(self, text: str) -> bool:
        """Whether it is a file of this cluster."""
        return owner_of(text) == self.cluster.name


def _units(text: str) -> dict[str, dict[str, str]]:
    """Systemctl's properties, by unit. Raises ValueError when it is not systemd that answers."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    blocks = [dict(line.partition("=")[::2] for line in part.splitlines()) for part in parts]
    units = {block["Id"]: block for block in blocks if "Id" in block and "ActiveState" in block}
    if "haproxy.service" not in units:
        raise ValueError(f"systemctl said {text[:120]!r}")
    return units
