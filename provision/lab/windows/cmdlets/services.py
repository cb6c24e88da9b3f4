"""Get-, Set-, Start-, Stop- and Restart-Service, and Get-Process.

It must not know what runs inside a service. Messages, exception types and error ids are those of Windows
PowerShell 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from provision.lab.powershell.world import CmdletCall, EnumValue, Parameter, Record, ScriptError, record
from provision.lab.windows.cmdlets.base import (
    Command,
    local_time,
    matches,
    named,
    number,
    switched,
    switches,
    text,
    texts,
)
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.netobject import text_of
from provision.lab.windows.services import ServiceFailed
from provision.lab.windows.state import Service, StartType

STATUS = {"Stopped": 1, "Running": 4}
START_MODE: Mapping[str, int] = {"Automatic": 2, "Manual": 3, "Disabled": 4}
COMMAND_EXCEPTION = "Microsoft.PowerShell.Commands.ServiceCommandException"
SYSTEM_PROCESS = 4
NAME = Parameter("Name", position=0, aliases=("ServiceName",))
INPUT = Parameter("InputObject", pipeline=True)


def service_cmdlets(host: WindowsHost) -> Mapping[str, Command]:
    """The cmdlets over HOST."""
    passing = switches("PassThru")
    return {
        "get-service": Command((NAME, INPUT, *named("DisplayName")), lambda call: _get(host, call)),
        "set-service": Command((NAME, INPUT, *named("DisplayName", "Description"), *passing, Parameter(
            "StartupType", values=("Automatic", "Manual", "Disabled"), aliases=("StartMode",))),
            lambda call: _set(host, call)),
        "start-service": Command((NAME, INPUT, *passing), lambda call: _control(
            host, call, ("start",), host.services.start)),
        "stop-service": Command((NAME, INPUT, *switches("Force", "NoWait"), *passing), lambda call: _control(
            host, call, ("stop",), host.services.stop)),
        "restart-service": Command((NAME, INPUT, *switches("Force"), *passing), lambda call: _control(
            host, call, ("stop", "start"), lambda name: _restart(host, name))),
        "get-process": Command((Parameter("Name", position=0), *named("Id")), lambda call: _processes(host, call)),
    }


def service_object(service: Service) -> Record:
    """A ServiceController."""
    return record(
        "System.ServiceProcess.ServiceController", service.name,
        Name=service.name, ServiceName=service.name, DisplayName=service.display_name,
        Status=EnumValue("System.ServiceProcess.ServiceControllerStatus", service.status, STATUS[service.status]),
        StartType=EnumValue("System.ServiceProcess.ServiceStartMode", service.start_type,
                            START_MODE[service.start_type]),
        CanStop=service.status == "Running",
    )


def _get(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    for service in _chosen(host, call):
        yield service_object(service)


def _set(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    for service in _chosen(host, call):
        changed = replace(service, start_type=_start_type(text(call, "StartupType", service.start_type)),
                          display_name=text(call, "DisplayName", service.display_name))
        _store(host, changed)
        if switched(call, "PassThru"):
            yield service_object(changed)


def _store(host: WindowsHost, service: Service) -> None:
    host.store.change(lambda state: state.with_service(service))


def _start_type(word: str) -> StartType:
    known: Mapping[str, StartType] = {"automatic": "Automatic", "manual": "Manual", "disabled": "Disabled"}
    return known[word.lower()]


def _control(host: WindowsHost, call: CmdletCall, verbs: tuple[str, ...],
             act: Callable[[str], None]) -> Iterator[object]:
    for service in _chosen(host, call):
        try:
            act(service.name)
        except ServiceFailed as error:
            verb = verbs[-1]
            call.error(ScriptError(
                f"Failed to {verb} service '{service.display_name} ({service.name})'.",
                exception_type=COMMAND_EXCEPTION, category="OpenError", error_id=f"{verb.title()}ServiceFailed"))
            call.verbose(str(error))
            continue
        if switched(call, "PassThru"):
            yield service_object(host.state.services[service.name.lower()])


def _restart(host: WindowsHost, name: str) -> None:
    host.services.stop(name)
    host.services.start(name)


def _chosen(host: WindowsHost, call: CmdletCall) -> list[Service]:
    """The services that -Name (with wildcards), -DisplayName or the pipeline mean, in the order of their names."""
    everything = sorted(host.state.services.values(), key=lambda each: each.name.lower())
    wanted = texts(call, "Name")
    if wanted is None and call.input is not None:
        wanted = tuple(text_of(each.get("Name")) if isinstance(each, Record) else text_of(each) for each in call.input)
    if wanted is None:
        shown = texts(call, "DisplayName") or ("*",)
        return [each for each in everything if any(matches(word, each.display_name) for word in shown)]
    found: list[Service] = []
    for word in wanted:
        hits = [each for each in everything if matches(word, each.name)]
        if not hits and "*" not in word and "?" not in word:
            call.error(ScriptError(f"Cannot find any service with service name '{word}'.",
                                   exception_type=COMMAND_EXCEPTION, category="ObjectNotFound",
                                   error_id="NoServiceFoundForGivenName"))
        found += hits
    return found


def _processes(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    state = host.state
    known = {SYSTEM_PROCESS: ("System", state.booted_at)}
    known.update({each.process_id: ("svchost", each.started_at or 0.0)
                  for each in state.services.values() if each.process_id})
    if call.get("Id") is not None:
        wanted = number(call, "Id", 0)
        if wanted not in known:
            call.error(ScriptError(
                f"Cannot find a process with the process identifier {wanted}.",
                exception_type="Microsoft.PowerShell.Commands.ProcessCommandException", category="ObjectNotFound",
                error_id="NoProcessFoundForGivenId"))
            return
        known = {wanted: known[wanted]}
    for process_id, (name, started) in sorted(known.items()):
        if matches(text(call, "Name", "*"), name):
            yield record("System.Diagnostics.Process", f"System.Diagnostics.Process ({name})", Id=process_id,
                         ProcessName=name, Name=name, StartTime=local_time(started))
