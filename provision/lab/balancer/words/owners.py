"""`chown`, `chgrp`, `stat`: who owns a file of the host.

Files under the root belong to whoever runs the lab; here they belong to root, and to whom `chown` gave them (`lab/owners.json`).
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path

from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.call import Call, Reply, complain
from provision.lab.balancer.closedpath import machine_tool
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.words.host import accounts

STAT_SECONDS = 5.0
_FORMAT = re.compile(r"-c|--printf|--format=")


def _owners_file(machine: Machine) -> Path:
    return machine.layout.lab / "owners.json"


def _owners(machine: Machine) -> dict[str, list[str]]:
    path = _owners_file(machine)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _key(path: Path) -> str:
    status = path.stat()
    return f"{status.st_dev}:{status.st_ino}"


def chown(machine: Machine, call: Call) -> Reply:
    """`chown [-R] [-h] USER[:GROUP] FILE...` and `chgrp`; the owner is noted, the file itself stays the operator's."""
    words = [word for word in call.arguments if not word.startswith("-")]
    reference = next((word.partition("=")[2] for word in call.arguments if word.startswith("--reference=")), None)
    if len(words) < (1 if reference else 2):
        return complain(f"{call.name}: missing operand")
    if not call.is_root:
        return complain(f"{call.name}: changing ownership of '{words[-1]}': Operation not permitted")
    owners = _owners(machine)
    if reference is not None:
        user, group, files = *_owner_of(owners, Path(call.cwd) / reference), words
    else:
        user, _, group = words[0].replace(".", ":", 1).partition(":") if call.name == "chown" else ("", "", words[0])
        files = words[1:]
    for name, file in ((user, "passwd"), (group, "group")):
        known = accounts(machine, file)
        if name and name not in known and name not in {row[2] for row in known.values()}:
            return complain(f"{call.name}: invalid {'user' if file == 'passwd' else 'group'}: ‘{words[0]}’")
    return _note_owners(machine, call, owners, (user, group), files)


def _note_owners(
    machine: Machine, call: Call, owners: dict[str, list[str]], who: tuple[str, str], files: list[str]
) -> Reply:
    for file in files:
        path = Path(call.cwd) / file
        if not path.exists():
            return complain(f"{call.name}: cannot access '{file}': No such file or directory")
        before = _owner_of(owners, path)
        owners[_key(path)] = [who[0] or before[0], who[1] or before[1]]
    write_text(_owners_file(machine), json.dumps(owners))
    return Reply()


def _owner_of(owners: dict[str, list[str]], path: Path) -> tuple[str, str]:
    user, group = owners.get(_key(path), ["root", "root"]) if path.exists() else ("root", "root")
    return user, group


def owner_of(machine: Machine, path: Path) -> tuple[str, str]:
    """Whom a file of the host belongs to: user and group."""
    return _owner_of(_owners(machine), path)


def stat(machine: Machine, call: Call) -> Reply:
    """This machine's own stat, with the owners that the host believes in."""
    words = list(call.arguments)
    place = next((number for number, word in enumerate(words) if _FORMAT.match(word)), None)
    if place is None:
        reply = _run_stat(words, call.cwd)
        return Reply(reply.code, re.sub(r"(Uid|Gid): \(\s*\d+/[^)]*\)", r"\1: (    0/    root)", reply.out), reply.err)
    after = place + 1 + (words[place] in ("-c", "--printf"))
    files = [word for word in words[after:] if not word.startswith("-")]
    options = [word for word in (*words[:place], *words[after:]) if word.startswith("-")]
    owners = _owners(machine)
    out, err, code = "", "", 0
    for owner, group in itertools.groupby(files, key=lambda file: _owner_of(owners, Path(call.cwd) / file)):
        form = [_with_owner(machine, word, owner) for word in words[place:after]]
        reply = _run_stat([*options, *form, *group], call.cwd)
        out, err, code = out + reply.out, err + reply.err, code or reply.code
    return Reply(code, out, err)


def _run_stat(words: list[str], cwd: str) -> Reply:
    binary = machine_tool("stat")
    if binary is None:
        return complain("stat: command not found", code=127)
    done = subprocess.run(["stat", *words], executable=binary, capture_output=True, text=True, cwd=cwd, timeout=STAT_SECONDS, check=False)
    return Reply(done.returncode, done.stdout, done.stderr)


def _with_owner(machine: Machine, form: str, owner: tuple[str, str]) -> str:
    user, group = owner
    named = form.replace("%U", user).replace("%G", group)
    return named.replace("%u", _number(machine, "passwd", user)).replace("%g", _number(machine, "group", group))


def _number(machine: Machine, file: str, name: str) -> str:
    return accounts(machine, file).get(name, ["", "", "0"])[2]
