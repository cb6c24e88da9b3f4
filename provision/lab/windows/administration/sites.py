"""Site, Binding, Application and VirtualDirectory, and their collections.

It must not know files. A site that has no http binding has no web state: reading `State` throws COM error
0x800710D8, as seen on real servers; the state of its FTP side is an attribute of its child `ftpServer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from provision.lab.powershell.world import EnumValue
from provision.lab.windows.administration.elements import NAMESPACE, Shown, element_object, list_object, value_of, write
from provision.lab.windows.netobject import ObjectTable, Property, com_error, table, text_of

NOT_VALID = 0x800710D8


def site_collection(sites: Shown) -> ObjectTable:
    """ServerManager.Sites: by number, or by name in any case; a name that is not there gives $null."""
    found = [site_object(Shown(each, str(each.value("name")), sites.runtime)) for each in sites.element.entries()]
    return _named("SiteCollection", found, "Name")


def site_object(shown: Shown) -> ObjectTable:
    """One site."""
    return element_object(shown, "Site", {
        "Name": _plain(shown, "name"),
        "Id": _plain(shown, "id"),
        "ServerAutoStart": _plain(shown, "serverAutoStart"),
        "Bindings": lambda: list_object("BindingCollection", [
            binding_object(Shown(each, shown.site, shown.runtime))
            for each in shown.element.child("bindings").entries()]),
        "Applications": lambda: _named("ApplicationCollection", [
            application_object(Shown(each, shown.site, shown.runtime)) for each in shown.element.entries()], "Path"),
        "State": lambda: _web_state(shown),
    })


def binding_object(shown: Shown) -> ObjectTable:
    """One binding."""
    return element_object(shown, "Binding", {
        "Protocol": _plain(shown, "protocol"),
        "BindingInformation": _plain(shown, "bindingInformation"),
        "Host": lambda: text_of(value_of(shown, "bindingInformation")).rpartition(":")[2],
    })


def application_object(shown: Shown) -> ObjectTable:
    """One application."""
    def directories() -> ObjectTable:
        return _named("VirtualDirectoryCollection", [
            element_object(Shown(each, shown.site, shown.runtime), "VirtualDirectory", {
                "Path": value_of(Shown(each, shown.site, shown.runtime), "path"),
                "PhysicalPath": _plain(Shown(each, shown.site, shown.runtime), "physicalPath"),
            }) for each in shown.element.entries()], "Path")

    return element_object(shown, "Application", {
        "Path": _plain(shown, "path"),
        "ApplicationPoolName": _plain(shown, "applicationPool"),
        "VirtualDirectories": directories,
    })


def _plain(shown: Shown, name: str) -> Property:
    return Property(lambda: value_of(shown, name), lambda value: write(shown, name, value))


def _web_state(shown: Shown) -> EnumValue:
    protocols = {str(each.value("protocol")) for each in shown.element.child("bindings").entries()}
    if not protocols & {"http", "https"}:
        raise com_error("The object identifier does not represent a valid object. "
                        "(Exception from HRESULT: 0x800710D8)", NOT_VALID)
    return EnumValue(f"{NAMESPACE}.ObjectState", "Started", 1)


def _named(kind: str, entries: Sequence[ObjectTable], key: str) -> ObjectTable:
    """A collection that is also indexed by a name."""
    numbered = list_object(kind, entries)

    def at(wanted: object) -> object:
        if isinstance(wanted, int):
            return numbered.index(wanted)
        return next((each for each in entries if _is(each, key, text_of(wanted))), None)

    by_index: Callable[[object], object] = at
    return table(f"{NAMESPACE}.{kind}", {"Count": len(entries)}, indexer=by_index, items=lambda: entries)


def _is(entry: ObjectTable, key: str, wanted: str) -> bool:
    return text_of(entry.get(key)).lower() == wanted.lower()
