"""Small commands about the host itself: users, owners, names, kernel parameters, and the check of rsyslog's files.

Files under the root belong to whoever runs the lab; here they belong to root, and to whom `chown` gave them (`lab/owners`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from provision.lab.balancer import rsyslogcfg
from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.closedpath import machine_tool
from provision.lab.balancer.machine import Machine, apply_sysctl_file, sysctl_files

STAT_SECONDS = 5.0


def _accounts(machine: Machine, file: str) -> dict[str, list[str]]:
    text = (machine.layout.root / "etc" / file).read_text(encoding="utf-8")
    return {row[0]: row for row in (line.split(":") for line in text.splitlines()) if len(row) > 2}


def identity(machine: Machine, call: Call) -> Reply:
    """`id [-u|-g|-G] [-n] [USER]`, from the host's own passwd and group files."""
    flags = "".join(word.lstrip("-") for word in call.arguments if word.startswith("-"))
    names = [word for word in call.arguments if not word.startswith("-")]
    user = names[0] if names else call.user
    account = _accounts(machine, "passwd").get(user)
    if account is None:
        return complain(f"id: ‘{user}’: no such user")
    groups = _accounts(machine, "group")
    group = next((name for name, row in groups.items() if row[2] == account[3]), account[3])
    if "u" in flags:
        return say(user if "n" in flags else account[2])
    if "g" in flags or "G" in flags:
        return say(group if "n" in flags else account[3])
    return say(f"uid={account[2]}({user}) gid={account[3]}({group}) groups={account[3]}({group})")


def whoami(machine: Machine, call: Call) -> Reply:
    """The caller."""
    return say(call.user)


def getent(machine: Machine, call: Call) -> Reply:
    """`passwd`, `group` and `hosts`, from the host's own files."""
    database, *keys = call.arguments or ("",)
    if database in ("passwd", "group"):
        accounts = _accounts(machine, database)
        rows = [accounts[key] for key in keys if key in accounts] if keys else list(accounts.values())
        return say(*(":".join(row) for row in rows), code=0 if rows and (not keys or len(rows) == len(keys)) else 2)
    if database in ("hosts", "ahosts", "ahostsv4"):
        lines = (machine.layout.root / "etc/hosts").read_text(encoding="utf-8").splitlines()
        found = [line for line in lines if set(keys) & set(line.split())]
        return say(*found, code=0 if found else 2)
    return complain(f"Unknown database: {database}", code=1)


def hostname(machine: Machine, call: Call) -> Reply:
    """`hostname [-s|-f|-I]`."""
    if "-I" in call.arguments:
        return say(" ".join(cidr.partition("/")[0] for cidr in machine.state.addresses))
    return say(machine.settings.name)


def hostnamectl(machine: Machine, call: Call) -> Reply:
    """`hostnamectl [status]`, and `hostname`."""
    if "hostname" in call.arguments or "--static" in call.arguments:
        return say(machine.settings.name)
    return say(
        f"   Static hostname: {machine.settings.name}",
        "         Icon name: computer-vm",
        "           Chassis: vm",
        f"  Operating System: {machine.settings.shape.pretty_name}",
        "      Architecture: x86-64",
    )


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
        known = _accounts(machine, file)
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


def stat(machine: Machine, call: Call) -> Reply:
    """This machine's own stat, with the owners that the host believes in."""
    binary = machine_tool("stat")
    words = list(call.arguments)
    place = next(
        (
            number
            for number, word in enumerate(words)
            if word in ("-c", "--printf") or word.startswith(("--format=", "--printf=", "-c"))
        ),
        None,
    )
    if binary is None or place is None:
        done = subprocess.run(
            [binary or "stat", *words], capture_output=True, text=True, cwd=call.cwd, timeout=STAT_SECONDS, check=False
        )
        return Reply(
            done.returncode, re.sub(r"(Uid|Gid): \(\s*\d+/[^)]*\)", r"\1: (    0/    root)", done.stdout), done.stderr
        )
    takes_next = words[place] in ("-c", "--printf")
    head, form, files = words[:place], words[place + 1] if takes_next else words[place], words[place + 1 + takes_next :]
    option = [words[place]] if takes_next else []
    owners = _owners(machine)
    options = [word for word in files if word.startswith("-")]
    out, err, code = "", "", 0
    for file in (word for word in files if not word.startswith("-")):
        user, group = _owner_of(owners, Path(call.cwd) / file)
        shown = form.replace("%U", user).replace("%G", group).replace("%u", _number(machine, "passwd", user))
        shown = shown.replace("%g", _number(machine, "group", group))
        done = subprocess.run(
            [binary, *head, *option, shown, *options, file],
            capture_output=True,
            text=True,
            cwd=call.cwd,
            timeout=STAT_SECONDS,
            check=False,
        )
        out, err, code = out + done.stdout, err + done.stderr, code or done.returncode
    return Reply(code, out, err)


