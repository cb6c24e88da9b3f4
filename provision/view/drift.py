"""Drift: by server, what is not as the file says, when it appeared, and what could not be told."""

from __future__ import annotations

from rich.text import Text

from provision.engine.drift import Difference, DriftReport
from provision.errors import ProvisionError
from provision.model.cluster import Cluster
from provision.view.findings import finding_lines
from provision.view.marks import CHANGE, SAME, UNKNOWN, Lines, line, plural
from provision.view.plan import diff_lines, loud_lines
from provision.view.words import change_words, property_word, rank_of


def drift_lines(cluster: Cluster, report: DriftReport, *, verbose: bool, as_plan: bool = False) -> Lines:
    """The comparison of one cluster, its summary last. The file stands first; `as_plan` what is there now does."""
    width = max(map(len, cluster.hosts)) + 3
    rows = loud_lines(cluster)
    if any(report.differences.values()):
        rows.append(line(("(now -> wanted)" if as_plan else "(file -> found)", "dim")))
    for host in cluster.hosts:
        if host in report.failures:
            rows += _unread(host.ljust(width), report.failures[host])
        else:
            rows += _host(host, width, report, verbose=verbose, as_plan=as_plan)
    return [*rows, *finding_lines(report.findings, verbose=verbose), line(), _summary(report)]


def _unread(name: str, error: ProvisionError) -> Lines:
    rows = [line((name, "bold"), UNKNOWN, f"could not be read: {error.what} ({error.code})")]
    rows += [line(part, indent=4) for part in error.why.splitlines()]
    return rows + ([line("do: ", error.next, indent=4)] if error.next else [])


def _host(host: str, width: int, report: DriftReport, *, verbose: bool, as_plan: bool) -> Lines:
    found, same, unknown = report.differences[host], report.same[host], report.unknown.get(host, 0)
    total = same + len(found) + unknown
    name = (host.ljust(width), "bold")
    rest = f", {unknown} could not be told" if unknown else ""
    if not found:
        return [line(name, UNKNOWN if unknown else SAME, f"{same} of {total} as defined{rest}")]
    verb = "differs" if len(found) == 1 else "differ"
    rows = [line(name, CHANGE, f"{len(found)} of {total} {verb}{rest}")]
    ordered = sorted(found, key=lambda one: rank_of(one.change.key))
    return rows + [row for one in ordered for row in _difference(one, verbose=verbose, as_plan=as_plan)]


def _difference(one: Difference, *, verbose: bool, as_plan: bool) -> Lines:
    change = one.change.inverse() if as_plan else one.change
    word = property_word(change.key).ljust(18)
    since = f"     {one.since}" if one.since else ""
    head = line(word, " ", change_words(change), (since, "dim"), indent=4)
    return [head, *diff_lines(change, verbose=verbose)]


def _summary(report: DriftReport) -> Text:
    different = sum(map(len, report.differences.values()))
    counts = f"{different} different, {sum(report.unknown.values())} unknown, {sum(report.same.values())} same"
    refused = f", {plural(report.refused, 'thing')} to mend by hand" if report.refused else ""
    return line(f"Drift: {counts}{refused}. Read in {report.seconds:.1f} s.")


def drift_totals(reports: list[DriftReport]) -> Lines:
    """One line over several clusters."""
    unlike = sum(1 for one in reports if one.exit_code)
    return (
        [line(), line(f"{plural(len(reports), 'cluster')}, {unlike} of them not as defined.")]
        if len(reports) > 1
        else []
    )
