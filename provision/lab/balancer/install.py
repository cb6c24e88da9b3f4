"""The files of a fresh balancer, and those that its packages bring. It starts nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from provision.lab.balancer.atomic import write_text
from provision.lab.balancer.layout import Layout
from provision.lab.balancer.settings import Settings
from provision.lab.balancer.shapes import Shape

_STOCK = Path(__file__).parent / "stock"
_FOLDERS = (
    "etc/rsyslog.d",
    "etc/sysconfig",
    "etc/sysctl.d",
    "etc/systemd/system",
    "etc/firewalld/zones",
    "etc/logrotate.d",
    "usr/sbin",
    "usr/bin",
    "usr/lib/systemd/system",
    "usr/lib/sysctl.d",
    "var/lib/rsyslog",
    "var/log",
    "var/tmp",
    "run",
    "tmp",
    "root",
    "home",
    "dev",
    "proc/sys/net/ipv4",
    "var/lib/selinux/targeted/active",
)
KERNEL: Mapping[str, str] = {
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ip_nonlocal_bind": "0",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.tcp_keepalive_time": "7200",
    "net.ipv4.tcp_keepalive_intvl": "75",
    "net.ipv4.tcp_keepalive_probes": "9",
    "net.ipv4.tcp_fin_timeout": "60",
    "net.core.somaxconn": "4096",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "fs.file-max": "9223372036854775807",
    "fs.nr_open": "1048576",
    "fs.pipe-max-size": "1048576",
    "kernel.hostname": "",
}
STOCK_UNITS = ("rsyslog", "firewalld", "NetworkManager", "sshd")
HAPROXY_FILES = (
    "/etc/haproxy",
    "/etc/haproxy/conf.d",
    "/etc/haproxy/haproxy.cfg",
    "/etc/logrotate.d/haproxy",
    "/etc/sysconfig/haproxy",
    "/usr/lib/systemd/system/haproxy.service",
    "/usr/sbin/haproxy",
    "/var/lib/haproxy",
)

HAPROXY_CONFIGURATION: Mapping[str, str] = {
    "/etc/haproxy/haproxy.cfg": "haproxy/haproxy.cfg",
    "/etc/logrotate.d/haproxy": "haproxy/logrotate",
    "/etc/sysconfig/haproxy": "haproxy/sysconfig",
}


def stock(name: str, shape: Shape, root: Path) -> str:
    """A stock file with the root in front of its paths; the shape's own variant where there is one."""
    stem, dot, suffix = name.rpartition(".")
    special = _STOCK / f"{stem}.{shape.name}{dot}{suffix}"
    return (special if special.exists() else _STOCK / name).read_text(encoding="utf-8").replace("{root}", str(root))


def fresh_root(layout: Layout, settings: Settings) -> None:
    """A minimal install of the distribution, without haproxy."""
    root, shape = layout.root, settings.shape
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "var/run").symlink_to("../run")
    user = settings.user
    home = "/root" if user == "root" else f"/home/{user}"
    layout.under(home).mkdir(parents=True, exist_ok=True)
    extra = "" if user == "root" else f"{user}:x:1000:1000:{user}:{root}{home}:/bin/sh\n"
    group = "" if user == "root" else f"{user}:x:1000:\nwheel:x:10:{user}\n"
    files = {
        "etc/os-release": f'NAME="{shape.pretty_name.split()[0]} Linux"\nVERSION_ID="{shape.version_id}"\nID="{shape.os_id}"\n'
        f'ID_LIKE="rhel centos fedora"\nPLATFORM_ID="platform:{shape.name}"\n'
        f'PRETTY_NAME="{shape.pretty_name}"\n',
        "etc/redhat-release": f"{shape.release_file}\n",
        "etc/hostname": f"{settings.name}\n",
        "etc/hosts": f"127.0.0.1 localhost localhost.localdomain\n{settings.address} {settings.name}\n",
        "etc/passwd": f"root:x:0:0:root:{root}/root:/bin/sh\nnobody:x:65534:65534:Kernel Overflow User:/:/sbin/nologin\n{extra}",
        "etc/group": f"root:x:0:\nnobody:x:65534:\n{group}",
        "etc/rsyslog.conf": stock("etc/rsyslog.conf", shape, root),
        "etc/selinux/config": stock("etc/selinux.config", shape, root),
        "etc/sysctl.conf": "# Settings of the administrator; see sysctl.d(5).\n",
        "var/log/messages": "",
    }
    for name, text in files.items():
        write_text(root / name, text)
    for key, value in KERNEL.items():
        write_text(
            root / "proc/sys" / key.replace(".", "/"), f"{value or settings.name * (key == 'kernel.hostname')}\n"
        )
    for unit in STOCK_UNITS:
        _enabled_unit(layout, unit, stock(f"units/{unit}.service", shape, root))


def _enabled_unit(layout: Layout, unit: str, text: str) -> None:
    path = layout.units / f"{unit}.service"
    write_text(path, text)
    wants = layout.unit_overrides / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / path.name).symlink_to(path)


def install_haproxy(layout: Layout, settings: Settings) -> None:
    """What the package haproxy brings; a configuration that is there already is kept, as rpm does."""
    root, shape = layout.root, settings.shape
    for folder in ("etc/haproxy", "var/lib/haproxy", *(["etc/haproxy/conf.d"] if shape.conf_d else [])):
        (root / folder).mkdir(parents=True, exist_ok=True)
    write_text(layout.units / "haproxy.service", stock("units/haproxy.service", shape, root))
    for path, source in HAPROXY_CONFIGURATION.items():
        if not layout.under(path).exists():
            write_text(layout.under(path), stock(source, shape, root))
    for name, line in (
        ("etc/passwd", "haproxy:x:188:188:haproxy:/var/lib/haproxy:/sbin/nologin\n"),
        ("etc/group", "haproxy:x:188:\n"),
    ):
        text = (root / name).read_text(encoding="utf-8")
        if "haproxy:" not in text:
            write_text(root / name, text + line)
    programs = ["haproxy", *(["haproxy-systemd-wrapper"] if not shape.conf_d else [])]
    for program in programs:
        expose(layout, program)


def remove_haproxy(layout: Layout, shape: Shape) -> None:
    """What rpm -e takes away; configuration that was edited stays as .rpmsave."""
    (layout.units / "haproxy.service").unlink(missing_ok=True)
    for path, source in HAPROXY_CONFIGURATION.items():
        file = layout.under(path)
        if file.exists() and file.read_text(encoding="utf-8") != stock(source, shape, layout.root):
            file.rename(f"{file}.rpmsave")
        file.unlink(missing_ok=True)
    for emptied in ("etc/haproxy/conf.d", "etc/haproxy", "var/lib/haproxy"):
        with contextlib.suppress(OSError):  # it is not empty
            (layout.root / emptied).rmdir()
    for program in ("haproxy", "haproxy-systemd-wrapper"):
        for folder in (layout.tools, layout.root / "usr/sbin"):
            (folder / program).unlink(missing_ok=True)


def expose(layout: Layout, program: str) -> None:
    """Put a stand-in on the PATH, and where the package would put it."""
    for folder in (layout.tools, layout.root / "usr/sbin"):
        link = folder / program
        link.unlink(missing_ok=True)
        os.symlink(layout.lab / "stand-in", link)
