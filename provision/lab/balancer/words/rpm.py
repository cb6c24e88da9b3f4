"""`rpm`: questions about what is installed, and whether it still is as it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from provision.lab.balancer import install
from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.words.owners import owner_of
from provision.lab.balancer.words.packages import Package, installed


def rpm(machine: Machine, call: Call) -> Reply:
    """`-q`, `-qa`, `-qi`, `-ql`, `-qc`, `-qf`, `-V`, with --qf."""
    words, form = list(call.arguments), None
    for flag in ("--qf", "--queryformat"):
        if flag in words:
            place = words.index(flag)
            form = words[place + 1] if place + 1 < len(words) else ""
            del words[place : place + 2]
    form = next((word.partition("=")[2] for word in words if word.startswith(("--qf=", "--queryformat="))), form)
    flags = "".join(word[1:] for word in words if word.startswith("-") and not word.startswith("--"))
    names = [word for word in words if not word.startswith("-")]
    if "V" in flags or "--verify" in words:
        return _verify(machine, names)
    if "q" not in flags and "--query" not in words:
        return complain("rpm: no arguments given")
    if "f" in flags:
        return _owner(machine, names)
    present = installed(machine)
    if "a" in flags:
        return say(*(package.nevra for package in present.values() if not names or package.name in names))
    return _query(machine, names, flags, form)


def _query(machine: Machine, names: list[str], flags: str, form: str | None) -> Reply:
    present = installed(machine)
    missing = [name for name in names if name not in present]
    out = "".join(_one(machine, present[name], flags, form) for name in names if name in present)
    return Reply(len(missing), out + "".join(f"package {name} is not installed\n" for name in missing))


def _one(machine: Machine, package: Package, flags: str, form: str | None) -> str:
    if form is not None:
        values = {
            "NAME": package.name,
            "VERSION": package.version,
            "RELEASE": package.release,
            "ARCH": package.arch,
            "EPOCH": "(none)",
            "EPOCHNUM": "0",
            "NVRA": package.nevra,
            "SUMMARY": package.summary,
            "INSTALLTIME": "1700000000",
        }
        for key, value in values.items():
            form = form.replace(f"%{{{key}}}", value).replace(f"%{{{key.lower()}}}", value)
        return form.replace("\\n", "\n").replace("\\t", "\t")
    if "l" in flags or "c" in flags:
        files = install.HAPROXY_FILES if package.name == "haproxy" else ()
        chosen = [path for path in files if "l" in flags or path in install.HAPROXY_CONFIGURATION]
        return "".join(f"{machine.layout.root}{path}\n" for path in chosen)
    if "i" in flags:
        return (
            f"Name        : {package.name}\nVersion     : {package.version}\nRelease     : {package.release}\n"
            f"Architecture: {package.arch}\nSummary     : {package.summary}\n"
        )
    return f"{package.nevra}\n"


def _original(machine: Machine, path: str) -> str:
    return install.stock(install.HAPROXY_CONFIGURATION[path], machine.settings.shape, machine.layout.root)


def _verify(machine: Machine, names: list[str]) -> Reply:
    present = installed(machine)
    missing = [name for name in names if name not in present]
    if missing:
        return Reply(1, "".join(f"package {name} is not installed\n" for name in missing))
    lines = [line for path in install.HAPROXY_CONFIGURATION if "haproxy" in names for line in [_verified(machine, path)] if line]
    return say(*lines, code=1 if lines else 0)


def _verified(machine: Machine, path: str) -> str:
    file = machine.layout.under(path)
    if not file.exists():
        return f"missing   c {file}"
    wanted, found = _original(machine, path).encode(), file.read_bytes()
    tests: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("S", lambda: len(wanted) != len(found)),
        ("M", lambda: file.stat().st_mode & 0o777 != 0o644),
        ("5", lambda: hashlib.sha256(wanted).digest() != hashlib.sha256(found).digest()),
    )
    user, group = owner_of(machine, file)
    tests += (("U", lambda: user != "root"), ("G", lambda: group != "root"))
    failed = {letter for letter, test in tests if test()}
    marks = "".join(letter if letter in failed or (letter == "T" and "5" in failed) else "." for letter in "SM5DLUGTP")
    return f"{marks}  c {file}" if failed else ""


def _owner(machine: Machine, names: list[str]) -> Reply:
    haproxy = installed(machine).get("haproxy")
    owned = {str(machine.layout.under(path)) for path in install.HAPROXY_FILES} | set(install.HAPROXY_FILES)
    lines, code = [], 0
    for name in names:
        known = haproxy is not None and name in owned
        code = code if known else 1
        exists = Path(name).exists()
        lines.append(
            haproxy.nevra
            if known and haproxy
            else f"file {name} is not owned by any package"
            if exists
            else f"error: file {name}: No such file or directory"
        )
    return say(*lines, code=code)
