"""ServerManager: explicit, inherited, default; memory until the commit; conflicts; names that do not exist."""

from __future__ import annotations

import difflib
from dataclasses import replace

import pytest
from windows.iishost import SITE, MakeHost

from provision.lab.powershell.world import NetObject, NoSuchMember, ScriptError
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.world import make_world

DLL = "%windir%\\System32\\inetsrv\\Microsoft.Web.Administration.dll"
RANGE = "system.ftpServer/firewallSupport"


@pytest.fixture
def iis(make_host: MakeHost) -> WindowsHost:
    return make_host(boot=False)


def manager(host: WindowsHost) -> NetObject:
    world = make_world(host)
    world.load_assembly(DLL)
    made = world.types["microsoft.web.administration.servermanager"].new(())
    assert isinstance(made, NetObject)
    return made


def step(start: object, *calls: tuple[str, object]) -> NetObject:
    """Call one method after another, each with one argument (None: without)."""
    for name, argument in calls:
        assert isinstance(start, NetObject)
        start = start.call(name, () if argument is None else (argument,))
    assert isinstance(start, NetObject)
    return start


def section(sm: NetObject, path: str = RANGE) -> NetObject:
    return step(sm, ("GetApplicationHostConfiguration", None), ("GetSection", path))


def firewall_support(sm: NetObject) -> NetObject:
    sites = sm.get("Sites")
    assert isinstance(sites, NetObject)
    return step(sites.index(SITE), ("GetChildElement", "ftpServer"), ("GetChildElement", "firewallSupport"))


def attribute(element: NetObject, name: str) -> tuple[object, object]:
    """Value, and whether it counts as a default."""
    found = step(element, ("GetAttribute", name))
    return found.get("Value"), found.get("IsInheritedFromDefaultValue")


def test_the_assembly_must_be_loaded_first(iis: WindowsHost) -> None:
    world = make_world(iis)
    assert "microsoft.web.administration.servermanager" not in world.types
    with pytest.raises(ScriptError, match="Cannot find path"):
        world.load_assembly("C:\\nowhere\\Microsoft.Web.Administration.dll")


def test_a_fresh_server_has_neither_range_nor_external_address(iis: WindowsHost) -> None:
    sm = manager(iis)
    assert attribute(section(sm), "lowDataChannelPort") == (0, True)
    assert attribute(firewall_support(sm), "externalIp4Address") == ("", True)


def test_nothing_is_written_before_the_commit(iis: WindowsHost) -> None:
    before, sm = iis.config_path.read_text(), manager(iis)
    section(sm).call("SetAttributeValue", ("lowDataChannelPort", 10000))
    assert iis.config_path.read_text() == before
    sm.call("CommitChanges", ())
    assert attribute(section(manager(iis)), "lowDataChannelPort") == (10000, False)


def test_a_commit_touches_only_the_lines_it_must(iis: WindowsHost) -> None:
    before, sm = iis.config_path.read_text(), manager(iis)
    firewall_support(sm).call("SetAttributeValue", ("externalIp4Address", "10.0.0.1"))
    sm.call("CommitChanges", ())
    changes = [line for line in difflib.ndiff(before.splitlines(), iis.config_path.read_text().splitlines())
               if line[0] in "+-"]
    assert [line.split() for line in changes] == [
        ["+", "<ftpServer>"], ["+", "<firewallSupport", 'externalIp4Address="10.0.0.1"', "/>"], ["+", "</ftpServer>"]]


def test_delete_makes_an_attribute_absent_again(iis: WindowsHost) -> None:
    sm = manager(iis)
    firewall_support(sm).call("SetAttributeValue", ("externalIp4Address", "10.0.0.1"))
    step(firewall_support(sm), ("GetAttribute", "externalIp4Address")).call("Delete", ())
    sm.call("CommitChanges", ())
    assert "externalIp4Address" not in iis.config_path.read_text()


@pytest.mark.parametrize("counts", [True, False])
def test_a_value_of_the_site_defaults_is_inherited(iis: WindowsHost, counts: bool) -> None:
    iis.store.change(lambda state: replace(state, inherited_counts_as_default=counts))
    sm = manager(iis)
    defaults = step(section(sm, "system.applicationHost/sites"), ("GetChildElement", "siteDefaults"),
                    ("GetChildElement", "ftpServer"), ("GetChildElement", "firewallSupport"))
    defaults.call("SetAttributeValue", ("externalIp4Address", "10.0.0.7"))
    assert attribute(firewall_support(sm), "externalIp4Address") == ("10.0.0.7", counts)


@pytest.mark.parametrize(("name", "value"), [("lowDataChanelPort", 1), ("LowDataChannelPort", 1),
                                             ("lowDataChannelPort", 65536), ("lowDataChannelPort", "many")])
