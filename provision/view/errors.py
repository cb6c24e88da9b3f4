"""Errors as sentences: what, where, why, and what to do next, with a stable code."""

from __future__ import annotations

from provision.errors import ClusterFileError, ProvisionError
from provision.view.marks import Lines, line, next_lines
from provision.view.problems import file_problems


def error_lines(error: ProvisionError, *, among: bool = False) -> Lines:
    """An error with all it knows; one that gathers several (`failures`) lists each. `among`: see `file_problems`."""
    if isinstance(error, ClusterFileError):
        return file_problems(error, among=among)
    place = f"{error.where}: " if error.where else ""
    rows = [line(("error", "bold dark_orange"), f" {error.code}  ", place, *_first(error.what))]
    rows += [line(part, indent=4) for part in error.what.splitlines()[1:]]
    rows += [line(part, indent=4) for part in error.why.splitlines()]
    for host, one in getattr(error, "failures", {}).items():
        rows.append(line((host, "bold"), "  ", one.what, f" ({one.code})", indent=2))
        rows += [line(part, indent=6) for part in one.why.splitlines()]
        rows += [line("do: ", one.next, indent=6)] if one.next else []
    return rows + next_lines(*([error.next] if error.next else []))


def _first(text: str) -> list[str]:
    return text.splitlines()[:1]
