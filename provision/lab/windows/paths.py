"""Where a Windows path lies on this machine.

It must not know what is in the files. Case does not matter in a Windows path; the lab keeps files under the case in
which they were first written and finds them under any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT: Mapping[str, str] = {
    "windir": "C:\\Windows",
    "systemroot": "C:\\Windows",
    "systemdrive": "C:",
    "programdata": "C:\\ProgramData",
    "temp": "C:\\Windows\\Temp",
}
INETSRV = "c:\\windows\\system32\\inetsrv"


@dataclass(frozen=True, slots=True)
class WindowsPaths:
    """DIRECTORY is the host's folder; SHARES holds what UNC paths reach, server by server."""

    directory: Path
    shares: Path | None

    def local(self, windows: str) -> Path:
        """The place of WINDOWS, an absolute path with or without %variables%. Raises ValueError for another kind."""
        path = expand(windows).replace("/", "\\").rstrip("\\")
        special = self._special().get(path.lower())
        if special is not None:
            return special
        if path.startswith("\\\\"):
            if self.shares is None:
                raise ValueError(f"there is no share behind {windows}")
            return _descend(self.shares, path[2:])
        if not re.match(r"[A-Za-z]:", path):
            raise ValueError(f"{windows!r} is not an absolute Windows path")
        return _descend(self.directory / path[0].upper(), path[2:])

    def _special(self) -> Mapping[str, Path]:
        return {f"{INETSRV}\\config\\applicationhost.config": self.directory / "applicationHost.config",
                f"{INETSRV}\\config\\redirection.config": self.directory / "redirection.config"}


def expand(text: str) -> str:
    """Replace %NAME% by the machine's environment; unknown names stay as they are, as on Windows."""
    return re.sub(r"%([^%]+)%", lambda match: ENVIRONMENT.get(match[1].lower(), match[0]), text)


def _descend(base: Path, rest: str) -> Path:
    place = base
    for part in (each for each in rest.split("\\") if each not in ("", ".")):
        if part == "..":
            raise ValueError("a Windows path with .. in it")
        exact = place / part
        place = exact if exact.exists() or not place.is_dir() else next(
            (each for each in place.iterdir() if each.name.lower() == part.lower()), exact)
    return place
