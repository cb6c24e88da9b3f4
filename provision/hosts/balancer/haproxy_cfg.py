"""Writes haproxy.cfg: both layouts, as main file or as fragment, for HAProxy 1.5 to 3.x, from typed tokens.

It must not know of machines or firewalls. Secrets stand as placeholders in its text (`masks` replaces them at the last
moment). Why each line is as it is was measured on 1.5.0, 1.8.0, 2.6.12, 2.8.0, 3.0.0, 3.2.0 and 3.4.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from provision.hosts.balancer.digest import digest_of, first_line, fragment_carrier, main_carrier
from provision.hosts.balancer.tokens import INDENT, Constant, SecretToken, line, seconds, section
from provision.model.cluster import Balancer, Cluster, Server
from provision.model.ports import PortRange, PortSet

Mode = Literal["main", "fragment"]
Version = tuple[int, int]

_LOG_FORMAT = Constant(
    r"%ci:%cp\ [%t]\ %ft\ %b/%s\ %bi:%bp\ %Tw/%Tc/%Tt\ %B\ %ts\ %ac/%fc/%bc/%sc/%rc\ %sq/%bq"
)
"""HAProxy's own tcplog with `%bi:%bp` put in: the balancer's address and port towards the server, which is all that
IIS's log sees of a client. Blanks are escaped because 1.5 knows no quotes."""

_BANNER = Constant("rstring ^220")
_QUIT = Constant(r"QUIT\r\n")
_GOODBYE = Constant("rstring (221|5[0-9][0-9])")
"""IIS answers 221, or 534 where it requires TLS. Not anchored: a banner may have several lines before it."""

_KEEPALIVE_TUNING: Version = (2, 4)
"""`clitcpka-idle` and its kin are in the manual from 2.4 on."""

HANDS_ON_LISTENERS: Version = (1, 8)
"""From then on a reload takes the listeners over from the old worker, if its socket exposes them. Without it 2.2 was
measured to reset a connection in every 15th reload under load; 2.6 and 3.0 hand them on by themselves."""

_FIN_TIMEOUTS: Version = (1, 8)
"""Before, a half-closed connection under `client-fin` or `server-fin` could spin at 100 % CPU (fixed in e39683c4)."""

_MARKER_BODY = (line("mode", "tcp"), line("timeout", "connect", "5s"), line("timeout", "server", "5s"))
"""An empty backend takes no traffic; it has timeouts only so that HAProxy does not warn of their absence."""

LEAST_MAXCONN = 4000
"""The article's, raised where the passive ports could carry more: a transfer is a session of its own."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """What every line may depend on."""

    cluster: Cluster
    balancer: Balancer
    version: Version
    mode: Mode
    ownership: Mapping[str, PortSet]
    stats_secret: str | None

    def named(self, name: str) -> str:
        """A section's name; in a fragment with the cluster's, since other sections stand beside it."""
        return name if self.mode == "main" else f"{name}_{self.cluster.name}"

    @property
    def splits_control(self) -> bool:
        """In the shared layout, servers whose FTP port is not the VIP's need a section of their own for it."""
        return any(one.ftp_port != self.cluster.ftp.port for one in self.cluster.servers)


def haproxy_cfg(
    cluster: Cluster,
    balancer: Balancer,
    version: Version,
    mode: Mode,
    *,
    ownership: Mapping[str, PortSet],
    stats_secret: str | None,
) -> str:
    """The masked text of our configuration, with its digest in place.

    `ownership` says which passive ports lead to which server; `stats_secret` is the placeholder of the statistics
    page's password. Raises ValueError when a name or address could not stand as one word of the file.
    """
    draft = _Draft(cluster, balancer, version, mode, ownership, stats_secret)
    head = [first_line(cluster.name), *(_global(draft) if mode == "main" else ())]
    body = [*_ftp(draft), *_stats(draft), *(("",) if mode == "fragment" else ())]
    tail = () if mode == "main" else _MARKER_BODY
    rest = "\n".join((*head, *body, *tail)) + "\n"
    digest = digest_of(rest)
    if mode == "main":
        at = head.index("global") + 1
        return "\n".join((*head[:at], main_carrier(cluster.name, digest), *head[at:], *body)) + "\n"
    return "\n".join((*head, *body, fragment_carrier(cluster.name, digest), *tail)) + "\n"


