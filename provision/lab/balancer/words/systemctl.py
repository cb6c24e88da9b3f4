"""`systemctl` and `journalctl`: systemd's words for what `Units` knows.

Sentences and exit codes are those of systemd 219 (EL7) to 257 (EL10); where versions differ, the shape decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from provision.lab.balancer import enablement
from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.words import jobs
from provision.lab.balancer.words.properties import properties
from provision.lab.balancer.words.systemctl_request import Request, each, known, merge, parse


def systemctl(machine: Machine, call: Call) -> Reply:
    """Answer one call."""
    request = parse(call.arguments)
    old_value = machine.settings.shape.systemd < 230 and "--value" in call.arguments
    if isinstance(request, str) or old_value:
        return complain(f"systemctl: unrecognized option '{request if isinstance(request, str) else '--value'}'")
    if request.verb == "--version":
        return say(f"systemd {machine.settings.shape.systemd}")
    verb = _VERBS.get(request.verb)
    if verb is None:
        return complain(
            f"Unknown command verb {request.verb}."
            if machine.settings.shape.systemd >= 250
            else f"Unknown operation {request.verb}."
        )
    if request.verb in _CHANGING and not call.is_root:
        return jobs.refused(request)
    return verb(machine, request)


def _is_active(machine: Machine, request: Request) -> Reply:
    old = machine.settings.shape.systemd < 230
    states = [
        machine.units.status(unit).active if known(machine, unit) else ("unknown" if old else "inactive")
        for unit in request.units
    ]
    missing = machine.settings.shape.systemd >= 254 and not any(known(machine, unit) for unit in request.units)
    code = 0 if "active" in states else (4 if missing else 3)
    return Reply(code, "" if request.quiet else "".join(f"{state}\n" for state in states))


def _is_enabled(machine: Machine, request: Request) -> Reply:
    replies: list[Reply] = []
    for unit in request.units:
        if not known(machine, unit):
            replies.append(
                say("not-found", code=4)
                if machine.settings.shape.systemd >= 254
                else complain(f"Failed to get unit file state for {unit}: No such file or directory")
            )
            continue
        state = enablement.state(machine.units.folders[0], machine.units.unit(unit))
        replies.append(say(state, code=0 if state in ("enabled", "static") else 1))
    merged = merge(replies)
    return Reply(merged.code, "", merged.err) if request.quiet else merged


def _is_failed(machine: Machine, request: Request) -> Reply:
    states = [machine.units.status(unit).active for unit in request.units]
    return Reply(0 if "failed" in states else 1, "" if request.quiet else "".join(f"{state}\n" for state in states))


def _show(machine: Machine, request: Request) -> Reply:
    wanted = [
        name
        for value in (*request.values.get("-p", ()), *request.values.get("--property", ()))
        for name in value.split(",")
    ]
    blocks: list[str] = []
    for unit in request.units:
        found = properties(machine, unit)
        shown = {key: value for key, value in found.items() if not wanted or key in wanted}
        lines = shown.values() if "--value" in request.flags else (f"{key}={value}" for key, value in shown.items())
        blocks.append("".join(f"{line}\n" for line in lines))
    return Reply(out="\n".join(blocks))


def _cat(machine: Machine, request: Request, unit: str) -> Reply:
    if not known(machine, unit):
        return complain(f"No files found for {unit}.")
    found = machine.units.unit(unit)
    texts = (f"# {path}\n{path.read_text(encoding='utf-8')}" for path in (found.path, *found.drop_ins) if path.exists())
    return Reply(out="\n".join(texts), err=jobs.outdated(machine, unit))


def _status(machine: Machine, request: Request, unit: str) -> Reply:
    if not known(machine, unit):
        return complain(f"Unit {unit} could not be found.", code=4)
    found, status = properties(machine, unit), machine.units.status(unit)
    since = datetime.fromtimestamp((status.since if status.active == "active" else status.inactive_since)[0], UTC)
    reason = "" if status.result == "success" else f" (Result: {status.result})"
    mark = {"active": "●", "failed": "×"}.get(status.active, "○")
    lines = [
        f"{mark} {unit} - {found['Description']}",
        f"     Loaded: loaded ({found['FragmentPath']}; {found['UnitFileState']}; preset: disabled)",
        f"     Active: {status.active} ({status.sub}){reason} since {since:%a %Y-%m-%d %H:%M:%S} UTC",
    ]
    lines += [f"   Main PID: {status.main_pid} ({unit.partition('.')[0]})"] if status.main_pid else []
    lines += [f'     Status: "{found["StatusText"]}"'] if found["StatusText"] else []
    count = int((request.values.get("-n") or request.values.get("--lines") or ("10",))[-1])
    entries = [entry.render(machine.settings.name) for entry in machine.journal.tail(unit, count)]
    return say(*lines, *(["", *entries] if entries else []), code=0 if status.active == "active" else 3)


def _list(machine: Machine, request: Request) -> Reply:
    rows = [
        f"{unit} loaded {status.active} {status.sub} {machine.units.unit(unit).first('Unit.Description')}"
        for unit in machine.units.names()
        for status in [machine.units.status(unit)]
    ]
    return say(*rows)


def _list_files(machine: Machine, request: Request) -> Reply:
    names = [unit for unit in machine.units.names() if not request.units or unit in request.units]
    return say(*(f"{unit} {enablement.state(machine.units.folders[0], machine.units.unit(unit))}" for unit in names))


def _is_system_running(machine: Machine, request: Request) -> Reply:
    failed = any(machine.units.status(unit).active == "failed" for unit in machine.units.names())
    return say("degraded", code=1) if failed else say("running")


_CHANGING = frozenset(
    (
        "start",
        "stop",
        "restart",
        "try-restart",
        "reload",
        "reload-or-restart",
        "enable",
        "disable",
        "daemon-reload",
        "reset-failed",
    )
)
_VERBS: Mapping[str, Callable[[Machine, Request], Reply]] = {
    "is-active": _is_active,
    "is-enabled": _is_enabled,
    "is-failed": _is_failed,
    "show": _show,
    "cat": each(_cat),
    "start": each(jobs.start),
    "stop": each(jobs.stop),
    "restart": each(jobs.restart),
    "try-restart": each(jobs.try_restart),
    "reload": each(jobs.reload),
    "reload-or-restart": each(jobs.reload_or_restart),
    "enable": each(jobs.enable),
    "disable": each(jobs.disable),
    "daemon-reload": jobs.daemon_reload,
    "reset-failed": jobs.reset_failed,
    "status": each(_status),
    "list-units": _list,
    "list-unit-files": _list_files,
    "is-system-running": _is_system_running,
}