def test_what_the_schema_does_not_know_is_refused(iis: WindowsHost, name: str, value: object) -> None:
    with pytest.raises(ScriptError) as caught:
        section(manager(iis)).call("SetAttributeValue", (name, value))
    assert caught.value.exception_type == "System.Runtime.InteropServices.COMException"


@pytest.mark.parametrize("path", ["system.ftpServer/firewallsupport", "system.ftpServer/fireWall", "system.webServer/asp"])
def test_a_section_that_is_not_declared_is_refused(iis: WindowsHost, path: str) -> None:
    with pytest.raises(ScriptError, match="missing a section declaration"):
        section(manager(iis), path)


def test_a_misspelt_method_or_property_does_not_exist(iis: WindowsHost) -> None:
    with pytest.raises(NoSuchMember):
        manager(iis).call("CommitChange", ())
    with pytest.raises(NoSuchMember):
        firewall_support(manager(iis)).get("externalIp4Address")


def test_the_range_cannot_be_asked_for_a_site(iis: WindowsHost) -> None:
    configuration = step(manager(iis), ("GetApplicationHostConfiguration", None))
    with pytest.raises(ScriptError, match="AppHostOnly"):
        configuration.call("GetSection", (RANGE, SITE))


def test_a_location_inherits_what_the_server_level_says(iis: WindowsHost) -> None:
    text = iis.config_path.read_text().replace("<system.ftpServer>\n    </system.ftpServer>", (
        '<system.ftpServer><security><ipSecurity><add ipAddress="10.0.0.1" allowed="true" /></ipSecurity></security>'
        "</system.ftpServer>"))
    iis.config_path.write_text(text)
    configuration = step(manager(iis), ("GetApplicationHostConfiguration", None))
    found = configuration.call("GetSection", ("system.ftpServer/security/ipSecurity", SITE))
    assert step(found, ("GetCollection", None)).get("Count") == 1


def test_a_commit_fails_when_the_file_changed_since_it_was_read(iis: WindowsHost) -> None:
    ours, theirs = manager(iis), manager(iis)
    section(ours).call("SetAttributeValue", ("lowDataChannelPort", 10000))
    section(theirs).call("SetAttributeValue", ("lowDataChannelPort", 20000))
    theirs.call("CommitChanges", ())
    with pytest.raises(ScriptError, match="changed on disk") as caught:
        ours.call("CommitChanges", ())
    assert caught.value.exception_type == "System.IO.FileLoadException"
    assert attribute(section(manager(iis)), "lowDataChannelPort") == (20000, False)


def test_a_commit_of_nothing_writes_nothing(iis: WindowsHost) -> None:
    before = iis.config_path.stat().st_mtime_ns
    sm = manager(iis)
    section(sm)
    sm.call("CommitChanges", ())
    assert iis.config_path.stat().st_mtime_ns == before


def test_a_broken_file_is_an_error_that_names_it(iis: WindowsHost) -> None:
    iis.config_path.write_text("<configuration><oops></configuration>")
    with pytest.raises(ScriptError, match="(?s)applicationHost.config.*not well-formed"):
        section(manager(iis))


def test_a_disposed_manager_is_of_no_use(iis: WindowsHost) -> None:
    sm = manager(iis)
    sm.call("Dispose", ())
    with pytest.raises(ScriptError, match="disposed"):
        sm.get("Sites")


def test_without_the_ftp_feature_sites_have_no_ftp_server(make_host: MakeHost) -> None:
    host = make_host(boot=False, features=("Web-Server", "Web-Mgmt-Console"))
    with pytest.raises(ScriptError):
        section(manager(host))
    sites = manager(host).get("Sites")
    assert isinstance(sites, NetObject)
    with pytest.raises(ScriptError, match="Invalid index"):
        step(sites.index("Default Web Site"), ("GetChildElement", "ftpServer"))


def test_an_ftp_site_has_no_web_state(iis: WindowsHost) -> None:
    sites = manager(iis).get("Sites")
    assert isinstance(sites, NetObject)
    site = sites.index(SITE.upper())
    assert isinstance(site, NetObject)
    with pytest.raises(ScriptError, match="0x800710D8"):
        site.get("State")
    assert sites.index("no such site") is None


def test_the_ftp_state_and_sessions_come_from_the_running_service(make_host: MakeHost) -> None:
    host = make_host()
    sites = manager(host).get("Sites")
    assert isinstance(sites, NetObject)
    ftp = step(sites.index(SITE), ("GetChildElement", "ftpServer"))
    assert ftp.call("GetAttributeValue", ("state",)) == 1
    assert step(ftp, ("GetCollection", "sessions")).get("Count") == 0
    host.services.stop("ftpsvc")
    with pytest.raises(ScriptError, match="0x800710D8"):
        ftp.call("GetAttributeValue", ("state",))
