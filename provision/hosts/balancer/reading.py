"""What to run to read a balancer, and what its answer means. Pure: `remote` runs it.

An answer that is not understood raises ReadFailed with what was not understood; nothing is ever guessed from it.
A tool that is missing is an answer. Resources are made in `found`, findings in `findings`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

from provision.errors import ReadFailed
from provision.hosts.balancer.answers import Answers
from provision.hosts.balancer.cfg_reader import read_cfg
from provision.hosts.balancer.digest import carried, owner_of, served
from provision.hosts.balancer.facts import (
    MAIN,
    SYSCONFIG,
    AddressFacts,
    BalancerFacts,
    BalancerReading,
    HaproxyFacts,
    LogFacts,
    MainFile,
    Selinux,
)
from provision.hosts.balancer.findings import findings
from provision.hosts.balancer.firewalld import FirewalldSilent
from provision.hosts.balancer.found import SYSCTL_LINE, resources, stored_mode
from provision.hosts.balancer.frames import Frame, frames
from provision.hosts.balancer.haproxy_cfg import Version
from provision.hosts.balancer.masks import Masks
from provision.hosts.balancer.repositories import telling
from provision.hosts.balancer.rsyslog import read_log
from provision.hosts.balancer.scripts import fragment_path, read_arguments, script
from provision.model.cluster import Balancer, Cluster
from provision.model.command import ShellScript
from provision.model.resources import Service
from provision.model.state import Key


def read_script(cluster: Cluster, balancer: Balancer) -> ShellScript:
    """One exec that reads everything and changes nothing."""
    return ShellScript(f"read {balancer.name}", script("read"), read_arguments(cluster, balancer))


def parse_reading(stdout: bytes, cluster: Cluster, balancer: Balancer, masks: Masks) -> BalancerReading:
    """The reading that `read_script` printed.

    Raises ReadFailed: P500 for anything that is not understood, P524 when firewalld answers nobody.
    """
    try:
        return _reading(Answers(frames(stdout), cluster, balancer, masks))
    except FirewalldSilent as problem:
        raise ReadFailed(
            "P524",
            "firewalld runs and does not answer",
            host=balancer.name,
            why="neither D-Bus (10 s) nor firewall-cmd (20 s) brought an answer",
            next="look for its cause there (journalctl -u firewalld), then: systemctl restart firewalld",
        ) from problem
    except (ValueError, KeyError) as problem:
        raise ReadFailed(
            "P500",
            "its answer was not understood",
            host=balancer.name,
            why=str(problem),
            next="run again with --debug-log FILE and report what it holds",
        ) from problem


def _reading(answers: Answers) -> BalancerReading:
    known = _facts(answers)
    found = {Key(answers.balancer.name, one.kind, name): one for name, one in resources(answers, known)}
    services = {key.name: one for key, one in found.items() if isinstance(one, Service)}
    facts = replace(known, services=services)
    sections = {path: read_cfg(text) for path, text in answers.loaded().items()}
    return BalancerReading(found, facts, findings(answers.cluster, answers.balancer, facts, sections))


def _facts(answers: Answers) -> BalancerFacts:
    modern, release = answers.text("os"), answers.text("release")
    number = re.search(r'^VERSION_ID="?(\d+)', modern, re.MULTILINE) or re.search(r" release (\d+)", release)
    name = re.search(r'^PRETTY_NAME="?([^"\n]*)', modern, re.MULTILINE)
    major = int(number[1]) if number else None
    kernel, selinux = answers.settings("sysctl", SYSCTL_LINE), _selinux(answers)
    generations = [one for key, one in answers.found.items() if key.startswith("generation:") and one.ok]
    return BalancerFacts(
        os=name[1] if name else release.split("\n")[0],
        major=major,
        haproxy=_haproxy(answers),
        address=_address(answers),
        firewall=answers.firewall,
        selinux=selinux,
        selinux_at_boot=stored_mode(answers) if selinux != "disabled" else selinux,
        log=_log(answers, major),
        sysconfig=answers.texts.get(SYSCONFIG),
        ephemeral=_two(kernel.get("net.ipv4.ip_local_port_range", "")),
        reserved=kernel.get("net.ipv4.ip_local_reserved_ports", ""),
        hashes=answers.hashes,
        masked=tuple(name for name in ("haproxy", "rsyslog") if answers.unit(name).get("LoadState") == "masked"),
        recorded=generations[-1].text.encode("utf-8", "surrogateescape") if generations else None,
    )


def _haproxy(answers: Answers) -> HaproxyFacts:
    """Installed or not, which version, what its configuration is made of."""
    package = answers.need("package")
    version, release, trouble = _version(answers, package)
    ours = [text for text in answers.loaded().values() if answers.is_ours(text)]
    known = answers.need("served")
    return HaproxyFacts(
        installed=package.ok,
        version=version,
        release=release,
        trouble=trouble,
        main=_main_file(answers),
        config_paths=answers.paths,
        conf_d=_loads_conf_d(answers, version),
        on_disk=next((digest for text in ours if (digest := carried(text))), None),
        served=served(known.text, answers.cluster.name) if known.ok else None,
        home_owner=answers.text("home").strip() or "root",
        fragment=any(fragment_path(answers.cluster, conf_d=one) in answers.texts for one in (True, False)),
    )


def _loads_conf_d(answers: Answers, version: Version | None) -> bool:
    """Whether the unit loads conf.d: it says so itself; before it is installed, EL8's and later packages (1.8) do."""
    if answers.paths:
        return any(path.rstrip("/").endswith("/conf.d") for path in answers.paths)
    return version is not None and version >= (1, 8)


