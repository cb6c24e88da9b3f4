"""What host.json says about one balancer. It knows nothing of how the host is made to behave that way."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from provision.lab.balancer.shapes import SHAPES, Shape

SudoRule = Literal["nopasswd", "password", "refused"]


class SettingsError(ValueError):
    """host.json is missing, is not JSON, or says something impossible; the text names the key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One balancer of the lab. Addresses are IPv4 in dotted form; `port` is where SSH listens."""

    name: str
    address: str
    port: int
    source: str
    vip: str
    user: str
    password: str | None
    authorized_keys: tuple[str, ...]
    shape: Shape
    sudo: SudoRule
    sudo_password: str | None
    vip_held: bool
    without: tuple[str, ...]
    mirrors: bool
    interface: str

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """The addresses from which this host speaks to itself; a firewall does not filter those."""
        return tuple(dict.fromkeys((self.address, self.source, self.vip)))


def _text(data: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = data.get(key, default)
    if not isinstance(value, str) or not value:
        raise SettingsError(f"host.json: '{key}' must be a non-empty string")
    return value


def _address(data: Mapping[str, Any], key: str, default: str | None = None) -> str:
    text = _text(data, key, default)
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise SettingsError(f"host.json: '{key}' is no IPv4 address: {text}") from error


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"host.json: '{key}' must be a list of strings")
    return tuple(value)


def _optional(data: Mapping[str, Any], key: str) -> str | None:
    return _text(data, key) if data.get(key) is not None else None


def _sudo(data: Mapping[str, Any]) -> SudoRule:
    match data.get("sudo", "nopasswd"):
        case "nopasswd":
            return "nopasswd"
        case "password":
            return "password"
        case "refused":
            return "refused"
        case other:
            raise SettingsError(f"host.json: 'sudo' is nopasswd, password or refused, not {other!r}")


def parse(data: Mapping[str, Any]) -> Settings:
    """Settings from the decoded host.json; SettingsError names the first key that is wrong."""
    shape = SHAPES.get(_text(data, "shape", "el9"))
    if shape is None:
        raise SettingsError(f"host.json: 'shape' is one of {', '.join(SHAPES)}")
    port = data.get("port")
    if not isinstance(port, int) or not 0 < port < 65536:
        raise SettingsError("host.json: 'port' must be a port number")
    sudo = _sudo(data)
    sudo_password = _optional(data, "sudo_password") or _optional(data, "password")
    if sudo == "password" and sudo_password is None:
        raise SettingsError("host.json: 'sudo' is password, so 'sudo_password' is needed")
    address = _address(data, "address")
    return Settings(
        name=_text(data, "name"),
        address=address,
        port=port,
        source=_address(data, "source", address),
        vip=_address(data, "vip"),
        user=_text(data, "user", "root"),
        password=_optional(data, "password"),
        authorized_keys=_texts(data, "authorized_keys"),
        shape=shape,
        sudo=sudo,
        sudo_password=sudo_password,
        vip_held=data.get("vip_held", True) is True,
        without=_texts(data, "without"),
        mirrors=data.get("mirrors", True) is True,
        interface=_text(data, "interface", "eth0"),
    )


def load(directory: Path) -> Settings:
    """Settings of the balancer whose folder is `directory`."""
    path = directory / "host.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise SettingsError(f"{path}: an object is expected")
    return parse(data)
