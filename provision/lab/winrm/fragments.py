"""PSRP fragments as bytes: where one ends, and what message it begins. [MS-PSRP] 2.2.1 and 2.2.4.

Needed because a recorded host puts every fragment into a Stream element of its own, and the state Opened into
a Receive of its own. Knows nothing else of PSRP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_HEADER = struct.Struct(">QQBI")
_STARTS_MESSAGE = 0x1

RUNSPACE_POOL_STATE: Final = 0x00021005
PIPELINE_STATE: Final = 0x00041006


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
