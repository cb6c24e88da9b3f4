"""`provision render`: prints or writes what would be sent, without contacting anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provision.cli.desk import Desk
from provision.engine.render import configurations, haproxy_version
from provision.engine.render import everything as all_files
from provision.errors import UsageError
from provision.view.marks import Lines, line, plural, verbatim


def render(desk: Desk, cluster: str | None, out: Path | None, haproxy: str, everything: bool) -> int:
    """haproxy.cfg alone, so that it can be piped; everything with headings, or as files below `out`."""
    version = haproxy_version(haproxy)
    found = desk.load(cluster)
    files = all_files(found, version) if everything or out else configurations(found, version)
    if out is not None:
        _write(out, files)
        written = [str(out / one) for one in files]
        return desk.finish(0, [line(f"{plural(len(files), 'file')} written below {out}")], lambda: {"written": written})
    return desk.finish(0, _printed(files), lambda: {"files": files})


def _printed(files: Mapping[str, str]) -> Lines:
    """One file as it is; several each after a comment line with its name."""
    rows: Lines = []
    for name, text in files.items():
        rows += [verbatim(f"# ===== {name} =====", "dim")] if len(files) > 1 else []
        rows += [verbatim(one) for one in text.rstrip("\n").split("\n")]
    return rows


def _write(out: Path, files: Mapping[str, str]) -> None:
    """Write the files, the same bytes on every system. Raises UsageError."""
    for name, text in files.items():
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        except OSError as error:
            raise UsageError("P904", "cannot be written", where=str(path), why=error.strerror or str(error)) from error
