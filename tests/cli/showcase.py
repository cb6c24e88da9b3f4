"""The article's cluster as values: before the first run, and as it should be."""

from dataclasses import replace

from provision.model.ports import PortRange, PortSet
from provision.model.resources import (
    DataChannelPorts,
    ExternalAddress,
    File,
    FirewallPorts,
    FirewallRule,
    FtpService,
    OurText,
    Package,
    SelinuxBoolean,
    Service,
)
from provision.model.state import Key, State
from provision.planning.plan import Wave, make_plan

WIN1, WIN2, LB = "WinFTPServer2016FTP1", "WinFTPServer2016FTP2", "lb1"
SITE, VIP = "Default FTP Site", "192.168.1.123"
PORTS = PortSet.of(21, PortRange(10000, 10020))
OPEN = PortSet.of(PORTS, 8080)
CFG = OurText("".join(f"line {n}\n" for n in range(31)))


def windows(host, address=VIP):
    return {
        Key(host, "data-channel-ports", "server"): DataChannelPorts(PortRange(10000, 10020)),
        Key(host, "external-address", SITE): ExternalAddress(address),
        Key(host, "firewall-rule", "provision-article"): FirewallRule(True, PORTS, (VIP,)),
        Key(host, "ftp-service", "server"): FtpService("Automatic", True, True),
    }


def balancer():
    return {
        Key(LB, "package", "haproxy"): Package(),
        Key(LB, "file", "/etc/haproxy/haproxy.cfg"): File(CFG, 0o640, "root:root"),
        Key(LB, "firewall", "public"): FirewallPorts(OPEN, OPEN),
        Key(LB, "selinux-boolean", "haproxy_connect_any"): SelinuxBoolean(True, True),
        Key(LB, "service", "haproxy"): Service(True, True, True),
    }


def fresh(host):
    return {Key(host, "ftp-service", "server"): FtpService("Automatic", True, True)}


DESIRED = State({**windows(WIN1), **windows(WIN2), **balancer()})
LIVE = State(
    {**fresh(WIN1), **fresh(WIN2), Key(LB, "selinux-boolean", "haproxy_connect_any"): SelinuxBoolean(False, False)}
)
WAVES = (Wave((LB,), DESIRED), Wave((WIN1,), DESIRED), Wave((WIN2,), DESIRED), Wave((LB,), DESIRED))


def first_plan():
    return make_plan(LIVE, WAVES)


def plan_to(state):
    """The plan from everything as it should be to `state`."""
    return make_plan(DESIRED, tuple(Wave(one.hosts, state) for one in WAVES))


def with_resource(state, key, resource):
    return State({**state.resources, key: resource})


def without(state, *keys):
    return State({key: one for key, one in state.resources.items() if key not in keys})


def edited(text):
    key = Key(LB, "file", "/etc/haproxy/haproxy.cfg")
    return with_resource(DESIRED, key, replace(DESIRED[key], content=OurText(text)))
