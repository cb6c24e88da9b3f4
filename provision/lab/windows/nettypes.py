"""The .NET classes that show the machine: who runs the script, on which machine, and IIS's ServerManager.

They must not know cmdlets. ServerManager is there once its assembly was loaded, as in PowerShell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from provision.lab.powershell.world import EnumValue, NetType
from provision.lab.windows.administration.elements import Runtime
from provision.lab.windows.administration.manager import Manager, server_manager
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.native import user_name
from provision.lab.windows.netobject import ObjectTable, Property, TypeTable, com_error, method, table, text_of
from provision.lab.windows.schema import Setting

PRINCIPAL = "System.Security.Principal"
STARTED, STOPPED = 1, 3
NOT_STARTED, NOT_VALID = 0x80070426, 0x800710D8


def machine_types(host: WindowsHost) -> Mapping[str, NetType]:
    """The classes that are always there, by lower-case full name."""
    types = [
        TypeTable("System.Environment", statics={
            "is64bitprocess": Property(lambda: host.state.is_64bit),
            "is64bitoperatingsystem": Property(lambda: True),
            "machinename": Property(lambda: host.state.computer_name),
            "username": Property(lambda: user_name(host).rpartition("\\")[2]),
        }),
        TypeTable(f"{PRINCIPAL}.WindowsIdentity", statics={"getcurrent": method(lambda: _identity(host))}),
        TypeTable(f"{PRINCIPAL}.WindowsPrincipal", method(lambda _identity: _principal(host), 1)),
        TypeTable(f"{PRINCIPAL}.WindowsBuiltInRole", statics={
            "administrator": Property(lambda: EnumValue(f"{PRINCIPAL}.WindowsBuiltInRole", "Administrator", 544)),
            "user": Property(lambda: EnumValue(f"{PRINCIPAL}.WindowsBuiltInRole", "User", 545)),
        }),
    ]
    return {each.type_name.lower(): each for each in types}


def administration_types(host: WindowsHost) -> Mapping[str, NetType]:
    """Microsoft.Web.Administration.dll."""
    def manager() -> ObjectTable:
        return server_manager(Manager(host.directory, lambda: host.state.has_ftp, lambda: host.state.elevated,
                                      runtime(host)))

    name = "Microsoft.Web.Administration.ServerManager"
    return {name.lower(): TypeTable(name, method(manager))}


def _identity(host: WindowsHost) -> ObjectTable:
    return table(f"{PRINCIPAL}.WindowsIdentity", {
        "Name": user_name(host), "IsAuthenticated": True, "AuthenticationType": "NTLM"})


def _principal(host: WindowsHost) -> ObjectTable:
    def is_in_role(role: object) -> bool:
        return host.state.elevated or text_of(role) != "Administrator"

    return table(f"{PRINCIPAL}.WindowsPrincipal", {"IsInRole": method(is_in_role, 1)})


def runtime(host: WindowsHost) -> Runtime:
    """What the FTP service of HOST answers to ServerManager."""
    def running() -> bool:
        service = host.state.service("ftpsvc")
        return service is not None and service.status == "Running"

    def value(site: str, name: str) -> Setting:
        if not running() or not site:
            raise com_error("The object identifier does not represent a valid object. "
                            "(Exception from HRESULT: 0x800710D8)", NOT_VALID)
        if name != "state":
            raise com_error("The request is not supported. (Exception from HRESULT: 0x80070032)", 0x80070032)
        return STARTED if host.ftp.site_started(site) else STOPPED

    def sessions(site: str) -> Sequence[Mapping[str, Setting]]:
        if not running():
            raise com_error("The service has not been started. (Exception from HRESULT: 0x80070426)", NOT_STARTED)
        return [{"sessionId": each.session_id, "userName": each.user, "clientIp": each.client,
                 "sessionStartTime": datetime.fromtimestamp(each.started, UTC).isoformat(),
                 "currentCommand": each.command} for each in host.ftp.sessions() if each.site == site]

    return Runtime(value, sessions, lambda: host.state.inherited_counts_as_default)
