"""The four distributions that the lab can imitate, as data.

A shape says what differs between them and is seen by whoever logs in; it knows nothing of processes or files.
Sources: the distributions' own release notes for the version numbers, haproxy's RPM spec files for the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

PackageTool = Literal["yum", "dnf"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a distribution looks like from a shell."""

    name: str
    major: int
    pretty_name: str
    os_id: str
    version_id: str
    release_file: str
    package_tool: PackageTool
    systemd: int
    firewalld: str
    coalesces: bool
    """firewalld 0.9 and later joins overlapping port ranges and knows a port inside a range."""
    dbus_broker: bool
    """Which message bus answers for a name that nobody owns; its sentence differs."""
    json_output: bool
    """`busctl --json` and `ip -j` exist."""
    conf_d: bool
    """The unit loads /etc/haproxy/conf.d after the main file."""
    haproxy_text: str | None
    """The version that `haproxy -v` claims; None: the real binary's own."""
    haproxy_rpm: str
    """version-release of the package; {version} stands for the real binary's version."""
    semanage_package: str
    rsyslog_old_syntax: bool
    python: str | None
    """The name of the Python that a minimal install has on its PATH."""


_EL7 = Shape(
    name="el7",
    major=7,
    pretty_name="CentOS Linux 7 (Core)",
    os_id="centos",
    version_id="7",
    release_file="CentOS Linux release 7.9.2009 (Core)",
    package_tool="yum",
    systemd=219,
    firewalld="0.6.3",
    coalesces=False,
    dbus_broker=False,
    json_output=False,
    conf_d=False,
    haproxy_text="1.5.18",
    haproxy_rpm="1.5.18-9.el7_9.1",
    semanage_package="policycoreutils-python",
    rsyslog_old_syntax=True,
    python=None,
)
_EL8 = Shape(
    name="el8",
    major=8,
    pretty_name="Rocky Linux 8.10 (Green Obsidian)",
    os_id="rocky",
    version_id="8.10",
    release_file="Rocky Linux release 8.10 (Green Obsidian)",
    package_tool="dnf",
    systemd=239,
    firewalld="0.9.11",
    coalesces=True,
    dbus_broker=False,
    json_output=True,
    conf_d=True,
    haproxy_text=None,
    haproxy_rpm="{version}-1.el8",
    semanage_package="policycoreutils-python-utils",
    rsyslog_old_syntax=False,
    python=None,
)
_EL9 = Shape(
    name="el9",
    major=9,
    pretty_name="Rocky Linux 9.4 (Blue Onyx)",
    os_id="rocky",
    version_id="9.4",
    release_file="Rocky Linux release 9.4 (Blue Onyx)",
    package_tool="dnf",
    systemd=252,
    firewalld="1.3.4",
    coalesces=True,
    dbus_broker=True,
    json_output=True,
    conf_d=True,
    haproxy_text=None,
    haproxy_rpm="{version}-1.el9",
    semanage_package="policycoreutils-python-utils",
    rsyslog_old_syntax=False,
    python="python3",
)
_EL10 = Shape(
    name="el10",
    major=10,
    pretty_name="Rocky Linux 10.0 (Red Quartz)",
    os_id="rocky",
    version_id="10.0",
    release_file="Rocky Linux release 10.0 (Red Quartz)",
    package_tool="dnf",
    systemd=257,
    firewalld="2.3.0",
    coalesces=True,
    dbus_broker=True,
    json_output=True,
    conf_d=True,
    haproxy_text=None,
    haproxy_rpm="{version}-1.el10",
    semanage_package="policycoreutils-python-utils",
    rsyslog_old_syntax=False,
    python="python3",
)

SHAPES: Mapping[str, Shape] = MappingProxyType({shape.name: shape for shape in (_EL7, _EL8, _EL9, _EL10)})
