"""The Get- cmdlets of the NetSecurity module: rules, their filters, profiles, settings.

It must not change anything. A name without wildcards that is not there is an ObjectNotFound error, as CIM gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from provision.lab.powershell.world import CmdletCall, Parameter, ScriptError
from provision.lab.windows.cmdlets import firewall_objects as shown
from provision.lab.windows.cmdlets.base import Command, matches, named, switches, text, texts
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.netobject import ObjectTable, hidden
from provision.lab.windows.state import FirewallRule, WindowsState

CIM_JOB = "Microsoft.PowerShell.Cmdletization.CimJobException"
STORES = ("PersistentStore", "ActiveStore", "localhost", "RSOP", "ConfigurableServiceStore")
SELECTORS = (Parameter("Name", position=0, aliases=("ID",)), *named("DisplayName", "Group", "DisplayGroup"),
             Parameter("Enabled", values=("True", "False")), Parameter("Direction", values=("Inbound", "Outbound")),
             Parameter("Action", values=("Allow", "Block")), *named("PolicyStore"), *switches("All"))
INPUT = Parameter("InputObject", pipeline=True)
Show = Callable[[FirewallRule], ObjectTable]


def firewall_query_cmdlets(host: WindowsHost) -> Mapping[str, Command]:
    """The cmdlets over HOST."""
    associated = (Parameter("AssociatedNetFirewallRule", pipeline=True), *named("PolicyStore"), *switches("All"))
    filters: Mapping[str, Show] = {
        "get-netfirewallportfilter": shown.port_filter, "get-netfirewalladdressfilter": shown.address_filter,
        "get-netfirewallservicefilter": shown.service_filter,
        "get-netfirewallapplicationfilter": shown.application_filter,
    }
    return {
        "get-netfirewallrule": Command(SELECTORS, lambda call: map(shown.rule_object, chosen(host, call))),
        **{name: Command(associated, partial(_filters, host, show)) for name, show in filters.items()},
        "get-netfirewallprofile": Command((Parameter("Name", position=0, aliases=("Profile",)), *named("PolicyStore"),
                                           *switches("All")), lambda call: _profiles(host, call)),
        "get-netfirewallsetting": Command((*named("PolicyStore"), *switches("All")),
                                          lambda call: [shown.setting_object(host.state)]),
    }


def in_store(state: WindowsState, store: str) -> tuple[FirewallRule, ...]:
    """The rules of a policy store. The active store is the sum of all; another name than the known is refused."""
    known = {each.lower() for each in STORES}
    if store and store.lower() not in known:
        raise ScriptError(f"The policy store '{store}' was not found.", exception_type=CIM_JOB,
                          category="ObjectNotFound", error_id="HRESULT 0x80070002")
    if store.lower() in ("activestore", "rsop"):
        return state.rules
    return tuple(rule for rule in state.rules if rule.store == "Local")


def chosen(host: WindowsHost, call: CmdletCall) -> list[FirewallRule]:
    """The rules that the selectors mean. Raises nothing: what is not found goes to the error stream."""
    rules = in_store(host.state, text(call, "PolicyStore"))
    for name in ("Enabled", "Direction", "Action"):
        wanted = text(call, name).lower()
        rules = tuple(rule for rule in rules if not wanted or _word(rule, name).lower() == wanted)
    selectors: Mapping[str, Callable[[FirewallRule], str]] = {
        "Name": lambda rule: rule.name, "DisplayName": lambda rule: rule.display_name,
        "Group": lambda rule: rule.group, "DisplayGroup": lambda rule: rule.display_group}
    for name, value_of in selectors.items():
        words = texts(call, name)
        if words is not None:
            return [rule for each in words for rule in _matching(rules, each, name, value_of, call)]
    return list(rules)


def _word(rule: FirewallRule, name: str) -> str:
    return {"Enabled": str(rule.enabled), "Direction": rule.direction, "Action": rule.action}[name]


def _matching(rules: Iterable[FirewallRule], wanted: str, name: str, value_of: Callable[[FirewallRule], str],
              call: CmdletCall) -> list[FirewallRule]:
    found = [rule for rule in rules if matches(wanted, value_of(rule))]
    if not found and "*" not in wanted and "?" not in wanted:
        key = "InstanceID" if name == "Name" else name
        call.error(ScriptError(
            f"No MSFT_NetFirewallRule objects found with property '{key}' equal to '{wanted}'.  Verify the value of "
            "the property and retry.", exception_type=CIM_JOB, category="ObjectNotFound",
            error_id=f"CmdletizationQuery_NotFound_{key},Get-NetFirewallRule"))
    return found


def _filters(host: WindowsHost, show: Show, call: CmdletCall) -> Iterator[object]:
    """The filters of the given rules, or of all."""
    given = call.input if call.input is not None else call.get("AssociatedNetFirewallRule")
    if given is None:
        yield from map(show, in_store(host.state, text(call, "PolicyStore")))
        return
    for each in given if isinstance(given, list | tuple) else [given]:
        yield show(rule_of(each))


def rule_of(value: object) -> FirewallRule:
    """The rule behind an object that a Get- cmdlet gave. Throws for anything else."""
    rule = hidden(value, shown.RULE)
    if not isinstance(rule, FirewallRule):
        raise ScriptError("Cannot bind the argument: it is not an MSFT_NetFirewallRule.", category="InvalidArgument",
                          exception_type="System.Management.Automation.ParameterBindingException")
    return rule


def _profiles(host: WindowsHost, call: CmdletCall) -> Iterator[object]:
    wanted = texts(call, "Name") or ("*",)
    for profile in host.state.profiles:
        if any(matches(each, profile.name) for each in wanted):
            yield shown.profile_object(profile)
