"""Get-CimInstance for the two classes that describe a server: Win32_OperatingSystem and Win32_Service.

It must not know WQL beyond equality: another filter is refused as an invalid query, and so is another class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from provision.lab.powershell.world import CmdletCall, Parameter, Record, ScriptError
from provision.lab.windows.cmdlets.base import Command, local_time, named, text
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.netobject import text_of
from provision.lab.windows.state import Service, WindowsState

CIM_EXCEPTION = "Microsoft.Management.Infrastructure.CimException"
INVALID_QUERY, INVALID_CLASS = 0x80041017, 0x80041010
CLAUSE = re.compile(r"""\s*(\w+)\s*=\s*(?:'([^']*)'|"([^"]*)"|(\d+)|(true|false))\s*""", re.IGNORECASE)


def cim_cmdlets(host: WindowsHost) -> Mapping[str, Command]:
    """Get-CimInstance over HOST."""
    return {"get-ciminstance": Command(
        (Parameter("ClassName", position=0, mandatory=True), *named("Filter", "Namespace", "Property")),
        lambda call: _instances(host, call))}


def _instances(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    builders: Mapping[str, Callable[[WindowsState], list[Record]]] = {
        "win32_operatingsystem": lambda state: [_system(host, state)],
        "win32_service": lambda state: [_service(state, each) for each in state.services.values()],
    }
    build = builders.get(text(call, "ClassName").lower())
    if build is None:
        raise _refused("Invalid class ", INVALID_CLASS)
    conditions = _conditions(text(call, "Filter"))
    for instance in build(host.state):
        if all(text_of(instance.get(name)).lower() == value.lower() for name, value in conditions):
            yield instance


def _conditions(query: str) -> list[tuple[str, str]]:
    found = []
    for clause in re.split(r"\s+and\s+", query.strip(), flags=re.IGNORECASE) if query.strip() else ():
        match = CLAUSE.fullmatch(clause)
        if match is None:
            raise _refused("Invalid query ", INVALID_QUERY)
        found.append((match[1], next(part for part in match.groups()[1:] if part is not None)))
    return found


def _refused(message: str, hresult: int) -> ScriptError:
    return ScriptError(message, exception_type=CIM_EXCEPTION, hresult=hresult - (1 << 32), category="InvalidArgument",
                       error_id=f"HRESULT 0x{hresult:x},Microsoft.Management.Infrastructure.CimCmdlets."
                                "GetCimInstanceCommand")


def _system(host: WindowsHost, state: WindowsState) -> Record:
    return Record("Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem", {
        "Caption": state.os_caption, "Version": state.os_version, "BuildNumber": state.os_version.rpartition(".")[2],
        "OSArchitecture": "64-bit", "CSName": state.computer_name, "ProductType": 3,
        "LastBootUpTime": local_time(state.booted_at), "LocalDateTime": local_time(host.clock()),
        "SystemDirectory": "C:\\Windows\\system32", "WindowsDirectory": "C:\\Windows",
    })


def _service(state: WindowsState, service: Service) -> Record:
    mode = "Auto" if service.start_type == "Automatic" else service.start_type
    return Record("Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_Service", {
        "Name": service.name, "DisplayName": service.display_name, "Caption": service.display_name,
        "State": service.status, "Started": service.status == "Running", "StartMode": mode,
        "ProcessId": service.process_id, "Status": "OK", "SystemName": state.computer_name, "StartName": "LocalSystem",
        "PathName": f"C:\\Windows\\system32\\svchost.exe -k {service.name}",
    })
