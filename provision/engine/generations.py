"""Generations: what was found, what was proven, who and when. Kept on this machine; balancers hold copies.

Generation 0 is the state found before the first change, N the state proven after apply N. A document is written
before the first change (result "started", with the state that was found) and again at the end. Every write is atomic
and read back; a damaged document is refused by its checksum. Folders are 0700, files 0600.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from provision.engine.documents import Generation, decode, encode
from provision.errors import ProvisionError, SnapshotError

KEY_LENGTH = 32
"""Bytes of a fingerprint key."""

ANOTHER_HOME = "mend the rights of the folder, or set PROVISION_HOME to a folder that you can write"
"""What helps when this machine cannot keep generations."""


class Locked(ProvisionError):
    """Another run works on this cluster, from this machine."""

    exit_code = 5


def whoami() -> str:
    """USER@HOST of the operator, for the record."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


class Store:
    """The generations of one cluster in `home/CLUSTER` on this machine, its key and its lock."""

    def __init__(self, home: Path, cluster: str) -> None:
        self.folder = home / cluster
        self.cluster = cluster

    def key(self) -> bytes | None:
        """The fingerprint key, or None when this machine has none yet, or one that is damaged."""
        with suppress(OSError, ValueError):
            key = bytes.fromhex((self.folder / "key").read_text(encoding="ascii"))
            return key if len(key) == KEY_LENGTH else None
        return None

    def keep_key(self) -> bytes:
        """The key of this machine; a new random one of 32 bytes where there is none yet."""
        return self.key() or self.adopt_key(secrets.token_bytes(KEY_LENGTH))

    def adopt_key(self, key: bytes) -> bytes:
        """Keep `key` from now on, whatever was there. Raises SnapshotError (P703)."""
        if self.key() != key:
            with _told("the key of the fingerprints cannot be kept", self.folder / "key"):
                write_atomically(self.folder / "key", key.hex().encode())
        return key

    def numbers(self) -> list[int]:
        """The numbers of the documents that lie here, ascending. Raises SnapshotError when nobody may look (P707)."""
        folder = self.folder / "generations"
        try:
            return sorted(int(path.stem) for path in folder.glob("[0-9]*.json") if path.stem.isdecimal())
        except OSError as error:
            why, what = error.strerror or str(error), "the folder of generations cannot be read"
            raise SnapshotError("P707", what, where=str(folder), why=why, next=ANOTHER_HOME) from error

    def read(self, number: int) -> Generation:
        """Generation `number`. Raises SnapshotError when it is missing (P702) or damaged (P701)."""
        path = self._path(number)
        if not path.is_file():
            have = ", ".join(map(str, self.numbers())) or "none"
            raise SnapshotError("P702", f"there is no generation {number}", where=str(path), why=f"there are: {have}")
        try:
            data = path.read_bytes()
        except OSError as error:
            why = error.strerror or str(error)
            raise SnapshotError("P701", "this generation cannot be read", where=str(path), why=why) from error
        return decode(data, str(path), self.cluster, number)

    def whole_numbers(self) -> list[int]:
        """The numbers whose documents are not damaged, ascending."""
        return [number for number in self.numbers() if self._is_whole(number)]

    def _is_whole(self, number: int) -> bool:
        try:
            self.read(number)
        except SnapshotError:
            return False
        return True

    def unfinished(self) -> Generation | None:
        """The newest generation when its run did not end: it was stopped, killed, or could not go all the way back."""
        numbers = self.whole_numbers()
        newest = self.read(numbers[-1]) if numbers else None
        return newest if newest is not None and newest.result in ("started", "interrupted", "failed") else None

    def latest(self) -> Generation | None:
        """The newest generation that is usable, or None."""
        for number in reversed(self.numbers()):
            with suppress(SnapshotError):
                generation = self.read(number)
                if generation.usable:
                    return generation
        return None

    def write(self, generation: Generation) -> bytes:
        """Write the document and read it back. Returns its bytes. Raises SnapshotError (P703)."""
        data = encode(generation)
        path = self._path(generation.number)
        with _told("the snapshot cannot be written", path):
            write_atomically(path, data)
            same = decode(path.read_bytes(), str(path), self.cluster, generation.number) == generation
        if not same:
            raise SnapshotError("P703", "the snapshot reads back differently", where=str(path))
        return data

    def lock(self) -> FileLock:
        """The lock of this machine for this cluster; the kernel frees it when its holder dies. Raises SnapshotError."""
        with _told("the lock of this cluster cannot be kept", self.folder / "lock"):
            private_folder(self.folder)
        return FileLock(self.folder / "lock", timeout=0, mode=0o600)

    def _path(self, number: int) -> Path:
        return self.folder / "generations" / f"{number:04d}.json"


@contextmanager
def _told(what: str, path: Path) -> Iterator[None]:
    """Turns a failure of this machine's disk into a SnapshotError (P703)."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise SnapshotError("P703", what, where=str(path), why=why, next=ANOTHER_HOME) from error


@contextmanager
def held(store: Store, since: str = "") -> Iterator[None]:
    """Hold the store's lock. Raises Locked (exit 5) at once when somebody else holds it, and says who.

    `since`: the present time, for whoever is refused meanwhile.
    """
    lock = store.lock()
    sign = store.folder / "holder"
    try:
        lock.acquire()
    except Timeout as error:
        message = f"cluster {store.cluster} is being changed by another run on this machine"
        why, where = _holder(sign), str(store.folder / "lock")
        raise Locked("P704", message, where=where, why=why, next="wait for it to end") from error
    try:
        with suppress(OSError):  # the lock itself holds; the sign only tells who
            write_atomically(sign, f"process {os.getpid()} of {whoami()}{since and f', since {since}'}".encode())
        yield
    finally:
        with suppress(OSError):
            sign.unlink(missing_ok=True)
        lock.release()


def _holder(sign: Path) -> str:
    """Who holds the lock, as far as it was written down."""
    with suppress(OSError):
        return f"it is {sign.read_text(encoding='utf-8')[:200]}"
    return ""


def private_folder(folder: Path) -> None:
    """Make `folder` and its parents; the folder itself is for this user only (0700)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside, sync, rename, sync the folder: after a crash there is the old file or the new one. Mode 0600."""
    private_folder(path.parent)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
