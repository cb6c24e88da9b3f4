"""A small SSH server on a loopback address that runs what it is told with `sh`, for the tests of the wire."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

ADDRESS = "127.0.33.1"


@dataclass
class Account(asyncssh.SSHServer):
    """Admits one password, and counts the guesses. `key` is a public key that is admitted too."""

    password: str | None
    key: str | None
    guesses: list[str] = field(default_factory=list)
    forward: bool = True

    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return self.password is not None

    def validate_password(self, username, password):
        self.guesses.append(password)
        return password == self.password

    def public_key_auth_supported(self):
        return self.key is not None

    def validate_public_key(self, username, key):
        return key.export_public_key() == asyncssh.import_public_key(self.key).export_public_key()

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return self.forward


class Server:
    """Runs in a thread of its own, until `close`. `path` is the PATH of what it runs."""

    def __init__(self, account: Account, path: str, host_key: asyncssh.SSHKey) -> None:
        self.account = account
        self.path = path
        self.host_key = host_key
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> Server:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def known_hosts(self, folder: Path) -> Path:
        public = self.host_key.export_public_key().decode().strip()
        path = folder / "known_hosts"
        path.write_text(f"[{ADDRESS}]:{self.port} {public}\n")
        return path

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncssh.listen(
                ADDRESS,
                0,
                server_factory=lambda: self.account,
                server_host_keys=[self.host_key],
                process_factory=self._run,
                encoding=None,
            )
        )
        self.port = server.get_port()
        self._ready.set()
        self._loop.run_forever()
        server.close()

    async def _run(self, process) -> None:
        child = await asyncio.create_subprocess_exec(
            "sh", "-c", process.command, stdin=-1, stdout=-1, stderr=-1, env={"PATH": self.path, "HOME": "/nonexistent"}
        )
        feeding = asyncio.ensure_future(_pump(process.stdin, child.stdin))
        await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
        feeding.cancel()
        process.exit(await child.wait())


async def _pump(source, sink) -> None:
    """Carry bytes until one side ends. (asyncssh's own redirect recurses under a flood.)"""
    try:
        while data := await source.read(32768):
            sink.write(data)
            await sink.drain()
        if isinstance(sink, asyncio.StreamWriter):
            sink.close()
    except (OSError, asyncssh.Error):
        return
