"""Every stand-in of a balancer: name of the command -> who answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from provision.lab.balancer.call import Call, Handler, Reply, complain
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.words import (
    busctl,
    firewall_cmd,
    host,
    journalctl,
    network,
    nmcli,
    owners,
    packages,
    rpm,
    selinux_tools,
    systemctl,
)

Answer = Callable[[Machine, Call], Reply]

_ALWAYS: Mapping[str, Answer] = MappingProxyType(
    {
        "systemctl": systemctl.systemctl,
        "journalctl": journalctl.journalctl,
        "firewall-cmd": firewall_cmd.firewall_cmd,
        "busctl": busctl.busctl,
        "getenforce": selinux_tools.getenforce,
        "setenforce": selinux_tools.setenforce,
        "getsebool": selinux_tools.getsebool,
        "setsebool": selinux_tools.setsebool,
        "sestatus": selinux_tools.sestatus,
        "restorecon": host.restorecon,
        "rpm": rpm.rpm,
        "yum": packages.package_tool,
        "ip": network.ip,
        "ss": network.ss,
        "nmcli": nmcli.nmcli,
        "id": host.identity,
        "whoami": host.whoami,
        "getent": host.getent,
        "hostname": host.hostname,
        "hostnamectl": host.hostnamectl,
        "chown": owners.chown,
        "chgrp": owners.chown,
        "stat": owners.stat,
        "sysctl": host.sysctl,
        "rsyslogd": host.rsyslogd,
    }
)
_NEWER: Mapping[str, Answer] = MappingProxyType({"dnf": packages.package_tool})
_INSTALLED: Mapping[str, Answer] = MappingProxyType({"semanage": selinux_tools.semanage})


def names(machine: Machine) -> tuple[str, ...]:
    """The stand-ins that are on the PATH now: those of the distribution, and those of packages that were installed."""
    shape, state = machine.settings.shape, machine.state
    found = [name for name in _ALWAYS if name not in machine.settings.without]
    found += list(_NEWER) if shape.package_tool == "dnf" else []
    found += list(_INSTALLED) if shape.semanage_package in state.packages else []
    found += ["haproxy"] if "haproxy" in state.packages else []
    return tuple(found)


def handler(machine: Machine) -> Handler:
    """The one that answers every call of this host."""
    table = {**_ALWAYS, **_NEWER, **_INSTALLED}

    def answer(call: Call) -> Reply:
        if call.name in ("haproxy", "haproxy-systemd-wrapper"):
            return machine.tool(call)
        found = table.get(call.name)
        return complain(f"sh: {call.name}: command not found", code=127) if found is None else found(machine, call)

    return answer
