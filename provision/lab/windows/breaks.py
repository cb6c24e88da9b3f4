"""Breaks of one Windows host, done the way a person would do them: in its files, or through its control socket.

It must not know the cluster or who mends. Each takes the host's folder and returns a sentence of what was done;
OSError when its process does not run, LookupError when there is nothing to break, ValueError when it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from provision.lab.windows.breaking import iis, machine
from provision.lab.windows.breaking.common import Act


@dataclass(frozen=True, slots=True)
class Break:
    """A named break. MEND None: `provision cluster` brings it back by itself."""

    name: str
    sentence: str
    apply: Act
    mend: Act | None = None


BREAKS: Mapping[str, Break] = MappingProxyType({each.name: each for each in (
    Break("external-address", "the external address of an FTP site is changed by hand", iis.external_address),
    Break("external-address-removed", "the external addresses are removed by hand", iis.external_address_removed),
    Break("range-without-restart", "the port range is changed by hand, and the service not restarted",
          iis.range_without_restart),
    Break("restart-forgotten", "the range is right, the service was not restarted since it was written, as after a crash",
          iis.restart_forgotten),
    Break("service-stopped", "the FTP service is stopped", iis.service_stopped),
    Break("service-disabled", "the FTP service is stopped and disabled", iis.service_disabled),
    Break("firewall-rule-disabled", "our rule in Windows Firewall is disabled", machine.rule_disabled),
    Break("firewall-rule-narrowed", "our rule in Windows Firewall admits another address only", machine.rule_narrowed),
    Break("firewall-rule-removed", "our rule in Windows Firewall is removed", machine.rule_removed),
    Break("winrm-closed", "nobody listens on the WinRM ports",
          machine.winrm_faults(closed=1), machine.winrm_faults(closed=0)),
    Break("winrm-slow", f"WinRM answers every request {machine.SLOW_SECONDS:g} s late",
          machine.winrm_faults(latency=machine.SLOW_SECONDS), machine.winrm_faults(latency=0.0)),
    Break("wrong-password", "the administrator's password is another one now",
          machine.wrong_password, machine.right_password),
    Break("ssl-required", "an FTP site requires SSL, and plain logins get 534", iis.ssl_required, iis.ssl_allowed),
    Break("content-differs", "an FTP site shows other files than the other servers", iis.content_differs,
          iis.content_shared),
    Break("ports-reserved", "Windows reserved ports of the range: 425 when their turn comes", machine.ports_reserved,
          machine.ports_released),
    Break("local-rules-ignored", "a group policy ignores the server's own firewall rules, ours too",
          machine.local_rules_ignored, machine.local_rules_counted),
    Break("ftp-feature-removed", "the FTP server is not among the installed features any more",
          iis.feature_removed, iis.feature_installed),
)})
