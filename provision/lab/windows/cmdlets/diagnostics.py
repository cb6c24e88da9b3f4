"""Get-WinEvent and Get-NetTCPConnection.

They must not change anything. As on Windows, nothing found is an error of category ObjectNotFound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from provision.lab.powershell.world import CmdletCall, EnumValue, NetObject, Parameter, Record, ScriptError
from provision.lab.windows.cmdlets.base import Command, local_time, matches, named, number, seconds_of, text
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.netobject import text_of
from provision.lab.windows.sockets import listening
from provision.lab.windows.state import EventRecord

LEVELS = {2: "Error", 3: "Warning", 4: "Information"}
FILTER_KEYS = ("LogName", "ProviderName", "StartTime", "EndTime", "Level", "Id")


def diagnostic_cmdlets(host: WindowsHost) -> Mapping[str, Command]:
    """The cmdlets over HOST."""
    return {
        "get-winevent": Command((Parameter("LogName", position=0), *named("FilterHashtable", "MaxEvents")),
                                lambda call: _events(host, call)),
        "get-nettcpconnection": Command(
            (Parameter("LocalAddress", position=0), Parameter("LocalPort", position=1),
             Parameter("State", values=("Listen", "Established", "TimeWait", "Bound")), *named("OwningProcess")),
            lambda call: _connections(host, call)),
    }


def _events(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    table = call.get("FilterHashtable")
    wanted = _filter(cast(NetObject, table)) if table is not None else {"LogName": call.get("LogName")}
    newest_first = sorted((each for each in host.state.events if _fits(each, wanted)), key=lambda each: -each.time)
    if not newest_first:
        call.error(ScriptError("No events were found that match the specified selection criteria.",
                               exception_type="System.Exception", category="ObjectNotFound",
                               error_id="NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"))
    for event in newest_first[:number(call, "MaxEvents", len(newest_first))]:
        yield Record("System.Diagnostics.Eventing.Reader.EventLogRecord", {
            "TimeCreated": local_time(event.time), "ProviderName": event.provider, "Id": event.event_id,
            "Level": event.level, "LevelDisplayName": LEVELS[event.level], "LogName": event.log,
            "Message": event.message, "MachineName": host.state.computer_name})


def _filter(table: NetObject) -> dict[str, object]:
    """The conditions of a filter table, by their proper names. An unknown key is refused."""
    known = {key.lower(): key for key in FILTER_KEYS}
    keys = table.get("Keys")
    names = [text_of(key) for key in (keys if isinstance(keys, list) else cast(NetObject, keys).enumerate() or ())]
    strange = [name for name in names if name.lower() not in known]
    if strange:
        raise ScriptError(f"The lab's Get-WinEvent does not know the filter key '{strange[0]}'.",
                          category="InvalidArgument")
    return {known[name.lower()]: table.index(name) for name in names}


def _fits(event: EventRecord, wanted: Mapping[str, object]) -> bool:
    texts = {"LogName": event.log, "ProviderName": event.provider}
    numbers = {"Level": event.level, "Id": event.event_id}
    start, end = wanted.get("StartTime"), wanted.get("EndTime")
    return (all(matches(text_of(wanted[key]), value) for key, value in texts.items() if wanted.get(key) is not None)
            and all(text_of(wanted[key]) == str(value) for key, value in numbers.items() if key in wanted)
            and (start is None or event.time >= seconds_of(start))
            and (end is None or event.time <= seconds_of(end)))


def _connections(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    found = [] if text(call, "State", "Listen").lower() != "listen" else [
        (port, process) for port, process in listening(host).items()
        if text(call, "LocalPort", str(port)) == str(port)
        and text(call, "OwningProcess", str(process)) == str(process)
        and matches(text(call, "LocalAddress", "*"), host.settings.address)]
    if not found:
        call.error(ScriptError("No matching MSFT_NetTCPConnection objects found by CIM query for instances.",
                               exception_type="Microsoft.PowerShell.Cmdletization.CimJobException",
                               category="ObjectNotFound", error_id="CmdletizationQuery_NotFound"))
    for port, process in found:
        yield Record("Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetTCPConnection", {
            "LocalAddress": host.settings.address, "LocalPort": port, "RemoteAddress": "0.0.0.0", "RemotePort": 0,
            "OwningProcess": process, "State": EnumValue(
                "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetTCPConnection.State", "Listen", 2)})
