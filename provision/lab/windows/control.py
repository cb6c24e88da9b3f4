"""`control.sock`: one JSON line in, one out, for whoever may open the host's folder.

It must not know what the verbs do: they come in as functions. An unknown verb is answered with the known ones.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Answer = Mapping[str, object]
Verb = Callable[[Mapping[str, Any]], Answer]
FILE_NAME = "control.sock"
LONGEST_LINE = 65_536


class ControlSocket:
    """Listens in DIRECTORY until `close()`; each connection has a thread of its own."""

    def __init__(self, directory: Path, verbs: Mapping[str, Verb]) -> None:
        self._path = directory / FILE_NAME
        self._verbs = verbs
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def start(self) -> None:
        """Open the socket, replacing one that a dead process left. Raises OSError."""
        self._path.unlink(missing_ok=True)
        self._listener.bind(str(self._path))
        os.chmod(self._path, 0o600)
        self._listener.listen(16)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="control", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines:
            while line := lines.readline(LONGEST_LINE):
                lines.write(json.dumps(self._answer(line)).encode() + b"\n")
                lines.flush()

    def _answer(self, line: bytes) -> Answer:
        try:
            asked = json.loads(line)
            verb = self._verbs.get(asked.get("do"))
            if verb is None:
                return {"ok": False, "error": f"do is one of {', '.join(sorted(self._verbs))}"}
            return {"ok": True, **verb(asked)}
        except Exception as error:  # whatever a verb meets is the asker's answer, not our end
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def ask(directory: Path, question: Mapping[str, object], timeout: float = 10.0) -> dict[str, Any]:
    """Send one line to the host in DIRECTORY and return its answer. TIMEOUT in seconds.

    Raises OSError when nobody listens, ValueError when the answer is no JSON object.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(str(directory / FILE_NAME))
        connection.sendall(json.dumps(question).encode() + b"\n")
        with connection.makefile("rb") as lines:
            answer = json.loads(lines.readline())
    if not isinstance(answer, dict):
        raise ValueError(f"{directory / FILE_NAME} answered {answer!r}")
    return answer
