"""What is known of a Windows server beside its managed state, for `desired`, the plan and `status`. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """One FTP site. `bindings` as IIS writes them; `answers`: it is bound where the balancer sends clients.

    `external_address` is the address in effect, "" for none; `own_address` says that the site itself sets it.
    """

    name: str
    bindings: tuple[str, ...]
    state: str
    managed: bool
    answers: bool
    external_address: str
    own_address: bool
    folder: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One reading's facts. `sessions` counts open FTP sessions over all sites, -1 where the server could not tell.

    `time` is the server's own clock; `service_started` is None when ftpsvc does not run.
    """

    computer_name: str
    windows: str
    powershell: str
    time: datetime
    sites: tuple[SiteFacts, ...]
    default_address: str
    service_started: datetime | None
    config_changed: datetime
    sessions: int

    @property
    def managed_sites(self) -> tuple[str, ...]:
        """The names of the sites that are ours to configure, as IIS spells them."""
        return tuple(one.name for one in self.sites if one.managed)

    @property
    def other_sites(self) -> tuple[str, ...]:
        """The names of the FTP sites that are left alone."""
        return tuple(one.name for one in self.sites if not one.managed)
