"""The control socket of one balancer: a JSON line in, a JSON line out. For the lab's orchestra, its breaks, and tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

Request = Mapping[str, Any]
Answer = Mapping[str, Any]


class Control:
    """Serves DIR/control.sock; `verbs` says what can be asked."""

    def __init__(self, path: Path, verbs: Mapping[str, Callable[[Request], Awaitable[Answer]]]) -> None:
        self._path = path
        self._verbs = verbs
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Replaces a socket that a killed process left."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        self._path.chmod(0o600)

    async def close(self) -> None:
        """No more requests."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
            verb = self._verbs.get(request["do"])
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"not a request: {error}"}
        if verb is None:
            return {"ok": False, "error": f"unknown request; known: {', '.join(self._verbs)}"}
        try:
            return {"ok": True, **await verb(request)}
        except Exception as error:  # whoever asked must hear of a defect, not wait for ever
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}
