"""Where a lab lies: a short private folder, the link `.lab` beside the cluster file, and the secrets in it.

It must not know processes. Socket paths may be at most 97 characters, so the folder is /tmp/pl-UID-HASH8; the hash
is of the cluster file's path, so that two checkouts do not meet.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from provision.errors import LabError
from provision.lab.winrm.tls import make_ca

PASSWORDS = ("winrm", "stats", "ftp")
LINK_NAME = ".lab"
CLUSTER_NOTE = "cluster-file"
PREFIX = "pl-"


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one lab. LINK is what the cluster file's own paths go through."""

    cluster_file: Path
    folder: Path

    @classmethod
    def of(cls, cluster_file: Path, base: Path = Path("/tmp")) -> Places:
        """The places for CLUSTER_FILE; nothing is created. BASE should be short."""
        absolute = cluster_file.absolute()
        digest = hashlib.sha256(str(absolute).encode()).hexdigest()[:8]
        return cls(absolute, base / f"{PREFIX}{os.getuid()}-{digest}")

    @property
    def link(self) -> Path:
        """The link beside the cluster file."""
        return self.cluster_file.parent / LINK_NAME

    @property
    def shares(self) -> Path:
        """What the servers share: the content of their FTP sites."""
        return self.folder / "shares"

    @property
    def known_hosts(self) -> Path:
        """The balancers' host keys, as they were when the lab was made."""
        return self.folder / "known_hosts"

    @property
    def private_key(self) -> Path:
        """The key that the balancers let in."""
        return self.folder / "id_ed25519"

    def host(self, name: str) -> Path:
        """The folder of one host."""
        return self.folder / name

    def password_file(self, name: str) -> Path:
        """The file of a password: winrm, stats or ftp."""
        return self.folder / f"{name}-password"

    def password(self, name: str) -> str:
        """A password of the lab. Raises LabError when there is no such one, or no lab yet."""
        if name not in PASSWORDS:
            raise LabError("P804", f"the lab has no secret '{name}'", why=f"there are {', '.join(PASSWORDS)}")
        if not self.password_file(name).exists():
            raise LabError("P806", "the lab was never started", next=f"provision lab up {self.cluster_file}")
        return self.password_file(name).read_text("utf-8").rstrip("\n")

    def linked(self) -> Path | None:
        """The folder that the link leads to now, None where there is no link."""
        return Path(os.readlink(self.link)) if self.link.is_symlink() else None

    def make(self) -> None:
        """Create folder, link and secrets; what is there already stays. Raises LabError when the place is not ours."""
        _private_folder(self.folder)
        self.shares.mkdir(mode=0o700, exist_ok=True)
        self._make_link()
        _once(self.folder / CLUSTER_NOTE, f"{self.cluster_file}\n".encode())
        for name in PASSWORDS:
            _once(self.password_file(name), f"{secrets.token_urlsafe(18)}\n".encode())
        if not self.private_key.exists():
            for path, content in _key_pair().items():
                _once(self.folder / path, content)
        make_ca(self.folder)

    def _make_link(self) -> None:
        if self.linked() == self.folder:
            return
        if self.link.exists() and not self.link.is_symlink():
            raise LabError("P801", f"{self.link} is in the way", why="it is not a link that the lab made",
                           next="move it away and start again")
        beside = self.link.with_name(f"{LINK_NAME}.new")
        beside.unlink(missing_ok=True)
        beside.symlink_to(self.folder)
        beside.replace(self.link)


def _private_folder(folder: Path) -> None:
    """Make FOLDER for this user only; refuse one that somebody else could have prepared."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise LabError("P801", f"{folder} is not this user's folder", why="somebody else made it",
                       next="have it removed, then start again")
    if stat.S_IMODE(status.st_mode) != 0o700:
        raise LabError("P801", f"{folder} is open to others", why=f"mode {stat.S_IMODE(status.st_mode):o}, not 700",
                       next=f"chmod 700 {folder}, or remove it")


def _once(path: Path, content: bytes) -> None:
    """Write a private file unless it is there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _key_pair() -> Mapping[str, bytes]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return {"id_ed25519": key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
            "id_ed25519.pub": public + b" provision-lab\n"}
