"""What the tests of the lab's balancer share: a host without processes for its words, and a whole one in a process of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labbalancer.conversations import Answer

from provision.lab.balancer import answers, breaks, closedpath
from provision.lab.balancer.call import Call, Reply
from provision.lab.balancer.door import Door
from provision.lab.balancer.machine import Machine, build
from provision.lab.balancer.settings import parse
from provision.lab.balancer.shell import environment

NETWORK = "127.0.92"
VIP = f"{NETWORK}.100"
ADDRESS = f"{NETWORK}.1"
PORT = 22922


def short_folder() -> Path:
    """A private folder whose socket paths stay short."""
    return Path(tempfile.mkdtemp(prefix="plb-", dir="/tmp")).resolve()


@dataclass(frozen=True, slots=True)
class Words:
    """A host that answers words, to us and to the shells that run in it."""

    machine: Machine

    def __call__(self, *words: str, user: str = "root") -> Reply:
        return answers.handler(self.machine)(Call(words, user, str(self.machine.layout.root)))

    @property
    def root(self) -> Path:
        return self.machine.layout.root

    @property
    def values(self) -> dict[str, str]:
        """What the names in conversations stand for here."""
        settings = self.machine.settings
        return {"root": str(self.root), "version": self.machine.tool.version, "address": settings.address, "vip": settings.vip,
                "source": settings.source, "net": settings.address.rpartition(".")[0], "units": str(self.machine.layout.units),
                "rsyslog": "8.2310.0"}  # fmt: skip

    def type_in(self, argv: Sequence[str], user: str = "root") -> Answer:
        """A stand-in is asked directly, a plain tool runs as an SSH session of the lab runs it."""
        layout = self.machine.layout
        if not (layout.tools / argv[0]).exists():
            return Answer(127, "", f"sh: {argv[0]}: command not found\n")
        if argv[0] not in closedpath.TOOLS:
            reply = self(*argv, user=user)
            return Answer(reply.code, reply.out, reply.err)
        env = {**environment(layout, self.machine.settings, None), "LAB_USER": user}
        done = subprocess.run([*argv], executable=layout.tools / argv[0], cwd=self.root, env=env, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True)  # fmt: skip
        return Answer(done.returncode, done.stdout, done.stderr)


@contextmanager
def words_of(shape: str = "el9", given: Sequence[str] = (), **settings: object) -> Iterator[Words]:
    """Its firewalld runs, and what is `given`: `haproxy` is installed, SELinux is `selinux-off`, NAME.service is started."""
    root = short_folder()
    host = {"name": "lb1", "address": ADDRESS, "port": PORT, "vip": VIP, "shape": shape}
    machine = build(root, parse(host | settings), lambda text: None)
    closedpath.build(machine.layout, machine.settings, answers.names(machine))
    machine.units.start("firewalld.service")
    if "selinux-off" in given:
        config = root / "etc/selinux/config"
        config.write_text(config.read_text().replace("SELINUX=enforcing", "SELINUX=disabled"))
        machine.shut_down()
        machine.boot()
    words = Words(machine)
    door = Door(machine.layout.calls, answers.handler(machine), lambda text: None)
    try:
        if "haproxy" in given:
            words("dnf", "-y", "-q", "install", "haproxy")
        for unit in (name for name in given if name.endswith(".service")):
            machine.units.start(unit)
        yield words
    finally:
        door.close()
        machine.shut_down()
        shutil.rmtree(root)


@dataclass(frozen=True, slots=True)
class Balancer:
    """A running balancer: its folder, and ssh as OpenSSH's client does it."""

    root: Path
    user: str = "root"

    def ssh(self, command: str, stdin: str = "", seconds: float = 20) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.ssh_words(), command], input=stdin, capture_output=True, text=True, timeout=seconds)

    def ssh_words(self, *options: str) -> Sequence[str]:
        return ("ssh", "-F", "none", "-q", "-i", str(self.root / "key"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                "-o", f"UserKnownHostsFile={self.root / 'known'}", "-o", "StrictHostKeyChecking=accept-new", *options,
                "-p", str(PORT), f"{self.user}@{ADDRESS}")

    def run(self, *words: str) -> str:
        return breaks.run(self.root, *words)

    def configure(self, text: str) -> None:
        """Write haproxy.cfg with {root} and {vip} filled in."""
        path = self.root / "etc/haproxy/haproxy.cfg"
        path.write_text(text.replace("{root}", str(self.root)).replace("{vip}", VIP))


def start(root: Path) -> None:
    """Start the process of `root`, unless it runs, and wait until it answers."""
    if (root / "host.pid").exists():
        return
    process = subprocess.Popen([sys.executable, "-m", "provision.lab.balancer.process", "--directory", str(root)])
    deadline = time.monotonic() + 15
    while not (root / "host.pid").exists():
        assert process.poll() is None and time.monotonic() < deadline, (root / "host.log").read_text()
        time.sleep(0.02)


def soon(test: Callable[[], bool]) -> bool:
    """Does it come true within five seconds?"""
    deadline = time.monotonic() + 5
    while not test() and time.monotonic() < deadline:
        time.sleep(0.02)
    return test()


def ended(pid: int) -> bool:
    """Gone, or nothing but its remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def stop(root: Path) -> None:
    """End the process of `root`, if it runs."""
    if (root / "host.pid").exists():
        pid = int((root / "host.pid").read_text())
        breaks.ask(root, {"do": "stop"})
        assert soon(lambda: ended(pid)), (root / "host.log").read_text()


@contextmanager
def balancer_of(**settings: object) -> Iterator[Balancer]:
    root = short_folder()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "key")], check=True)
    host = {"name": "lb1", "address": ADDRESS, "port": PORT, "vip": VIP, "authorized_keys": [(root / "key.pub").read_text()]}
    (root / "host.json").write_text(json.dumps(host | settings))
    start(root)
    try:
        yield Balancer(root, str(settings.get("user", "root")))
    finally:
        stop(root)
        shutil.rmtree(root)


def talk(source: str, address: str, port: int, say: bytes = b"") -> bytes:
    """What a server says to a client that comes from `source`; b'' when it closes or refuses."""
    with socket.socket() as client:
        client.settimeout(3)
        client.bind((source, 0))
        try:
            client.connect((address, port))
            client.sendall(say)
            return client.recv(65536)
        except ConnectionError:
            return b""
