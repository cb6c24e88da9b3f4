"""What a copy of haproxy.cfg keeps, and what an ordinary user's copy must change."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.lab.balancer.haproxycfg import Bind, Surroundings, binds, check_copy, running_copy

AROUND = Surroundings(Path("/r"), ("127.0.92.1", "127.0.92.100"))


@pytest.mark.parametrize("line", ["chroot /var/lib/haproxy", "user haproxy", "group haproxy", "daemon", "ulimit-n 9000"])
def test_what_only_root_can_do_is_commented_out(line: str) -> None:
    assert check_copy(f"global\n    {line}\n", AROUND) == f"global\n# kept from an ordinary user: {line}\n"


def test_a_check_copy_has_the_same_lines_at_the_same_numbers() -> None:
    text = "# c\nglobal\n    user haproxy\n\nlisten a\n    bind *:1\n    mode tcp # why\n"
    assert check_copy(text, AROUND).count("\n") == text.count("\n")


@pytest.mark.parametrize(("target", "socket"), [
    ("127.0.0.1 local2", "udp-514.sock"), ("127.0.0.1:514 local2", "udp-514.sock"), ("127.0.0.1:1514 local2", "udp-1514.sock"),
    ("/dev/log local0", "dev-log.sock"), ("/r/dev/log local0", "dev-log.sock"),
])
def test_logs_go_to_the_labs_rsyslogd(target: str, socket: str) -> None:
    facility = target.split()[1]
    assert check_copy(f"global\n  log {target}\n", AROUND) == f"global\n    log /r/lab/syslog/{socket} {facility}\n"


def test_log_global_and_formats_stay_as_they_are() -> None:
    text = 'defaults\n    log global\n    log-format "%ci:%cp [%t] %ft"\n'
    assert check_copy(text, AROUND) == text


def test_a_stats_socket_loses_its_owner() -> None:
    text = "global\n    stats socket /r/s mode 600 user haproxy group haproxy level admin\n"
    assert check_copy(text, AROUND) == "global\n    stats socket /r/s mode 600 level admin\n"


def test_everywhere_means_this_hosts_addresses() -> None:
    assert "bind 127.0.92.1:8080,127.0.92.100:8080,/r/lab/lo/8080.sock" in check_copy("listen s\n bind *:8080\n", AROUND)


def test_loopback_is_the_hosts_own() -> None:
    assert "bind /r/lab/lo/8404.sock" in check_copy("listen s\n bind 127.0.0.1:8404\n", AROUND)


def test_an_address_of_its_own_is_bound_as_written() -> None:
    text = "listen s\n    bind 127.0.92.100:21,127.0.92.100:10000-10020 transparent\n"
    assert check_copy(text, AROUND) == text


def test_the_gate_stands_in_sections_that_listen_only() -> None:
    text = "defaults\n mode tcp\nlisten a\n server x 10.0.0.1\nlisten s\n stats enable\nbackend b\n server y 10.0.0.2\n"
    made = running_copy(text, AROUND, ["GATE"], ["REACH"]).splitlines()
    assert made == ["defaults", " mode tcp", "listen a", "    GATE", "    REACH", " server x 10.0.0.1", "listen s", "    GATE",
                    " stats enable", "backend b", " server y 10.0.0.2"]


def test_binds_are_read_with_ranges_lists_and_old_headers() -> None:
    text = "frontend main *:5000\nlisten a\n bind 10.0.0.1:1-3,10.0.0.1:9 transparent\n bind /run/x.sock\n"
    assert binds(text) == (Bind("main", "*", 5000, 5000, False), Bind("a", "10.0.0.1", 1, 3, True), Bind("a", "10.0.0.1", 9, 9, True))
