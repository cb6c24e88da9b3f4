"""The process of one balancer of the lab: `python -m provision.lab.balancer.process --directory DIR`.

DIR is the balancer's root; what host.json there says is in docs/lab-contracts.md. Starting the process is booting the host; SIGTERM
(or `stop` at the control socket) shuts it down, its haproxy and rsyslogd with it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from provision.lab.balancer import answers, closedpath, machine
from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.call import Call
from provision.lab.balancer.control import Control
from provision.lab.balancer.door import Door
from provision.lab.balancer.settings import SettingsError, load
from provision.lab.balancer.sshd import SshServer

DESCRIPTORS = 65536


class Host:
    """One running balancer."""

    def __init__(self, directory: Path, log: TextIO) -> None:
        self._log_file = log
        self._directory = directory
        self._settings = load(directory)
        self._machine = machine.build(directory, self._settings, self.log)
        closedpath.build(self._machine.layout, self._settings, answers.names(self._machine))
        self._handler = answers.handler(self._machine)
        self._door = Door(self._machine.layout.calls, self._handler, self.log)
        self._ssh = SshServer(self._machine.layout, self._settings, self._machine.admits)
        self._ended = asyncio.Event()
        self._ready = False

    def log(self, text: str) -> None:
        """A line of host.log."""
        self._log_file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
        self._log_file.flush()

    async def run(self) -> None:
        """Boot, serve until somebody ends it, shut down."""
        control = Control(
            self._directory / "control.sock",
            {
                "status": self._status,
                "run": self._run,
                "reboot": self._reboot,
                "new-host-key": self._host_key,
                "old-host-key": self._host_key,
                "stop": self._stop,
            },
        )
        await control.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        try:
            await asyncio.to_thread(self._machine.boot)
            await self._ssh.start()
            write_text(self._directory / "host.pid", f"{os.getpid()}\n")
            self._ready = True
            self.log(f"{self._settings.name}: ssh at {self._settings.address}:{self._settings.port}")
            await self._ended.wait()
        finally:
            await self._ssh.close()
            await asyncio.to_thread(self._machine.shut_down)
            self._door.close()
            await control.close()
            (self._directory / "host.pid").unlink(missing_ok=True)
            self.log("stopped")

    async def _status(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        units = {
            name.removesuffix(".service"): self._machine.units.status(name).active
            for name in self._machine.units.names()
        }
        counters = self._ssh.counters
        return {
            "name": self._settings.name,
            "pid": os.getpid(),
            "ready": self._ready,
            "address": self._settings.address,
            "port": self._settings.port,
            "connections": counters.connections,
            "execs": counters.execs,
            "units": units,
        }

    async def _run(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        words = tuple(str(word) for word in request["argv"])
        reply = await asyncio.to_thread(self._handler, Call(words, cwd=str(self._directory)))
        return {"code": reply.code, "out": reply.out, "err": reply.err}

    async def _reboot(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._ssh.hang_up()
        await asyncio.to_thread(self._machine.shut_down)
        await asyncio.to_thread(self._machine.boot)
        return {}

    async def _host_key(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._ssh.change_host_key(back=request["do"] == "old-host-key")
        return {}

    async def _stop(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        asyncio.get_running_loop().call_later(0.05, self._ended.set)
        return {}


def _raise_descriptors() -> None:
    """maxconn 4000 needs more descriptors than the usual soft limit of 1024; the hard limit is ours to use.

    Not all of a huge one: without a maxconn, haproxy sizes its tables by the limit that it finds.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _main(directory: Path) -> None:
    with (directory / "host.log").open("a", encoding="utf-8") as log:
        await Host(directory, log).run()


def main() -> int:
    """0 after an orderly end, 1 with a sentence when the host cannot be."""
    parser = argparse.ArgumentParser(description="One balancer of the lab.")
    parser.add_argument("--directory", type=Path, required=True)
    directory: Path = parser.parse_args().directory.resolve()
    try:
        _raise_descriptors()
        asyncio.run(_main(directory))
    except (SettingsError, OSError) as error:
        print(f"balancer {directory.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
