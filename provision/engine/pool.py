"""Back into the pool: after a server's FTP service (re)started, the next one waits until HAProxy sends logins there."""

from __future__ import annotations

from provision.engine.context import Event
from provision.engine.live import ask_haproxy
from provision.engine.prepare import Workplace
from provision.errors import ChangeFailed, ProvisionError
from provision.model.cluster import Balancer

POLL = 1.0
"""Seconds between two looks."""
GRACE = 10.0
"""Seconds beyond what the checks themselves need."""


def await_up(work: Workplace, server: str) -> None:
    """Wait until every balancer's checks see `server` UP. Raises ChangeFailed (P306) when they do not in time.

    The deadline is fall and rise checks and some grace. A balancer whose HAProxy cannot be asked is told and passed
    over. Returns at once when the operator asks to stop: what was done stands.
    """
    check = work.cluster.ftp.check
    patience = check.interval * (check.rise + check.fall) + GRACE
    for balancer in work.cluster.balancers:
        _await_on(work, balancer, server, patience)


def _await_on(work: Workplace, balancer: Balancer, server: str, patience: float) -> None:
    deadline = work.context.clock() + patience
    told = False
    while not work.context.stop.asked:
        try:
            words = _not_up(work, balancer, server)
        except ProvisionError as error:
            work.context.say(Event("note", balancer.name, f"cannot tell whether {server} is UP: {error}"))
            return
        if not words:
            return
        if not told:
            work.context.say(Event("note", server, f"waiting until {balancer.name} sees it UP (now {words})"))
            told = True
        if work.context.clock() > deadline:
            raise _never_up(balancer, server, words, patience)
        work.context.sleep(POLL)


def _not_up(work: Workplace, balancer: Balancer, server: str) -> str:
    """What HAProxy says of `server` while it sends no logins there; empty when it does."""
    live = ask_haproxy(work, balancer)
    down = [one for one in live.health if one.server == server and not one.usable]
    return ", ".join(f"{one.status} {one.check}".strip() for one in down)


def _never_up(balancer: Balancer, server: str, words: str, patience: float) -> ChangeFailed:
    return ChangeFailed(
        "P306",
        f"{balancer.name} does not see it UP within {patience:.0f} s: {words}",
        host=server,
        why="the FTP service does not answer with a 220, or Windows Firewall does not admit this balancer",
        next="provision verify tells which",
    )
