"""The key behind the fingerprints that stand for secrets: one a cluster, the same for every operator.

It lies on this machine and in the generations that balancers hold. What a balancer recorded wins, so that two operators
see the same text where the same secret stands.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from secrets import token_bytes

from provision.engine.documents import decode
from provision.engine.generations import KEY_LENGTH, Store
from provision.errors import SnapshotError
from provision.hosts.balancer.frames import FrameError, frames, starting
from provision.hosts.balancer.masks import Masks
from provision.model.secret import Secret, SecretRef


class MaskMaker:
    """Makes the masks for each balancer's texts. Safe to share by threads."""

    def __init__(self, store: Store, secrets: Mapping[SecretRef, Secret]) -> None:
        self._store = store
        self._secrets = secrets
        self._keys: dict[str, bytes] = {}
        self._guard = threading.Lock()
        self._passing = token_bytes(KEY_LENGTH)

    def for_output(self, balancer: str, output: bytes) -> Masks:
        """The masks for what `balancer` printed; from now on also what `for_balancer` gives."""
        recorded = recorded_key(output, self._store.cluster)
        with self._guard:
            self._keys[balancer] = key = self._kept(recorded)
        return Masks(key, self._secrets)

    def for_balancer(self, balancer: str) -> Masks:
        """The masks for texts that are meant for `balancer`."""
        with self._guard:
            key = self._keys.get(balancer) or self._kept(None)
        return Masks(key, self._secrets)

    def _kept(self, recorded: bytes | None) -> bytes:
        """The key, kept on this machine. Where nothing can be kept it serves this run: a reading needs no disk."""
        try:
            return self._store.adopt_key(recorded) if recorded else self._store.keep_key()
        except SnapshotError:
            return recorded or self._passing


def recorded_key(output: bytes, cluster: str) -> bytes | None:
    """The key in the newest generation of `cluster` that a reading carries, or None."""
    try:
        found = starting(frames(output), "generation:")
        documents = (decode(one.text.encode(), name, cluster) for name, one in found.items() if one.ok)
        return next((bytes.fromhex(one.key) for one in documents), None)
    except (FrameError, SnapshotError, ValueError):
        return None
