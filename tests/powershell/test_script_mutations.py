"""A slip in a shipped script is noticed: each mutation of the text makes the run fail or its answers differ."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from powershell.labserver import EVERYTHING, GET, QUESTION, SET, SITE, Server

from provision.lab.powershell.runspace import REFUSED

REMOVE = {"dataChannelPorts": {"set": None}, "externalAddresses": [{"site": SITE, "set": None}],
          "firewallRule": {"set": None}}
_TIME = re.compile(r'"\d{4}-\d\d-\d\dT[^"]*"')
_PROCESS = re.compile(r'"processId":(\d+)')


def journey(server: Server, get: str, change: str) -> list[Any]:
    """What an operator sees who reads, sets, reads, removes and reads. Times are left out, processes are counted."""
    processes: dict[str, int] = {}
    name = {"cluster": "lab", "ruleName": "provision-lab"}
    seen: list[Any] = []
    for script, document in ((get, QUESTION), (change, {**name, **EVERYTHING}), (get, QUESTION),
                             (change, {**name, **REMOVE}), (get, QUESTION)):
        result = server.run(script, document)
        if result.failed is not None:
            return [*seen, result.failed.exception_type]
        for text in result.output:
            timeless = _TIME.sub('"then"', str(text))
            seen.append(json.loads(_PROCESS.sub(
                lambda found: f'"processId":{processes.setdefault(found[1], len(processes))}', timeless)))
    return seen


@pytest.fixture
def shipped(server: Server) -> list[Any]:
    seen = journey(server, GET, SET)
    assert all(answer["ok"] for answer in seen)
    return seen


def slip(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


GET_SLIPS = [
    ("a misspelt attribute", "GetAttribute('lowDataChannelPort')", "GetAttribute('lowDataChanelPort')"),
    ("the attribute of another element", "GetAttribute('externalIp4Address')", "GetAttribute('externalIpAddress')"),
    ("a misspelt section", "'system.ftpServer/firewallSupport'", "'system.ftpServer/firewalSupport'"),
    ("a misspelt child element", "GetChildElement('dataChannelSecurity')", "GetChildElement('datachannelSecurity2')"),
    ("a misspelt property", "$attribute.IsInheritedFromDefaultValue", "$attribute.IsInheritedFromDefault"),
    ("a misspelt method", "$Manager.GetApplicationHostConfiguration()", "$Manager.GetApplicationHostConfig()"),
    ("a wrong variable", "-Inherited $default.value", "-Inherited $defaults.value"),
    ("an unknown variable", "$facts.Shared = $shared", "$facts.Shared = $sharde"),
    ("a misspelt cmdlet", "Get-NetFirewallServiceFilter -PolicyStore", "Get-NetFirewallServicesFilter -PolicyStore"),
    ("a parameter that the cmdlet lacks", "Get-Process -Id", "Get-Process -ProcessId"),
    ("the other policy store", "Get-NetFirewallPortFilter -PolicyStore ActiveStore",
     "Get-NetFirewallPortFilter -PolicyStore Active"),
    ("a list of one that falls apart", "localPorts = @($port.LocalPort", "localPorts = ($port.LocalPort[0]"),
    ("a misspelt class of CIM", "-ClassName Win32_Service", "-ClassName Win32_Services"),
    ("a misspelt value of the marker", "low = [int]$item.Low", "low = [int]$item.Lo"),
    ("the other end of the range", "high = [int]$high.Value", "high = [int]$low.Value"),
    ("a comparison the wrong way round", "$Managed -contains $fact.name", "$Managed -notcontains $fact.name"),
    ("a misspelt function", "Get-FirewallProfileFact)", "Get-FirewallProfilFact)"),
    ("a misspelt static member", "[Environment]::MachineName", "[Environment]::Machine"),
    ("a lost -ErrorAction value", "-PolicyStore PersistentStore -ErrorAction Stop",
     "-PolicyStore PersistentStore -ErrorAction"),
]
SET_SLIPS = [
    ("the commit is lost", "            $manager.CommitChanges()\n", ""),
    ("a misspelt commit", "$manager.CommitChanges()", "$manager.CommitChange()"),
    ("a misspelt attribute", "highDataChannelPort = $Range.High", "highDataChannelPorts = $Range.High"),
    ("both ends the same", "highDataChannelPort = $Range.High", "highDataChannelPort = $Range.Low"),
    ("the address goes to the wrong attribute", "SetAttributeValue('externalIp4Address', [string]$Value)",
     "SetAttributeValue('externalIpAddress', [string]$Value)"),
    ("the attribute is emptied instead of deleted", "            $attribute.Delete()\n            \"externalAddress",
     "            $element.SetAttributeValue('externalIp4Address', '')\n            \"externalAddress"),
    ("a wrong variable", "Update-PortRange -Configuration $configuration", "Update-PortRange -Configuration $section"),
    ("the marker is lost", "        Set-RangeMarker -Order $Order\n", ""),
    ("the marker says the wrong end", "-Name 'High' -PropertyType DWord -Value $Order.Range.High",
     "-Name 'High' -PropertyType DWord -Value $Order.Range.Low"),
    ("a misspelt firewall parameter", "RemoteAddress = $wanted.Remote", "RemoteAdress = $wanted.Remote"),
    ("the rule opens to everyone", "RemoteAddress = $wanted.Remote", "RemoteAddress = 'Any'"),
    ("the rule is for another service", "Service = $wanted.Service", "Service = 'w3svc'"),
    ("the restart is lost", "'Restart' { Restart-Service -Name ftpsvc -Force }", "'Restart' { }"),
    ("a misspelt service", "Restart-Service -Name ftpsvc", "Restart-Service -Name ftpsrv"),
    ("a misspelt class", "Microsoft.Web.Administration.ServerManager", "Microsoft.Web.Administration.ServerManger"),
    ("the assembly is not loaded", "    Add-Type -Path $AdministrationDll\n", ""),
]


@pytest.mark.parametrize(("old", "new"), [pytest.param(*each[1:], id=each[0]) for each in GET_SLIPS])
def test_a_slip_in_get_is_noticed(server: Server, shipped: list[Any], old: str, new: str) -> None:
    assert journey(server, slip(GET, old, new), SET) != after(shipped)


@pytest.mark.parametrize(("old", "new"), [pytest.param(*each[1:], id=each[0]) for each in SET_SLIPS])
def test_a_slip_in_set_is_noticed(server: Server, shipped: list[Any], old: str, new: str) -> None:
    assert journey(server, GET, slip(SET, old, new)) != after(shipped)


def after(shipped: list[Any]) -> list[Any]:
    """A second journey on the same server starts with the marker of the first one."""
    first = json.loads(json.dumps(shipped[0]))
    first["data"]["rangeMarker"] = shipped[-1]["data"]["rangeMarker"]
    return [first, *shipped[1:]]


def test_the_journey_itself_repeats(server: Server, shipped: list[Any]) -> None:
    assert journey(server, GET, SET) == after(shipped)


def test_a_lost_commit_is_noticed_by_the_script_itself(server: Server) -> None:
    error = server.refused(slip(SET, "            $manager.CommitChanges()\n", ""), **EVERYTHING)
    assert (error["code"], error["data"]) == ("Unexpected", ["dataChannelPorts", f"externalAddress:{SITE}"])


def test_a_misspelt_member_names_the_line_of_the_script(server: Server) -> None:
    mutated = slip(SET, "$manager.CommitChanges()", "$manager.CommitChange()")
    line = mutated[:mutated.index("$manager.CommitChange()")].count("\n") + 1
    failed = server.run(mutated, {"cluster": "lab", "ruleName": "r", **EVERYTHING}).failed
    assert failed is not None
    assert (failed.exception_type, failed.script_line) == (REFUSED, line)
    assert failed.message.startswith(f"under test:{line}: ")
