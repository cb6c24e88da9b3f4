"""The cmdlets of the modelled Windows, called as the evaluator calls them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast

import pytest
from windows.iishost import ADDRESS, Connect, MakeHost, edit_range, passive, restart

from provision.lab.powershell.world import CmdletCall, NetObject, ScriptError
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.world import make_world


def values(host: WindowsHost, name: str, **parameters: object) -> list[object]:
    cmdlet = make_world(host).cmdlets[name.lower()]
    declared = {each.name.lower() for each in cmdlet.parameters}
    assert {key.lower() for key in parameters} <= declared
    call = CmdletCall({key.lower(): value for key, value in parameters.items()})
    return list(cmdlet.run(call))


def run(host: WindowsHost, name: str, **parameters: object) -> list[NetObject]:
    return [cast(NetObject, each) for each in values(host, name, **parameters)]


def shown(thing: NetObject, *names: str) -> list[str]:
    return [str(thing.get(name)) for name in names]


def own_rule(host: WindowsHost, **changes: object) -> NetObject:
    values = {"Name": "provision-x", "DisplayName": "x", "Direction": "Inbound", "Action": "Allow", "Protocol": "TCP",
              "LocalPort": ["21", "10000-10020"], "RemoteAddress": "10.0.0.1", "Service": "ftpsvc", "Profile": "Any"}
    return run(host, "New-NetFirewallRule", **{**values, **changes})[0]


def test_get_service_shows_status_and_start_type(host: WindowsHost) -> None:
    (service,) = run(host, "Get-Service", Name="FTPSVC")
    assert shown(service, "Name", "Status", "StartType") == ["ftpsvc", "Running", "Automatic"]


def test_an_unknown_service_is_object_not_found(host: WindowsHost) -> None:
    with pytest.raises(ScriptError, match="Cannot find any service") as caught:
        run(host, "Get-Service", Name="ftpsv")
    assert caught.value.category == "ObjectNotFound"


def test_restart_service_takes_a_new_process_and_the_new_range(host: WindowsHost, connect: Connect) -> None:
    before = host.state.services["ftpsvc"]
    edit_range(host, 10040, 10041)
    run(host, "Restart-Service", Name="ftpsvc", Force=True)
    after = host.state.services["ftpsvc"]
    assert after.process_id != before.process_id
    assert (after.started_at or 0) > (before.started_at or 0)
    assert passive(connect())[1] in (10040, 10041)


def test_a_disabled_service_does_not_start(host: WindowsHost) -> None:
    run(host, "Stop-Service", Name="ftpsvc", Force=True)
    run(host, "Set-Service", Name="ftpsvc", StartupType="Disabled")
    with pytest.raises(ScriptError, match="Failed to start service 'Microsoft FTP Service") as caught:
        run(host, "Start-Service", Name="ftpsvc")
    assert caught.value.exception_type.endswith("ServiceCommandException")


def test_cim_and_get_process_agree_on_when_the_service_began(host: WindowsHost) -> None:
    (service,) = run(host, "Get-CimInstance", ClassName="Win32_Service", Filter="Name='ftpsvc'")
    (process,) = run(host, "Get-Process", Id=service.get("ProcessId"))
    assert shown(service, "State", "StartMode") == ["Running", "Auto"]
    started = cast(datetime, process.get("StartTime")).timestamp()
    assert started == pytest.approx(host.state.services["ftpsvc"].started_at, abs=1e-5)


@pytest.mark.parametrize(("name", "query", "reason"), [("Win32_Service", "Name like 'f%'", "Invalid query"),
                                                       ("Win32_Servic", "", "Invalid class")])
def test_cim_refuses_what_it_does_not_know(host: WindowsHost, name: str, query: str, reason: str) -> None:
    with pytest.raises(ScriptError, match=reason):
        run(host, "Get-CimInstance", ClassName=name, Filter=query)


def test_a_new_rule_is_read_back_through_its_filters(host: WindowsHost) -> None:
    rule = own_rule(host, RemoteAddress=["10.0.0.1", "10.1.0.0/16"])
    assert shown(rule, "Enabled", "Direction", "Action", "Profile") == ["True", "Inbound", "Allow", "Any"]
    (ports,) = run(host, "Get-NetFirewallPortFilter", AssociatedNetFirewallRule=rule)
    (addresses,) = run(host, "Get-NetFirewallAddressFilter", AssociatedNetFirewallRule=rule)
    (service,) = run(host, "Get-NetFirewallServiceFilter", AssociatedNetFirewallRule=rule)
    assert (ports.get("Protocol"), ports.get("LocalPort")) == ("TCP", ["21", "10000-10020"])
    assert addresses.get("RemoteAddress") == ["10.0.0.1", "10.1.0.0/255.255.0.0"]
    assert service.get("Service") == "ftpsvc"


def test_a_rules_name_cannot_be_made_twice(host: WindowsHost) -> None:
    own_rule(host)
    with pytest.raises(ScriptError) as caught:
        own_rule(host)
    assert caught.value.category == "ResourceExists"


@pytest.mark.parametrize("change", [{"LocalPort": "21-"}, {"LocalPort": "70000"}, {"RemoteAddress": "10.0.0.256"},
                                    {"Protocol": "Any"}, {"Profile": "Home"}])
def test_a_rule_that_windows_would_refuse_is_refused(host: WindowsHost, change: dict[str, object]) -> None:
    with pytest.raises(ScriptError) as caught:
        own_rule(host, **change)
    assert caught.value.category == "InvalidArgument"


def test_a_rule_that_is_not_there_is_object_not_found(host: WindowsHost) -> None:
    with pytest.raises(ScriptError, match="No MSFT_NetFirewallRule objects found") as caught:
        run(host, "Get-NetFirewallRule", Name="provision-x", PolicyStore="PersistentStore")
    assert caught.value.category == "ObjectNotFound"


def test_set_changes_what_it_names_and_keeps_the_rest(host: WindowsHost) -> None:
    own_rule(host)
    run(host, "Set-NetFirewallRule", Name="provision-x", LocalPort="21", PolicyStore="PersistentStore")
    rule = next(each for each in host.state.rules if each.name == "provision-x")
    assert (rule.local_ports, rule.remote_addresses) == (("21",), ("10.0.0.1",))


def test_set_without_a_name_changes_no_rule(host: WindowsHost) -> None:
    with pytest.raises(ScriptError, match="Parameter set cannot be resolved"):
        run(host, "Set-NetFirewallRule", Enabled="False", PolicyStore="PersistentStore")


def test_a_rule_of_group_policy_is_in_the_active_store_only_and_stays(host: WindowsHost) -> None:
    own_rule(host)
    host.store.change(lambda state: replace(state, rules=tuple(
        replace(rule, store="GroupPolicy") if rule.name == "provision-x" else rule for rule in state.rules)))
    assert run(host, "Get-NetFirewallRule", Name="provision-x", PolicyStore="ActiveStore")
    with pytest.raises(ScriptError):
        run(host, "Remove-NetFirewallRule", Name="provision-x", PolicyStore="PersistentStore")


def test_remove_removes(host: WindowsHost) -> None:
    own_rule(host)
    run(host, "Remove-NetFirewallRule", Name="provision-x", PolicyStore="PersistentStore")
    assert not [rule for rule in host.state.rules if rule.name == "provision-x"]


def test_the_registry_keeps_values_and_finds_keys_in_any_case(host: WindowsHost) -> None:
    path = "HKLM:\\SOFTWARE\\provision\\lab"
    run(host, "New-Item", Path=path, Force=True)
    run(host, "New-ItemProperty", LiteralPath=path, Name="Low", PropertyType="DWord", Value=10000, Force=True)
    (item,) = run(host, "Get-ItemProperty", LiteralPath=path.upper())
    assert item.get("low") == 10000
    assert values(host, "Test-Path", LiteralPath="HKLM:\\SOFTWARE\\provision") == [True]


def test_a_key_needs_its_parent_unless_forced(host: WindowsHost) -> None:
    with pytest.raises(ScriptError, match="does not exist"):
        run(host, "New-Item", Path="HKLM:\\SOFTWARE\\a\\b")


def test_files_are_found_where_windows_has_them(host: WindowsHost) -> None:
    config = "C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config"
    assert values(host, "Test-Path", LiteralPath=config, PathType="Leaf") == [True]
    assert values(host, "Get-Content", LiteralPath=config, Raw=True) == [host.config_path.read_text()]
    with pytest.raises(ScriptError, match="Cannot find path"):
        run(host, "Get-Item", LiteralPath="C:\\nowhere")


def test_listening_ports_name_their_process(host: WindowsHost) -> None:
    host.store.change(lambda state: replace(state, listeners=((10005, 777),)))
    found = {each.get("LocalPort"): each.get("OwningProcess") for each in run(
        host, "Get-NetTCPConnection", State="Listen")}
    assert found[2121] == host.state.services["ftpsvc"].process_id
    assert found[10005] == 777
    assert found[5985] == 4


def test_a_failed_start_is_found_in_the_system_log(host: WindowsHost) -> None:
    edit_range(host, 10050, 10040)
    with pytest.raises(ScriptError):
        run(host, "Restart-Service", Name="ftpsvc")
    messages = [str(each.get("Message")) for each in run(host, "Get-WinEvent", LogName="System")]
    assert "10050-10040" in messages[0]


def test_a_log_without_events_is_object_not_found(host: WindowsHost) -> None:
    with pytest.raises(ScriptError, match="No events were found"):
        run(host, "Get-WinEvent", LogName="Application")


def test_a_reboot_forgets_sessions_and_starts_the_automatic_services(make_host: MakeHost, connect: Connect) -> None:
    host = make_host()
    connect()
    restart(host)
    assert not host.ftp.sessions()
    assert host.state.services["was"].status == "Stopped"
    assert host.state.services["ftpsvc"].status == "Running"


@pytest.mark.parametrize(("command", "arguments", "words"), [
    ("hostname", [], ["WIN1"]),
    ("whoami", [], ["win1\\labadmin"]),
    ("netsh.exe", ["interface", "ipv4", "show", "dynamicport", "tcp"], ["Start Port      : 49152"]),
    ("sc", ["query", "ftpsvc"], ["SERVICE_NAME: ftpsvc", "        STATE              : 4  RUNNING"]),
])
def test_native_programs_say_what_windows_says(
    host: WindowsHost, command: str, arguments: list[str], words: list[str]
) -> None:
    lines, code = make_world(host).native[command](arguments)
    assert code == 0
    assert set(words) <= set(lines)


def test_an_excluded_range_shows_in_netsh_with_its_mark(host: WindowsHost) -> None:
    host.directory.joinpath("windows.json").write_text(
        host.directory.joinpath("windows.json").read_text().replace(
            '"excluded_ports": []', '"excluded_ports": [{"low": 5000, "high": 5099, "administered": true}]'))
    lines, _ = make_world(host).native["netsh"](["int", "ipv4", "show", "excludedportrange", "protocol=tcp"])
    assert ["5000", "5099", "*"] in [line.split() for line in lines]


def test_a_word_that_netsh_does_not_know_fails(host: WindowsHost) -> None:
    assert make_world(host).native["netsh"](["interface", "ipv4", "show", "dynamicports", "tcp"])[1] == 1


def test_the_address_of_the_machine_is_its_own(host: WindowsHost) -> None:
    lines, _ = make_world(host).native["ipconfig"]([])
    assert any(line.endswith(ADDRESS) for line in lines)


def test_net_stops_and_starts_a_service_and_says_so(host: WindowsHost) -> None:
    net = make_world(host).native["net"]
    assert net(["stop", "ftpsvc"]) == (["The Microsoft FTP Service service was stopped successfully.", ""], 0)
    assert net(["stop", "ftpsvc"])[1] == 2
    assert net(["start", "ftpsvc"])[1] == 0
    assert host.state.services["ftpsvc"].status == "Running"
