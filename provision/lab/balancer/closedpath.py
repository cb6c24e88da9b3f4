"""The closed PATH: one folder of links to this machine's plain tools, and to the stand-ins. Nothing else can be called by name.

A script that names a program by its absolute path (/usr/bin/systemctl) would still reach the machine's own; PATH cannot keep it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.door import SLOTS
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.settings import Settings

_STOCK = Path(__file__).parent / "stock"
_MACHINE = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin"

TOOLS: tuple[str, ...] = (
    "sh",
    "awk",
    "base64",
    "basename",
    "cat",
    "chmod",
    "cksum",
    "cmp",
    "comm",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "flock",
    "fold",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "join",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mktemp",
    "mv",
    "nice",
    "nl",
    "nohup",
    "nproc",
    "od",
    "paste",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "setsid",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shred",
    "sleep",
    "sort",
    "split",
    "stdbuf",
    "sync",
    "tac",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "truncate",
    "tty",
    "uname",
    "uniq",
    "wc",
    "which",
    "xargs",
    "yes",
    "[",
    "socat",
    "nc",
    "clear",
    "less",
    "more",
)


def machine_tool(name: str) -> Path | None:
    """Where this machine has a program."""
    found = shutil.which(name, path=_MACHINE)
    return Path(found) if found else None


def _needed(name: str) -> str:
    found = machine_tool(name)
    if found is None:
        raise FileNotFoundError(f"the lab's balancer needs '{name}', and this machine has none")
    return str(found)


def _fill(name: str, values: Mapping[str, str]) -> str:
    text = (_STOCK / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _link(folder: Path, name: str, target: Path) -> None:
    link = folder / name
    link.unlink(missing_ok=True)
    os.symlink(target, link)


def build(layout: Layout, settings: Settings, stand_ins: Iterable[str]) -> None:
    """Make the folder anew. `stand_ins` are the commands that the host answers itself."""
    shutil.rmtree(layout.tools, ignore_errors=True)
    layout.tools.mkdir(parents=True)
    script = layout.lab / "stand-in"
    values = {"CALLS": str(layout.calls), "USER": settings.user, "SLOTS": str(SLOTS)}
    write_text(script, _fill("stand-in", values), 0o755)
    wanted = [*TOOLS, *([settings.shape.python] if settings.shape.python else [])]
    for name in wanted:
        found = machine_tool(name)
        if found is not None and name not in settings.without:
            _link(layout.tools, name, found)
    for name in stand_ins:
        _link(layout.tools, name, script)
    write_text(layout.tools / "sudo", _sudo(layout, settings), 0o755)


def _sudo(layout: Layout, settings: Settings) -> str:
    salt = secrets.token_hex(8)
    digest = hashlib.sha256(f"{salt}{settings.sudo_password or secrets.token_hex(16)}".encode()).hexdigest()
    return _fill(
        "sudo",
        {
            "RULE": settings.sudo,
            "SALT": salt,
            "HASH": digest,
            "USER": settings.user,
            "SHA256SUM": _needed("sha256sum"),
            "ENV": _needed("env"),
            "PATH": str(layout.tools),
            "ROOT": str(layout.root),
        },
    )
