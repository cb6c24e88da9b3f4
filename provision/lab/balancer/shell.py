"""One exec or one shell on the balancer: a real sh in a clean environment, its streams joined to an SSH channel."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import signal
from collections.abc import Callable
from pathlib import Path

import asyncssh

from provision.lab.balancer.closedpath import machine_tool
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.settings import Settings

_CHUNK = 65536


def environment(layout: Layout, settings: Settings, terminal: str | None) -> dict[str, str]:
    """All that a command finds in its environment: nothing comes from the operator's."""
    home = "root" if settings.user == "root" else f"home/{settings.user}"
    found = {
        "PATH": str(layout.tools),
        "HOME": str(layout.root / home),
        "USER": settings.user,
        "LOGNAME": settings.user,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TMPDIR": str(layout.root / "tmp"),
        "LAB_USER": settings.user,
    }
    return found | ({"TERM": terminal, "PS1": f"[{settings.user}@{settings.name}]# "} if terminal else {})


class Shells:
    """The commands of one SSH connection; they end with it."""

    def __init__(self, layout: Layout, settings: Settings) -> None:
        self._layout = layout
        self._settings = settings
        self._groups: set[int] = set()

    def end(self) -> None:
        """End what still runs: sshd's hang-up."""
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGHUP)

    async def run(self, channel: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run the command of `channel` (a shell when there is none), and give back how it ended."""
        terminal = channel.get_terminal_type()
        child = await self._start(channel, terminal)
        self._groups.add(child.pid)
        try:
            code = await child.wait()
        finally:
            self._groups.discard(child.pid)
        if code >= 0:
            channel.exit(code)
        else:
            channel.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))

    async def _start(self, channel: asyncssh.SSHServerProcess[bytes], terminal: str | None) -> "_Child":
        env = environment(self._layout, self._settings, terminal)
        words = ["sh", "-c", channel.command] if channel.command else ["sh", *(["-i"] if terminal else [])]
        if terminal:
            return await _Child.on_terminal(channel, words, env, self._layout.root)
        return await _Child.on_pipes(channel, words, env, self._layout.root)


class _Child:
    """A started command and the tasks that carry its bytes."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        outputs: list[asyncio.Task[None]],
        feed: asyncio.Task[None],
        close: Callable[[], None],
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._outputs = outputs
        self._feed = feed
        self._close = close

    async def wait(self) -> int:
        """The exit code once all output was sent; negative for a signal."""
        code = await self._process.wait()
        await asyncio.gather(*self._outputs, return_exceptions=True)
        self._feed.cancel()
        self._close()
        return code

    @classmethod
    async def on_pipes(
        cls, channel: asyncssh.SSHServerProcess[bytes], words: list[str], env: dict[str, str], cwd: Path
    ) -> "_Child":
        """Three pipes, as for `ssh host command`."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            str(machine_tool("sh") or "/bin/sh"),
            *words[1:],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=env,
            cwd=cwd,
            start_new_session=True,
            limit=4 * _CHUNK,
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        outputs = [
            asyncio.create_task(_carry(process.stdout, channel.stdout)),
            asyncio.create_task(_carry(process.stderr, channel.stderr)),
        ]
        return cls(process, outputs, asyncio.create_task(_feed(channel, process.stdin, process.pid)), lambda: None)

    @classmethod
    async def on_terminal(
        cls, channel: asyncssh.SSHServerProcess[bytes], words: list[str], env: dict[str, str], cwd: Path
    ) -> "_Child":
        """A pseudo terminal, as for a person who logs in."""
        outer, inner = pty.openpty()
        leader = machine_tool("setsid")
        start = [str(leader), "-c"] if leader else []
        process = await asyncio.create_subprocess_exec(
            *start,
            str(machine_tool("sh") or "/bin/sh"),
            *words[1:],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=env,
            cwd=cwd,
            start_new_session=leader is None,  # setsid makes the session, and takes the terminal for it
        )
        os.close(inner)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(outer, "rb", 0)
        )
        writing, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop=loop), os.fdopen(os.dup(outer), "wb", 0)
        )
        writer = asyncio.StreamWriter(writing, protocol, None, loop)

        def close() -> None:
            transport.close()
            writing.close()

        return cls(
            process,
            [asyncio.create_task(_carry(reader, channel.stdout))],
            asyncio.create_task(_feed(channel, writer, process.pid)),
            close,
        )


async def _carry(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes]) -> None:
    with contextlib.suppress(OSError):  # a terminal's end reads as an error
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()


async def _feed(channel: asyncssh.SSHServerProcess[bytes], target: asyncio.StreamWriter, pid: int) -> None:
    while True:
        try:
            data = await channel.stdin.read(_CHUNK)
        except asyncssh.SignalReceived as received:
            with contextlib.suppress(ProcessLookupError, AttributeError):
                os.killpg(pid, getattr(signal, f"SIG{received.signal.removeprefix('SIG')}"))
            continue
        except (asyncssh.BreakReceived, asyncssh.TerminalSizeChanged):
            continue
        if not data:
            target.close()
            return
        with contextlib.suppress(ConnectionError):  # a command may end before it has read all
            target.write(data)
            await target.drain()
