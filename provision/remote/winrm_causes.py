"""What can be wrong between us and a WinRM server, in words: what, why, and what to do next. Only values.

It must not know how any of it is recognised; `winrm_errors` does. The codes are those of error_codes.toml.
"""

from __future__ import annotations

from dataclasses import dataclass

from provision.errors import ConnectionFailed, HostError, ReadFailed


@dataclass(frozen=True, slots=True)
class Cause:
    """What is told. `{address}`, `{port}`, `{user}`, `{auth}`, `{scheme}` and `{detail}` are filled in."""

    code: str
    what: str
    why: str
    next: str
    kind: type[HostError] = ConnectionFailed


NO_NAME = Cause(
    "P201", "the name {address} cannot be resolved", "DNS or /etc/hosts does not know it", "correct the address"
)
NO_ANSWER = Cause(
    "P202",
    "nothing answers at {address}:{port}",
    "the host is down, there is no route, or a firewall drops the packets",
    "try it from here: nc -vz {address} {port}",
)
PORT_CLOSED = Cause(
    "P203",
    "port {port} at {address} is closed",
    "the host is up, but WinRM does not listen there for {scheme}",
    "on the server: Enable-PSRemoting -Force; winrm enumerate winrm/config/listener",
)
NOT_WINRM = Cause(
    "P204",
    "what listens at {address}:{port} is not WinRM",
    "{detail}",
    "correct winrm.port and winrm.scheme: http is 5985, https is 5986",
)
PROXY = Cause(
    "P205",
    "a proxy or gateway stands between here and {address}:{port}",
    "{detail}; NTLM does not pass through one",
    "reach the server directly, or through a tunnel",
)
UNTRUSTED = Cause(
    "P206",
    "the certificate of {address}:{port} is not trusted",
    "{detail}",
    "name the CA in winrm.ca_file, or give the server a certificate of a CA that is trusted here",
)
WRONG_NAME = Cause(
    "P207",
    "the certificate of {address}:{port} is for another name",
    "{detail}",
    "use the name that the certificate has as the address, or issue one that names {address}",
)
TLS_FAILED = Cause(
    "P208",
    "no TLS connection with {address}:{port}",
    "{detail}",
    "correct winrm.scheme and winrm.port; on the server: winrm enumerate winrm/config/listener",
)
LOGIN_REFUSED = Cause(
    "P209",
    "the login of {user} was refused",
    "the password is wrong, or the account is unknown, disabled, locked or expired; it was tried once",
    "check winrm.user (SERVER\\name or DOMAIN\\name) and its password before the next try: more may lock it",
)
NOT_OFFERED = Cause(
    "P210",
    "the server does not offer {auth} authentication",
    "{detail}",
    'choose another winrm.auth, or on the server: winrm set winrm/config/service/auth @{{Negotiate="true"}}',
)
NOT_ALLOWED = Cause(
    "P211",
    "{user} may log in, but not use WinRM",
    "the account is in neither Administrators nor Remote Management Users, or is a local one that UAC filters",
    "on the server: Add-LocalGroupMember Administrators {user}",
)
UNENCRYPTED = Cause(
    "P212",
    "the server refuses messages that are not encrypted",
    "AllowUnencrypted is false, as it should be, and the message came without encryption",
    "use winrm.scheme: https, or auth: negotiate",
)
QUOTA = Cause(
    "P213",
    "a quota of WinRM is used up for {user}",
    "{detail}",
    "wait for old sessions to end, or on the server: Restart-Service WinRM",
)
TOO_LATE = Cause(
    "P214",
    "no answer in time",
    "the script runs longer than it may, or the server stopped answering",
    "look at the server, then try again",
    ReadFailed,
)
BROKEN = Cause(
    "P215",
    "the connection broke off",
    "{detail}",
    "try again; if it stays so: was WinRM or the server restarted, or the network changed?",
    ReadFailed,
)
SETTINGS = Cause(
    "P217", "the WinRM settings cannot be used", "{detail}", "correct the winrm section of the cluster file"
)
FAULT = Cause(
    "P218",
    "WinRM answered with a fault",
    "{detail}",
    "on the server: Get-WinEvent Microsoft-Windows-WinRM/Operational -MaxEvents 20",
    ReadFailed,
)
NOT_UNDERSTOOD = Cause(
    "P219",
    "the answer of the server is not understood",
    "{detail}",
    "is there something between here and {address} that changes messages?",
    ReadFailed,
)
