"""What is allowed in a cluster file and still worth knowing. It refuses nothing and contacts nothing.

Every rule is a small function from a cluster to complaints; `advice` gives them lines and columns of the file. What is
outside the file (environment, whether a path exists) comes in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from provision.definition.build import absolute_path
from provision.definition.complaint import Complaint, Place
from provision.definition.draft import Draft
from provision.definition.locate import in_order, locate
from provision.definition.nodes import plain
from provision.definition.tree import parse
from provision.errors import Problem
from provision.model.cluster import Cluster, WinRM
from provision.model.ports import PortSet

PLAUSIBLE_SESSION = 1800
"""Seconds. A control connection is silent while a file moves; half an hour is a large file on a slow line."""

UNTESTED = ("kerberos", "credssp", "certificate")


def advice(
    cluster: Cluster, *, environ: Mapping[str, str], exists: Callable[[Path], bool] = Path.exists
) -> tuple[Problem, ...]:
    """What `validate` says about a valid cluster, in the order of the file. `exists` is asked for each named file."""
    root, _ = parse(cluster.text)
    rules = (_layout, _slices, _times, _check, _winrm, _stats, _probe, _selinux)
    if root is None:
        return ()
    draft = Draft(plain(root))
    complaints = [one for rule in rules for one in rule(cluster, draft)]
    complaints += [*_unset(cluster, environ), *_missing_files(cluster, exists)]
    return in_order(locate(one, root) for one in complaints)


def _layout(cluster: Cluster, _draft: Draft) -> Iterator[Complaint]:
    ftp = cluster.ftp
    if ftp.layout == "shared":
        message = "shared layout: data connections find their server by the client's address only"
        why = "users behind one NAT share a server, and a lost stick table breaks transfers; sliced has neither"
        yield Complaint("P130", ("ftp", "passive_layout"), message, why)
    if ftp.layout == "shared" and ftp.table.expire < ftp.session_timeout:
        message = f"a client is forgotten after {ftp.table.expire} s, its session lasts up to {ftp.session_timeout} s"
        why = "a data connection after that goes to any server: expire at least as long as session_timeout"
        yield Complaint("P130", ("ftp", "table", "expire"), message, why)
    if ftp.transparent:
        message = "transparent: a VIP that no balancer holds is not noticed when HAProxy starts"
        yield Complaint("P141", ("ftp", "transparent"), message, "needed only where the VIP comes and goes")
    if ftp.splice:
        message = "splice: versions before 2.4 had defects with spliced data"
        yield Complaint("P143", ("ftp", "splice"), message, "verify compares what it moves; set it back when in doubt")


def _slices(cluster: Cluster, _draft: Draft) -> Iterator[Complaint]:
    """How much a server can carry at once, and slices that will move."""
    sizes = [len(one.passive_ports) for one in cluster.servers]
    carried = str(min(sizes)) if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
    message = f"each server carries at most {carried} transfers at once"
    place: Place = ("ftp", "passive_ports")
    yield Complaint("P134", place, message, "one passive port is one transfer or listing, for minutes after it ended")
    if cluster.ftp.layout == "shared":
        return
    spare = PortSet.of(cluster.ftp.passive_ports) - PortSet.of(*(one.passive_ports for one in cluster.servers))
    if spare:
        yield Complaint("P140", place, f"{len(spare)} ports belong to no server and stay closed: {spare}", "")
    if not cluster.servers[0].pinned and len(cluster.servers) > 1:
        cut = ", ".join(f"{one.name} {one.passive_ports}" for one in cluster.servers[:8])
        message = "slices are cut by position: adding or removing a server moves those of others"
        why = f"a moved slice restarts ftpsvc; pin them with servers[].passive_ports: {cut}"
        yield Complaint("P133", ("servers",), message, why, at_key=True)


def _times(cluster: Cluster, draft: Draft) -> Iterator[Complaint]:
    ftp = cluster.ftp
    if ftp.session_timeout < PLAUSIBLE_SESSION:
        message = f"a transfer of more than {ftp.session_timeout} s loses its session"
        why = "the control connection is silent while a file moves; the default is 4h"
        yield Complaint("P138", ("ftp", "session_timeout"), message, why)
    if ftp.transfer_timeout > ftp.session_timeout and draft.has("ftp", "transfer_timeout"):
        message = f"transfer_timeout ({ftp.transfer_timeout} s) is longer than session_timeout"
        yield Complaint("P138", ("ftp", "transfer_timeout"), message, "a session that ended needs no data connection")


def _check(cluster: Cluster, _draft: Draft) -> Iterator[Complaint]:
    check = cluster.ftp.check
    if check.interval * check.fall > 120:
        message = f"a dead server is noticed after {check.interval * check.fall} s"
        yield Complaint("P138", ("ftp", "check"), message, "interval times fall: clients get errors as long as this")


def _winrm(cluster: Cluster, draft: Draft) -> Iterator[Complaint]:
    """What is said of the top-level keys is said once, what is said of a server's own names it."""
    said: set[tuple[str, Place]] = set()
    for index, server in enumerate(cluster.servers):
        for code, key, message, why in _winrm_worries(server.winrm):
            own = draft.has("servers", index, "winrm", key)
            place: Place = ("servers", index, "winrm", key) if own else ("winrm", key)
            if (code, place) not in said:
                said.add((code, place))
                yield Complaint(code, place, f"{server.name}: {message}" if own else message, why)


