"""The properties that `systemctl show` prints, in systemd's own order: it does not follow the order of the request."""

from __future__ import annotations

from datetime import UTC, datetime

from provision.lab.balancer import enablement
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.unitfile import UnitFile
from provision.lab.balancer.units import NoSuchUnit, Status


def _stamp(time: tuple[float, int]) -> str:
    return f"{datetime.fromtimestamp(time[0], UTC):%a %Y-%m-%d %H:%M:%S} UTC" if time[0] else ""


def _command(line: str) -> str:
    words = line.lstrip("-@!+:")
    path = words.split(" ", 1)[0]
    ignore = "yes" if line.startswith("-") else "no"
    return (
        f"{{ path={path} ; argv[]={words} ; ignore_errors={ignore} ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; "
        "code=(null) ; status=0/0 }"
    )


def properties(machine: Machine, name: str) -> dict[str, str]:
    """All properties of one unit; a unit that does not exist has a few, as in systemd."""
    try:
        unit = machine.units.unit(name)
    except NoSuchUnit:
        return {
            "Type": "",
            "MainPID": "0",
            "Result": "success",
            "NRestarts": "0",
            "ExecMainStartTimestamp": "",
            "ExecMainStartTimestampMonotonic": "0",
            "ExecMainStatus": "0",
            "StatusText": "",
            "Environment": "",
            "Id": name,
            "Names": name,
            "Description": name,
            "LoadState": "not-found",
            "ActiveState": "inactive",
            "SubState": "dead",
            "FragmentPath": "",
            "DropInPaths": "",
            "UnitFileState": "",
            "ActiveEnterTimestamp": "",
            "ActiveEnterTimestampMonotonic": "0",
            "InactiveEnterTimestamp": "",
            "CanReload": "no",
            "NeedDaemonReload": "no",
        }
    status = machine.units.status(name)
    return _service(machine, unit, status) | _unit(machine, unit, status)


def _service(machine: Machine, unit: UnitFile, status: Status) -> dict[str, str]:
    found = {
        "Type": unit.first("Service.Type") or "simple",
        "Restart": unit.first("Service.Restart") or "no",
        "MainPID": str(status.main_pid),
        "StatusText": machine.units.service_note(unit.name),
        "Result": status.result,
        "NRestarts": str(status.restarts),
        "ExecMainStartTimestamp": _stamp(status.main_since),
        "ExecMainStartTimestampMonotonic": str(status.main_since[1]),
        "ExecMainPID": str(status.main_pid),
        "ExecMainCode": "0",
        "ExecMainStatus": str(status.exit_code),
    }
    for key in ("ExecStartPre", "ExecStart", "ExecReload"):
        lines = unit.all(f"Service.{key}")
        if lines:
            found[key] = " ".join(_command(line) for line in lines)
    found["Environment"] = " ".join(value.replace('"', "") for value in unit.all("Service.Environment"))
    found["EnvironmentFiles"] = "\n".join(
        f"{value.removeprefix('-')} (ignore_errors={'yes' if value.startswith('-') else 'no'})"
        for value in unit.all("Service.EnvironmentFile")
    )
    found["KillMode"] = unit.first("Service.KillMode") or "control-group"
    return found


def _unit(machine: Machine, unit: UnitFile, status: Status) -> dict[str, str]:
    file_state = enablement.state(machine.units.folders[0], unit)
    return {
        "Id": unit.name,
        "Names": unit.name,
        "Description": unit.first("Unit.Description"),
        "LoadState": "masked" if file_state == "masked" else "loaded",
        "ActiveState": status.active,
        "SubState": status.sub,
        "FragmentPath": str(unit.path),
        "DropInPaths": " ".join(str(path) for path in unit.drop_ins),
        "UnitFileState": file_state,
        "UnitFilePreset": "disabled",
        "StateChangeTimestamp": _stamp(max(status.since, status.inactive_since)),
        "InactiveExitTimestamp": _stamp(status.main_since),
        "ActiveEnterTimestamp": _stamp(status.since),
        "ActiveEnterTimestampMonotonic": str(status.since[1]),
        "ActiveExitTimestamp": _stamp(status.inactive_since),
        "InactiveEnterTimestamp": _stamp(status.inactive_since),
        "CanStart": "yes",
        "CanStop": "yes",
        "CanReload": "yes" if unit.all("Service.ExecReload") else "no",
        "NeedDaemonReload": "yes" if machine.units.needs_daemon_reload(unit.name) else "no",
    }
