"""Verification over a run's own sessions: each server through an SSH channel of a balancer, the VIP from here."""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import partial

from provision.engine.context import Event
from provision.engine.ftp_stream import Dial, Stream
from provision.engine.live import serving_server
from provision.engine.prepare import Workplace
from provision.engine.verify import Means, VerifyReport, verify
from provision.errors import ProvisionError
from provision.model.cluster import Balancer


def verify_cluster(work: Workplace) -> VerifyReport:
    """Verify the whole cluster with the run's sessions. Never raises for what the cluster does wrong."""
    cluster, context = work.cluster, work.context
    means = Means(
        via={one.name: _channel(work, one) for one in cluster.balancers},
        token=secrets.token_hex(6),
        password=context.secrets[cluster.probe.password] if cluster.probe else None,
        serving=partial(_serving, work),
        say=lambda check: context.say(Event("verify", check.server or "", str(check))),
    )
    return verify(cluster, means)


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
