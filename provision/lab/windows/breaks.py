"""Breaks of one Windows host, done the way a person would do them: in its files, or through its control socket.

It must not know the cluster or who mends. Each takes the host's folder and returns a sentence of what was done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from provision.lab.windows.apphost import Document, replace_file
from provision.lab.windows.control import ask
from provision.lab.windows.elements import ConfigElement
from provision.lab.windows.faultfile import HostFaults, read_faults, write_faults
from provision.lab.windows.sectionreader import open_section
from provision.lab.windows.seed import CONFIG_NAME, STATE_NAME
from provision.lab.windows.settings import load_settings
from provision.lab.windows.state import FirewallRule, StateStore, WindowsState

WRONG_ADDRESS = "10.0.0.9"
OTHER_RANGE = (40000, 40019)
OWN_RULE_PREFIX = "provision-"
SLOW_SECONDS = 3.0
MARKER_ROOT = "hklm:\\software\\provision\\"
Act = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Break:
    """A named break. MEND None: `provision cluster` brings it back by itself."""

    name: str
    sentence: str
    apply: Act
    mend: Act | None = None


def _edit(folder: Path, how: Callable[[Document], None]) -> None:
    document = Document.load(folder / CONFIG_NAME)
    how(document)
    document.save(folder / CONFIG_NAME)


def _ftp_sites(document: Document) -> list[ConfigElement]:
    sites = open_section(document, "system.applicationHost/sites", ftp=True).entries()
    return [site for site in sites if any(
        binding.value("protocol") == "ftp" for binding in site.child("bindings").entries())]


def _external_address(folder: Path) -> str:
    def edit(document: Document) -> None:
        _ftp_sites(document)[0].child("ftpServer").child("firewallSupport").write("externalIp4Address", WRONG_ADDRESS)

    _edit(folder, edit)
    _tell(folder, do="service", name="ftpsvc", action="restart")
    return f"somebody set the external address of the first FTP site to {WRONG_ADDRESS} and restarted the service"


def _external_address_removed(folder: Path) -> str:
    def edit(document: Document) -> None:
        for site in _ftp_sites(document):
            site.child("ftpServer").child("firewallSupport").clear("externalIp4Address")

    _edit(folder, edit)
    _tell(folder, do="service", name="ftpsvc", action="restart")
    return "somebody removed the external address of every FTP site and restarted the service"


def _range_without_restart(folder: Path) -> str:
    low, high = OTHER_RANGE

    def edit(document: Document) -> None:
        section = open_section(document, "system.ftpServer/firewallSupport", ftp=True)
        section.write("lowDataChannelPort", low)
        section.write("highDataChannelPort", high)

    _edit(folder, edit)
    return f"somebody changed the data channel port range to {low}-{high} and did not restart the service"


def _restart_forgotten(folder: Path) -> str:
    """The marker says that the range was written just now; the service is older than that."""
    store = StateStore(folder / STATE_NAME)
    keys = [key for key in store.read().registry if key.lower().startswith(MARKER_ROOT)]
    if not keys:
        raise LookupError("provision never wrote a port range on this server")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def marked(state: WindowsState) -> WindowsState:
        return replace(state, registry={key: {**values, "ChangedAt": now} if key in keys else values
                                        for key, values in state.registry.items()})

    store.change(marked)
    return "the port range was written again, and the restart that should follow never came"


def _service_stopped(folder: Path) -> str:
    _tell(folder, do="service", name="ftpsvc", action="stop")
    return "somebody stopped the FTP service"


def _service_disabled(folder: Path) -> str:
    _tell(folder, do="service", name="ftpsvc", action="stop")

    def disabled(state: WindowsState) -> WindowsState:
        return state.with_service(replace(state.services["ftpsvc"], start_type="Disabled"))

    StateStore(folder / STATE_NAME).change(disabled)
    return "somebody stopped the FTP service and disabled it"


def _change_own_rules(folder: Path, how: Callable[[FirewallRule], FirewallRule | None]) -> int:
    """Apply HOW to the rules that provision made; None removes. Returns how many there were."""
    store = StateStore(folder / STATE_NAME)
    own = [rule.name for rule in store.read().rules if rule.name.startswith(OWN_RULE_PREFIX)]

    def changed(state: WindowsState) -> WindowsState:
        rules = [how(rule) if rule.name in own else rule for rule in state.rules]
        return replace(state, rules=tuple(rule for rule in rules if rule is not None))

    store.change(changed)
    if not own:
        raise LookupError("there is no rule of provision on this server yet")
    return len(own)


def _rule_disabled(folder: Path) -> str:
    _change_own_rules(folder, lambda rule: replace(rule, enabled=False))
    return "somebody disabled provision's rule in Windows Firewall"


def _rule_narrowed(folder: Path) -> str:
    _change_own_rules(folder, lambda rule: replace(rule, remote_addresses=("10.0.0.1",)))
    return "somebody let provision's rule in Windows Firewall admit 10.0.0.1 only"


def _rule_removed(folder: Path) -> str:
    _change_own_rules(folder, lambda _rule: None)
    return "somebody removed provision's rule in Windows Firewall"


def _faults(**changes: float) -> Act:
    """Set faults of WinRM in faults.json."""
    def act(folder: Path) -> str:
        now = read_faults(folder)
        wanted = HostFaults(latency_seconds=changes.get("latency", now.latency_seconds),
                            reject_logins=now.reject_logins, closed=bool(changes.get("closed", now.closed)))
        write_faults(folder, wanted)
        _tell(folder, do="reload")
        words = [f"answers {wanted.latency_seconds:g} s late"] if wanted.latency_seconds else []
        words = ["is closed"] if wanted.closed else words
        return f"WinRM {' and '.join(words) or 'works as usual'}"

    return act


def _administrator_file(folder: Path) -> Path:
    settings = load_settings(folder)
    return folder / next(login.password_file for login in settings.logins if login.administrator)


def _wrong_password(folder: Path) -> str:
    file = _administrator_file(folder)
    kept = file.with_name(f"{file.name}.kept")
    if not kept.exists():
        replace_file(kept, file.read_bytes())
    replace_file(file, f"changed-{time.time_ns()}\n".encode())
    _tell(folder, do="reload")
    return "somebody changed the administrator's password"


def _right_password(folder: Path) -> str:
    file = _administrator_file(folder)
    kept = file.with_name(f"{file.name}.kept")
    if kept.exists():
        kept.replace(file)
    _tell(folder, do="reload")
    return "the administrator has the old password again"


def _tell(folder: Path, **question: object) -> None:
    """One question to the host's process. Raises OSError when it does not run, ValueError when it refuses."""
    answer = ask(folder, question)
    if not answer.get("ok"):
        raise ValueError(str(answer.get("error")))


