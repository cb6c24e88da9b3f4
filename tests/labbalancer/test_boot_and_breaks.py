"""A host that boots, that is killed, and that careless hands break."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from labbalancer.balancers import VIP, Balancer, balancer_of, ended, soon, start, stop

from provision.lab.balancer import breaks, haproxytool
from provision.lab.balancer.settings import SettingsError, parse

CONFIG = """global
    maxconn 500
    stats socket {root}/var/lib/haproxy/stats mode 600 level admin
defaults
    mode tcp
    timeout connect 2s
    timeout client 1m
    timeout server 1m
listen ftp_control
    bind {vip}:2121
    server a 127.0.92.11:29221
"""


@pytest.fixture(scope="module")
def one() -> Iterator[Balancer]:
    with balancer_of() as running:
        running.run("dnf", "-y", "install", "haproxy")
        yield running


@pytest.fixture
def host(one: Balancer) -> Balancer:
    """haproxy configured, enabled and running; its port open, now and on disk; as a boot leaves it."""
    start(one.root)
    breaks.ask(one.root, {"do": "old-host-key"})
    one.configure(CONFIG)
    (one.root / "etc/selinux/config").write_text("SELINUX=enforcing\nSELINUXTYPE=targeted\n")
    (one.root / "known").unlink(missing_ok=True)
    one.run("setsebool", "-P", "haproxy_connect_any", "on")
    one.run("systemctl", "start", "firewalld")
    one.run("firewall-cmd", "--permanent", "--add-port=2121/tcp")
    one.run("systemctl", "enable", "haproxy")
    breaks.ask(one.root, {"do": "reboot"})
    return one


def test_a_boot_keeps_what_is_permanent_and_nothing_else(host: Balancer) -> None:
    host.run("firewall-cmd", "--add-port=21/tcp")
    host.run("setsebool", "haproxy_connect_any", "off")
    host.run("sysctl", "-w", "net.ipv4.ip_nonlocal_bind=1")
    breaks.ask(host.root, {"do": "reboot"})
    assert host.run("firewall-cmd", "--list-ports") == "2121/tcp\n"
    assert host.run("getsebool", "haproxy_connect_any") == "haproxy_connect_any --> on\n"
    assert host.run("sysctl", "-n", "net.ipv4.ip_nonlocal_bind") == "0\n"
    assert host.run("systemctl", "is-active", "haproxy") == "active\n"


def test_a_boot_starts_only_what_is_enabled_and_obeys_the_selinux_file(host: Balancer) -> None:
    host.run("systemctl", "disable", "haproxy")
    (host.root / "etc/selinux/config").write_text("SELINUX=permissive\nSELINUXTYPE=targeted\n")
    breaks.ask(host.root, {"do": "reboot"})
    assert host.ssh("systemctl is-active haproxy").stdout == "inactive\n"
    assert host.run("getenforce") == "Permissive\n"


def test_status_tells_units_and_counts(host: Balancer) -> None:
    before = breaks.ask(host.root, {"do": "status"})
    host.ssh("true")
    status = breaks.ask(host.root, {"do": "status"})
    assert status["connections"] == before["connections"] + 1 and status["ready"] and status["units"]["haproxy"] == "active" and status["execs"] == before["execs"] + 1


def test_a_refused_request_says_why(host: Balancer) -> None:
    with pytest.raises(ValueError, match="unknown request"):
        breaks.ask(host.root, {"do": "dance"})


def test_a_killed_process_leaves_nothing_behind_once_it_is_started_again(host: Balancer) -> None:
    orphan = int(host.run("systemctl", "show", "--value", "-p", "MainPID", "haproxy"))
    os.kill(int((host.root / "host.pid").read_text()), signal.SIGKILL)
    (host.root / "host.pid").unlink()
    start(host.root)
    assert int(host.run("systemctl", "show", "--value", "-p", "MainPID", "haproxy")) != orphan
    assert soon(lambda: ended(orphan))


def test_a_stopped_process_takes_its_haproxy_and_rsyslogd_along(host: Balancer) -> None:
    pids = [int(host.run("systemctl", "show", "--value", "-p", "MainPID", unit)) for unit in ("haproxy", "rsyslog")]
    stop(host.root)
    assert all(ended(pid) for pid in pids) and not (host.root / "host.pid").exists()


def test_sigterm_ends_it_too(host: Balancer) -> None:
    pid, haproxy = int((host.root / "host.pid").read_text()), int(host.run("systemctl", "show", "--value", "-p", "MainPID", "haproxy"))
    os.kill(pid, signal.SIGTERM)
    assert soon(lambda: ended(pid)) and ended(haproxy)


def test_every_break_says_what_it_did_and_leaves_its_mark(host: Balancer) -> None:
    marks = {
        "haproxy-edited": lambda: "timeout client 7s" in (host.root / "etc/haproxy/haproxy.cfg").read_text(),
        "haproxy-not-reloaded": lambda: "# a line" in (host.root / "etc/haproxy/haproxy.cfg").read_text(),
        "port-closed-runtime": lambda: host.run("firewall-cmd", "--list-ports") == "\n",
        "port-closed-permanent": lambda: host.run("firewall-cmd", "--permanent", "--list-ports") == "\n",
        "rsyslog-stopped": lambda: host.ssh("systemctl is-active rsyslog").stdout == "inactive\n",
        "firewalld-stopped": lambda: host.ssh("firewall-cmd --state").returncode == 252,
        "vip-lost": lambda: VIP not in host.run("ip", "-o", "-4", "addr"),
        "haproxy-disabled": lambda: host.ssh("systemctl is-enabled haproxy").stdout == "disabled\n",
        "haproxy-stopped": lambda: host.ssh("systemctl is-active haproxy").stdout == "inactive\n",
        "selinux-boolean-off": lambda: host.run("getsebool", "haproxy_connect_any").endswith("off\n"),
        "selinux-permissive": lambda: host.run("getenforce") == "Permissive\n",
        "selinux-permissive-at-boot": lambda: "SELINUX=permissive" in (host.root / "etc/selinux/config").read_text(),
        "host-key-changed": lambda: host.ssh("true").returncode == 255,
    }
    host.ssh("true")
    assert marks.keys() == breaks.BREAKS.keys()
    for name, mark in marks.items():
        assert not mark() and breaks.BREAKS[name].apply(host.root) and mark(), name


@pytest.mark.parametrize("name", ["firewalld-stopped", "vip-lost", "host-key-changed"])
def test_what_provision_cannot_mend_the_lab_can(host: Balancer, name: str) -> None:
    host.ssh("true")
    before = host.run("ip", "-o", "addr"), (host.root / "ssh_host_ed25519_key.pub").read_text()
    breaks.BREAKS[name].apply(host.root)
    mend = breaks.BREAKS[name].mend
    assert mend is not None and mend(host.root)
    assert (host.run("ip", "-o", "addr"), (host.root / "ssh_host_ed25519_key.pub").read_text()) == before
    assert host.ssh("firewall-cmd --state").stdout == "running\n"


def test_a_break_of_a_host_that_was_never_built_says_so(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(json.dumps({"name": "lb1", "address": "127.0.92.1", "port": 22922, "vip": VIP}))
    with pytest.raises(LookupError, match="haproxy is not installed there yet"):
        breaks.BREAKS["haproxy-edited"].apply(tmp_path)


def test_the_host_key_survives_a_restart(host: Balancer) -> None:
    key = (host.root / "ssh_host_ed25519_key").read_bytes()
    stop(host.root)
    start(host.root)
    assert (host.root / "ssh_host_ed25519_key").read_bytes() == key


def test_a_machine_without_haproxy_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(haproxytool.shutil, "which", lambda name, path: None)
    with pytest.raises(FileNotFoundError, match="install the package 'haproxy'"):
        haproxytool.locate()


@pytest.mark.parametrize(("change", "words"), [
    ({"port": "ssh"}, "'port' must be a port number"), ({"vip": "300.1.1.1"}, "'vip' is no IPv4 address"),
    ({"shape": "el6"}, "'shape' is one of el7, el8, el9, el10"), ({"sudo": "maybe"}, "'sudo' is nopasswd"),
    ({"sudo": "password"}, "'sudo_password' is needed"), ({"authorized_keys": "one"}, "'authorized_keys' must be a list"),
])
def test_a_wrong_host_file_is_told_by_its_key(change: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse({"name": "lb1", "address": "127.0.92.1", "port": 22922, "vip": VIP} | change)


def test_a_process_with_a_wrong_host_file_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")
    words = [sys.executable, "-m", "provision.lab.balancer.process", "--directory", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and "host.json" in done.stderr and "Traceback" not in done.stderr


def test_a_firewall_without_ssh_lets_nobody_in(host: Balancer) -> None:
    assert host.ssh("true").returncode == 0
    host.run("firewall-cmd", "--remove-service=ssh")
    done = subprocess.run([*host.ssh_words("-o", "BindAddress=127.0.92.77"), "true"], capture_output=True, timeout=20)
    assert done.returncode == 255
