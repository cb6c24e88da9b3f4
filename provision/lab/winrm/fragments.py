"""PSRP fragments as bytes: where one ends, what message it begins, and which wait to be fetched.

Needed because a recorded host puts every fragment into a Stream element of its own, and the state Opened into
a Receive of its own. Sources: [MS-PSRP] 2.2.1 and 2.2.4. Knows nothing else of PSRP.
"""

from __future__ import annotations

import struct
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Final

_HEADER = struct.Struct(">QQBI")
_STARTS_MESSAGE = 0x1

RUNSPACE_POOL_STATE: Final = 0x00021005


def split_fragments(data: bytes) -> Iterator[bytes]:
    """The fragments that `data` is a plain row of. Raises ValueError when the last one is cut off."""
    offset = 0
    while offset < len(data):
        if len(data) - offset < _HEADER.size:
            raise ValueError("a PSRP fragment is shorter than its header")
        end = offset + _HEADER.size + _HEADER.unpack_from(data, offset)[3]
        if end > len(data):
            raise ValueError("a PSRP fragment is shorter than its header says")
        yield data[offset:end]
        offset = end


def message_type_of(fragment: bytes) -> int | None:
    """The type of the message that `fragment` begins; None for a later part of one."""
    flags = _HEADER.unpack_from(fragment)[2]
    if not flags & _STARTS_MESSAGE or len(fragment) < _HEADER.size + 8:
        return None
    (message_type,) = struct.unpack_from("<I", fragment, _HEADER.size + 4)
    return int(message_type)


def pipeline_id_of(fragment: bytes) -> uuid.UUID | None:
    """The pipeline that the message begun by `fragment` is for; None when it is for the pool or begins nothing.

    It need not be the CommandId of WSMan: a recorded client used another.
    """
    start = _HEADER.size + 24
    if message_type_of(fragment) is None or len(fragment) < start + 16:
        return None
    pipeline_id = uuid.UUID(bytes_le=fragment[start : start + 16])
    return pipeline_id if pipeline_id.int else None


class Outbox:
    """Fragments that wait for a Receive: of the pool (key None) and of each command."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str | None, deque[bytes]] = defaultdict(deque)

    def put(self, key: str | None, data: bytes) -> None:
        """Add a row of fragments."""
        self._waiting[key].extend(split_fragments(data))

    def has(self, key: str | None) -> bool:
        """Whether something waits."""
        return bool(self._waiting[key])

    def drop(self, key: str) -> None:
        """Forget what nobody will fetch."""
        self._waiting.pop(key, None)

    def take(self, key: str | None, budget: int) -> list[bytes]:
        """The next fragments that fit into `budget` bytes; at least one. The pool's state travels alone."""
        queue, taken, size = self._waiting[key], list[bytes](), 0
        while queue:
            alone = key is None and message_type_of(queue[0]) == RUNSPACE_POOL_STATE
            if taken and (alone or size + len(queue[0]) > budget):
                break
            taken.append(queue.popleft())
            size += len(taken[-1])
        return taken
