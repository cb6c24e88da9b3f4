"""A lenient look at the data of a cluster file, for checks that compare several values. Pure.

A draft may be wrong anywhere: what is missing or is not what it should be reads as None (`shape` has complained about
it), so that the checks go on with the rest and every mistake of a file is found at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from provision.definition import values
from provision.definition.complaint import BadValueError, Place
from provision.model.ports import PortRange

T = TypeVar("T")

DEFAULT_FTP_PORT = 21
WINRM_PORTS = {"http": 5985, "https": 5986}


@dataclass(frozen=True, slots=True)
class Draft:
    """The file's data: dict, list, str, int, bool, None and values that are none of these."""

    data: object

    def raw(self, *place: str | int) -> object:
        """What stands at `place`, or None."""
        found = self.data
        for part in place:
            if isinstance(found, dict) and isinstance(part, str):
                found = found.get(part)
            elif isinstance(found, list) and isinstance(part, int) and part < len(found):
                found = found[part]
            else:
                return None
        return found

    def has(self, *place: str | int) -> bool:
        """Whether something is given at `place`."""
        return self.raw(*place) is not None

    def text(self, *place: str | int) -> str | None:
        """Text at `place`, whatever it says."""
        found = self.raw(*place)
        return found if isinstance(found, str) else None

    def value(self, rule: Callable[[str], T], *place: str | int) -> T | None:
        """What the text at `place` means by `rule` (a function of `values`)."""
        text = self.text(*place)
        try:
            return None if text is None else rule(text)
        except BadValueError:
            return None

    def port(self, *place: str | int) -> int | None:
        """A port number at `place`."""
        found = self.raw(*place)
        return found if type(found) is int and 1 <= found <= 65535 else None

    def range(self, *place: str | int) -> PortRange | None:
        """A port range at `place`."""
        return self.value(values.port_range, *place)

    def places(self, section: str) -> Iterator[Place]:
        """The places of the items of a list at the top of the file."""
        found = self.raw(section)
        yield from ((section, index) for index in range(len(found) if isinstance(found, list) else 0))

    def hosts(self) -> Iterator[Place]:
        """The places of all balancers and servers, in the order of the file's keys as we document them."""
        yield from self.places("balancers")
        yield from self.places("servers")

    def name_of(self, host: Place) -> str:
        """The host's name for a message; where it has none, its place."""
        return self.text(*host, "name") or f"{host[0]}[{host[1]}]"

    @property
    def is_lab(self) -> bool:
        """Whether every balancer has a root of its own: then addresses in 127/8 are allowed."""
        balancers = list(self.places("balancers"))
        return bool(balancers) and all((self.text(*one, "root") or "/") != "/" for one in balancers)

    def ftp_port(self) -> int | None:
        """The FTP port at the VIP. None when a wrong one is given."""
        return self.port("ftp", "port") if self.has("ftp", "port") else DEFAULT_FTP_PORT


def winrm_key(draft: Draft, server: Place, key: str) -> object:
    """A key of WinRM as it counts for one server: its own, else the top-level one, else None."""
    return draft.raw(*server, "winrm", key) if draft.has(*server, "winrm", key) else draft.raw("winrm", key)


def winrm_scheme(draft: Draft, server: Place) -> str:
    """The scheme, http or https, as it counts for one server."""
    return "https" if winrm_key(draft, server, "scheme") == "https" else "http"


def winrm_port(draft: Draft, server: Place) -> int:
    """The WinRM port of one server. A server that names its scheme and no port gets that scheme's port."""
    own = draft.port(*server, "winrm", "port")
    if own is None and not draft.has(*server, "winrm", "scheme"):
        own = draft.port("winrm", "port")
    return own if own is not None else WINRM_PORTS[winrm_scheme(draft, server)]
