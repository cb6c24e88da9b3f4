"""Which binds the kernel of a real balancer would refuse, and in which words haproxy says so. Pure.

The kernel of the machine that runs the lab would refuse none of them: its SELinux is not the host's, and 127/8 is all there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from provision.lab.balancer import selinux
from provision.lab.balancer.haproxycfg import Bind
from provision.lab.balancer.state import HostState


@dataclass(frozen=True, slots=True)
class Refusal:
    """One port that cannot be bound."""

    bind: Bind
    port: int
    why: str

    def say(self, claims: str | None) -> str:
        """The line on haproxy's standard error; `claims` is the version that an old host pretends to have."""
        where = f"[{'0.0.0.0' if self.bind.address == '*' else self.bind.address}:{self.port}]"
        if claims is not None:
            return f"[ALERT] 000/000000 (1) : Starting frontend {self.bind.section}: cannot bind socket {where}"
        return (
            f"[ALERT]    (1) : Binding [{self.bind.place}] for proxy {self.bind.section}: cannot bind socket "
            f"({self.why}) for {where}"
        )


def refusals(wanted: Iterable[Bind], state: HostState) -> tuple[Refusal, ...]:
    """What SELinux denies, and what an address that is not here prevents."""
    confined = selinux.confines(state.selinux)
    held = {cidr.partition("/")[0] for cidr in state.addresses}
    found: list[Refusal] = []
    for bind in sorted(wanted, key=lambda bind: (bind.section, bind.low)):
        ports = selinux.denied(range(bind.low, bind.high + 1), selinux.BIND) if confined else ()
        found += [Refusal(bind, port, "Permission denied") for port in ports]
        if not ports and not bind.transparent and _is_elsewhere(bind.address, held):
            found.append(Refusal(bind, bind.low, "Cannot assign requested address"))
    return tuple(found)


def _is_elsewhere(address: str, held: set[str]) -> bool:
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return address not in held and not parsed.is_unspecified and str(parsed) != "127.0.0.1"
