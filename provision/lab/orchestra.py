"""The lab as a whole: up, down, status, reset, for one cluster.

It must not know what a host does inside. Every host is a process of its own; `up` starts what does not run and keeps
the state that is there.
"""

from __future__ import annotations

import fcntl
import importlib.util
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
from provision.lab.neighbours import explain_taken, refuse_other_lab
from provision.lab.places import Places
from provision.model.cluster import Cluster

MODULES = {"server": "provision.lab.windows.process", "balancer": "provision.lab.balancer.process"}
READY_SECONDS = 30.0
NEEDED = ("OpenSSL", "asyncssh", "psrpcore", "pyftpdlib", "spnego", "tree_sitter", "tree_sitter_powershell")
"""What the hosts import of the extra `lab`, by module."""
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
    """Start what does not run, and wait until it serves.

    Raises LabError with the host that did not come up, ModuleNotFoundError without the extra `lab`.
    """
    places = Places.of(cluster_file)
    check_is_lab(cluster, places)
    _check_packages()
    refuse_other_lab(places)
    places.make()
    with _alone(places):
        check_made_for(cluster, places)
        write_plans(cluster, places)
        _start(host_processes(cluster, places), _addresses(cluster))
        _write_known_hosts(cluster, places)
    return status(cluster, cluster_file)


def _check_packages() -> None:
    """Here and not in the hosts' logs: what is missing is said before a process is started."""
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _start(processes: Sequence[HostProcess], addresses: Sequence[str]) -> None:
    """Start what does not run and wait for all. When an address is taken, what was started here is ended again."""
    started = [each for each in processes if each.running_pid() is None]
    for process in started:
        process.start()
    deadline = time.monotonic() + READY_SECONDS
    try:
        for process in processes:
            process.wait_ready(deadline)
    except LabError as error:
        told = explain_taken(error, addresses)
        if told is error:
            raise
        for process in started:
            process.stop()
        raise told from error


def _addresses(cluster: Cluster) -> list[str]:
    return [cluster.vip, *(one.address for one in cluster.balancers), *(one.address for one in cluster.servers)]


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
