"""New-, Set-, Enable-, Disable- and Remove-NetFirewallRule, Set-NetFirewallProfile and Set-NetFirewallSetting.

It must not know who wants what. Values are checked as Windows checks them: a port that is none, an address that is
none, or a local port without TCP or UDP is refused, and a name that exists cannot be made again.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any, get_args

from provision.lab.powershell.world import CmdletCall, Parameter, ScriptError
from provision.lab.windows.cmdlets.base import Command, named, switched, switches, text, texts
from provision.lab.windows.cmdlets.firewall_objects import rule_object
from provision.lab.windows.cmdlets.firewall_query import INPUT, chosen, rule_of
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.state import FirewallProfile, FirewallRule, ProfileName, WindowsState

CIM_EXCEPTION = "Microsoft.Management.Infrastructure.CimException"
TRUTH = ("True", "False", "NotConfigured")
VALUES = (Parameter("Enabled", values=("True", "False")), Parameter("Direction", values=("Inbound", "Outbound")),
          Parameter("Action", values=("Allow", "Block")), *named(
              "Description", "Profile", "Protocol", "LocalPort", "RemotePort", "LocalAddress", "RemoteAddress",
              "Program", "Service", "PolicyStore"))
PORT_WORDS = ("any", "rpc", "rpcepmap", "iphttpsin", "iphttpsout", "teredo", "playtodiscovery")
ADDRESS_WORDS = ("any", "localsubnet", "dns", "dhcp", "wins", "defaultgateway", "internet", "intranet")


def firewall_change_cmdlets(host: WindowsHost) -> Mapping[str, Command]:
    """The cmdlets over HOST."""
    selectors = (Parameter("Name", position=0, aliases=("ID",)), INPUT, *named("DisplayName", "Group", "DisplayGroup"),
                 *switches("PassThru"))
    store = named("PolicyStore")
    return {
        "new-netfirewallrule": Command((*named("Name", "Group"), Parameter("DisplayName", mandatory=True), *VALUES),
                                       partial(_new, host)),
        "set-netfirewallrule": Command((*selectors, *named("NewDisplayName"), *VALUES), partial(_set, host)),
        "enable-netfirewallrule": Command((*selectors, *store), partial(_change, host, partial(replace, enabled=True))),
        "disable-netfirewallrule": Command((*selectors, *store),
                                           partial(_change, host, partial(replace, enabled=False))),
        "remove-netfirewallrule": Command((*selectors, *store), partial(_remove, host)),
        "set-netfirewallprofile": Command((Parameter("Name", position=0, aliases=("Profile",)), *switches("All"),
                                           *(Parameter(name, values=TRUTH)
                                             for name in ("Enabled", "AllowLocalFirewallRules")),
                                           Parameter("DefaultInboundAction",
                                                     values=("Allow", "Block", "NotConfigured"))),
                                          partial(_set_profile, host)),
        "set-netfirewallsetting": Command((Parameter("EnableStatefulFtp", values=TRUTH), *named("PolicyStore")),
                                          partial(_set_setting, host)),
    }


def _new(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    name = text(call, "Name") or "{" + str(uuid.uuid4()).upper() + "}"
    rule = _with_values(FirewallRule(name, text(call, "DisplayName"), group=text(call, "Group"),
                                     protocol="Any", display_group=text(call, "Group")), call)

    def added(state: WindowsState) -> WindowsState:
        if any(each.name.lower() == name.lower() and each.store == "Local" for each in state.rules):
            raise ScriptError("Cannot create a file when that file already exists. ", exception_type=CIM_EXCEPTION,
                              hresult=0x800700B7 - (1 << 32), category="ResourceExists",
                              error_id="Windows System Error 183,New-NetFirewallRule")
        return replace(state, rules=(*state.rules, rule))

    host.store.change(added)
    yield rule_object(rule)


def _set(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    return _change(host, lambda rule: _with_values(rule, call), call)


def _change(host: WindowsHost, how: Callable[[FirewallRule], FirewallRule], call: CmdletCall) -> Iterator[object]:
    names = {rule.name for rule in _selected(host, call)}
    host.store.change(lambda state: replace(state, rules=tuple(
        how(rule) if rule.name in names and rule.store == "Local" else rule for rule in state.rules)))
    if switched(call, "PassThru"):
        yield from (rule_object(rule) for rule in host.state.rules if rule.name in names)


def _remove(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    names = {rule.name for rule in _selected(host, call)}
    host.store.change(lambda state: replace(state, rules=tuple(
        rule for rule in state.rules if rule.name not in names or rule.store != "Local")))
    yield from ()


def _selected(host: WindowsHost, call: CmdletCall) -> list[FirewallRule]:
    """The rules that the call names; a call that names none is refused, so that nobody changes all by mistake."""
    given = call.input if call.input is not None else call.get("InputObject")
    if given is not None:
        return [rule_of(each) for each in (given if isinstance(given, list | tuple) else [given])]
    selecting = ("name", "displayname", "group", "displaygroup", "policystore")
    named_only = {key: value for key, value in call.parameters.items() if key in selecting}
    if not set(named_only) - {"policystore"}:
        raise ScriptError("Parameter set cannot be resolved using the specified named parameters.",
                          exception_type="System.Management.Automation.ParameterBindingException",
                          category="InvalidArgument", error_id="AmbiguousParameterSet")
    return chosen(host, CmdletCall(named_only, None, call.error, call.warning, call.verbose))


def _with_values(rule: FirewallRule, call: CmdletCall) -> FirewallRule:
    given = {key: text(call, key) for key in ("Description", "Protocol", "Program", "Service") if call.get(key) is not None}
    changes: dict[str, Any] = {key.lower(): value for key, value in given.items()}
    if call.get("NewDisplayName") is not None:
        changes["display_name"] = text(call, "NewDisplayName")
    if call.get("Enabled") is not None:
        changes["enabled"] = text(call, "Enabled").lower() == "true"
    changes |= {key.lower(): text(call, key).title() for key in ("Direction", "Action") if call.get(key) is not None}
    if call.get("Profile") is not None:
        changes["profiles"] = _profiles(texts(call, "Profile") or ())
    for key, attribute in (("LocalPort", "local_ports"), ("RemotePort", "remote_ports")):
        ports = texts(call, key)
        changes |= {} if ports is None else {attribute: tuple(map(_port, ports))}
    for key, attribute in (("LocalAddress", "local_addresses"), ("RemoteAddress", "remote_addresses")):
        addresses = texts(call, key)
        changes |= {} if addresses is None else {attribute: tuple(map(_address, addresses))}
    changed: FirewallRule = replace(rule, **changes)
    if changed.protocol.upper() not in ("TCP", "UDP", "6", "17") and changed.local_ports != ("Any",):
        raise _invalid("A local port needs the protocol TCP or UDP.")
    return changed


def _port(value: str) -> str:
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", value)
    if match is None:
        if value.lower() in PORT_WORDS:
            return "Any" if value.lower() == "any" else value
        raise _invalid(f"The port '{value}' is invalid.")
    low, high = int(match[1]), int(match[2] or match[1])
    if not low <= high <= 65535:
        raise _invalid(f"The port '{value}' is invalid.")
    return value


def _address(value: str) -> str:
    """An address as Windows keeps it: a network with its mask in four numbers, one address without."""
    if value.lower() in ADDRESS_WORDS:
        return "Any" if value.lower() == "any" else value
    low, dash, high = value.partition("-")
    try:
        if dash:
            return f"{IPv4Address(low)}-{IPv4Address(high)}"
        network = IPv4Network(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        raise _invalid(f"The address '{value}' is invalid.") from None
    return str(network.network_address) if network.prefixlen == 32 else network.with_netmask


def _profiles(words: tuple[str, ...]) -> tuple[ProfileName, ...]:
    wanted = {part.strip().lower() for word in words for part in word.split(",")}
    known = {name.lower() for name in get_args(ProfileName)}
    if wanted & {"any", "notapplicable"}:
        return ()
    if wanted - known:
        raise _invalid(f"The profile '{', '.join(sorted(wanted - known))}' is invalid.")
    return tuple(name for name in get_args(ProfileName) if name.lower() in wanted)


def _invalid(message: str) -> ScriptError:
    return ScriptError(message, exception_type=CIM_EXCEPTION, hresult=0x80070057 - (1 << 32),
                       category="InvalidArgument", error_id="Windows System Error 87")


def _set_profile(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    wanted = {name.lower() for name in texts(call, "Name") or get_args(ProfileName)}

    def changed(profile: FirewallProfile) -> FirewallProfile:
        local = {"true": True, "false": False, "notconfigured": None}
        allow = text(call, "AllowLocalFirewallRules", "-").lower()
        inbound = text(call, "DefaultInboundAction").title()
        return replace(
            profile,
            enabled=text(call, "Enabled", str(profile.enabled)).lower() == "true",
            allow_local_rules=local.get(allow, profile.allow_local_rules) if allow != "-" else profile.allow_local_rules,
            inbound="Allow" if inbound == "Allow" else "Block" if inbound else profile.inbound)

    host.store.change(lambda state: replace(state, profiles=tuple(
        changed(each) if each.name.lower() in wanted else each for each in state.profiles)))
    yield from ()


def _set_setting(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    on = text(call, "EnableStatefulFtp", str(host.state.stateful_ftp)).lower() == "true"
    host.store.change(lambda state: replace(state, stateful_ftp=on))
    yield from ()
