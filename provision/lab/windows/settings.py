"""What `host.json` says about one Windows host of the lab. Written by the orchestration, read by the host's process.

It must not know state: this is what the machine is made as, not what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from provision.lab.windows.apphost import replace_file

FILE_NAME = "host.json"


@dataclass(frozen=True, slots=True)
class Login:
    """An account of the machine. PASSWORD_FILE (relative: to the host's folder) is read at each login, so that a
    changed password counts at once; its last newline is not part of it."""

    name: str
    password_file: Path
    administrator: bool


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """An FTP site as it is made. BINDING is IIS's "address-or-*:port:host"; PHYSICAL_PATH a Windows path, a UNC path
    below `shares` for content that several hosts share. EXTERNAL_ADDRESS "" leaves it absent."""

    name: str
    binding: str
    physical_path: str
    external_address: str = ""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One Windows host. Paths are relative to the host's folder or absolute; ports are TCP, None for not at all.

    PASSIVE_RULE_OPEN: whether the FTP role's own firewall rule for 1024-65535 is enabled, as after installation.
    CERTIFICATE and CERTIFICATE_KEY serve WinRM over https and FTP over TLS; CA signed them.
    """

    name: str
    address: str
    logins: tuple[Login, ...]
    sites: tuple[SiteSettings, ...]
    winrm_http_port: int | None = 5985
    winrm_https_port: int | None = 5986
    ca: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    shares: Path | None = None
    passive_rule_open: bool = False
    features: tuple[str, ...] = ("Web-Server", "Web-Ftp-Server", "Web-Ftp-Service", "Web-Mgmt-Console")


_CODEC: TypeAdapter[HostSettings] = TypeAdapter(HostSettings)


def load_settings(directory: Path) -> HostSettings:
    """`host.json` in DIRECTORY. Raises OSError, pydantic.ValidationError."""
    return _CODEC.validate_json((directory / FILE_NAME).read_bytes())


def save_settings(directory: Path, settings: HostSettings) -> None:
    """Write `host.json`; it holds no password."""
    replace_file(directory / FILE_NAME, _CODEC.dump_json(settings, indent=2) + b"\n")
