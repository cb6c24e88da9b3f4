"""What a balancer prints: a plain EL9 machine as a base, and the words for any resource. The other half of the parser."""

from __future__ import annotations

import hashlib

from provision.hosts.balancer.digest import carried
from provision.hosts.balancer.frames import Frame
from provision.model.resources import (
    File,
    FirewallPorts,
    OurText,
    Package,
    SelinuxBoolean,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Service,
    Sysctl,
    VipAddress,
)

MAIN = "/etc/haproxy/haproxy.cfg"
STOCK = "global\n    stats socket /var/lib/haproxy/stats\n"

BASE = {
    "os": (0, 'VERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n'),
    "release": (0, "Rocky Linux release 9.4 (Blue Onyx)\n"),
    "clock": (0, "1700001000.000000000\n1000.00 1900.00\n"),
    "whoami": (0, "root\n"),
    "group": (0, "root\n"),
    "units": (0, ""),
    "config-paths": (0, "/etc/haproxy/haproxy.cfg\n/etc/haproxy/conf.d\n"),
    "processes": (0, "    1     0    1000 systemd\n"),
    "conf.d": (0, "/etc/haproxy/conf.d\n"),
    "served": (1, "Connection refused\n"),
    "package": (0, "2.4.22-3.el9\n"),
    "version": (0, "HAProxy version 2.4.22-f8e3218 2023/02/14 - https://haproxy.org/\n"),
    "package-files": (0, ""),
    "addresses": (0, "2: eth0    inet 192.168.1.123/24 brd 192.168.1.255 scope global eth0\\       valid_lft forever\n"),
    "route:192.168.1.110": (0, "192.168.1.110 dev eth0 src 192.168.1.123 uid 0 \n    cache \n"),
    "route:192.168.1.111": (0, "192.168.1.111 dev eth0 src 192.168.1.123 uid 0 \n    cache \n"),
    "enforce": (0, "Enforcing\n"),
    "selinux-config": (0, "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n"),
    "boolean": (0, "haproxy_connect_any --> off\n"),
    "booleans-stored": (1, ""),
    "sysctl": (
        0,
        "net.ipv4.ip_nonlocal_bind = 0\nnet.ipv4.ip_local_port_range = 32768\t60999\nnet.ipv4.ip_local_reserved_ports = \n",
    ),
    "sysctl-stored": (0, ""),
    "log-rules": (0, "/etc/rsyslog.conf:19:include(file=\"/etc/rsyslog.d/*.conf\" mode=\"optional\")\n"),
    "log-times": (0, "1700000000.000 /etc/rsyslog.conf\n1700000100.000 /etc/rsyslog.d\n"),
}


def unit(name, *, enabled=False, running=False, pid=0):
    state = ("active" if running else "inactive", "enabled" if enabled else "disabled")
    return f"MainPID={pid}\nId={name}.service\nLoadState=loaded\nActiveState={state[0]}\nUnitFileState={state[1]}\n"


def units(haproxy="", rsyslog="", firewalld=""):
    parts = (haproxy or unit("haproxy"), rsyslog or unit("rsyslog"), firewalld or unit("firewalld"))
    return {"units": (0, "\n".join(parts))}


def files(**contents):
    """Frames for files by path (`__` and so on are not needed: pass a dict with **{path: (text, mode, owner)})."""
    found = {f"file:{path}": (0, text) for path, (text, _, _) in contents.items()}
    rows = [f"{mode:o} {owner} 1700000200.123 {path}\n" for path, (_, mode, owner) in contents.items()]
    hashes = [f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, (text, _, _) in contents.items()]
    return {**found, "stat": (0, "".join(rows)), "sha256": (0, "".join(hashes))}


def printed(*parts):
    """The bytes of a reading: the base with `parts` over it; a part of None takes a frame away."""
    merged = {**BASE, **units()}
    for part in parts:
        merged.update(part)
    found = [Frame(name, *value) for name, value in merged.items() if value is not None]
    return b"".join(frame(one) for one in (*found, Frame("end", 0, "")))


def frame(one: Frame) -> bytes:
    text = one.text.encode("utf-8", "surrogateescape")
    return f"provision-frame {one.name} {one.status} {len(text)}\n".encode() + text + b"\n"


