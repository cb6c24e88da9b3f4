"""`systemctl` and `journalctl`: systemd's words for what `Units` knows.

Sentences and exit codes are those of systemd 219 (EL7) to 257 (EL10); where versions differ, the shape decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from provision.lab.balancer import unitfile
from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.services import ServiceFailed
from provision.lab.balancer.units import CannotReload, NoSuchUnit, NotActive
from provision.lab.balancer.words.properties import properties

_FLAGS = (
    "--no-pager",
    "--quiet",
    "-q",
    "--full",
    "-l",
    "--now",
    "--value",
    "--no-legend",
    "--plain",
    "--system",
    "--all",
    "-a",
    "--no-block",
    "--force",
    "-f",
    "--runtime",
    "--no-ask-password",
    "--failed",
)
_VALUED = ("-p", "--property", "-n", "--lines", "-t", "--type", "-o", "--output", "--state")


@dataclass(frozen=True, slots=True)
class Request:
    """A command line, taken apart."""

    verb: str
    units: tuple[str, ...]
    flags: frozenset[str]
    values: Mapping[str, tuple[str, ...]]

    @property
    def quiet(self) -> bool:
        """Say nothing."""
        return bool(self.flags & {"-q", "--quiet"})


def parse(words: tuple[str, ...]) -> Request | str:
    """The request, or the option that systemctl does not know."""
    flags: set[str] = set()
    values: dict[str, tuple[str, ...]] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if key in _VALUED:
            values[key] = (*values.get(key, ()), value if equals else next(rest, ""))
        elif word.startswith("-p") and len(word) > 2:
            values["-p"] = (*values.get("-p", ()), word[2:])
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("-"):
            return word
        else:
            plain.append(word)
    units = tuple(name if "." in name else f"{name}.service" for name in plain[1:])
    return Request(plain[0] if plain else "list-units", units, frozenset(flags), values)


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
        return complain(
            f"Failed to {request.verb} {' '.join(request.units)}: Interactive authentication required.".replace(
                "  ", " "
            )
        )
    return verb(machine, request)


def _merge(replies: list[Reply]) -> Reply:
    code = next((reply.code for reply in replies if reply.code), 0)
    return Reply(code, "".join(reply.out for reply in replies), "".join(reply.err for reply in replies))


def _each(one: Callable[[Machine, Request, str], Reply]) -> Callable[[Machine, Request], Reply]:
    def run(machine: Machine, request: Request) -> Reply:
        if not request.units:
            return complain("Too few arguments.")
        return _merge([one(machine, request, unit) for unit in request.units])

    return run


def _known(machine: Machine, unit: str) -> bool:
    try:
        machine.units.unit(unit)
    except NoSuchUnit:
        return False
    return True


def _is_active(machine: Machine, request: Request) -> Reply:
    old = machine.settings.shape.systemd < 230
    states = [
        machine.units.status(unit).active if _known(machine, unit) else ("unknown" if old else "inactive")
        for unit in request.units
    ]
    missing = machine.settings.shape.systemd >= 246 and not any(_known(machine, unit) for unit in request.units)
    code = 0 if "active" in states else (4 if missing else 3)
    return Reply(code, "" if request.quiet else "".join(f"{state}\n" for state in states))


def _is_enabled(machine: Machine, request: Request) -> Reply:
    replies: list[Reply] = []
    for unit in request.units:
        if not _known(machine, unit):
            replies.append(
                say("not-found", code=4)
                if machine.settings.shape.systemd >= 254
                else complain(f"Failed to get unit file state for {unit}: No such file or directory")
            )
            continue
        state = machine.units.file_state(unit)
        replies.append(say(state, code=0 if state in ("enabled", "static") else 1))
    merged = _merge(replies)
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
    if not _known(machine, unit):
        return complain(f"No files found for {unit}.")
    found = unitfile.load(unit, machine.units.folders)
    paths = () if found is None else (found.path, *found.drop_ins)
    return Reply(out="\n".join(f"# {path}\n{path.read_text(encoding='utf-8')}" for path in paths))


def _start(machine: Machine, request: Request, unit: str) -> Reply:
    return _job(machine, "start", unit, machine.units.start)


def _stop(machine: Machine, request: Request, unit: str) -> Reply:
    if not _known(machine, unit):
        return complain(f"Failed to stop {unit}: Unit {unit} not loaded.", code=5)
    machine.units.stop(unit)
    return Reply(err=_stale(machine, unit))


def _restart(machine: Machine, request: Request, unit: str) -> Reply:
    def again(name: str) -> None:
        machine.units.stop(name)
        machine.units.start(name)

    return _job(machine, "restart", unit, again)


def _try_restart(machine: Machine, request: Request, unit: str) -> Reply:
    return _restart(machine, request, unit) if machine.units.status(unit).active == "active" else Reply()


def _reload(machine: Machine, request: Request, unit: str) -> Reply:
    return _job(machine, "reload", unit, machine.units.reload)


def _reload_or_restart(machine: Machine, request: Request, unit: str) -> Reply:
    running = _known(machine, unit) and machine.units.status(unit).active == "active"
    can = running and machine.units.unit(unit).all("Service.ExecReload")
    return (_reload if can else _restart)(machine, request, unit)


def _job(machine: Machine, verb: str, unit: str, run: Callable[[str], None]) -> Reply:
    xe = "-xe" if machine.settings.shape.systemd < 246 else f"-xeu {unit}"
    try:
        stale = _stale(machine, unit)
        if verb in ("start", "restart") and machine.units.file_state(unit) == "masked":
            return complain(f"Failed to {verb} {unit}: Unit {unit} is masked.")
        run(unit)
    except NoSuchUnit:
        name = f"Unit {unit} not found." if machine.settings.shape.systemd >= 230 else "Unit not found."
        return complain(f"Failed to {verb} {unit}: {name}", code=5)
    except NotActive:
        return complain(f"{unit} is not active, cannot reload.")
    except CannotReload:
        return complain(f"Failed to reload {unit}: Job type reload is not applicable for unit {unit}.")
    except ServiceFailed:
        return complain(
            f"Job for {unit} failed because the control process exited with error code.",
            f'See "systemctl status {unit}" and "journalctl {xe}" for details.',
        )
    return Reply(err=stale)


def _stale(machine: Machine, unit: str) -> str:
    if not machine.units.needs_daemon_reload(unit):
        return ""
    return (
        f"Warning: The unit file, source configuration file or drop-ins of {unit} changed on disk. Run 'systemctl "
        "daemon-reload' to reload units.\n"
    )


def _enable(machine: Machine, request: Request, unit: str) -> Reply:
    if not _known(machine, unit):
        return complain(
            "Failed to execute operation: No such file or directory"
            if machine.settings.shape.systemd < 230
            else f"Failed to enable unit: Unit file {unit} does not exist."
        )
    link = machine.units.enable(unit)
    target = machine.units.unit(unit).path
    arrow = (
        f"Created symlink from {link} to {target}."
        if machine.settings.shape.systemd < 230
        else f"Created symlink {link} → {target}."
    )
    done = complain(arrow, code=0) if link else Reply()
    return _merge([done, _start(machine, request, unit)]) if "--now" in request.flags else done


def _disable(machine: Machine, request: Request, unit: str) -> Reply:
    if not _known(machine, unit):
        return complain(
            "Failed to execute operation: No such file or directory"
            if machine.settings.shape.systemd < 230
            else f"Failed to disable unit: Unit file {unit} does not exist."
        )
    link = machine.units.disable(unit)
    removed = (
        f"Removed symlink {link}."
        if machine.settings.shape.systemd < 230
        else (f'Removed "{link}".' if machine.settings.shape.systemd >= 246 else f"Removed {link}.")
    )
    done = complain(removed, code=0) if link else Reply()
    return _merge([done, _stop(machine, request, unit)]) if "--now" in request.flags else done


def _daemon_reload(machine: Machine, request: Request) -> Reply:
    machine.units.daemon_reload()
    return Reply()


def _reset_failed(machine: Machine, request: Request) -> Reply:
    return Reply()


def _status(machine: Machine, request: Request, unit: str) -> Reply:
    if not _known(machine, unit):
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
    return say(*(f"{unit} {machine.units.file_state(unit)}" for unit in names))


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
    "cat": _each(_cat),
    "start": _each(_start),
    "stop": _each(_stop),
    "restart": _each(_restart),
    "try-restart": _each(_try_restart),
    "reload": _each(_reload),
    "reload-or-restart": _each(_reload_or_restart),
    "enable": _each(_enable),
    "disable": _each(_disable),
    "daemon-reload": _daemon_reload,
    "reset-failed": _reset_failed,
    "status": _each(_status),
    "list-units": _list,
    "list-unit-files": _list_files,
    "is-system-running": _is_system_running,
}


def journalctl(machine: Machine, call: Call) -> Reply:
    """The journal: -u UNIT, -n COUNT, -o cat, -k (nothing); other options are taken and change nothing."""
    unit: str | None = None
    count, bare = 1000, False
    words = list(call.arguments)
    while words:
        word = words.pop(0)
        key, equals, value = word.partition("=")
        if key in ("-u", "--unit", "-n", "--lines", "-o", "--output", "--since", "-p") or word in ("-xeu", "-t"):
            value = value if equals else (words.pop(0) if words else "")
        if key in ("-u", "--unit", "-xeu"):
            unit = value if "." in value else f"{value}.service"
        elif key in ("-n", "--lines"):
            count = int(value) if value.isdigit() else count
        elif key in ("-o", "--output"):
            bare = value == "cat"
    entries = machine.journal.tail(unit, count)
    if not entries:
        return say("-- No entries --")
    return say(*(entry.text if bare else entry.render(machine.settings.name) for entry in entries))
