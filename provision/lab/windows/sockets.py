"""Which TCP ports listen on the host's address, and which process holds each.

It must not know cmdlets. What other programs of this machine bind on the host's address counts as a foreign process
of the modelled server; that is read from the kernel where it tells (Linux).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from provision.lab.windows.host import WindowsHost

KERNEL_TABLE = Path("/proc/net/tcp")
LISTEN = "0A"
SYSTEM_PROCESS = 4
FOREIGN_PROCESS = 9000


def listening(host: WindowsHost) -> dict[int, int]:
    """Port -> process id, sorted by port."""
    state = host.state
    found = dict.fromkeys(_kernel(host.settings.address), FOREIGN_PROCESS)
    found.update(dict(state.listeners))
    found.update({port: SYSTEM_PROCESS for port in (host.settings.winrm_http_port, host.settings.winrm_https_port)
                  if port is not None})
    ftp = state.service("ftpsvc")
    if ftp is not None and ftp.status == "Running":
        found.update(dict.fromkeys(host.ftp.listening_ports(), ftp.process_id))
    return dict(sorted(found.items()))


def _kernel(address: str) -> Iterator[int]:
    """Ports that somebody listens on at ADDRESS; nothing where the kernel has no such table."""
    if not KERNEL_TABLE.exists():
        return
    wanted = format(int.from_bytes(IPv4Address(address).packed, "little"), "08X")
    for line in KERNEL_TABLE.read_text().splitlines()[1:]:
        local, status = line.split()[1], line.split()[3]
        if status == LISTEN and local.startswith(f"{wanted}:"):
            yield int(local.partition(":")[2], 16)
