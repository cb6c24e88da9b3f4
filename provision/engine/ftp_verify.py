"""Verification over a run's own sessions: each server through an SSH channel of a balancer, the VIP from here."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from contextlib import suppress
from functools import partial

from provision.engine.context import Event
from provision.engine.ftp_stream import Dial, Stream
from provision.engine.live import serving_server
from provision.engine.prepare import Workplace
from provision.engine.verify import Limits, Means, VerifyReport, verify, verify_server
from provision.errors import ProvisionError
from provision.model.cluster import Balancer

AFTER_CHANGE = Limits().patience
"""Seconds in which health checks may still have to rise."""


def verify_cluster(work: Workplace, patience: float = AFTER_CHANGE) -> VerifyReport:
    """Verify the whole cluster with the run's sessions. Never raises for what the cluster does wrong.

    `patience`: seconds for VIP and servers to come up.
    """
    return verify(work.cluster, _means(work, Limits(patience=patience)))


def verify_servers(work: Workplace, names: Collection[str]) -> VerifyReport:
    """Verify the servers among `names`, each by itself; no checks where none is. Never raises either."""
    means = _means(work, Limits())
    reports = [verify_server(work.cluster, one, means) for one in work.cluster.servers if one.name in names]
    checks = tuple(check for report in reports for check in report.checks)
    return VerifyReport(checks, sum(report.seconds for report in reports))


def _means(work: Workplace, limits: Limits) -> Means:
    cluster, context = work.cluster, work.context
    return Means(
        via={one.name: _channel(work, one) for one in cluster.balancers},
        token=secrets.token_hex(6),
        password=context.secrets[cluster.probe.password] if cluster.probe else None,
        serving=partial(_serving, work),
        limits=limits,
        clock=context.clock,
        sleep=context.sleep,
        say=lambda check: context.say(Event("verify", "", str(check), check.level)),
    )


def _channel(work: Workplace, balancer: Balancer) -> Dial:
    def dial(address: str, port: int, seconds: float) -> Stream:
        channel = work.sessions.shell(balancer).open_channel(address, port)
        channel.settimeout(seconds)
        return channel

    return dial


def _serving(work: Workplace, end: tuple[str, int]) -> str | None:
    """The server to which some balancer leads the connection from `end`; None where none of them can tell."""
    for balancer in work.cluster.balancers:
        with suppress(ProvisionError):
            server = serving_server(work, balancer, end)
            if server is not None:
                return server
    return None
