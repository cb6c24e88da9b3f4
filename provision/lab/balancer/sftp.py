"""SFTP on a balancer: real paths, and none outside its root."""

from __future__ import annotations

import os
from pathlib import Path

import asyncssh


class RootedSFTP(asyncssh.SFTPServer):
    """Paths are those that `exec` sees too; relative ones start at the root. What leads out of it is refused, links too."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path) -> None:
        super().__init__(channel)
        self._root = os.fsencode(root)

    def map_path(self, path: bytes) -> bytes:
        """The local path; SFTPPermissionDenied for one that is not under the root when every link is followed."""
        local = os.path.join(self._root, path)
        real = os.path.realpath(local)
        if real != self._root and not real.startswith(self._root + b"/"):
            raise asyncssh.SFTPPermissionDenied(f"{os.fsdecode(path)} is outside {os.fsdecode(self._root)}")
        return local
