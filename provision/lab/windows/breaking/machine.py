"""Breaks of the machine around IIS: Windows Firewall, reserved ports, WinRM, accounts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from provision.lab.windows.apphost import Document, replace_file
from provision.lab.windows.breaking.common import Act, store_of, tell
from provision.lab.windows.faultfile import HostFaults, read_faults, write_faults
from provision.lab.windows.sectionreader import open_section
from provision.lab.windows.seed import CONFIG_NAME
from provision.lab.windows.settings import load_settings
from provision.lab.windows.state import ExcludedPorts, FirewallRule, WindowsState

OWN_RULE_PREFIX = "provision-"
SLOW_SECONDS = 20.0     # seven requests, the least for a reading, pass the usual deadline of 60 s by far
RESERVED = 3        # ports at the start of the range


def _change_own_rules(folder: Path, how: Callable[[FirewallRule], FirewallRule | None]) -> int:
    """Apply HOW to the rules that provision made; None removes. Returns how many there were."""
    store = store_of(folder)
    own = [rule.name for rule in store.read().rules if rule.name.startswith(OWN_RULE_PREFIX)]

    def changed(state: WindowsState) -> WindowsState:
        rules = [how(rule) if rule.name in own else rule for rule in state.rules]
        return replace(state, rules=tuple(rule for rule in rules if rule is not None))

    store.change(changed)
    if not own:
        raise LookupError("there is no rule of provision on this server yet")
    return len(own)


def rule_disabled(folder: Path) -> str:
    _change_own_rules(folder, lambda rule: replace(rule, enabled=False))
    return "somebody disabled provision's rule in Windows Firewall"


def rule_narrowed(folder: Path) -> str:
    _change_own_rules(folder, lambda rule: replace(rule, remote_addresses=("10.0.0.1",)))
    return "somebody let provision's rule in Windows Firewall admit 10.0.0.1 only"


def rule_removed(folder: Path) -> str:
    _change_own_rules(folder, lambda _rule: None)
    return "somebody removed provision's rule in Windows Firewall"


def winrm_faults(**changes: float) -> Act:
    """Set faults of WinRM in faults.json."""
    def act(folder: Path) -> str:
        now = read_faults(folder)
        wanted = HostFaults(latency_seconds=changes.get("latency", now.latency_seconds),
                            reject_logins=now.reject_logins, closed=bool(changes.get("closed", now.closed)))
        write_faults(folder, wanted)
        tell(folder, do="reload")
        words = [f"answers {wanted.latency_seconds:g} s late"] if wanted.latency_seconds else []
        words = ["is closed"] if wanted.closed else words
        return f"WinRM {' and '.join(words) or 'works as usual'}"

    return act


def _administrator_file(folder: Path) -> Path:
    settings = load_settings(folder)
    return folder / next(login.password_file for login in settings.logins if login.administrator)


def wrong_password(folder: Path) -> str:
    file = _administrator_file(folder)
    kept = file.with_name(f"{file.name}.kept")
    if not kept.exists():
        replace_file(kept, file.read_bytes())
    replace_file(file, f"changed-{time.time_ns()}\n".encode())
    tell(folder, do="reload")
    return "somebody changed the administrator's password"


def right_password(folder: Path) -> str:
    file = _administrator_file(folder)
    kept = file.with_name(f"{file.name}.kept")
    if kept.exists():
        kept.replace(file)
    tell(folder, do="reload")
    return "the administrator has the old password again"


def ports_reserved(folder: Path) -> str:
    """Windows keeps the first ports of the range for itself, as Hyper-V or another service makes it do."""
    section = open_section(Document.load(folder / CONFIG_NAME), "system.ftpServer/firewallSupport", ftp=True)
    low = section.number("lowDataChannelPort")
    if low == 0:
        raise LookupError("this server has no port range yet")
    reserved = ExcludedPorts(low, low + RESERVED - 1)
    store_of(folder).change(lambda state: replace(state, excluded_ports=(reserved,)))
    return f"Windows reserved the ports {reserved.low}-{reserved.high}"


def ports_released(folder: Path) -> str:
    """No port is reserved any more."""
    store_of(folder).change(lambda state: replace(state, excluded_ports=()))
    return "Windows reserves no ports any more"


def local_rules_ignored(folder: Path) -> str:
    """A group policy that counts its own firewall rules only."""
    _allow_local_rules(folder, allow=False)
    return "a group policy ignores the server's own rules in Windows Firewall"


def local_rules_counted(folder: Path) -> str:
    """Not configured, which means that they count."""
    _allow_local_rules(folder, allow=None)
    return "the server's own rules in Windows Firewall count again"


def _allow_local_rules(folder: Path, *, allow: bool | None) -> None:
    store_of(folder).change(lambda state: replace(state, profiles=tuple(
        replace(profile, allow_local_rules=allow) for profile in state.profiles)))