def _winrm_worries(winrm: WinRM) -> Iterator[tuple[str, str, str, str]]:
    """Of one server: code, key, message, why."""
    if winrm.scheme == "http":
        why = "messages are encrypted, but nothing proves which server answers: https is recommended"
        yield "P131", "scheme", "WinRM over http", why
    if {"http": 5986, "https": 5985}[winrm.scheme] == winrm.port:
        yield "P131", "port", f"port {winrm.port} with {winrm.scheme}", "a stock server has http on 5985, https on 5986"
    if not winrm.verify:
        yield "P132", "verify", "certificates are not checked", "anybody between can read and change; give ca_file"
    if winrm.auth in UNTESTED:
        yield "P142", "auth", f"{winrm.auth} is passed on and untested", "negotiate and ntlm are tested"


def _stats(cluster: Cluster, _draft: Draft) -> Iterator[Complaint]:
    stats = cluster.stats
    if stats is None:
        return
    if stats.admin:
        message = "the statistics page may take servers out, over plain http"
        yield Complaint("P135", ("stats", "admin"), message, "admin: false, and provision for changes")
    if stats.allow == "any":
        message = f"port {stats.port} is opened to everyone"
        yield Complaint("P135", ("stats", "allow"), message, "list the networks of your administrators")
    if not stats.allow and not stats.bind.startswith("127."):
        message = f"the page listens on {stats.bind} and the firewall opens it to nobody"
        yield Complaint("P135", ("stats", "bind"), message, "allow: [NETWORK], or bind: 127.0.0.1 and an SSH tunnel")


def _probe(cluster: Cluster, _draft: Draft) -> Iterator[Complaint]:
    if cluster.probe is None:
        return
    if cluster.probe.tls == "none":
        message = "verification sends its password in the clear"
        yield Complaint("P136", ("probe",), message, "tls: explicit where the servers offer it", at_key=True)


def _selinux(cluster: Cluster, _draft: Draft) -> Iterator[Complaint]:
    for index, balancer in enumerate(cluster.balancers):
        if balancer.selinux in ("permissive", "permissive-domain"):
            what = "the whole machine" if balancer.selinux == "permissive" else "haproxy_t"
            message = f"SELinux stops nothing any more for {what} on {balancer.name}"
            yield Complaint("P137", ("balancers", index, "selinux"), message, "selinux: boolean is enough for HAProxy")


def _unset(cluster: Cluster, environ: Mapping[str, str]) -> Iterator[Complaint]:
    for ref in cluster.secret_refs():
        if ref.scheme == "env" and not environ.get(ref.target):
            state = "empty" if ref.target in environ else "not set"
            message = f"the environment variable {ref.target} is {state}"
            yield Complaint("P121", place_of(ref.key), message, "needed by commands that connect")


def _missing_files(cluster: Cluster, exists: Callable[[Path], bool]) -> Iterator[Complaint]:
    folder = cluster.file.parent
    named: list[tuple[Place, Path | None]] = []
    for index, balancer in enumerate(cluster.balancers):
        named.append((("balancers", index, "ssh", "key_file"), balancer.ssh.key_file))
        named.append((("balancers", index, "ssh", "known_hosts"), balancer.ssh.known_hosts))
    files = (ref for ref in cluster.secret_refs() if ref.scheme == "file")
    named += [(place_of(ref.key), absolute_path(ref.target, folder)) for ref in files]
    for place, path in named:
        if path is not None and not exists(path):
            yield Complaint("P139", place, f"{path} is not there", "needed by commands that connect")


def place_of(key: str) -> Place:
    """The place that `complaint.dotted` wrote as `key`."""
    parts = key.replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts)