def _number(machine: Machine, file: str, name: str) -> str:
    return _accounts(machine, file).get(name, ["", "", "0"])[2]


def sysctl(machine: Machine, call: Call) -> Reply:
    """`sysctl [-n] [-e] [-q] KEY...`, `-w KEY=VALUE`, `-p [FILE]`, `--system`; the parameters are files below proc/sys."""
    flags = [word for word in call.arguments if word.startswith("-")]
    words = [word for word in call.arguments if not word.startswith("-")]
    letters = "".join(flag[1:] for flag in flags if not flag.startswith("--"))
    root = machine.layout.root
    if "--system" in flags or "p" in letters:
        if not call.is_root:
            return complain("sysctl: permission denied on key")
        paths = (
            sysctl_files(root)
            if "--system" in flags
            else tuple(Path(call.cwd) / word for word in words) or (root / "etc/sysctl.conf",)
        )
        missing = [path for path in paths if not path.exists()]
        if missing:
            return complain(f'sysctl: cannot open "{missing[0]}": No such file or directory', code=255)
        done = [pair for path in paths for pair in apply_sysctl_file(root, path)]
        return Reply() if "q" in letters else say(*(f"{key} = {value}" for key, value in done))
    return _sysctl_keys(machine, call, letters, words)


def _sysctl_keys(machine: Machine, call: Call, letters: str, words: list[str]) -> Reply:
    out, err, code = "", "", 0
    for word in words:
        key, equals, value = word.partition("=")
        entry = machine.layout.root / "proc/sys" / key.replace(".", "/")
        if not entry.is_file():
            path = "/proc/sys/" + key.replace(".", "/")
            err += "" if "e" in letters else f"sysctl: cannot stat {path}: No such file or directory\n"
            code = code if "e" in letters else 255
            continue
        if equals and not call.is_root:
            return complain(f'sysctl: permission denied on key "{key}"', code=255)
        if equals:
            write_text(entry, f"{value}\n")
        text = entry.read_text(encoding="utf-8").rstrip("\n")
        if not (equals and "q" in letters):
            out += f"{text}\n" if "n" in letters else f"{key} = {text}\n"
    return Reply(code, out, err)


def rsyslogd(machine: Machine, call: Call) -> Reply:
    """`rsyslogd -N1 [-f FILE]` and `-v`; the daemon itself is started by its unit."""
    words = list(call.arguments)
    if "-v" in words:
        return say("rsyslogd  8.2310.0 (aka 2023.10) compiled with:", "\tPLATFORM:\t\t\t\tx86_64-redhat-linux-gnu")
    if not any(word.startswith("-N") for word in words):
        return complain("rsyslogd: in the lab the daemon is started by its unit: systemctl start rsyslog")
    main = machine.layout.root / "etc/rsyslog.conf"
    if "-f" in words and words.index("-f") + 1 < len(words):
        main = Path(call.cwd) / words[words.index("-f") + 1]
    config = rsyslogcfg.read(main)
    return complain(
        f"rsyslogd: version 8.2310.0, config validation run (level 1), master config {main}",
        *config.errors,
        "rsyslogd: End of config validation run. Bye.",
        code=1 if config.errors else 0,
    )


def restorecon(machine: Machine, call: Call) -> Reply:
    """Labels are not modelled: every file has the one that policy gives it."""
    missing = [
        word for word in call.arguments if not word.startswith("-") and not os.path.lexists(Path(call.cwd) / word)
    ]
    if missing:
        return complain(
            f"restorecon: SELinux: Could not get canonical path for {missing[0]} restorecon: No such file or directory.",
            code=255,
        )
    return Reply()
