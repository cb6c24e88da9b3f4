"""Values as plain JSON values, for `--json`. The same numbers as in the text; nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from provision.errors import ClusterFileError, ProvisionError
from provision.model.change import Change, Finding
from provision.model.codec import encode_change

FORMAT = 1
"""Version of every JSON document that a command prints."""

Document = dict[str, object]
"""A JSON object."""


def error_document(command: str, error: ProvisionError) -> Document:
    """The document of a command that failed."""
    return {"format": FORMAT, "command": command, "exit_code": error.exit_code, "error": error_value(error)}


def error_value(error: ProvisionError) -> Document:
    """An error's fields; a cluster file's problems, and the single failures of an error that gathers several."""
    value: Document = {"code": error.code, "what": error.what, "where": error.where}
    value |= {"why": error.why, "next": error.next}
    if isinstance(error, ClusterFileError):
        value |= {"file": error.file, "problems": [asdict(one) for one in error.problems]}
    failures: Mapping[str, ProvisionError] = getattr(error, "failures", {})
    return value | ({"hosts": {host: error_value(one) for host, one in failures.items()}} if failures else {})


def change_values(changes: Iterable[Change]) -> list[Document]:
    """Changes with their resources."""
    return [encode_change(one) for one in changes]


def finding_values(findings: Iterable[Finding]) -> list[Document]:
    """Findings with all their words."""
    return [asdict(one) for one in findings]