BREAKS: Mapping[str, Break] = MappingProxyType({each.name: each for each in (
    Break("external-address", "the external address of an FTP site is changed by hand", _external_address),
    Break("external-address-removed", "the external addresses are removed by hand", _external_address_removed),
    Break("range-without-restart", "the port range is changed by hand, and the service not restarted",
          _range_without_restart),
    Break("restart-forgotten", "the range is right, the service was not restarted since it was written, as after a crash",
          _restart_forgotten),
    Break("service-stopped", "the FTP service is stopped", _service_stopped),
    Break("service-disabled", "the FTP service is stopped and disabled", _service_disabled),
    Break("firewall-rule-disabled", "our rule in Windows Firewall is disabled", _rule_disabled),
    Break("firewall-rule-narrowed", "our rule in Windows Firewall admits another address only", _rule_narrowed),
    Break("firewall-rule-removed", "our rule in Windows Firewall is removed", _rule_removed),
    Break("winrm-closed", "nobody listens on the WinRM ports", _faults(closed=1), _faults(closed=0)),
    Break("winrm-slow", f"WinRM answers every request {SLOW_SECONDS:g} s late", _faults(latency=SLOW_SECONDS),
          _faults(latency=0.0)),
    Break("wrong-password", "the administrator's password is another one now", _wrong_password, _right_password),
)})
