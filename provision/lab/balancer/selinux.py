"""What SELinux's policy lets haproxy_t do with TCP ports. Pure.

Source: selinux-policy, contrib/rhcs.te (the types that haproxy_t may bind and connect to, and the boolean
haproxy_connect_any, which in spite of its name also allows every bind) and corenetwork.te.in (the ports of those types).
"""

from __future__ import annotations

from collections.abc import Iterable

from provision.lab.balancer.firewall import Interval
from provision.lab.balancer.state import SELinux

BOOLEAN = "haproxy_connect_any"
DOMAIN = "haproxy_t"

_HTTP: tuple[Interval, ...] = ((80, 81), (443, 443), (488, 488), (8008, 8009), (8443, 8443), (9000, 9000))
_HTTP_CACHE: tuple[Interval, ...] = ((8080, 8080), (8118, 8118), (8123, 8123), (10001, 10010))
_COMMPLEX_MAIN: tuple[Interval, ...] = ((5000, 5000),)
_COMMPLEX_LINK: tuple[Interval, ...] = ((4331, 4331), (5001, 5001))
BIND: tuple[Interval, ...] = tuple(sorted((*_HTTP, *_HTTP_CACHE, *_COMMPLEX_MAIN)))
CONNECT: tuple[Interval, ...] = tuple(sorted((*BIND, *_COMMPLEX_LINK)))


def confines(selinux: SELinux) -> bool:
    """Is haproxy held to the policy's ports now?"""
    enforcing = selinux.mode == "Enforcing" and DOMAIN not in selinux.permissive
    return enforcing and not selinux.booleans.get(BOOLEAN, False)


def denied(ports: Iterable[int], allowed: Iterable[Interval]) -> tuple[int, ...]:
    """Those of `ports` that lie in none of the intervals."""
    spans = tuple(allowed)
    return tuple(port for port in ports if not any(low <= port <= high for low, high in spans))


def port_type(port: int) -> str:
    """The type of a TCP port, as an AVC message names it."""
    named = {
        "http_port_t": _HTTP,
        "http_cache_port_t": _HTTP_CACHE,
        "ftp_port_t": ((21, 21), (989, 990)),
        "ftp_data_port_t": ((20, 20),),
        "commplex_main_port_t": _COMMPLEX_MAIN,
        "commplex_link_port_t": _COMMPLEX_LINK,
        "ephemeral_port_t": ((32768, 60999),),
    }
    for name, spans in named.items():
        if not denied([port], spans):
            return name
    return "reserved_port_t" if port < 1024 else "unreserved_port_t"


def avc(pid: int, port: int) -> str:
    """The line that the audit log gets when a bind is refused."""
    return (
        f'avc:  denied  {{ name_bind }} for  pid={pid} comm="haproxy" src={port} '
        f"scontext=system_u:system_r:{DOMAIN}:s0 tcontext=system_u:object_r:{port_type(port)}:s0 "
        "tclass=tcp_socket permissive=0"
    )