def section_names(cluster: Cluster, mode: Mode) -> tuple[str, ...]:
    """The names of the proxies that we write, the balanced one first: what sessions and health are asked for."""
    draft = _Draft(cluster, cluster.balancers[0], (2, 4), mode, cluster.ownership, "")
    lines = [*_ftp(draft), *_stats(draft)]
    return tuple(one.split()[1] for one in lines if one.startswith("listen "))


def _global(draft: _Draft) -> Iterator[str]:
    path = draft.balancer.path
    ports = sum(len(one) for one in draft.ownership.values())
    limit = max(LEAST_MAXCONN, 2 * ports)
    yield "global"
    yield line("log", "127.0.0.1", "local2")
    yield line("chroot", path("/var/lib/haproxy"))
    yield line("pidfile", path("/var/run/haproxy.pid"))
    yield line("maxconn", limit)
    yield line("user", "haproxy")
    yield line("group", "haproxy")
    yield line("daemon")
    handing_on = ("expose-fd", "listeners") if draft.version >= HANDS_ON_LISTENERS else ()
    yield line("stats", "socket", path("/var/lib/haproxy/stats"), "level", "admin", "mode", "600", *handing_on)
    yield ""
    yield "defaults"
    yield line("mode", "tcp")
    yield line("log", "global")
    yield line("maxconn", limit)
    yield from _connection_options(draft)
    yield from _timeouts(draft, draft.cluster.ftp.session_timeout)


def _connection_options(draft: _Draft) -> Iterator[str]:
    yield line("option", "dontlognull")
    yield line("option", "clitcpka")
    yield line("option", "srvtcpka")
    if draft.version >= _KEEPALIVE_TUNING:
        for side in ("clitcpka", "srvtcpka"):
            yield line(f"{side}-idle", "120s")
            yield line(f"{side}-intvl", "30s")
    yield line("log-format", _LOG_FORMAT)


def _timeouts(draft: _Draft, silence: int) -> Iterator[str]:
    """`silence` is how long neither side may move a byte. A half-closed connection may linger for 30 s."""
    yield line("timeout", "connect", "5s")
    yield line("timeout", "queue", "30s")
    yield line("timeout", "check", "5s")
    yield line("timeout", "client", seconds(silence))
    yield line("timeout", "server", seconds(silence))
    if draft.version >= _FIN_TIMEOUTS:
        yield line("timeout", "client-fin", "30s")
        yield line("timeout", "server-fin", "30s")
    if draft.mode == "fragment":  # a foreign `defaults` may set it, and it would win over client and server
        yield line("timeout", "tunnel", seconds(silence))


def _opening(draft: _Draft, name: str, silence: int) -> Iterator[str]:
    """A `listen` section's first lines: in a fragment everything, in a main file only what differs from `defaults`."""
    yield ""
    yield section("listen", draft.named(name))
    yield line("mode", "tcp")
    if draft.mode == "fragment":
        yield line("no", "log")
        yield line("log", "127.0.0.1", "local2")
        yield line("maxconn", LEAST_MAXCONN)
        yield line("no", "option", "redispatch")
        yield from _connection_options(draft)
        yield from _timeouts(draft, silence)
    else:
        yield line("timeout", "client", seconds(silence))
        yield line("timeout", "server", seconds(silence))
    if draft.balancer.source is not None:
        yield line("source", draft.balancer.source)


def _bind(draft: _Draft, ports: PortRange) -> str:
    keyword = ("transparent",) if draft.cluster.ftp.transparent else ()
    return line("bind", f"{draft.cluster.vip}:{ports}", *keyword)


