"""Windows Firewall's decision: does this connection come in?

Pure: state in, verdict out. It must not know where rules are kept or which cmdlet made them. Order of precedence
as documented for Windows Firewall with Advanced Security: a block rule beats an allow rule, and without either
the profile's default inbound action decides.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import get_args

from provision.lab.windows.state import FirewallProfile, FirewallRule, ProfileName, WindowsState

SVCHOST = "%SystemRoot%\\system32\\svchost.exe"
FTP_GROUP = "@%windir%\\system32\\firewallapi.dll,-38521"


def admits(state: WindowsState, remote: str, port: int, service: str) -> bool:
    """Whether a TCP connection from REMOTE to PORT, served by SERVICE, comes in.

    While the firewall service itself is stopped nothing is filtered, as on Windows.
    """
    engine = state.service("MpsSvc")
    if engine is not None and engine.status == "Stopped":
        return True
    profile = next((each for each in state.profiles if each.name == state.network), None)
    if profile is None or not profile.enabled:
        return True
    matching = [rule for rule in effective(state, profile) if touches(rule, remote, port, service)]
    if any(rule.action == "Block" for rule in matching):
        return False
    return bool(matching) or profile.inbound == "Allow"


def effective(state: WindowsState, profile: FirewallProfile) -> list[FirewallRule]:
    """The enabled inbound rules that count under PROFILE; group policy may leave out the machine's own."""
    local = profile.allow_local_rules is not False
    return [rule for rule in state.rules
            if rule.enabled and rule.direction == "Inbound"
            and (not rule.profiles or profile.name in rule.profiles)
            and (local or rule.store == "GroupPolicy")]


def touches(rule: FirewallRule, remote: str, port: int, service: str) -> bool:
    """Whether RULE speaks about this TCP connection."""
    return (rule.protocol.upper() in ("TCP", "6", "ANY")
            and rule.service.lower() in ("any", service.lower())
            and any(_holds_port(each, port) for each in rule.local_ports)
            and any(_holds_address(each, remote) for each in rule.remote_addresses))


def _holds_port(text: str, port: int) -> bool:
    if text.lower() == "any":
        return True
    low, _, high = text.partition("-")
    return low.isdigit() and int(low) <= port <= int(high or low)


def _holds_address(text: str, remote: str) -> bool:
    if text.lower() == "any":
        return True
    address = IPv4Address(remote)
    if text.lower() == "localsubnet":
        return address in IPv4Network("127.0.0.0/8")
    low, dash, high = text.partition("-")
    if dash:
        return IPv4Address(low) <= address <= IPv4Address(high)
    return address in IPv4Network(text, strict=False)


def built_in_rules(*, passive_open: bool) -> tuple[FirewallRule, ...]:
    """The rules that come with Windows and with the FTP role.

    PASSIVE_OPEN: whether the role's passive rule (1024-65535 for ftpsvc) is enabled, as after an installation with
    the stock policy, or disabled, as on a hardened server. The names of the two FTPS rules are not documented; ours
    follow the pattern of the others.
    """
    ftp, secure = "FTP Server", "FTP Server Secure"
    return (
        _rule("IIS-WebServerRole-FTP-In-TCP-21", f"{ftp} (FTP Traffic-In)", "21", service="ftpsvc"),
        _rule("IIS-WebServerRole-FTP-Out-TCP-20", f"{ftp} (FTP Traffic-Out)", "20", inbound=False, service="ftpsvc"),
        _rule("IIS-WebServerRole-FTP-Passive-In-TCP", f"{ftp} Passive (FTP Passive Traffic-In)", "1024-65535",
              enabled=passive_open, service="ftpsvc"),
        _rule("IIS-WebServerRole-FTP-SSL-In-TCP-990", f"{secure} (FTP SSL Traffic-In)", "990", service="ftpsvc"),
        _rule("IIS-WebServerRole-FTP-SSL-Out-TCP-989", f"{secure} (FTP SSL Traffic-Out)", "989", inbound=False,
              service="ftpsvc"),
        _rule("WINRM-HTTP-In-TCP", "Windows Remote Management (HTTP-In)", "5985", program="System",
              group="Windows Remote Management"),
        _rule("RemoteDesktop-UserMode-In-TCP", "Remote Desktop - User Mode (TCP-In)", "3389", program=SVCHOST,
              service="termservice", group="Remote Desktop"),
    )


def _rule(name: str, display: str, port: str, *, inbound: bool = True, enabled: bool = True, service: str = "Any",
          program: str = SVCHOST, group: str = "FTP Server") -> FirewallRule:
    return FirewallRule(
        name=name, display_name=display, enabled=enabled, direction="Inbound" if inbound else "Outbound",
        local_ports=(port,), program=program, service=service,
        group=FTP_GROUP if group == "FTP Server" else group, display_group=group,
        description="An inbound rule of Windows." if inbound else "An outbound rule of Windows.")


def built_in_profiles() -> tuple[FirewallProfile, ...]:
    """Domain, Private and Public: on, blocking what no rule admits."""
    return tuple(FirewallProfile(name) for name in get_args(ProfileName))
