"""Small commands about the host itself: users, names, kernel parameters, and the check of rsyslog's files."""

from __future__ import annotations

import os
from pathlib import Path

from provision.lab.balancer import rsyslogcfg
from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine, apply_sysctl_file, sysctl_files


def accounts(machine: Machine, file: str) -> dict[str, list[str]]:
    """The rows of etc/passwd or etc/group, by name."""
    text = (machine.layout.root / "etc" / file).read_text(encoding="utf-8")
    return {row[0]: row for row in (line.split(":") for line in text.splitlines()) if len(row) > 2}


def identity(machine: Machine, call: Call) -> Reply:
    """`id [-u|-g|-G] [-n] [USER]`, from the host's own passwd and group files."""
    flags = "".join(word.lstrip("-") for word in call.arguments if word.startswith("-"))
    names = [word for word in call.arguments if not word.startswith("-")]
    user = names[0] if names else call.user
    account = accounts(machine, "passwd").get(user)
    if account is None:
        return complain(f"id: ‘{user}’: no such user")
    groups = accounts(machine, "group")
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
        known = accounts(machine, database)
        rows = [known[key] for key in keys if key in known] if keys else list(known.values())
        return say(*(":".join(row) for row in rows), code=0 if rows and (not keys or len(rows) == len(keys)) else 2)
    if database in ("hosts", "ahosts", "ahostsv4"):
        lines = (machine.layout.root / "etc/hosts").read_text(encoding="utf-8").splitlines()
        found = [line.split() for line in lines if set(keys) & set(line.split())]
        return say(*(f"{address:<15} {' '.join(names)}" for address, *names in found), code=0 if found else 2)
    return complain(
        f"Unknown database: {database}", "Try `getent --help' or `getent --usage' for more information.", code=1
    )


def hostname(machine: Machine, call: Call) -> Reply:
    """`hostname [-s|-f|-I]`."""
    if "-I" in call.arguments:
        return say("".join(f"{cidr.partition('/')[0]} " for cidr in machine.state.addresses))
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
        told = [line for path in paths for line in _apply(root, path)]
        return Reply() if "q" in letters else say(*told)
    return _sysctl_keys(machine, call, letters, words)


def _apply(root: Path, path: Path) -> list[str]:
    done = apply_sysctl_file(root, path)
    return [f"* Applying {path} ...", *(f"{key} = {value}" for key, value in done)]


def _sysctl_keys(machine: Machine, call: Call, letters: str, words: list[str]) -> Reply:
    out, err, code = "", "", 0
    for word in words:
        key, equals, value = word.partition("=")
        entry = machine.layout.root / "proc/sys" / key.replace(".", "/")
        if not entry.is_file():
            path = "/proc/sys/" + key.replace(".", "/")
            err += "" if "e" in letters else f"sysctl: cannot stat {path}: No such file or directory\n"
            code = code if "e" in letters else _sysctl_failure(machine)
            continue
        if equals and not call.is_root:
            return complain(f'sysctl: permission denied on key "{key}"', code=_sysctl_failure(machine))
        if equals:
            write_text(entry, f"{value}\n")
        text = entry.read_text(encoding="utf-8").rstrip("\n")
        if not (equals and "q" in letters):
            out += f"{text}\n" if "n" in letters else f"{key} = {text}\n"
    return Reply(code, out, err)


def _sysctl_failure(machine: Machine) -> int:
    """procps 4 (EL10) ends with 1 where procps 3 ended with -1."""
    return 1 if machine.settings.shape.major >= 10 else 255


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
        *(config.errors or ["rsyslogd: End of config validation run. Bye."]),
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
