"""A sealed world of one run: mounts, processes and networks that nobody outside sees and that end with us.

Its first process reads from a pipe that we hold. When we end, however we end, the pipe closes, that process ends, and
the kernel ends every process, mount and network namespace in there. So nothing has to be swept up, and two runs cannot
meet: names of namespaces, bridges and addresses are all inside. It must not know what runs on the machines.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from real.needs import UNSHARE

NET = "192.168.1"
OPERATOR = f"{NET}.2"
GROUP = "provision-real-"
FOLDER = "pr-"  # short: socket paths hold 97 characters


class World:
    """Machines on one Ethernet segment, 192.168.1.0/24; the operator sits on the bridge itself."""

    def __init__(self):
        command = [*UNSHARE, "--mount-proc", "sh", "-c", "echo ready; exec cat"]
        self._cgroups = make_cgroups(f"{GROUP}{os.getpid()}-{time.monotonic_ns()}")
        self._first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._first.stdout.readline() == "ready\n"
        self._pid, self._plugs = child_of(self._first.pid), 0
        for group in self._cgroups:
            (group / "cgroup.procs").write_text(f"{self._pid}\n")
        self.run("mount", "-t", "tmpfs", "none", "/run")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "add", "segment", "type", "bridge")
        self.run("ip", "address", "add", f"{OPERATOR}/24", "dev", "segment")
        self.run("ip", "link", "set", "segment", "up")

    def add_machine(self, name, *addresses):
        """A network namespace with one interface that holds the addresses."""
        inside, plug = ("ip", "-n", name), f"plug{self._plugs}"
        self._plugs += 1
        self.run("ip", "netns", "add", name)
        self.run("ip", "link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", name)
        self.run("ip", "link", "set", plug, "master", "segment", "up")
        self.run(*inside, "link", "set", "lo", "up")
        for address in addresses:
            self.run(*inside, "address", "add", f"{address}/24", "dev", "eth0")
        self.run(*inside, "link", "set", "eth0", "up")

    def add_plug(self, name):
        """A plug of the segment for a machine that brings its own kernel: a tap."""
        self.run("ip", "tuntap", "add", name, "mode", "tap")
        self.run("ip", "link", "set", name, "master", "segment", "up")

    def entering(self, *command, at=None):
        """The command line that runs `command` in here; `at` is a machine, the operator without."""
        inside = ("ip", "netns", "exec", at) if at else ()
        enter = ("nsenter", f"--target={self._pid}", "--mount", "--net", "--pid", f"--wdns={os.getcwd()}")
        return [*in_cgroups(self._cgroups), *enter, *inside, *map(str, command)]

    def run(self, *command, at=None, check=True, timeout=120, **how):
        """Run to the end; output as text unless `text=False`."""
        usual = {"capture_output": True, "text": True, "timeout": timeout}
        if "input" not in how:
            usual["stdin"] = subprocess.DEVNULL
        done = subprocess.run(self.entering(*command, at=at), check=False, **{**usual, **how})
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *command, at=None, **how):
        """Start something that goes on; it ends with the world at the latest."""
        return subprocess.Popen(self.entering(*command, at=at), **{"stdin": subprocess.DEVNULL, **how})

    def close(self):
        """The kernel ends everything in here."""
        self._first.stdin.close()
        self._first.wait(20)
        for group in self._cgroups:
            remove_cgroup(group)


@contextlib.contextmanager
def sealed():
    """A world and a folder that are gone afterwards, whatever happened."""
    for left in abandoned(Path(tempfile.gettempdir()), FOLDER):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
    try:
        with contextlib.closing(World()) as world:
            yield world, folder
    finally:
        shutil.rmtree(folder)


def child_of(pid):
    """The process that `unshare --fork` made."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def make_cgroups(name):
    """A control group of our own where systemd's are, so that a booted machine finds an empty one. Both hierarchies."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, kind, path = line.split(":", 2)
        roots = {"name=systemd": ["/sys/fs/cgroup/systemd"], "": ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]}.get(kind, [])
        root = next((one for one in roots if Path(one, "cgroup.procs").exists()), None)
        if root:
            group = Path(root + path.rstrip("/"), name)
            for left in abandoned(group.parent, GROUP):
                remove_cgroup(left)
            group.mkdir()
            found.append(group)
    return found


def abandoned(folder, prefix):
    """Folders named PREFIX, the number of a process that is gone, and more: what a run that was killed left."""
    for one in folder.glob(f"{prefix}[0-9]*-*"):
        if not Path("/proc", one.name.removeprefix(prefix).partition("-")[0]).exists():
            yield one


def in_cgroups(groups):
    """Words that put what follows into the groups."""
    moves = " && ".join(f"echo $$ >{group}/cgroup.procs" for group in groups)
    return ["sh", "-c", f'{moves or ":"} && exec "$@"', "sh"]


def remove_cgroup(group):
    """Empty groups, the innermost first."""
    for folder, _, _ in os.walk(group, topdown=False):
        for _ in range(50):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
                break
            time.sleep(0.02)
