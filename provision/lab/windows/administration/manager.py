"""ServerManager: one reading of applicationHost.config, changes in memory, one commit.

It must not know who calls. As in IIS, the file is read at first use, a commit fails when the file was written by
somebody else meanwhile, and after a commit the next use reads again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from provision.lab.powershell.world import ScriptError
from provision.lab.windows.administration.elements import (
    NAMESPACE,
    Runtime,
    Shown,
    element_object,
)
from provision.lab.windows.administration.sites import site_collection
from provision.lab.windows.apphost import Document, NotWellFormed, Stamp
from provision.lab.windows.elements import ConfigElement
from provision.lab.windows.netobject import ObjectTable, com_error, method, table, text_of
from provision.lab.windows.sectionreader import SectionRefused, open_section

SITES = "system.applicationHost/sites"
SHOWN_PATH = "\\\\?\\C:\\Windows\\system32\\inetsrv\\config\\"
FILE_LOAD_ERROR = 0x80131621 - (1 << 32)


@dataclass(slots=True)
class ConfigFile:
    """One configuration file while a ServerManager works on it."""

    path: Path
    allowed: Callable[[], bool]
    document: Document | None = None
    dirty: bool = False

    @property
    def shown(self) -> str:
        """The name in messages."""
        return f"Filename: {SHOWN_PATH}{self.path.name}\r\n"

    def load(self) -> Document:
        """The content, read at first use."""
        if self.document is None:
            if not self.allowed():
                raise ScriptError(f"{self.shown}Error: Cannot read configuration file due to insufficient permissions",
                                  exception_type="System.UnauthorizedAccessException")
            try:
                self.document = Document.load(self.path)
            except NotWellFormed as error:
                raise com_error(f"{self.shown}Error: {error}", 0x8007000D) from error
        return self.document

    def touch(self) -> None:
        """Something was changed in memory."""
        self.dirty = True

    def commit(self) -> None:
        """Write what was changed; nothing when nothing was."""
        if not self.dirty or self.document is None:
            return
        if Stamp.of(self.path) != self.document.stamp:
            raise ScriptError(
                f"{self.shown}Error: Cannot commit configuration changes because the file has changed on disk\r\n",
                exception_type="System.IO.FileLoadException", hresult=FILE_LOAD_ERROR)
        self.document.save(self.path)
        self.document, self.dirty = None, False


@dataclass(slots=True)
class Manager:
    """What stands behind one ServerManager object."""

    directory: Path
    has_ftp: Callable[[], bool]
    allowed: Callable[[], bool]
    runtime: Runtime
    disposed: bool = False
    files: dict[str, ConfigFile] = field(default_factory=dict)

    def file(self, name: str) -> ConfigFile:
        """One of the configuration files. Throws once the manager was disposed."""
        if self.disposed:
            raise ScriptError("Cannot access a disposed object.\r\nObject name: 'ServerManager'.",
                              exception_type="System.ObjectDisposedException")
        return self.files.setdefault(name, ConfigFile(self.directory / name, self.allowed))

    def section(self, file_name: str, path: str, location: str | None = None) -> ConfigElement:
        """A section of one file. Throws what IIS throws when it cannot be read."""
        file = self.file(file_name)
        try:
            return open_section(file.load(), path, ftp=self.has_ftp(), location=location, changed=file.touch)
        except SectionRefused as error:
            raise com_error(f"{file.shown}Error: {error}\r\n", 0x80070005 if location else 0x80070032) from error

    def commit(self) -> None:
        """CommitChanges."""
        for name in tuple(self.files):
            self.file(name).commit()

    def dispose(self) -> None:
        """Dispose; a second time does no harm."""
        self.disposed = True


def server_manager(manager: Manager) -> ObjectTable:
    """The ServerManager object."""
    def configuration(file_name: str) -> ObjectTable:
        manager.file(file_name)
        return _configuration(manager, file_name)

    def sites() -> ObjectTable:
        return site_collection(Shown(manager.section("applicationHost.config", SITES), "", manager.runtime))

    return table(f"{NAMESPACE}.ServerManager", {
        "Sites": sites,
        "SiteDefaults": lambda: element_object(
            Shown(manager.section("applicationHost.config", SITES), "", manager.runtime).child("siteDefaults"),
            "SiteDefaults"),
        "GetApplicationHostConfiguration": method(lambda: configuration("applicationHost.config")),
        "GetRedirectionConfiguration": method(lambda: configuration("redirection.config")),
        "CommitChanges": method(manager.commit),
        "Dispose": method(manager.dispose),
    })


def _configuration(manager: Manager, file_name: str) -> ObjectTable:
    def section(*arguments: object) -> ObjectTable:
        path, location = text_of(arguments[0]), text_of(arguments[1]) if len(arguments) > 1 else None
        found = manager.section(file_name, path, location)
        return element_object(Shown(found, "", manager.runtime), "ConfigurationSection", {"SectionPath": path})

    def locations() -> list[str]:
        root = manager.file(file_name).load().root
        return [str(each.get("path")) for each in root.findall("location")]

    return table(f"{NAMESPACE}.Configuration", {
        "GetSection": method(section, 1, 2),
        "GetLocationPaths": method(locations),
    })
