"""The key behind the fingerprints that stand for secrets: one a cluster, the same for every operator.

It lies on this machine and in the generations that balancers hold. What a balancer recorded wins, so that two operators
see the same text where the same secret stands.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from provision.engine.generations import Store, decode
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

    def for_output(self, balancer: str, output: bytes) -> Masks:
        """The masks for what `balancer` printed; from now on also what `for_balancer` gives."""
        recorded = recorded_key(output)
        with self._guard:
            key = self._store.adopt_key(recorded) if recorded else self._store.keep_key()
            self._keys[balancer] = key
        return Masks(key, self._secrets)

    def for_balancer(self, balancer: str) -> Masks:
        """The masks for texts that are meant for `balancer`."""
        with self._guard:
            key = self._keys.get(balancer) or self._store.keep_key()
        return Masks(key, self._secrets)


def recorded_key(output: bytes) -> bytes | None:
    """The key in the newest generation that a reading carries, or None."""
    try:
        found = starting(frames(output), "generation:")
        return next((bytes.fromhex(decode(one.text.encode(), name).key) for name, one in found.items() if one.ok), None)
    except (FrameError, SnapshotError, ValueError):
        return None
