"""haproxy's admin socket: one command, one answer. It knows the wire and no meaning."""

from __future__ import annotations

import socket
from pathlib import Path


def ask(path: Path, command: str, seconds: float = 2.0) -> str:
    """The answer to one command; OSError when nobody listens or `seconds` pass."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(str(path))
        connection.sendall(command.encode() + b"\n")
        parts: list[bytes] = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")
