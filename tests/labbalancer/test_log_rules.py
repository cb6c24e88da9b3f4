"""The part of rsyslog's language that the lab's daemon understands."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from provision.lab.balancer.rsyslogcfg import Message, read
from provision.lab.balancer.syslogd import deliver, inside, parse

NOW = datetime(2026, 11, 3, 4, 5, 6)


def config(root: Path, text: str) -> Path:
    path = root / "rsyslog.conf"
    path.write_text(text.replace("{root}", str(root)))
    return path


def message(facility: str = "local2", severity: str = "info", program: str = "haproxy") -> Message:
    return Message(facility, severity, program, "a line")


@pytest.mark.parametrize(("selector", "takes"), [
    ("local2.*", True), ("local2.info", True), ("local2.warning", False), ("local2.=info", True), ("local2.=notice", False),
    ("*.info;local2.none", False), ("local1,local2.*", True), ("*.*", True), ("local2.debug", True), ("mail.*", False),
])
def test_selectors_choose_as_rsyslog_does(tmp_path: Path, selector: str, takes: bool) -> None:
    found = read(config(tmp_path, f"{selector} /x\n"))
    assert found.errors == [] and found.rules[0].matches(message()) is takes


@pytest.mark.parametrize("rule", [
    ":programname, isequal, \"haproxy\" /x", ":programname, startswith, \"hap\" /x", "if $programname == 'haproxy' then /x",
    "if $syslogfacility-text == 'local2' then /x", 'local2.* action(type="omfile" file="/x")', "local2.* -/x",
])
def test_a_rule_may_be_written_in_several_ways(tmp_path: Path, rule: str) -> None:
    found = read(config(tmp_path, f"{rule}\n& stop\n"))
    assert found.errors == [] and found.rules[0].actions == ("/x", "stop") and found.rules[0].matches(message())


@pytest.mark.parametrize("text", ['module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="514")\n',
                                  "$ModLoad imudp\n$UDPServerAddress 127.0.0.1\n$UDPServerRun 514\n"])
def test_both_syntaxes_open_an_input(tmp_path: Path, text: str) -> None:
    assert read(config(tmp_path, text)).udp == [("127.0.0.1", 514)]


@pytest.mark.parametrize("line", ["local9.* /x", "local2.* relative/path", "& stop", "nonsense"])
def test_what_rsyslog_would_not_read_is_an_error_with_its_line(tmp_path: Path, line: str) -> None:
    (error,) = read(config(tmp_path, f"# first\n{line}\n")).errors
    assert "rsyslog.conf, on or before line 2" in error


def test_an_input_without_its_module_is_two_errors(tmp_path: Path) -> None:
    unknown, line = read(config(tmp_path, '# first\ninput(type="imudp" port="514")\n')).errors
    assert "'imudp' is unknown" in unknown and "rsyslog.conf, on or before line 2" in line


def test_stop_keeps_a_message_from_later_rules(tmp_path: Path) -> None:
    found = read(config(tmp_path, "local2.* {root}/first\n& stop\n*.* {root}/second\n"))
    deliver(message(), found, tmp_path)
    deliver(message(facility="user"), found, tmp_path)
    assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text() == "a line\n"


def test_nothing_is_written_outside_the_root(tmp_path: Path) -> None:
    assert inside(tmp_path, "/var/log/x") == tmp_path / "var/log/x"
    assert inside(tmp_path, f"{tmp_path}/var/log/x") == tmp_path / "var/log/x"


def test_a_datagram_of_haproxy_becomes_a_line() -> None:
    found = parse(b"<150>Nov  3 04:05:00 haproxy[7]: hello\n", "localhost", NOW)
    assert found == Message("local2", "info", "haproxy", "Nov  3 04:05:00 localhost haproxy[7]: hello")


def test_a_datagram_without_a_time_gets_one() -> None:
    found = parse(b"<13>tag: x", "lb", NOW)
    assert found is not None and found.line == "Nov  3 04:05:06 lb tag: x"


def test_what_is_no_message_is_dropped() -> None:
    assert parse(b"GET / HTTP/1.0", "lb", NOW) is None
