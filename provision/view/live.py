"""Status and sessions as tables, and the same as JSON values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

from rich.text import Text

from provision.engine.live import LiveReport
from provision.errors import ProvisionError
from provision.hosts.balancer.live import LiveReading, ServerHealth
from provision.model.cluster import Balancer, Cluster
from provision.view.document import Document, error_value
from provision.view.marks import ALERT, SAME, UNKNOWN, Lines, columns, line, plural

DASH = "-"


def status_lines(cluster: Cluster, report: LiveReport) -> Lines:
    """Balancers, servers, health, and who holds the VIP and the lock."""
    rows = [line("Cluster ", (cluster.name, "bold"), f"   {cluster.file}"), line()]
    rows += columns(
        ("balancer", "HAProxy", "up for", "VIP", "connections", "old workers"),
        [_balancer(one, report) for one in cluster.balancers],
    )
    rows += [
        line(),
        *columns(("server", "address", "health", "check", "for", "logins", "at IIS"), _servers(cluster, report)),
    ]
    rows += [row for host, error in report.failures.items() for row in _failure(host, error)]
    return [
        *rows,
        line(),
        _vip(cluster, report),
        line(SAME, "lock: ", "held by a run on this machine" if report.locked else "free"),
    ]


def session_lines(cluster: Cluster, report: LiveReport) -> Lines:
    """Each open connection, then what the stick table holds."""
    rows = [line("Cluster ", (cluster.name, "bold"), f"   {cluster.file}")]
    for name, live in report.balancers.items():
        open_now = [
            (f"{one.client}:{one.port}", one.server or DASH, one.section, _age(one.age)) for one in live.sessions
        ]
        rows += [line(("Balancer ", ""), (name, "bold"), f"   {plural(len(open_now), 'connection')}")]
        rows += columns(("client", "server", "section", "for"), open_now) if open_now else []
        held = [(one.client, one.server, one.table, _age(one.expires)) for one in live.table]
        rows += columns(("held client", "server", "table", "for another"), held) if held else []
        rows += _old(live)
    rows += [row for host, error in report.failures.items() for row in _failure(host, error)]
    count = Counter(one.server or "no server" for live in report.balancers.values() for one in live.sessions)
    told = ", ".join(f"{server} {number}" for server, number in sorted(count.items()))
    total = f"{plural(sum(count.values()), 'connection')}{': ' if told else '.'}{told}"
    if not report.failures:
        return [*rows, line(total)]
    asked = ", ".join(report.balancers)
    known = f"Through {asked}: {total}" if asked else "How many connections there are is unknown."
    return [*rows, line(UNKNOWN, known, f"; through {', '.join(report.failures)}: unknown" if asked else "")]


def _balancer(balancer: Balancer, report: LiveReport) -> tuple[str, ...]:
    live = report.balancers.get(balancer.name)
    known = report.reading is not None and balancer.name in report.reading.balancers
    vip = ("held" if balancer.name in report.holders else "not held") if known else "?"
    if live is None:
        return (balancer.name, "?", "?", vip, "?", "?")
    old = ", ".join(_age(one) for one in live.old_workers) or DASH
    return (balancer.name, live.version, _age(live.uptime), vip, str(len(live.sessions)), old)


def _servers(cluster: Cluster, report: LiveReport) -> list[tuple[str, ...]]:
    counts = report.reading.sessions if report.reading else {}
    rows: list[tuple[str, ...]] = []
    for server in cluster.servers:
        seen = [one for live in report.balancers.values() for one in _checked(live, server.name)]
        at_iis = str(counts.get(server.name, "?")) if counts.get(server.name, -1) >= 0 else "?"
        health, check, since = _health(seen)
        logins = str(sum(one.sessions for one in seen)) if seen else "?"
        rows.append((server.name, server.address, health, check, since, logins, at_iis))
    return rows


def _checked(live: LiveReading, server: str) -> list[ServerHealth]:
    """Where logins go: the sections in which the server has a check; any, where none has."""
    mine = [one for one in live.health if one.server == server]
    return [one for one in mine if one.status != "no check"] or mine


def _health(seen: list[ServerHealth]) -> tuple[str, str, str]:
    """One word for what all balancers say; each of their words where they disagree."""
    if not seen:
        return ("?", "?", "?")
    since = min((one.since for one in seen if one.since is not None), default=None)
    words = [" / ".join(dict.fromkeys(each)) for each in ((one.status for one in seen), (one.check for one in seen))]
    return (words[0] or "?", words[1] or DASH, DASH if since is None else _age(since))


def _vip(cluster: Cluster, report: LiveReport) -> Text:
    holders, unread = report.holders, any(one.name in report.failures for one in cluster.balancers)
    if len(holders) == 1:
        return line(SAME, f"VIP {cluster.vip}: held by {holders[0]}")
    if unread:
        return line(UNKNOWN, f"VIP {cluster.vip}: {' and '.join(holders) or 'no balancer that was read'} holds it")
    words = f"held by {' and '.join(holders)} at once" if holders else "held by no balancer"
    return line(ALERT, (f"VIP {cluster.vip}: {words}", ALERT.style))


def _old(live: LiveReading) -> Lines:
    if not live.old_workers:
        return []
    ages = ", ".join(_age(one) for one in live.old_workers)
    return [
        line(ALERT, f"{plural(len(live.old_workers), 'old worker')} ({ages}) may carry sessions that are not listed")
    ]


def _failure(host: str, error: ProvisionError) -> Lines:
    rows = [line(UNKNOWN, (host, "bold"), f"  {error.what} ({error.code})")]
    return rows + ([line(error.why, indent=4)] if error.why else [])


def _age(seconds: int) -> str:
    """Seconds as the two largest units: `3d 4h`, `5m 0s`, `12s`."""
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    for at, (name, size) in enumerate(units):
        if seconds >= size and at < len(units) - 1:
            below, smaller = units[at + 1]
            return f"{seconds // size}{name} {seconds % size // smaller}{below}"
    return f"{seconds}s"


def live_value(cluster: Cluster, report: LiveReport) -> Document:
    """Everything that is shown, and each section's health."""
    return {
        "cluster": cluster.name,
        "vip": {"address": cluster.vip, "holders": list(report.holders)},
        "locked": report.locked,
        "balancers": {name: asdict(one) for name, one in report.balancers.items()},
        "iis_sessions": report.reading.sessions if report.reading else {},
        "unread": {host: error_value(error) for host, error in report.failures.items()},
        "seconds": round(report.seconds, 3),
    }
