"""Everything that a run can end with, as values: what the golden texts show."""

from cli.cliworld import article
from cli.showcase import CFG, DESIRED, LB, LIVE, SITE, VIP, WAVES, WIN1, WIN2, edited, first_plan, plan_to

from provision.engine.drift import Difference, DriftReport
from provision.engine.documents import Generation
from provision.engine.outcome import Applied, Declined, HalfBack, Stopped, WentBack
from provision.engine.verify_report import Check, VerifyReport
from provision.errors import ChangeFailed, ConnectionFailed
from provision.model.change import Change, Finding
from provision.model.ports import PortRange, PortSet
from provision.model.resources import DataChannelPorts, ExternalAddress, FtpService, Package
from provision.model.state import Key, Scope
from provision.planning.plan import Wave, make_plan
from provision.planning.safety import consequences
from provision.view.drift import drift_lines
from provision.view.errors import error_lines
from provision.view.findings import finding_lines
from provision.view.outcome import outcome_lines
from provision.view.plan import heading, plan_lines
from provision.view.verify import verify_lines

SESSIONS = {WIN1: 0, WIN2: 3}
FINDINGS = (
    Finding(WIN1, "P420", "warn", "failed logins lock everyone out: IIS sees the balancer only", "denyByFailure off"),
    Finding(WIN2, "P430", "note", "two other sites are left alone"),
)
MOVED = Change(Key(WIN2, "external-address", SITE), ExternalAddress(VIP), ExternalAddress("10.0.0.9"))
STALE = Change(
    Key(WIN2, "ftp-service", "server"), FtpService("Automatic", True, True), FtpService("Automatic", True, False)
)
HOST_KEY = ConnectionFailed(
    "P221",
    "the SSH host key is not the one in known_hosts",
    host=LB,
    why="the machine was reinstalled, or somebody answers in its place",
    next="ssh-keygen -R 192.168.1.123",
)
DRIFT = DriftReport(
    "article",
    {WIN1: (), WIN2: (Difference(MOVED, "changed after generation 3"), Difference(STALE, ""))},
    {WIN1: 6, WIN2: 4},
    {LB: 9},
    {LB: HOST_KEY},
    (),
    1.94,
)
GENERATION = Generation(
    "article",
    4,
    "2026-01-01T00:00:00Z",
    "ops@desk",
    "cluster",
    "proven",
    DESIRED,
    LIVE,
    Scope.of(DESIRED),
    "",
    "00" * 32,
)
GOOD = Check("VIP", WIN1, "", ("login", "PASV", "LIST"), "ok", 0.2)
BAD = Check("server", WIN2, LB, (), "failed", 0.2, "P604", "the data port is not open", "Windows Firewall closes it")
WORKS, BROKEN = VerifyReport((GOOD,), 1.2), VerifyReport((GOOD, BAD), 3.2)
UNPROVEN = ChangeFailed("P302", "the change does not show when read again", host=WIN2, why="something else changes it")
RESET = ConnectionFailed("P211", "the connection was reset", host=WIN1, why="it restarts", next="ping 192.168.1.110")
RANGE = Change(Key(WIN1, "data-channel-ports", "server"), DataChannelPorts(PortRange(10000, 10020)), None)
KEPT = (Change(Key(LB, "package", "haproxy"), Package(), None),)

OUTCOMES = {
    "applied": Applied(GENERATION, KEPT, WORKS),
    "went-back": WentBack(UNPROVEN, (LB, WIN1), None),
    "went-back-unverified": WentBack(UNPROVEN, (LB, WIN1, WIN2), BROKEN),
    "half-back": HalfBack(UNPROVEN, {WIN1: RESET}, {WIN1: (RANGE,)}),
    "stopped": Stopped(GENERATION, (LB,), (WIN1, WIN2, LB), 130, None),
    "declined": Declined(),
}


def _plan(plan, findings=(), *, verbose=False):
    seen = consequences(plan, SESSIONS, PortSet())
    return heading(article(), 3, 1.94) + plan_lines(article(), plan, SESSIONS, seen, findings, verbose=verbose)


def _outcome(name):
    hosts = article().hosts
    return outcome_lines(OUTCOMES[name], hosts, "provision cluster article", "provision plan article")


VIEWS = {
    "plan-first": lambda: _plan(first_plan(), FINDINGS),
    "plan-edited-file": lambda: _plan(plan_to(edited(CFG.text.replace("line 9", "line nine")))),
    "plan-backwards": lambda: _plan(make_plan(DESIRED, tuple(Wave(one.hosts, LIVE) for one in WAVES))),
    "plan-nothing": lambda: _plan(plan_to(DESIRED)),
    "drift": lambda: drift_lines(article(), DRIFT, verbose=False),
    "plan-partial": lambda: drift_lines(article(), DRIFT, verbose=False, as_plan=True),
    "findings": lambda: finding_lines(FINDINGS, verbose=True),
    "verify-failed": lambda: verify_lines(BROKEN),
    "error": lambda: error_lines(HOST_KEY),
    **{f"outcome-{name}": lambda name=name: _outcome(name) for name in OUTCOMES},
}
