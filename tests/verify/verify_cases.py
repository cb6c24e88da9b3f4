"""A cluster on loopback for the tests of verification, and dials that stand in for HAProxy and for SSH channels."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from verify.ftp_servers import PASSWORD, USER, ftp_server

from provision.engine.ftp_stream import Dial, Stream
from provision.engine.verify import Check, Limits, Means, VerifyReport, verify
from provision.model.cluster import Balancer, Cluster, Ftp, HealthCheck, Probe, Server, Ssh, StickTable, WinRM
from provision.model.ports import PortRange
from provision.model.secret import Secret, SecretRef

VIP = "127.0.32.100"
SLICE = 10
QUICK = Limits(step=1.0, session=10.0, patience=0.0, copies=0.0)


def address_of(number: int) -> str:
    """The address of win1, win2, ..."""
    return f"127.0.32.{10 + number}"


def slice_of(number: int) -> range:
    """The passive ports of win1, win2, ..."""
    return range(20000 + SLICE * number, 20000 + SLICE * (number + 1))


def make_cluster(
    ports: Sequence[int],
    *,
    layout: Literal["sliced", "shared"] = "sliced",
    affinity: Literal["source", "none"] = "none",
    directory: str | None = "/",
    tls: Literal["none", "explicit"] = "none",
    probe: bool = True,
) -> Cluster:
    """A cluster of servers whose FTP listens on `ports`, with a slice of ten ports each."""
    whole = PortRange(slice_of(1)[0], slice_of(len(ports))[-1])
    ftp = Ftp(2100, VIP, whole, layout, affinity, 300, 60, HealthCheck(), StickTable(), False, False)
    winrm = WinRM("https", 5986, "ntlm", "psrp", "Administrator", None, None, verify=True)
    servers = []
    for number, port in enumerate(ports, 1):
        own = PortRange(slice_of(number)[0], slice_of(number)[-1]) if layout == "sliced" else whole
        address = address_of(number)
        servers.append(Server(f"win{number}", address, address, port, None, own, pinned=False, winrm=winrm))
    account = Probe(USER, SecretRef("env", "P", "probe.password"), tls, directory) if probe else None
    lb1 = Balancer("lb1", "127.0.32.1", Ssh(), None, None, "boolean", None, "/")
    return Cluster("shop", VIP, "external", ftp, (lb1,), tuple(servers), None, account, Path("shop.yml"), "")


@dataclass
class Balancing:
    """What HAProxy does, as a dial: logins go to servers in turn, passive ports to their owner."""

    cluster: Cluster
    sticky: bool = False
    owner_of: Mapping[int, str] = field(default_factory=dict)
    served: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [server.name for server in self.cluster.servers]
        self._turn = itertools.cycle(names[:1] if self.sticky else names)
        self._last = names[0]

    def __call__(self, address: str, port: int, seconds: float) -> Stream:
        assert address == VIP
        if port == self.cluster.ftp.port:
            self._last = next(self._turn)
            server = self.cluster.server(self._last)
            stream = socket.create_connection((server.ftp_address, server.ftp_port), seconds)
            self.served[stream.getsockname()[:2]] = self._last
            return stream
        server = self.cluster.server(self._owner(port))
        return socket.create_connection((server.ftp_address, port), seconds)

    def _owner(self, port: int) -> str:
        if port in self.owner_of:
            return self.owner_of[port]
        owners = [name for name, ports in self.cluster.ownership.items() if port in ports]
        return owners[0] if len(owners) == 1 else self._last


def straight(address: str, port: int, seconds: float) -> Stream:
    """What an SSH channel of a balancer does: it connects where it is told."""
    return socket.create_connection((address, port), seconds)


def means(dial: Dial, **changes: Any) -> Means:
    """Means with short deadlines, one balancer's channel, and a fixed token."""
    plain = Means(via={"lb1": straight}, token="t1", password=Secret(PASSWORD), direct=(dial,), limits=QUICK)
    return replace(plain, **changes)


@contextmanager
def running(
    folder: Path,
    count: int = 2,
    *,
    shared_home: bool = True,
    of_server: Mapping[str, Any] | None = None,
    **of_cluster: Any,
) -> Iterator[Cluster]:
    """A cluster whose servers really run. `of_server` goes to each server of the test, `of_cluster` to `make_cluster`."""
    with ExitStack() as stack:
        ports = []
        for number in range(1, count + 1):
            home = folder / ("home" if shared_home else f"home{number}")
            home.mkdir(exist_ok=True)
            every = range(slice_of(1)[0], slice_of(count)[-1] + 1)
            own = every if of_cluster.get("layout") == "shared" else slice_of(number)
            settings = {"ports": own, "external": VIP, **(of_server or {})}
            ports.append(stack.enter_context(ftp_server(address_of(number), home, **settings)))
        yield make_cluster(ports, **of_cluster)


def verified(cluster: Cluster, **changes: Any) -> VerifyReport:
    """The report on a cluster behind a HAProxy that does its work."""
    return verify(cluster, means(Balancing(cluster), **changes))


def failed(report: VerifyReport) -> Check:
    """The first failure."""
    return next(check for check in report.checks if check.level == "failed")
