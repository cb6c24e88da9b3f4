"""Firewall rules, filters, profiles and settings as the NetSecurity module shows them.

It must not change anything. One value is a text, several are a list; enumerations print their English names.
"""

from __future__ import annotations

from collections.abc import Sequence

from provision.lab.powershell.world import EnumValue
from provision.lab.windows.netobject import ObjectTable, table
from provision.lab.windows.state import FirewallProfile, FirewallRule, WindowsState

NAMESPACE = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetSecurity"
CIM = "Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2"
PROFILE_NUMBERS = {"Domain": 1, "Private": 2, "Public": 4}
RULE = "rule"


def word(kind: str, name: str, number: int) -> EnumValue:
    """An enumeration's value."""
    return EnumValue(f"{NAMESPACE}.{kind}", name, number)


def one_or_many(values: Sequence[str]) -> object:
    """How CIM gives a list: one entry alone is not a list."""
    return values[0] if len(values) == 1 else list(values)


def truth(value: bool) -> EnumValue:
    """The module's own True and False."""
    return word("Enabled", "True", 1) if value else word("Enabled", "False", 2)


def rule_object(rule: FirewallRule) -> ObjectTable:
    """MSFT_NetFirewallRule."""
    number = sum(PROFILE_NUMBERS[name] for name in rule.profiles)
    shown = ", ".join(rule.profiles) if rule.profiles else "Any"
    allowed = rule.action == "Allow"
    return table(f"{CIM}/MSFT_NetFirewallRule", {
        "Name": rule.name, "InstanceID": rule.name, "ID": rule.name, "DisplayName": rule.display_name,
        "Description": rule.description, "Group": rule.group, "RuleGroup": rule.group,
        "DisplayGroup": rule.display_group, "Enabled": truth(rule.enabled), "Profile": word("Profile", shown, number),
        "Direction": word("Direction", rule.direction, 1 if rule.direction == "Inbound" else 2),
        "Action": word("Action", rule.action, 2 if allowed else 4),
        "PolicyStoreSource": "PersistentStore" if rule.store == "Local" else "Group Policy",
        "PolicyStoreSourceType": word("PolicyStoreType", rule.store, 1 if rule.store == "Local" else 2),
    }, text=f'MSFT_NetFirewallRule (InstanceID = "{rule.name}")', hidden={RULE: rule})


def port_filter(rule: FirewallRule) -> ObjectTable:
    """MSFT_NetProtocolPortFilter."""
    return _filter("MSFT_NetProtocolPortFilter", rule, {
        "Protocol": rule.protocol, "LocalPort": one_or_many(rule.local_ports),
        "RemotePort": one_or_many(rule.remote_ports), "IcmpType": "Any"})


def address_filter(rule: FirewallRule) -> ObjectTable:
    """MSFT_NetAddressFilter."""
    return _filter("MSFT_NetAddressFilter", rule, {
        "LocalAddress": one_or_many(rule.local_addresses), "RemoteAddress": one_or_many(rule.remote_addresses)})


def service_filter(rule: FirewallRule) -> ObjectTable:
    """MSFT_NetServiceFilter."""
    return _filter("MSFT_NetServiceFilter", rule, {"Service": rule.service})


def application_filter(rule: FirewallRule) -> ObjectTable:
    """MSFT_NetApplicationFilter."""
    return _filter("MSFT_NetApplicationFilter", rule, {"Program": rule.program, "Package": None})


def _filter(kind: str, rule: FirewallRule, members: dict[str, object]) -> ObjectTable:
    return table(f"{CIM}/{kind}", {"InstanceID": rule.name, **members}, hidden={RULE: rule})


def profile_object(profile: FirewallProfile) -> ObjectTable:
    """MSFT_NetFirewallProfile."""
    local = {None: word("GpoBoolean", "NotConfigured", 2), True: word("GpoBoolean", "True", 1),
             False: word("GpoBoolean", "False", 0)}
    return table(f"{CIM}/MSFT_NetFirewallProfile", {
        "Name": profile.name, "Profile": profile.name, "InstanceID": f"MSFT|FW|FirewallProfile|{profile.name}",
        "Enabled": word("GpoBoolean", str(profile.enabled), int(profile.enabled)),
        "AllowLocalFirewallRules": local[profile.allow_local_rules],
        "DefaultInboundAction": word("Action", profile.inbound, 2 if profile.inbound == "Allow" else 4),
        "DefaultOutboundAction": word("Action", "Allow", 2),
    })


def setting_object(state: WindowsState) -> ObjectTable:
    """MSFT_NetSecuritySettingData."""
    return table(f"{CIM}/MSFT_NetSecuritySettingData", {
        "Name": "Global", "EnableStatefulFtp": word("GpoBoolean", str(state.stateful_ftp), int(state.stateful_ftp)),
        "EnableStatefulPptp": word("GpoBoolean", "False", 0),
    })
