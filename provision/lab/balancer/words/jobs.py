"""The verbs of `systemctl` that change something: jobs, enablement, and what systemd says when they fail."""

from __future__ import annotations

from collections.abc import Callable

from provision.lab.balancer import enablement
from provision.lab.balancer.call import Reply, complain
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.services import ServiceFailed
from provision.lab.balancer.units import CannotReload, NoSuchUnit, NotActive
from provision.lab.balancer.words.systemctl_request import Request, known, merge


def start(machine: Machine, request: Request, unit: str) -> Reply:
    """Start a unit."""
    return job(machine, "start", unit, machine.units.start)


def stop(machine: Machine, request: Request, unit: str) -> Reply:
    """Stop a unit; one that does not exist is an error."""
    if not known(machine, unit):
        return complain(f"Failed to stop {unit}: Unit {unit} not loaded.", code=5)
    warning = stale(machine, unit)
    machine.units.stop(unit)
    return Reply(err=warning)


def restart(machine: Machine, request: Request, unit: str) -> Reply:
    """Stop and start, whether it ran or not."""

    def again(name: str) -> None:
        machine.units.stop(name)
        machine.units.start(name)

    return job(machine, "restart", unit, again)


def try_restart(machine: Machine, request: Request, unit: str) -> Reply:
    """Restart what runs."""
    runs = machine.units.status(unit).active == "active"
    return restart(machine, request, unit) if runs or not known(machine, unit) else Reply()


def reload(machine: Machine, request: Request, unit: str) -> Reply:
    """Have a running unit take up its configuration."""
    return job(machine, "reload", unit, machine.units.reload)


def reload_or_restart(machine: Machine, request: Request, unit: str) -> Reply:
    """Reload where the unit can and runs, else restart."""
    running = known(machine, unit) and machine.units.status(unit).active == "active"
    can = running and machine.units.unit(unit).all("Service.ExecReload")
    return (reload if can else restart)(machine, request, unit)


def job(machine: Machine, verb: str, unit: str, run: Callable[[str], None]) -> Reply:
    """Run one job, and say what systemd says when it fails."""
    xe = "-xe" if machine.settings.shape.systemd < 246 else f"-xeu {unit}"
    try:
        warning = stale(machine, unit)
        if (
            verb in ("start", "restart")
            and enablement.state(machine.units.folders[0], machine.units.unit(unit)) == "masked"
        ):
            return complain(f"Failed to {verb} {unit}: Unit {unit} is masked.")
        run(unit)
    except NoSuchUnit:
        name = f"Unit {unit} not found." if machine.settings.shape.systemd >= 230 else "Unit not found."
        return complain(f"Failed to {verb} {unit}: {name}", code=5)
    except NotActive:
        return complain(f"{unit} is not active, cannot reload.")
    except CannotReload:
        return complain(f"Failed to reload {unit}: Job type reload is not applicable for unit {unit}.", code=3)
    except ServiceFailed:
        why = "" if verb == "reload" else " because the control process exited with error code"
        return complain(
            f"Job for {unit} failed{why}.",
            f'See "systemctl status {unit}" and "journalctl {xe}" for details.',
        )
    return Reply(err=warning)


def stale(machine: Machine, unit: str) -> str:
    """The warning that unit files changed since they were loaded; '' when they did not."""
    if not machine.units.needs_daemon_reload(unit):
        return ""
    return (
        f"Warning: The unit file, source configuration file or drop-ins of {unit} changed on disk. Run 'systemctl "
        "daemon-reload' to reload units.\n"
    )


def outdated(machine: Machine, unit: str) -> str:
    """The same, as `systemctl cat` says it in front of the files."""
    if not machine.units.needs_daemon_reload(unit):
        return ""
    return (
        f"# Warning: {unit} changed on disk, the version systemd has loaded is outdated.\n"
        "# This output shows the current version of the unit's original fragment and drop-in files.\n"
        "# If fragments or drop-ins were added or removed, they are not properly reflected in this output.\n"
        "# Run 'systemctl daemon-reload' to reload units.\n"
    )


def enable(machine: Machine, request: Request, unit: str) -> Reply:
    """Start at boot; with --now also now."""
    if not known(machine, unit):
        return complain(
            "Failed to execute operation: No such file or directory"
            if machine.settings.shape.systemd < 230
            else f"Failed to enable unit: Unit file {unit} does not exist."
        )
    link = enablement.enable(machine.units.folders[0], machine.units.unit(unit))
    target = machine.units.unit(unit).path
    arrow = (
        f"Created symlink from {link} to {target}."
        if machine.settings.shape.systemd < 230
        else f"Created symlink {link} → {target}."
    )
    machine.units.daemon_reload()
    done = complain(arrow, code=0) if link else Reply()
    return merge([done, start(machine, request, unit)]) if "--now" in request.flags else done


def disable(machine: Machine, request: Request, unit: str) -> Reply:
    """Do not start at boot; with --now also stop."""
    if not known(machine, unit):
        return complain(
            "Failed to execute operation: No such file or directory"
            if machine.settings.shape.systemd < 230
            else f"Failed to disable unit: Unit file {unit} does not exist."
        )
    link = enablement.disable(machine.units.folders[0], machine.units.unit(unit))
    removed = (
        f"Removed symlink {link}."
        if machine.settings.shape.systemd < 230
        else (f'Removed "{link}".' if machine.settings.shape.systemd >= 246 else f"Removed {link}.")
    )
    machine.units.daemon_reload()
    done = complain(removed, code=0) if link else Reply()
    return merge([done, stop(machine, request, unit)]) if "--now" in request.flags else done


def daemon_reload(machine: Machine, request: Request) -> Reply:
    """Load unit files anew."""
    machine.units.daemon_reload()
    return Reply()


def reset_failed(machine: Machine, request: Request) -> Reply:
    """Forget failures. systemd keeps in mind what runs or failed; of any other unit it says that it is not loaded."""
    replies: list[Reply] = []
    for unit in request.units or machine.units.names():
        loaded = known(machine, unit) and machine.units.reset_failed(unit)
        unknown = complain(f"Failed to reset failed state of unit {unit}: Unit {unit} not loaded.")
        replies.append(Reply() if loaded or not request.units else unknown)
    return merge(replies)


def refused(request: Request) -> Reply:
    """What polkit's refusal reads like: nobody can be asked for a password over SSH."""
    unit = request.units[0] if request.units else ""
    match request.verb:
        case "enable" | "disable":
            return complain(f"Failed to {request.verb} unit: Interactive authentication required.")
        case "daemon-reload":
            return complain("Reload daemon failed: Interactive authentication required.")
        case "reset-failed" if unit:
            return complain(f"Failed to reset failed state of unit {unit}: Interactive authentication required.")
        case "reset-failed":
            return complain("Failed to execute operation: Interactive authentication required.")
    return complain(
        f"Failed to {request.verb} {unit}: Interactive authentication required.",
        f"See system logs and 'systemctl status {unit}' for details.",
    )