def _main_file(answers: Answers) -> MainFile:
    """Whose the main file is. The package manager knows its own: a stock file shows no changed digest (`5`).

    A digest that could not be read (`?`) tells nothing: then it counts as foreign.
    """
    text = answers.texts.get(MAIN)
    if text is None:
        return "absent"
    owner = owner_of(text)
    if owner is not None:
        return "ours" if owner == answers.cluster.name else "other cluster"
    check = answers.found.get("package-files")
    if check is None or check.status == 127:
        return "foreign"
    lines = [line for line in check.text.splitlines() if line.strip()]
    understood = all(re.match(r"([.SM5DLUGTPC?]{8,9}|missing) ", line) for line in lines)
    changed = any(set("5?") & set(line.split()[0]) and line.endswith(MAIN) for line in lines)
    return "stock" if understood and not changed else "foreign"


def _address(answers: Answers) -> AddressFacts:
    """Where the VIP is, and from where the servers are reached."""
    rows = answers.rows("addresses", r"\d+: +(\S+) +inet (\d+(?:\.\d+){3})(?:/(\d+))? .*")
    if not answers.need("addresses").ok:
        raise ValueError(f"`ip addr` failed: {answers.need('addresses').first}")
    held = [(device, int(prefix or 32)) for device, address, prefix in rows if address == answers.cluster.vip]
    sources, devices = {}, []
    for server, frame in answers.starting("route:").items():
        route = re.search(r"dev (\S+).* src (\S+)", frame.text) if frame.ok else None
        if route is not None:
            sources[server] = answers.balancer.source or route[2]
            devices.append(route[1])
    device, prefix = held[0] if held else (devices[0] if devices else None, 0)
    if not prefix and device:
        prefix = next((int(size or 32) for name, _, size in rows if name == device), 0)
    return AddressFacts(bool(held), device, prefix, sources)


def _selinux(answers: Answers) -> Selinux:
    """SELinux's mode. A machine without getenforce has none."""
    frame = answers.need("enforce")
    if frame.status == 127:
        return "disabled"
    word = frame.first.lower()
    if not frame.ok or word not in ("enforcing", "permissive", "disabled"):
        raise ValueError(f"getenforce said {frame.first!r}")
    return cast(Selinux, word)


def _log(answers: Answers, major: int | None) -> LogFacts:
    """Rsyslog, without our own file."""
    ours = f"/etc/rsyslog.d/provision-{answers.cluster.name}.conf"
    rows = answers.rows("log-rules", r"([^:]+):\d+:(.*)")
    lines = [(answers.logical(path), rule) for path, rule in rows] if "log-rules" in answers.found else None
    return read_log(lines, ours, old_syntax=major is not None and major <= 7)


def _version(answers: Answers, package: Frame) -> tuple[Version | None, str, str]:
    """HAProxy's version, the package's release, and the package tool's words where there is no version."""
    if package.ok:
        match = re.search(r"HA-?Proxy version (\d+)\.(\d+)", answers.raw("version"))
        if match is None:
            raise ValueError(f"`haproxy -v` said {answers.raw('version')[:120]!r}")
        return (int(match[1]), int(match[2])), package.first, ""
    if "not installed" not in package.text:
        raise ValueError(f"rpm said {package.text[:120]!r}")
    candidate = answers.need("candidate")
    row = re.search(r"^haproxy\.\S+\s+(?:\d+:)?((\d+)\.(\d+)\S*)", candidate.text, re.MULTILINE)
    if candidate.ok and row is not None:
        return (int(row[2]), int(row[3])), row[1], ""
    return None, "", telling(candidate.text) or "the package tool said nothing"


def _two(text: str) -> tuple[int, int] | None:
    words = text.split()
    return (int(words[0]), int(words[1])) if len(words) == 2 else None
