"""The World of one Windows host: its cmdlets, classes, programs and variables, as the evaluator asks for them.

It must not know the language. A world belongs to one runspace: which assemblies are loaded is its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from provision.lab.powershell.world import Cmdlet, NativeCommand, NetType, ScriptError, Version, record
from provision.lab.windows.cmdlets.cim import cim_cmdlets
from provision.lab.windows.cmdlets.diagnostics import diagnostic_cmdlets
from provision.lab.windows.cmdlets.firewall_change import firewall_change_cmdlets
from provision.lab.windows.cmdlets.firewall_query import firewall_query_cmdlets
from provision.lab.windows.cmdlets.provider import library_present, provider_cmdlets
from provision.lab.windows.cmdlets.services import service_cmdlets
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.native import native_commands, user_name
from provision.lab.windows.nettypes import administration_types, machine_types
from provision.lab.windows.paths import ENVIRONMENT


class WindowsWorld:
    """What a script can reach of HOST."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host
        self._types = dict(machine_types(host))
        self.cmdlets: Mapping[str, Cmdlet] = {
            **service_cmdlets(host), **cim_cmdlets(host), **provider_cmdlets(host), **diagnostic_cmdlets(host),
            **firewall_query_cmdlets(host), **firewall_change_cmdlets(host),
        }
        self.native: Mapping[str, NativeCommand] = native_commands(host)
        self.variables: Mapping[str, object] = _variables(host)

    @property
    def types(self) -> Mapping[str, NetType]:
        """The classes there are now; an assembly adds its own."""
        return self._types

    def load_assembly(self, path: str) -> None:
        """Add-Type -Path. Throws when the file is not there."""
        if not library_present(self._host, path):
            raise ScriptError(f"Cannot find path '{path}' because it does not exist.",
                              exception_type="System.Management.Automation.ItemNotFoundException",
                              category="ObjectNotFound", error_id="PathNotFound")
        self._types.update(administration_types(self._host))


def make_world(host: WindowsHost) -> WindowsWorld:
    """A fresh world over HOST, for one runspace."""
    return WindowsWorld(host)


def _variables(host: WindowsHost) -> Mapping[str, object]:
    version = Version(*(int(part) for part in host.state.ps_version.split(".")))
    versions = record("System.Management.Automation.PSVersionHashTable", PSVersion=version, PSEdition="Desktop",
                      CLRVersion=Version(4, 0, 30319, 42000), WSManStackVersion=Version(3, 0),
                      SerializationVersion=Version(1, 1, 0, 1), PSRemotingProtocolVersion=Version(2, 3))
    computer, _, user = user_name(host).partition("\\")
    environment = {**ENVIRONMENT, "computername": computer, "username": user, "userdomain": computer,
                   "processor_architecture": "AMD64" if host.state.is_64bit else "x86"}
    return {"psversiontable": versions, "psedition": "Desktop",
            **{f"env:{name}": value for name, value in environment.items()}}
