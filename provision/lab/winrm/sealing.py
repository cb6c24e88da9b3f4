"""WinRM message encryption: the multipart/encrypted wrapping of one HTTP body. No I/O.

It must not know how the security context came about; it needs one that can wrap and unwrap.
The form is [MS-WSMV] 2.2.9.1.
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
SEALED_CONTENT_TYPE = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"
_LENGTH = re.compile(rb"Length=(\d+)")


class BadSeal(Exception):
    """The body is not what it claims to be, or was sealed with other keys (an older connection's)."""


class Sealer(Protocol):
    """The part of an authenticated context that seals; both pairs are (header, data)."""

    def seal(self, data: bytes) -> tuple[bytes, bytes]:
        """Encrypt and sign."""

    def open(self, header: bytes, data: bytes) -> bytes:
        """Verify and decrypt. Raises BadSeal."""


def is_sealed(content_type: str) -> bool:
    """Whether an HTTP Content-Type announces an encrypted body."""
    return content_type.lower().startswith("multipart/encrypted")


def seal_body(body: bytes, sealer: Sealer) -> bytes:
    """One encrypted HTTP body; send it with SEALED_CONTENT_TYPE."""
    header, data = sealer.seal(body)
    original = f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(body)}\r\n"
    return b"".join(
        (
            _BOUNDARY + b"\r\n",
            f"\tContent-Type: {PROTOCOL}\r\n".encode(),
            original.encode(),
            _BOUNDARY + b"\r\n",
            _OCTETS,
            struct.pack("<i", len(header)) + header + data,
            _BOUNDARY + b"--\r\n",
        )
    )


def open_body(body: bytes, sealer: Sealer) -> bytes:
    """The plain body of an encrypted one. Raises BadSeal. Some clients leave the closing boundary out."""
    head, separator, rest = body.partition(_OCTETS)
    length = _LENGTH.search(head)
    if not separator or length is None or len(rest) < 4:
        raise BadSeal("not a multipart/encrypted body")
    rest = rest.removesuffix(_BOUNDARY + b"--\r\n").removesuffix(_BOUNDARY + b"--")
    (header_length,) = struct.unpack("<i", rest[:4])
    if not 0 < header_length <= len(rest) - 4:
        raise BadSeal("impossible signature length")
    plain = sealer.open(rest[4 : 4 + header_length], rest[4 + header_length :])
    if len(plain) != int(length.group(1)):
        raise BadSeal("the length inside does not match the length announced")
    return plain
