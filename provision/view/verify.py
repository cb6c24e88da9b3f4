"""What verification did and saw: one line a check, the likely cause of a failure, and how much was proven."""

from __future__ import annotations

from provision.engine.verify_report import Check, VerifyReport
from provision.view.marks import ALERT, SAME, Lines, Mark, line, plural

MARKS = {"ok": SAME, "note": SAME, "warn": ALERT, "failed": ALERT}
"""By the level of a check."""


def verify_lines(report: VerifyReport) -> Lines:
    """Every check in its order, then the sum."""
    failed = sum(1 for one in report.checks if one.level == "failed")
    verdict = f"{plural(failed, 'check')} failed" if failed else "FTP works"
    met = f" through the VIP, met {', '.join(report.met)}" if report.met and not failed else ""
    rows = [row for one in report.checks for row in check_lines(one)]
    return [*rows, line(f"Verify: {verdict}{met} ({plural(len(report.checks), 'check')} in {report.seconds:.1f} s).")]


def check_lines(check: Check) -> Lines:
    """One check."""
    mark: Mark = MARKS[check.level]
    place = " ".join(one for one in (check.place, check.server or "") if one)
    via = f" through {check.via}" if check.via else ""
    word = check.level if not check.code else f"{check.level} {check.code}"
    told = check.what or ", ".join(check.steps)
    head = line(mark, (f"{place}{via}".ljust(24), "bold"), f" {word}  ", told, indent=2)
    return [head, line("likely: ", check.cause, indent=6)] if check.cause else [head]
