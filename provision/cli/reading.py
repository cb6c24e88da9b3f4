"""The commands that read servers and change nothing: plan, drift, verify, status, sessions."""

from __future__ import annotations

from provision.cli.desk import Desk, command_line, worst
from provision.cli.work import open_run
from provision.engine.drift import DriftReport, compare
from provision.engine.drift import drift as compare_live
from provision.engine.ftp_verify import verify_cluster
from provision.engine.live import LiveReport, read_live
from provision.engine.prepare import plan_of_reading, read
from provision.errors import ProvisionError
from provision.model.cluster import Cluster
from provision.view.document import Document, error_value
from provision.view.document_run import drift_value, loud_value, prepared_value, verify_value
from provision.view.drift import drift_lines, drift_totals
from provision.view.errors import error_lines
from provision.view.live import live_value, session_lines, status_lines
from provision.view.marks import Lines, line, next_lines, tidy
from provision.view.plan import heading, loud_lines, plan_lines
from provision.view.verify import verify_lines

DIFFERENT = 2

PATIENCE = 5.0
"""Seconds for what may be coming up, where nothing was changed just now."""


def plan(desk: Desk, cluster: str | None, limit: list[str] | None, adopt: bool) -> int:
    """The difference as a plan; where a host could not be read, what differs on the others."""
    found = desk.load(cluster)
    with open_run(desk, found, adopt=adopt, limit=limit) as run:
        reading = read(run.work)
        if reading.failures:
            return _partial(desk, found, cluster, compare(run.work, reading))
        prepared = plan_of_reading(run.work, reading)
    words = [f"--limit={one}" for one in limit or ()] + (["--adopt"] if adopt else [])
    command = command_line("cluster", *([cluster] if cluster else []), *words)
    rows = heading(found, len(found.hosts), reading.seconds) + plan_lines(
        found, prepared.plan, reading.sessions, prepared.consequences, prepared.findings, verbose=desk.common.verbose
    )
    rows += [] if prepared.plan.empty else next_lines(command)
    return desk.finish(0 if prepared.plan.empty else DIFFERENT, tidy(rows), lambda: prepared_value(prepared))


def _partial(desk: Desk, cluster: Cluster, name: str | None, report: DriftReport) -> int:
    rows = heading(cluster, len(cluster.hosts) - len(report.failures), report.seconds)
    rows += drift_lines(cluster, report, verbose=desk.common.verbose, as_plan=True)
    rows.append(line("No plan: nothing is changed while a host cannot be read."))
    rows += next_lines(command_line("plan", *([name] if name else [])))
    return desk.finish(report.exit_code, tidy(rows), lambda: drift_value(cluster, report))


def drift(desk: Desk, clusters: list[str] | None) -> int:
    """Each cluster by itself; one that fails does not keep the others from being compared.

    The JSON document of one cluster is that comparison; of several, a list of them in `clusters`.
    """
    codes: list[int] = []
    reports: list[DriftReport] = []
    documents: list[Document] = []
    rows: Lines = []
    names = desk.every_name(clusters)
    for name in names:
        try:
            found = desk.load(name)
            with open_run(desk, found) as run:
                report = compare_live(run.work)
        except ProvisionError as error:
            codes.append(error.exit_code)
            documents.append({"cluster": name, "exit_code": error.exit_code, "error": error_value(error)})
            desk.door.complain(error_lines(error, among=len(names) > 1))
            continue
        codes.append(report.exit_code)
        reports.append(report)
        documents.append({"exit_code": report.exit_code, **drift_value(found, report)})
        rows += [line("Cluster ", (found.name, "bold"), f"   {found.file}")]
        rows += drift_lines(found, report, verbose=desk.common.verbose)
        rows += _mending(name, report)
    rows += drift_totals(reports)
    document = documents[0] if len(names) == 1 else {"clusters": documents}
    return desk.finish(worst(codes), tidy(rows), lambda: document)


def _mending(name: str, report: DriftReport) -> Lines:
    if not any(report.differences.values()):
        return [line()] if not report.failures else next_lines(command_line("drift", name))
    return [*next_lines(command_line("plan", name), command_line("cluster", name)), line()]


def verify(desk: Desk, cluster: str | None) -> int:
    """FTP as a client sees it. A failed verification is exit 1."""
    found = desk.load(cluster)
    with open_run(desk, found) as run:
        report = verify_cluster(run.work, patience=PATIENCE)
    rows = [*loud_lines(found), *verify_lines(report)]
    rows += [] if report.ok else next_lines(command_line("drift", *([cluster] if cluster else [])))
    value = {"cluster": found.name, **verify_value(report), **loud_value(found)}
    return desk.finish(0 if report.ok else 1, rows, lambda: value)


def status(desk: Desk, cluster: str | None) -> int:
    """Servers, health, sessions, VIP, lock. Hosts that cannot be read are shown as such: exit 3."""
    found = desk.load(cluster)
    with open_run(desk, found) as run:
        live = read_live(run.work)
    rows = [*loud_lines(found), *status_lines(found, live), *_set_up(live, cluster)]
    return desk.finish(3 if live.failures else 0, rows, lambda: {**live_value(found, live), **loud_value(found)})


def sessions(desk: Desk, cluster: str | None) -> int:
    """Who is connected where, as HAProxy sees it."""
    found = desk.load(cluster)
    with open_run(desk, found) as run:
        live = read_live(run.work, servers=False)
    rows = [*loud_lines(found), *session_lines(found, live), *_set_up(live, cluster)]
    return desk.finish(3 if live.failures else 0, rows, lambda: {**live_value(found, live), **loud_value(found)})


def _set_up(live: LiveReport, name: str | None) -> Lines:
    """What comes first where nothing runs yet."""
    if not live.fresh:
        return []
    return [line("Not set up yet."), *next_lines(command_line("plan", *([name] if name else [])))]
