"""What starts at boot: systemd's links below etc/systemd/system. It starts and stops nothing.

`folder` is the administrator's unit folder in each of these functions.
"""

from __future__ import annotations

import os
from pathlib import Path

from provision.lab.balancer.unitfile import UnitFile


def wants(folder: Path, unit: UnitFile) -> Path:
    """The link that enables a unit."""
    target = unit.first("Install.WantedBy") or "multi-user.target"
    return folder / f"{target}.wants" / unit.name


def state(folder: Path, unit: UnitFile) -> str:
    """enabled, disabled, static or masked."""
    mask = folder / unit.name
    if mask.is_symlink() and str(mask.readlink()) == os.devnull:
        return "masked"
    if not unit.first("Install.WantedBy"):
        return "static"
    return "enabled" if wants(folder, unit).is_symlink() else "disabled"


def enable(folder: Path, unit: UnitFile) -> Path | None:
    """Make the link; None when it was there."""
    link = wants(folder, unit)
    if link.is_symlink():
        return None
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(unit.path)
    return link


def disable(folder: Path, unit: UnitFile) -> Path | None:
    """Remove the link; None when there was none."""
    link = wants(folder, unit)
    if not link.is_symlink():
        return None
    link.unlink()
    return link