def firewall(zones, *, default="public", active=None):
    """Frames of firewalld over D-Bus: by zone (runtime ports, permanent ports, runtime rules, permanent rules)."""
    active = active if active is not None else {default: ("interfaces", ["eth0"])}
    found = {
        "fw:default": (0, f's "{default}"\n'),
        "fw:active": (0, f"a{{sa{{sas}}}} {len(active)} " + " ".join(_active(n, *v) for n, v in active.items()) + "\n"),
    }
    for name, (runtime, permanent, rules, later_rules) in zones.items():
        found |= {
            f"fw:ports:{name}": (0, f"aas {len(runtime)}" + "".join(f' 2 "{one}" "tcp"' for one in runtime) + "\n"),
            f"fw:rules:{name}": (0, _strings(rules)),
            f"fw:services:{name}": (0, _strings(["ssh", "dhcpv6-client"])),
            f"fw:object:{name}": (0, 'o "/org/fedoraproject/FirewallD1/config/zone/9"\n'),
            f"fw:permanent-ports:{name}": (0, f"a(ss) {len(permanent)}" + "".join(f' "{one}" "tcp"' for one in permanent) + "\n"),
            f"fw:permanent-rules:{name}": (0, _strings(later_rules)),
        }
    return {**units(firewalld=unit("firewalld", enabled=True, running=True)), **found}


def _active(name, kind, members):
    return f'"{name}" 1 "{kind}" {len(members)} ' + " ".join(f'"{one}"' for one in members)


def _strings(values):
    escaped = (one.replace("\\", "\\\\").replace('"', '\\"') for one in values)
    return f"as {len(values)}" + "".join(f' "{one}"' for one in escaped) + "\n"


def rich(network, port):
    return f'rule family="ipv4" source address="{network}" port port="{port}" protocol="tcp" accept'


def words_for(name, resource, masks):
    """What a balancer prints on which exactly `resource` is as it is."""
    match resource:
        case Package():
            return {}
        case File():
            text = masks.reveal(resource.content.text).decode() if isinstance(resource.content, OurText) else STOCK
            return files(**{name: (text, resource.mode, resource.owner)})
        case FirewallPorts():
            return _openings(name, resource)
        case SelinuxBoolean():
            current = "on" if resource.current else "off"
            stored = f"haproxy_connect_any={int(resource.persistent)}\n"
            return {"boolean": (0, f"haproxy_connect_any --> {current}\n"), "booleans-stored": (0, stored)}
        case SelinuxMode():
            config = f"SELINUX={resource.persistent}\n"
            return {"enforce": (0, resource.current.capitalize() + "\n"), "selinux-config": (0, config)}
        case SelinuxPermissiveDomain():
            return {"domains": (0, f"\nBuiltin Permissive Types \n\n\nCustomized Permissive Types\n\n{name}\n")}
        case Sysctl():
            stored = "" if resource.persistent is None else f"{name}={resource.persistent}\n"
            return {"sysctl": (0, f"{name} = {resource.current}\n"), "sysctl-stored": (0, stored)}
        case VipAddress():
            line = f"2: {resource.device}    inet {name}/{resource.prefix} scope global {resource.device}\n"
            return {"addresses": (0, line), "connection:LAN": (0, f"ipv4.addresses:10.0.0.1/8, {name}/{resource.prefix}\n")}
        case Service():
            return _service(name, resource)
    raise AssertionError(resource)


def _openings(name, resource):
    zone, _, network = name.partition(" from ")
    runtime, permanent = ([str(one) for one in ports] for ports in (resource.runtime, resource.permanent))
    if network:
        parts = ([], [], [rich(network, one) for one in runtime], [rich(network, one) for one in permanent])
    else:
        parts = (runtime, permanent, [], [])
    return firewall({zone: parts}, default=zone)


def _service(name, service):
    one = unit(name, enabled=service.enabled, running=service.running, pid=77)
    if name == "haproxy":
        text = "# Managed by provision, cluster article.\nlisten x\n"
        digest = carried_by(text) if service.current else "0" * 16
        served = (0, f"description: provision article {digest}\n") if service.running else (1, "refused\n")
        return {**units(haproxy=one), **files(**{MAIN: (text, 0o640, "root:root")}), "served": served}
    ticks = 90_000 if service.current else 1  # 900 s after boot: 1700000900
    fields = " ".join(["S", *["0"] * 18, str(ticks), "0"])
    process = {"log-process": (0, f"77 (rsyslogd) {fields}\n")} if service.running else {}
    return {**units(rsyslog=one), **process}


def carried_by(text):
    from provision.hosts.balancer.digest import digest_of

    assert carried(text) is None
    return digest_of(text)
