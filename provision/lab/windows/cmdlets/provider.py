"""Items of the file system and of the registry: Test-Path, Get-Item, Get-Content, Get-/New-/Set-ItemProperty, New-Item.

It must not know what the files or keys mean. Of the registry there is HKEY_LOCAL_MACHINE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from provision.lab.powershell.world import CmdletCall, Parameter, Record, ScriptError
from provision.lab.windows.cmdlets.base import Command, local_time, named, switched, switches, text, utc_time
from provision.lab.windows.cmdlets.registry import RegistryKeys, registry_path
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.paths import expand

PATHS = (Parameter("Path", position=0), Parameter("LiteralPath", aliases=("PSPath",)))
NOT_FOUND = "System.Management.Automation.ItemNotFoundException"
DLL = "c:\\windows\\system32\\inetsrv\\microsoft.web.administration.dll"


def provider_cmdlets(host: WindowsHost) -> Mapping[str, Command]:
    """The cmdlets over HOST."""
    keys = RegistryKeys(host.store)
    typed = (Parameter("Name", position=1), Parameter("Value", position=2), *named("PropertyType"),
             *switches("Force"))
    return {
        "test-path": Command((*PATHS, Parameter("PathType", values=("Any", "Leaf", "Container"))),
                             lambda call: [_exists(host, keys, call)]),
        "get-item": Command((*PATHS, *switches("Force")), lambda call: _item(host, keys, call)),
        "get-content": Command((*PATHS, *named("Encoding"), *switches("Raw")), lambda call: _content(host, call)),
        "get-itemproperty": Command((*PATHS, Parameter("Name", position=1)), lambda call: _properties(keys, call)),
        "new-item": Command((*PATHS, *named("Name", "ItemType", "Value"), *switches("Force")),
                            lambda call: _new_key(keys, call)),
        "new-itemproperty": Command((*PATHS, *typed), lambda call: _write_value(keys, call, new=True)),
        "set-itemproperty": Command((*PATHS, Parameter("Name", position=1), Parameter("Value", position=2),
                                     Parameter("Type"), *switches("Force")),
                                    lambda call: _write_value(keys, call, new=False)),
        "remove-item": Command((*PATHS, *switches("Recurse", "Force")), lambda call: _remove_key(keys, call)),
        "remove-itemproperty": Command((*PATHS, Parameter("Name", position=1), *switches("Force")),
                                       lambda call: _remove_value(keys, call)),
    }


def _path(call: CmdletCall) -> str:
    return text(call, "LiteralPath") or text(call, "Path")


def _local(host: WindowsHost, path: str) -> Path:
    try:
        return host.paths.local(path)
    except ValueError as error:
        raise ScriptError(str(error), exception_type="System.Management.Automation.DriveNotFoundException",
                          category="ObjectNotFound", error_id="DriveNotFound") from error


def library_present(host: WindowsHost, path: str) -> bool:
    """Whether PATH is an assembly of IIS that the installed features brought."""
    return expand(path).lower() == DLL and bool({"Web-Mgmt-Console", "Web-Server"} & set(host.state.features))


def _exists(host: WindowsHost, keys: RegistryKeys, call: CmdletCall) -> bool:
    path, kind = _path(call), text(call, "PathType", "Any").lower()
    key = registry_path(path)
    if key is not None:
        return keys.exists(key) and kind != "leaf"
    if library_present(host, path):
        return kind != "container"
    place = _local(host, path)
    return {"any": place.exists(), "leaf": place.is_file(), "container": place.is_dir()}[kind]


def _item(host: WindowsHost, keys: RegistryKeys, call: CmdletCall) -> Iterator[object]:
    path = _path(call)
    key = registry_path(path)
    if key is not None:
        if keys.exists(key):
            yield Record("Microsoft.Win32.RegistryKey", {"Name": keys.shown(key), "PSChildName": key.split("\\")[-1]})
        else:
            call.error(_missing(path))
        return
    place = _local(host, path)
    if not place.exists():
        call.error(_missing(path))
        return
    status = place.stat()
    kind = "System.IO.DirectoryInfo" if place.is_dir() else "System.IO.FileInfo"
    members: dict[str, object] = {
        "Name": path.rstrip("\\").rpartition("\\")[2], "FullName": path, "Length": status.st_size,
        "LastWriteTime": local_time(status.st_mtime), "LastWriteTimeUtc": utc_time(status.st_mtime), "Exists": True,
    }
    if place.is_dir():
        del members["Length"]
    yield Record(kind, members, path)


def _content(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    path = _path(call)
    place = _local(host, path)
    if not place.is_file():
        call.error(_missing(path))
        return
    encoding = {"utf8": "utf-8-sig", "": "utf-8-sig", "unicode": "utf-16", "ascii": "ascii"}.get(
        text(call, "Encoding").lower())
    if encoding is None:
        raise ScriptError(f"The lab's Get-Content does not know the encoding '{text(call, 'Encoding')}'.",
                          category="InvalidArgument")
    content = place.read_bytes().decode(encoding, "replace")
    if switched(call, "Raw"):
        yield content
    else:
        yield from re.split(r"\r?\n", content.removesuffix("\n").removesuffix("\r"))


def _properties(keys: RegistryKeys, call: CmdletCall) -> Iterator[object]:
    path, wanted = _path(call), text(call, "Name")
    key = registry_path(path)
    values = None if key is None else keys.values(key)
    if key is None or values is None:
        call.error(_missing(path))
        return
    if wanted:
        values = {name: value for name, value in values.items() if name.lower() == wanted.lower()}
    if wanted and not values:
        call.error(ScriptError(f"Property {wanted} does not exist at path {keys.shown(key)}.",
                               exception_type="System.Management.Automation.PSArgumentException",
                               category="InvalidArgument", error_id="System.Management.Automation.PSArgumentException"))
        return
    members = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    yield Record("System.Management.Automation.PSCustomObject", {
        **members, "PSPath": f"Microsoft.PowerShell.Core\\Registry::{keys.shown(key)}",
        "PSChildName": key.split("\\")[-1]})


def _key(call: CmdletCall) -> str:
    path = _path(call)
    key = registry_path(path)
    if key is None:
        raise ScriptError(f"The lab changes items of the registry only, not '{path}'.", category="InvalidArgument")
    return key


def _new_key(keys: RegistryKeys, call: CmdletCall) -> Iterator[object]:
    key = _key(call) + (f"\\{text(call, 'Name')}" if text(call, "Name") else "")
    force = switched(call, "Force")
    if keys.exists(key) and not force:
        raise ScriptError("A key in this path already exists.", exception_type="System.IO.IOException",
                          category="ResourceExists", error_id="System.IO.IOException")
    if not keys.exists(key.rpartition("\\")[0]) and not force:
        raise ScriptError("The registry key at the specified path does not exist.",
                          exception_type="System.ArgumentException", category="InvalidArgument")
    keys.create(key)
    yield Record("Microsoft.Win32.RegistryKey", {"Name": keys.shown(key), "PSChildName": key.split("\\")[-1]})


def _write_value(keys: RegistryKeys, call: CmdletCall, *, new: bool) -> Iterator[object]:
    key, name = _key(call), text(call, "Name")
    if keys.values(key) is None:
        call.error(_missing(_path(call)))
        return
    value = keys.typed(call.get("Value"), text(call, "PropertyType" if new else "Type"))
    exists = name.lower() in {each.lower() for each in keys.values(key) or ()}
    if new and exists and not switched(call, "Force"):
        raise ScriptError("The property already exists.", exception_type="System.IO.IOException",
                          category="ResourceExists", error_id="System.IO.IOException")
    keys.write(key, name, value)
    if new:
        yield Record("System.Management.Automation.PSCustomObject", {name: value})


def _remove_key(keys: RegistryKeys, call: CmdletCall) -> Iterator[object]:
    key = _key(call)
    if keys.exists(key):
        keys.remove(key)
    else:
        call.error(_missing(_path(call)))
    yield from ()


def _remove_value(keys: RegistryKeys, call: CmdletCall) -> Iterator[object]:
    keys.remove_value(_key(call), text(call, "Name"))
    yield from ()


def _missing(path: str) -> ScriptError:
    return ScriptError(f"Cannot find path '{path}' because it does not exist.", exception_type=NOT_FOUND,
                       category="ObjectNotFound", error_id="PathNotFound")
