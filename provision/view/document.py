"""Values as plain JSON values, for `--json`. The same numbers as in the text; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from provision.errors import ClusterFileError, ProvisionError
from provision.model.change import Change, Finding
from provision.model.codec import encode_change

FORMAT = 1


def error_document(command: str, error: ProvisionError) -> dict[str, Any]:
    """The document of a command that failed."""
    return {"format": FORMAT, "command": command, "exit_code": error.exit_code, "error": error_value(error)}


def error_value(error: ProvisionError) -> dict[str, Any]:
    """An error's fields; a cluster file's problems, and the single failures of an error that gathers several."""
    value: dict[str, Any] = {"code": error.code, "what": error.what, "where": error.where}
    value |= {"why": error.why, "next": error.next}
    if isinstance(error, ClusterFileError):
        value |= {"file": error.file, "problems": [asdict(one) for one in error.problems]}
    failures: Mapping[str, ProvisionError] = getattr(error, "failures", {})
    return value | ({"hosts": {host: error_value(one) for host, one in failures.items()}} if failures else {})


def change_values(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Changes with their resources."""
    return [encode_change(one) for one in changes]


def finding_values(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings with all their words."""
    return [asdict(one) for one in findings]
