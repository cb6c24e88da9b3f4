"""What connected commands found and did, as plain JSON values for `--json`."""

from __future__ import annotations

from dataclasses import asdict

from provision.engine.drift import Difference, DriftReport
from provision.engine.outcome import Applied, Declined, HalfBack, Outcome, Stopped, Unchanged, WentBack
from provision.engine.prepare import Prepared
from provision.engine.verify_report import VerifyReport
from provision.model.cluster import Cluster
from provision.model.codec import encode_change
from provision.view.document import Document, change_values, error_value, finding_values


def prepared_value(prepared: Prepared) -> Document:
    """A plan with its order, its cost and its findings."""
    plan = prepared.plan
    steps = [
        {"host": one.host, "effects": list(one.effects), "changes": change_values(one.changes)} for one in plan.steps
    ]
    return {
        "cluster": prepared.cluster.name,
        "plan": {"changes": change_values(plan.net()), "steps": steps, "unchanged": plan.unchanged, "live": plan.live},
        "kept": change_values(plan.kept),
        "consequences": [asdict(one) for one in prepared.consequences],
        "findings": finding_values(prepared.findings),
        "seconds": round(prepared.reading.seconds, 3),
        **loud_value(prepared.cluster),
    }


def loud_value(cluster: Cluster) -> Document:
    """`unverified`: the servers whose certificates nobody checks. In every document of a run that connects."""
    careless = [one.name for one in cluster.servers if one.winrm.scheme == "https" and not one.winrm.verify]
    return {"unverified": careless}


def drift_value(cluster: Cluster, report: DriftReport) -> Document:
    """A comparison. `file` is what the file says, `live` what is there; null is absent."""
    found = [one for each in report.differences.values() for one in each]
    return {
        "cluster": report.cluster,
        "differences": [difference_value(one) for one in found],
        "unread": {host: error_value(error) for host, error in report.failures.items()},
        "same": dict(report.same),
        "unknown": dict(report.unknown),
        "findings": finding_values(report.findings),
        "seconds": round(report.seconds, 3),
        **loud_value(cluster),
    }


def difference_value(one: Difference) -> Document:
    """One thing that is not as the file says."""
    value = encode_change(one.change)
    file, live = value.pop("before"), value.pop("after")
    return {**value, "file": file, "live": live, "since": one.since}


def verify_value(report: VerifyReport) -> Document:
    """Every check of a cluster that the document names already."""
    return {"ok": report.ok, "checks": [asdict(one) for one in report.checks], "seconds": round(report.seconds, 3)}


def outcome_value(outcome: Outcome) -> Document:
    """How a writing command ended; for a failure what is left where."""
    match outcome:
        case Unchanged(prepared):
            return {"outcome": "unchanged", **prepared_value(prepared)}
        case Declined():
            return {"outcome": "declined"}
        case Applied(generation, kept, verified):
            done: Document = {"outcome": "applied", "generation": generation.number, "kept": change_values(kept)}
            return done | ({"verified": verify_value(verified)} if verified else {})
        case WentBack(error, hosts, verified):
            back: Document = {"outcome": "rolled back", "error": error_value(error), "restored": list(hosts)}
            return back | ({"verified": verify_value(verified)} if verified else {})
        case HalfBack(error, failures, left):
            failed = {host: error_value(one) for host, one in failures.items()}
            differ = {host: change_values(changes) for host, changes in left.items()}
            return {"outcome": "not all rolled back", "error": error_value(error), "failures": failed, "left": differ}
        case Stopped(generation, done_hosts, due):
            where: Document = {"changed": list(done_hosts), "unchanged": list(outcome.waiting), "due": list(due)}
            return {"outcome": "stopped", "generation": generation.number, **where}
