"""Proves that FTP works: sessions through the VIP until every server was met, and at each server by itself.

Says what was done, what was seen, and the likely cause of what failed. Test files are written below
`probe.directory` only, and removed. Connections, time and chance come in as `Means`; nothing else is asked or known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.engine.ftp_control import FtpFailure
from provision.engine.ftp_stream import Dial
from provision.engine.verify_report import Check, Limits, Means, VerifyReport
from provision.engine.verify_session import Door, Visit, Wrong, probe_content
from provision.model.cluster import Cluster, Server
from provision.remote.deadline import Deadline

__all__ = ["Check", "Limits", "Means", "VerifyReport", "verify", "verify_server"]

LOGINS_PER_SERVER = 4
"""Logins through the VIP for each server of the cluster, at most, to meet all of them."""

COMING_UP = ("P602", "P603")
"""Nobody, or nobody who speaks, at the FTP port.

It may pass by itself shortly after a change: a service that starts, health checks that still have to rise.
"""


def verify(cluster: Cluster, means: Means) -> VerifyReport:
    """Verify the whole cluster. What the cluster does wrong is never raised: every failure is a check.

    Raises ValueError when the cluster has a probe and `means` no password for it.
    """
    _refuse_half_a_probe(cluster, means)
    started = means.clock()
    until = Deadline.after(means.limits.patience, means.clock)
    checks: list[Check] = []

    def keep(part: Iterator[Check]) -> list[Check]:
        made = []
        for check in part:
            means.say(check)
            made.append(check)
        checks.extend(made)
        return made

    through = keep(_through_vip(cluster, means, until))
    met = {check.server for check in through if check.level == "ok"}
    alone = keep(_at_servers(cluster, means, until, cluster.servers))
    if all(check.code not in COMING_UP for check in through):  # else the slices would be blamed for the VIP
        keep(_unmet(cluster, means, [server for server in cluster.servers if server.name not in met]))
    if all(check.level == "ok" for check in alone):
        keep(_copies(cluster, means))
    if cluster.probe is None:
        keep(iter([_banner_only()]))
    return VerifyReport(tuple(checks), means.clock() - started)


def verify_server(cluster: Cluster, server: Server, means: Means) -> VerifyReport:
    """Verify one server by itself, through every balancer: what a step of a rollout needs. Raises like `verify`."""
    _refuse_half_a_probe(cluster, means)
    started = means.clock()
    until = Deadline.after(means.limits.patience, means.clock)
    checks = tuple(_at_servers(cluster, means, until, [server]))
    return VerifyReport(checks, means.clock() - started)


def _refuse_half_a_probe(cluster: Cluster, means: Means) -> None:
    if cluster.probe is not None and means.password is None:
        raise ValueError("the probe's password was not resolved")


def _banner_only() -> Check:
    what = "only the greeting was checked: the cluster file has no probe, so nobody logged in or opened a data channel"
    return Check("VIP", None, "", (), "note", code="P614", what=what, cause="add `probe` to check PASV and transfers")


def _patient(cluster: Cluster, means: Means, door: Door, until: Deadline, known: frozenset[str]) -> tuple[Visit, Check]:
    """A visit that is repeated each second while the place may still be coming up."""
    while True:
        visit = Visit(cluster, means, door)
        check = visit.examine(known)
        if check.code not in COMING_UP or until.passed:
            return visit, check
        visit.close()
        means.sleep(1.0)


def _through_vip(cluster: Cluster, means: Means, until: Deadline) -> Iterator[Check]:
    """Log in through the VIP, each session held open so that the next one goes elsewhere, until all were met."""
    names = {server.name for server in cluster.servers}
    sticky = cluster.ftp.layout == "shared" or cluster.ftp.affinity == "source"
    logins = len(means.direct) if sticky else max(LOGINS_PER_SERVER * len(names), len(means.direct))
    known: frozenset[str] = frozenset()
    visits: list[Visit] = []
    try:
        for number in range(logins):
            dial = means.direct[number % len(means.direct)]
            visit, check = _patient(cluster, means, _vip_door(cluster, dial), until, known)
            visits.append(visit)
            if check.server is None or check.server not in known or check.level != "ok":
                yield check
            if check.level == "failed" or cluster.probe is None:
                return
            if check.server is None:
                break
            known |= {check.server}
            if names <= known:
                return
    finally:
        for visit in visits:
            visit.close()
    yield _not_met(sorted(names - known), logins, sticky=sticky, known=bool(known))


def _not_met(missing: Sequence[str], logins: int, *, sticky: bool, known: bool) -> Check:
    what = f"through the VIP, {logins} {'login' if logins == 1 else 'logins'} did not meet {', '.join(missing)}"
    if not known:
        what = "which servers answered through the VIP cannot be told from here"
        cause = "HAProxy's sessions do not show our address: it is translated in between"
    elif sticky:
        cause = "one client address always meets the same server; the checks at each server stand in for it"
    else:
        cause = "DOWN or drained in HAProxy, or busier servers than the one that answered"
    return Check("VIP", None, "", (), "note" if sticky or not known else "warn", code="P621", what=what, cause=cause)


def _at_servers(cluster: Cluster, means: Means, until: Deadline, servers: Sequence[Server]) -> Iterator[Check]:
    """Each server by itself through each balancer, since its firewall may admit nobody else."""
    for number, (balancer, dial) in enumerate(means.via.items()):
        for server in servers:
            door = _server_door(server, balancer, dial, writes=number == 0)
            visit, check = _patient(cluster, means, door, until, frozenset())
            visit.close()
            yield check


def _unmet(cluster: Cluster, means: Means, servers: Sequence[Server]) -> Iterator[Check]:
    """Slices of servers that were not met: control at the server, data through the VIP.

    Only with a single balancer: with several, IIS would see two addresses and refuse, rightly.
    """
    if cluster.ftp.layout != "sliced" or cluster.probe is None or len(means.via) != 1 or len(cluster.balancers) != 1:
        return
    ((balancer, dial),) = means.via.items()
    for server in servers:
        door = Door(
            "slice",
            server,
            balancer,
            dial,
            server.ftp_address,
            server.ftp_port,
            means.direct[0],
            cluster.vip,
            False,
        )
        visit = Visit(cluster, means, door)
        yield visit.examine()
        visit.close()


def _vip_door(cluster: Cluster, dial: Dial) -> Door:
    return Door("vip", None, "", dial, cluster.vip, cluster.ftp.port, dial, cluster.vip, writes=True)


def _server_door(server: Server, balancer: str, dial: Dial, *, writes: bool) -> Door:
    address = server.ftp_address
    return Door("server", server, balancer, dial, address, server.ftp_port, dial, address, writes=writes)


def _copies(cluster: Cluster, means: Means) -> Iterator[Check]:
    """With a directory and two servers or more: a file written through the first, read through every other."""
    if cluster.probe is None or cluster.probe.directory is None or len(cluster.servers) < 2 or not means.via:
        return
    balancer, dial = next(iter(means.via.items()))
    visits = [Visit(cluster, means, _server_door(one, balancer, dial, writes=True)) for one in cluster.servers]
    name = f"provision-verify-{means.token}-copy.bin"
    try:
        for visit in visits:
            visit.enter()
        visits[0].put(name, probe_content(means.token))
        until = Deadline.after(means.limits.copies, means.clock)
        for visit in visits[1:]:
            yield _copy(visits[0], visit, name, means, until)
    except (FtpFailure, Wrong) as error:
        yield Check("files", None, balancer, (), "warn", code="P613", what=f"copies could not be compared: {error}")
    finally:
        left = [str(visit.server) for visit in visits if visit.entered and not _removed(visit, name)]
        for visit in visits:
            visit.close()
    if left:
        what = f"{name} could not be removed on {', '.join(left)}"
        yield Check("files", None, balancer, (), "warn", code="P616", what=what, cause="remove it by hand")


def _copy(writer: Visit, reader: Visit, name: str, means: Means, until: Deadline) -> Check:
    """Whether what was written through one server is read through another, given some time to get there."""
    started, content = means.clock(), probe_content(means.token)
    found = _look(reader, name)
    while found != content and not until.passed:
        means.sleep(0.5)
        found = _look(reader, name)
    steps, seconds = (
        (f"written through {writer.server}", f"read through {reader.server}"),
        means.clock() - started,
    )
    if found == content:
        return Check("files", reader.server, "", steps, "ok", seconds)
    what = f"a file written through {writer.server} is not there" if found is None else "another content is there"
    cause = "the servers do not share or replicate this directory: clients see other files on each server"
    return Check("files", reader.server, "", steps, "warn", seconds, "P613", what, cause)


def _look(visit: Visit, name: str) -> bytes | None:
    try:
        return visit.get(name)
    except FtpFailure as failure:
        if failure.step == "retrieve" and failure.reply == 550:
            return None
        raise


def _removed(visit: Visit, name: str) -> bool:
    """Whether `name` is gone at this server: removed now, or not there."""
    try:
        visit.session.delete(name)
    except FtpFailure as failure:
        return failure.reply == 550
    return True
