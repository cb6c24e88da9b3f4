"""The whole story on the embedded lab, told by running the real commands and a plain FTP client.

Knows the product only as a command line: what it runs is what a person would type.
"""

from __future__ import annotations

import ftplib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from provision.errors import LabError
from provision.model.cluster import Cluster

CLIENTS = 4
FILE_SIZE = 4 * 1024 * 1024
"""Bytes of the file that each client moves up and down."""


@dataclass(frozen=True, slots=True)
class Demo:
    """One telling: `say` prints a line, `home` keeps the generations, `password` opens the FTP account."""

    cluster: Cluster
    home: Path
    password: str
    say: Callable[[str], None]

    def run(self, words: Sequence[str], expected: int) -> None:
        """Run `provision WORDS` as a process of its own, its output shown. Raises LabError on another exit code."""
        self.say(f"\n$ provision {' '.join(words)}")
        environment = {**os.environ, "PROVISION_HOME": str(self.home)}
        command = [sys.executable, "-m", "provision", *words]
        code = subprocess.run(command, env=environment, check=False, stdin=subprocess.DEVNULL).returncode
        if code != expected:
            what = f"`provision {' '.join(words)}` ended with {code}, and {expected} was expected"
            raise LabError("P811", what, next="provision lab status; the hosts' host.log files tell more")
        self.say(f"(exit {code})")


def tell(demo: Demo) -> None:
    """The story. Raises LabError at the first thing that does not go as told."""
    started = time.monotonic()
    name = str(demo.cluster.file)
    _chapter(demo, "1. Two fresh IIS FTP servers and a fresh balancer: nobody can use FTP through the VIP.")
    _expect_broken(demo)
    demo.run(["plan", name], 2)
    _chapter(demo, "2. One command builds the cluster from its file.")
    demo.run(["cluster", name, "--yes"], 0)
    demo.run(["drift", name], 0)
    _chapter(demo, f"3. {CLIENTS} clients move a file of {FILE_SIZE >> 20} MiB up and down through the VIP.")
    _use(demo)
    _chapter(demo, "4. Somebody changes a server by hand. Drift finds it, cluster mends it.")
    demo.run(["lab", "break", "external-address", name], 0)
    demo.run(["drift", name], 2)
    demo.run(["cluster", name, "--yes"], 0)
    _use(demo)
    _chapter(demo, "5. And back to where we began: generation 0.")
    demo.run(["history", name], 0)
    demo.run(["rollback", name, "--to", "0", "--yes"], 0)
    demo.run(["drift", name], 2)
    _expect_broken(demo)
    demo.say(f"\nThe whole story took {time.monotonic() - started:.0f} s.")


def _chapter(demo: Demo, title: str) -> None:
    demo.say(f"\n{title}\n{'-' * len(title)}")


def _client(demo: Demo, number: int) -> ftplib.FTP:
    """A client with a loopback address of its own, so that it is somebody else than the next one."""
    source = demo.cluster.vip.rsplit(".", 1)[0] + f".{200 + number}"
    client = ftplib.FTP(timeout=10)
    client.connect(demo.cluster.vip, demo.cluster.ftp.port, source_address=(source, 0))
    client.login(_user(demo.cluster), demo.password)
    return client


def _user(cluster: Cluster) -> str:
    if cluster.probe is None:
        raise LabError("P812", "the demo needs the cluster file to name a probe account", where=str(cluster.file))
    return cluster.probe.user


def _expect_broken(demo: Demo) -> None:
    try:
        _client(demo, 0).close()
    except OSError as error:
        demo.say(f"FTP to {demo.cluster.vip}:{demo.cluster.ftp.port} fails: {error}")
        return
    raise LabError("P813", "FTP through the VIP works, and it should not yet")


def _use(demo: Demo) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        for line in pool.map(lambda number: _round_trip(demo, number), range(CLIENTS)):
            demo.say(line)


def _round_trip(demo: Demo, number: int) -> str:
    """One client: up, down, compare, delete. Raises LabError when what comes back is not what went."""
    data = os.urandom(FILE_SIZE)
    name, parts = f"demo-{number}.bin", list[bytes]()
    started = time.monotonic()
    try:
        client = _client(demo, number)
        where = client.sendcmd("PASV").partition("(")[2].partition(")")[0]
        client.storbinary(f"STOR {name}", BytesIO(data), blocksize=1 << 18)
        client.retrbinary(f"RETR {name}", parts.append, blocksize=1 << 18)
        client.delete(name)
        client.quit()
    except (OSError, ftplib.Error) as error:
        raise LabError("P814", f"client {number} could not use FTP through the VIP", why=str(error)) from error
    if b"".join(parts) != data:
        raise LabError("P814", f"client {number} got back other bytes than it sent")
    high, low = (int(one) for one in where.split(",")[4:])
    return f"client {number + 1}: same bytes back, data port {high * 256 + low}, {time.monotonic() - started:.2f} s"
