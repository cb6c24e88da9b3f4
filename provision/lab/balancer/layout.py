"""Where things lie under a balancer's root. Names only; it opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one balancer. `root` is resolved: it is what `systemctl cat` prints in front of paths."""

    root: Path

    @property
    def lab(self) -> Path:
        """What belongs to the lab and would not exist on a real host."""
        return self.root / "lab"

    @property
    def tools(self) -> Path:
        """The closed folder that is the whole PATH."""
        return self.root / "bin-closed"

    @property
    def calls(self) -> Path:
        """Calls of stand-ins and their answers."""
        return self.lab / "calls"

    @property
    def copies(self) -> Path:
        """The configuration that the real haproxy reads."""
        return self.lab / "haproxy"

    @property
    def admin_socket(self) -> Path:
        """The lab's own admin socket in haproxy, through which the firewall's changes reach it."""
        return self.lab / "haproxy.sock"

    @property
    def gate(self) -> Path:
        """The lists by which haproxy refuses what firewalld or SELinux forbids."""
        return self.lab / "gate"

    @property
    def units(self) -> Path:
        """Where packages put units."""
        return self.root / "usr/lib/systemd/system"

    @property
    def unit_overrides(self) -> Path:
        """Where the administrator's units, drop-ins and enablement live."""
        return self.root / "etc/systemd/system"

    def under(self, path: str) -> Path:
        """`path` of the imitated host (absolute) under the root."""
        return self.root / path.lstrip("/")