def _splice(draft: _Draft) -> Iterator[str]:
    """`splice-auto` was measured to do nothing for bulk data; the two forced forms do."""
    if draft.cluster.ftp.splice:
        yield line("option", "splice-request")
        yield line("option", "splice-response")


def _table(draft: _Draft) -> Iterator[str]:
    table = draft.cluster.ftp.table
    yield line("stick-table", "type", "ip", "size", table.size, "expire", seconds(table.expire))
    yield line("stick", "on", "src")


def _check() -> Iterator[str]:
    yield line("option", "tcp-check")
    yield line("tcp-check", "expect", _BANNER)
    yield line("tcp-check", "send", _QUIT)
    yield line("tcp-check", "expect", _GOODBYE)


def _checked(draft: _Draft) -> tuple[str | int, ...]:
    check = draft.cluster.ftp.check
    return ("inter", seconds(check.interval), "rise", check.rise, "fall", check.fall)


def _ftp(draft: _Draft) -> Iterator[str]:
    if draft.cluster.ftp.layout == "shared":
        yield from _shared(draft)
        return
    yield from _control(draft, "ftp_control", sticky=draft.cluster.ftp.affinity == "source")
    yield line("option", "redispatch")  # logins only: a data connection must reach its own server or fail
    for server in draft.cluster.servers:
        yield from _slice(draft, server)


def _control(draft: _Draft, name: str, *, sticky: bool) -> Iterator[str]:
    ftp = draft.cluster.ftp
    yield from _opening(draft, name, ftp.session_timeout)
    yield _bind(draft, PortRange(ftp.port, ftp.port))
    yield line("balance", "leastconn")
    yield from _table(draft) if sticky else ()
    yield from _check()
    for server in draft.cluster.servers:
        yield line("server", server.name, f"{server.ftp_address}:{server.ftp_port}", "check", *_checked(draft))


def _slice(draft: _Draft, server: Server) -> Iterator[str]:
    ports = draft.ownership.get(server.name, PortSet())
    if not ports:
        return
    yield from _opening(draft, f"ftp_data_{server.name}", draft.cluster.ftp.transfer_timeout)
    for one in ports:
        yield _bind(draft, one)
    yield from _splice(draft)
    yield line("server", server.name, server.ftp_address)  # no port: the client's own. No check: control has it


def _shared(draft: _Draft) -> Iterator[str]:
    """The article's section. With ports that differ, its control half moves out and keeps the table of both."""
    ftp = draft.cluster.ftp
    ports = PortSet.of(*draft.ownership.values())
    if draft.splits_control:
        yield from _control(draft, "FTPVIP", sticky=True)
        yield from _opening(draft, "FTPVIP_data", ftp.transfer_timeout)
    else:
        yield from _opening(draft, "FTPVIP", ftp.session_timeout)
        yield _bind(draft, PortRange(ftp.port, ftp.port))
    for one in ports:
        yield _bind(draft, one)
    yield line("balance", "leastconn")
    if draft.splits_control:
        yield line("stick", "on", "src", "table", draft.named("FTPVIP"))
    else:
        yield from _table(draft)
    yield from _splice(draft)
    yield from _check()
    for server in draft.cluster.servers:
        yield line("server", server.name, server.ftp_address, "check", "port", server.ftp_port, *_checked(draft))


def _stats(draft: _Draft) -> Iterator[str]:
    stats = draft.cluster.stats
    if stats is None:
        return
    yield ""
    yield section("listen", draft.named("stats"))
    yield line("mode", "http")
    yield line("bind", f"{stats.bind}:{stats.port}")
    if draft.mode == "fragment":
        yield from _timeouts(draft, 60)
    else:
        yield line("timeout", "client", "60s")
        yield line("timeout", "server", "60s")
    yield line("stats", "enable")
    yield line("stats", "uri", "/")
    yield line("stats", "refresh", "10s")
    if stats.user is not None and draft.stats_secret is not None:
        yield line("stats", "auth", SecretToken(stats.user, draft.stats_secret))
        if stats.admin:  # never without a password
            yield INDENT + "stats admin if TRUE"
