"""The unit haproxy: the machine's real haproxy, on a copy of its configuration.

It runs the unit's own commands, whatever drop-ins made of them. It knows SELinux and the VIP only as reasons for which a bind
is refused, because the kernel of this machine would not refuse it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from provision.lab.balancer import adminsocket, bindable, haproxytool, selinux
from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.call import Call
from provision.lab.balancer.gate import Gate
from provision.lab.balancer.haproxycfg import Bind, binds, running_copy
from provision.lab.balancer.journal import Journal
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.services import ServiceFailed, end
from provision.lab.balancer.state import HostState
from provision.lab.balancer.unitfile import UnitFile, environment, expand

READY_SECONDS = 8.0
UNIT = "haproxy.service"


@dataclass(slots=True)
class ProxyService:
    """See the module. `open_gate` brings the gate to the firewall's present state; `name` is the host's."""

    layout: Layout
    tool: haproxytool.Tool
    gate: Gate
    journal: Journal
    state: Callable[[], HostState]
    open_gate: Callable[[], None]
    name: str
    _process: subprocess.Popen[str] | None = None
    _bound: frozenset[Bind] = frozenset()
    _note: str = ""
    _names: dict[str, str] = field(default_factory=dict)
    _words: tuple[str, ...] = ()

    def start(self, unit: UnitFile) -> int:
        """ExecStartPre, then ExecStart on copies; ready when its admin socket answers."""
        variables = self._variables(unit)
        self._run_checks(unit, "ExecStartPre", variables)
        words = expand(unit.first("Service.ExecStart"), variables)[1:]
        wanted = self._wanted(words)
        self._refuse(wanted)
        self.open_gate()
        arguments = self._copies(words)
        self._process = subprocess.Popen(
            [str(self.tool.binary), "-W", "-db", *arguments],
            cwd=self.layout.root,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"},
        )
        process = self._process
        remember(self.layout, process.pid)
        threading.Thread(target=self._listen_to, args=(process,), daemon=True).start()
        if not becomes_ready(self.layout, process):
            end(process)
            raise ServiceFailed("ExecStart", process.returncode or 1)
        self._bound, self._words, self._note = wanted, words, "Ready."
        return process.pid

    def stop(self) -> None:
        """KillMode=mixed: the master ends its workers, those of earlier generations too."""
        end(self._process)
        self._bound, self._note = frozenset(), ""
        self.layout.admin_socket.unlink(missing_ok=True)
        shutil.rmtree(self.layout.copies, ignore_errors=True)  # they hold the passwords of the original

    def reload(self, unit: UnitFile) -> None:
        """ExecReload: the check, then USR2. Like systemd it does not wait for the new worker."""
        process = self._process
        if process is None or process.poll() is not None:
            raise ServiceFailed("ExecReload", 1)
        variables = self._variables(unit) | {"MAINPID": str(process.pid)}
        self._run_checks(unit, "ExecReload", variables)
        wanted = self._wanted(self._words)  # the master executes itself anew with the arguments of its start
        try:
            self._refuse(wanted - self._bound)  # sockets that are bound stay so
        except ServiceFailed:
            self._note = "Reload failed!"
            return
        before = worker(self.layout)
        self._copies(self._words)
        process.send_signal(signal.SIGUSR2)
        self._bound = wanted
        threading.Thread(target=self._settle, args=(before,), daemon=True).start()

    def exit_status(self) -> int | None:
        """None while the master runs."""
        return 0 if self._process is None else self._process.poll()

    def note(self) -> str:
        """The Status= line of `systemctl status`."""
        return self._note

    def _variables(self, unit: UnitFile) -> dict[str, str]:
        try:
            return environment(unit)
        except FileNotFoundError as error:
            self.journal.add(UNIT, "systemd", 1, f"Failed to load environment files: {error.filename}")
            raise ServiceFailed("EnvironmentFile", 1) from error

    def _run_checks(self, unit: UnitFile, step: str, variables: dict[str, str]) -> None:
        for command in unit.all(f"Service.{step}"):
            words = expand(command, variables)
            if not words[0].endswith("haproxy"):
                continue  # the signal that ends ExecReload
            reply = self.tool(Call(words, cwd=str(self.layout.root)))
            self.journal.add(UNIT, "haproxy", os.getpid(), reply.err + reply.out)
            if reply.code != 0 and not command.startswith("-"):
                raise ServiceFailed(step, reply.code)

    def _wanted(self, words: tuple[str, ...]) -> frozenset[Bind]:
        files = haproxytool.config_files(words, self.layout.root)
        return frozenset(bind for path in files for bind in binds(path.read_text(encoding="utf-8"), str(path)))

    def _refuse(self, wanted: frozenset[Bind]) -> None:
        """ServiceFailed, and the reasons in the journal, when a real balancer could not bind all of `wanted`."""
        found = bindable.refusals(wanted, self.state())
        denied = [selinux.avc(os.getpid(), one.port) for one in found if one.why == "Permission denied"]
        self.journal.add("audit", "audit", 1, "\n".join(denied))
        self.journal.add(UNIT, "haproxy", os.getpid(), "\n".join(one.say(self.tool.claims) for one in found))
        if found:
            raise ServiceFailed("ExecStart", 1)

    def _copies(self, words: tuple[str, ...]) -> list[str]:
        folder = self.layout.copies
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / "lab.cfg"
        strict = "    no strict-limits\n" if _version(self.tool.version) >= (2, 2) else ""
        write_text(own, f"global\n    node {self.name}\n    stats socket {self.layout.admin_socket} mode 600 level admin\n{strict}", 0o600)
        gate, connect = self.gate.rules(), self.gate.connect_rules()
        arguments, self._names = haproxytool.with_copies(
            words, self.layout.root, folder, lambda text: running_copy(text, self.tool.around, gate, connect)
        )
        return ["-f", str(own), *(word for word in arguments if word not in ("-Ws", "-W", "-D", "-db", "-Ds"))]

    def _listen_to(self, process: subprocess.Popen[str]) -> None:
        for line in process.stderr or ():
            for copy, original in self._names.items():
                line = line.replace(copy, original)
            self.journal.add(UNIT, "haproxy", process.pid, line.rstrip())

    def _settle(self, before: str) -> None:
        """A new worker read the gate's files; bring it to changes that came while it did."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if worker(self.layout) not in ("", before):
                self.open_gate()
                return
            time.sleep(0.02)
        self._note = "Reload failed!"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def worker(layout: Layout) -> str:
    """The pid of the worker that answers now, '' for none."""
    try:
        info = adminsocket.ask(layout.admin_socket, "show info")
    except OSError:
        return ""
    return next((line.partition(": ")[2] for line in info.splitlines() if line.startswith("Pid: ")), "")


def becomes_ready(layout: Layout, process: subprocess.Popen[str]) -> bool:
    """Does a worker answer before READY_SECONDS are over, or the process?"""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if worker(layout):
            return True
        time.sleep(0.01)
    return False


def remember(layout: Layout, pid: int) -> None:
    """Note the haproxy that was started, so that a lab that was killed can end it later."""
    write_text(layout.lab / "haproxy.child", json.dumps({"pid": pid}))


def end_orphan(layout: Layout) -> None:
    """End a haproxy that a killed lab left behind: only when that pid still runs on this root's copies."""
    path = layout.lab / "haproxy.child"
    try:
        pid = int(json.loads(path.read_text(encoding="utf-8"))["pid"])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except (OSError, ValueError, KeyError):
        return
    if str(layout.copies) in command:
        os.kill(pid, signal.SIGTERM)
    path.unlink(missing_ok=True)
