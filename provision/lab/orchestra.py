"""The lab as a whole: up, down, status, reset, for one cluster.

It must not know what a host does inside. Every host is a process of its own; `up` starts what does not run and keeps
the state that is there.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from provision.errors import LabError
from provision.lab.hostplan import check_is_lab, check_made_for, write_plans
from provision.lab.hostprocess import HostProcess
from provision.lab.places import CLUSTER_NOTE, Places
from provision.model.cluster import Cluster

MODULES = {"server": "provision.lab.windows.process", "balancer": "provision.lab.balancer.process"}
READY_SECONDS = 30.0
HOST_KEY = "ssh_host_ed25519_key.pub"
Kind = Literal["server", "balancer"]


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host. PID is None while it does not run; READY: it serves; REQUESTS: HTTP requests or SSH execs so far."""

    name: str
    kind: Kind
    address: str
    pid: int | None
    ready: bool
    requests: int | None
    directory: Path


@dataclass(frozen=True, slots=True)
class LabStatus:
    """The lab. LINKED: `.lab` beside the cluster file leads to it."""

    folder: Path
    linked: bool
    hosts: tuple[HostStatus, ...]

    @property
    def is_up(self) -> bool:
        """Whether every host serves."""
        return self.linked and all(host.ready for host in self.hosts)


def up(cluster: Cluster, cluster_file: Path) -> LabStatus:
    """Start what does not run, and wait until it serves. Raises LabError with the host that did not come up."""
    places = Places.of(cluster_file)
    check_is_lab(cluster, places)
    _refuse_other_lab(places)
    places.make()
    with _alone(places):
        check_made_for(cluster, places)
        write_plans(cluster, places)
        processes = host_processes(cluster, places)
        for process in processes:
            process.start()
        deadline = time.monotonic() + READY_SECONDS
        for process in processes:
            process.wait_ready(deadline)
        _write_known_hosts(cluster, places)
    return status(cluster, cluster_file)


def down(cluster: Cluster, cluster_file: Path) -> LabStatus:
    """Stop every host; their state stays for the next `up`."""
    places = Places.of(cluster_file)
    if places.folder.is_dir():
        with _alone(places):
            for process in host_processes(cluster, places):
                process.stop()
    return status(cluster, cluster_file)


def reset(cluster: Cluster, cluster_file: Path) -> LabStatus:
    """Stop everything, forget it, start afresh: new keys, new passwords, machines out of the box."""
    down(cluster, cluster_file)
    forget(cluster_file)
    return up(cluster, cluster_file)


def forget(cluster_file: Path) -> None:
    """Remove the folder and the link of a lab that is down."""
    places = Places.of(cluster_file)
    if places.folder.is_dir():
        shutil.rmtree(places.folder)
    if places.linked() == places.folder:
        places.link.unlink()


def status(cluster: Cluster, cluster_file: Path) -> LabStatus:
    """What runs. Changes nothing."""
    places = Places.of(cluster_file)
    kinds: dict[str, tuple[Kind, str]] = {one.name: ("server", one.address) for one in cluster.servers}
    kinds.update({one.name: ("balancer", one.address) for one in cluster.balancers})
    hosts = tuple(_host_status(process, *kinds[process.name]) for process in host_processes(cluster, places))
    return LabStatus(places.folder, places.linked() == places.folder, hosts)


def host_processes(cluster: Cluster, places: Places) -> tuple[HostProcess, ...]:
    """The processes of a lab, servers first, whether they run or not."""
    names: Sequence[tuple[str, Kind]] = [*((one.name, "server") for one in cluster.servers),
                                         *((one.name, "balancer") for one in cluster.balancers)]
    return tuple(HostProcess(name, places.host(name), MODULES[kind]) for name, kind in names)


def _host_status(process: HostProcess, kind: Kind, address: str) -> HostStatus:
    pid = process.running_pid()
    answer: dict[str, object] = {}
    if pid is not None:
        try:
            answer = process.ask({"do": "status"}, timeout=2.0)
        except (OSError, ValueError):
            answer = {}
    count = answer.get("requests", answer.get("execs"))
    return HostStatus(process.name, kind, address, pid, bool(answer.get("ready")),
                      count if isinstance(count, int) else None, process.directory)


def _refuse_other_lab(places: Places) -> None:
    """One link serves one lab: when it leads to another that runs, that one goes first."""
    other = places.linked()
    if other is None or other == places.folder or not other.is_dir():
        return
    running = [each.name for each in other.iterdir()
               if each.is_dir() and HostProcess(each.name, each, "").running_pid() is not None]
    if running:
        note = other / CLUSTER_NOTE
        file = note.read_text("utf-8").strip() if note.exists() else str(other)
        raise LabError("P803", f"another lab is up behind {places.link}", why=f"{', '.join(running)} run for {file}",
                       next=f"provision lab down {file}")


def _write_known_hosts(cluster: Cluster, places: Places) -> None:
    """Once, when the lab is made: a host key that changes later must be noticed, not learned."""
    if places.known_hosts.exists():
        return
    lines = []
    for balancer in cluster.balancers:
        words = (places.host(balancer.name) / HOST_KEY).read_text("utf-8").split()
        port = balancer.ssh.port or 22
        name = balancer.address if port == 22 else f"[{balancer.address}]:{port}"
        lines.append(f"{name} {words[0]} {words[1]}\n")
    places.known_hosts.write_text("".join(lines), "utf-8")
    places.known_hosts.chmod(0o600)


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """One `up` or `down` at a time; the kernel frees the lock when its holder dies."""
    with (places.folder / "lab.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
