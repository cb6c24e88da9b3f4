"""The process of one Windows host of the lab: `python -m provision.lab.windows.process --directory DIR`.

Starting it is booting the server; SIGTERM, SIGINT or `{"do":"stop"}` shut it down. It reads host.json in DIR, writes
host.pid once everything listens, and answers on control.sock: status, stop, reload (passwords and faults), service
(name, action: start, stop, restart), reboot, crash. It must not know the rest of the lab.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from provision.lab.windows.apphost import replace_file
from provision.lab.windows.control import Answer, ControlSocket
from provision.lab.windows.endpoint import Endpoint
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.scripthost import LabScriptHost

SWITCH_INTERVAL = 0.0005     # seconds; the evaluator must not hold up the FTP thread for the usual 5 ms
log = logging.getLogger("provision.lab.windows")


class HostProcess:
    """Everything that runs in the process, and the verbs of its control socket."""

    def __init__(self, directory: Path) -> None:
        self.host = WindowsHost(directory)
        self.endpoint = Endpoint(self.host, LabScriptHost(self.host))
        self.stopping = threading.Event()
        self.ready = False
        self.control = ControlSocket(directory, {
            "status": self._status, "stop": self._stop, "reload": self._reload, "service": self._service,
            "reboot": self._reboot, "crash": self._crash,
        })

    def run(self) -> None:
        """Boot, serve until told to stop, shut down. Raises OSError when a port is taken."""
        directory = self.host.directory
        try:
            self.host.services.boot()
            self.endpoint.reload()
            self.control.start()
            replace_file(directory / "host.pid", f"{os.getpid()}\n".encode())
            self.ready = True
            log.info("%s is up on %s", self.host.settings.name, self.host.settings.address)
            self.stopping.wait()
        finally:
            self.control.close()
            self.endpoint.close()
            self.host.services.shut_down()
            (directory / "host.pid").unlink(missing_ok=True)

    def _status(self, _asked: Mapping[str, Any]) -> Answer:
        settings, state = self.host.settings, self.host.state
        return {
            "name": settings.name, "pid": os.getpid(), "ready": self.ready, "address": settings.address,
            "requests": self.endpoint.requests, "winrm": self.endpoint.is_open,
            "sessions": len(self.host.ftp.sessions()),
            "services": {each.name: each.status for each in state.services.values()},
        }

    def _stop(self, _asked: Mapping[str, Any]) -> Answer:
        self.stopping.set()
        return {}

    def _reload(self, _asked: Mapping[str, Any]) -> Answer:
        self.endpoint.reload()
        return {"winrm": self.endpoint.is_open}

    def _service(self, asked: Mapping[str, Any]) -> Answer:
        name, services = str(asked["name"]), self.host.services
        match asked["action"]:
            case "stop":
                services.stop(name)
            case "start":
                services.start(name)
            case "restart":
                services.stop(name)
                services.start(name)
            case other:
                raise ValueError(f"action is start, stop or restart, not {other!r}")
        return {"status": self.host.state.services[name.lower()].status}

    def _reboot(self, _asked: Mapping[str, Any]) -> Answer:
        self.endpoint.close()
        self.host.services.shut_down()
        self.host.services.boot()
        self.endpoint.reload()
        return {}

    def _crash(self, _asked: Mapping[str, Any]) -> Answer:
        os._exit(70)


def main() -> int:
    """Entry point; 1 when the host cannot be started, with the reason on stderr."""
    parser = argparse.ArgumentParser(description="One Windows host of the lab.")
    parser.add_argument("--directory", type=Path, required=True, help="the host's folder, with host.json in it")
    directory: Path = parser.parse_args().directory.resolve()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("pyftpdlib").setLevel(logging.WARNING)
    sys.setswitchinterval(SWITCH_INTERVAL)
    process = HostProcess(directory)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: process.stopping.set())
    try:
        process.run()
    except OSError as error:
        print(explain(error, process.host.settings.address), file=sys.stderr)
        return 1
    return 0


def explain(error: OSError, address: str) -> str:
    """Why a host cannot listen, in words; macOS gives loopback only 127.0.0.1 until others are added."""
    hint = ""
    if sys.platform == "darwin":
        hint = f"\nmacOS needs an alias for each lab address: sudo ifconfig lo0 alias {address} up"
    return f"{address}: {error}{hint}"


if __name__ == "__main__":
    raise SystemExit(main())
