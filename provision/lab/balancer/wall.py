"""firewalld's errors: their names, their exit codes, and the exception that carries one.

Source: firewalld's errors.py; the numbers are the exit codes of firewall-cmd.
"""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, int] = {
    "ALREADY_ENABLED": 11,
    "NOT_ENABLED": 12,
    "ZONE_ALREADY_SET": 16,
    "UNKNOWN_INTERFACE": 17,
    "ZONE_CONFLICT": 18,
    "INVALID_SERVICE": 101,
    "INVALID_PORT": 102,
    "INVALID_PROTOCOL": 103,
    "INVALID_INTERFACE": 104,
    "INVALID_ADDR": 105,
    "INVALID_ZONE": 112,
    "INVALID_RULE": 122,
    "RUNNING_BUT_FAILED": 251,
    "NOT_RUNNING": 252,
    "NOT_AUTHORIZED": 253,
    "UNKNOWN_ERROR": 254,
}


class FirewallError(Exception):
    """firewalld's answer to a request that it refuses."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name

    @property
    def code(self) -> int:
        """The exit code of firewall-cmd for this error."""
        return CODES[self.name]
