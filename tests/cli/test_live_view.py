"""Status and sessions as tables."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from cli.cliworld import article
from cli.golden import shown
from cli.showcase import LB, WIN1, WIN2

from provision.engine.live import LiveReport
from provision.errors import ConnectionFailed
from provision.hosts.balancer.live import LiveReading, ServerHealth, Session, TableEntry
from provision.view.live import _age, live_value, session_lines, status_lines

LIVE = LiveReading(
    "2.4.22",
    3723,
    (
        ServerHealth("FTPVIP", WIN1, "UP", "L7OK", 3, 60),
        ServerHealth("FTPVIP", WIN2, "DOWN", "L4TOUT", 0, 5),
    ),
    (Session("10.0.0.7", 50123, "FTPVIP", WIN1, 61), Session("10.0.0.8", 50124, "FTPVIP", "", 0)),
    (TableEntry("FTPVIP", "10.0.0.7", WIN1, 1800),),
    (90,),
)


@dataclass
class Reading:
    vip_held: bool = True

    @property
    def balancer_facts(self):
        return {LB: SimpleNamespace(address=SimpleNamespace(vip_held=self.vip_held))}

    balancers = {LB: None}
    sessions = {WIN1: 3, WIN2: -1}


def report(reading=None, failures=None, locked=False):
    live = {} if failures else {LB: LIVE}
    return LiveReport(live, reading, failures or {}, locked, 0.4)


def test_status_shows_health_sessions_vip_and_lock():
    assert (
        shown(status_lines(article(), report(Reading())), 80)
        == """\
Cluster article   clusters/article.yml

balancer  HAProxy  up for  VIP   connections  old workers
lb1       2.4.22   1h 2m   held  2            1m 30s

server                address        health  check   for    logins  at IIS
WinFTPServer2016FTP1  192.168.1.110  UP      L7OK    1m 0s  3       3
WinFTPServer2016FTP2  192.168.1.111  DOWN    L4TOUT  5s     0       ?

= VIP 192.168.1.123: held by lb1
= lock: free
"""
    )


def test_a_vip_that_nobody_holds_is_an_alarm():
    assert "! VIP 192.168.1.123: held by no balancer" in shown(status_lines(article(), report(Reading(False))))


def test_a_vip_whose_balancer_was_not_read_is_unknown():
    failures = {LB: ConnectionFailed("P211", "the connection was reset", host=LB)}
    text = shown(status_lines(article(), report(None, failures)))
    assert "? VIP 192.168.1.123: no balancer that was read holds it" in text
    assert "? lb1  the connection was reset (P211)" in text


def test_a_lock_that_is_held_is_said():
    assert "lock: held by a run on this machine" in shown(status_lines(article(), report(Reading(), locked=True)))


def test_sessions_show_who_is_connected_where_and_who_is_held():
    assert (
        shown(session_lines(article(), report()), 80)
        == """\
Cluster article   clusters/article.yml
Balancer lb1   2 connections
client          server                section  for
10.0.0.7:50123  WinFTPServer2016FTP1  FTPVIP   1m 1s
10.0.0.8:50124  -                     FTPVIP   0s
held client  server                table   for another
10.0.0.7     WinFTPServer2016FTP1  FTPVIP  30m 0s
! 1 old worker (1m 30s) may carry sessions that are not listed
2 connections: WinFTPServer2016FTP1 1, no server 1
"""
    )


def test_connections_that_nobody_could_count_are_unknown_and_not_none():
    failures = {LB: ConnectionFailed("P211", "the connection was reset", host=LB)}
    text = shown(session_lines(article(), report(failures=failures)))
    assert "? How many connections there are is unknown." in text
    assert "0 connections" not in text


def test_logins_that_nobody_could_count_are_unknown_and_not_none():
    failures = {LB: ConnectionFailed("P211", "the connection was reset", host=LB)}
    row = next(one for one in shown(status_lines(article(), report(failures=failures))).splitlines() if WIN1 in one)
    assert row.split()[2:] == ["?", "?", "?", "?", "?"]


def test_what_one_balancer_says_is_not_said_of_both():
    failures = {"lb2": ConnectionFailed("P211", "the connection was reset", host="lb2")}
    text = shown(session_lines(article(), LiveReport({LB: LIVE}, None, failures, False, 0.4)))
    assert "? Through lb1: 2 connections: WinFTPServer2016FTP1 1, no server 1; through lb2: unknown" in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0s"), (59, "59s"), (60, "1m 0s"), (90061, "1d 1h"), (3600, "1h 0m")]
)
def test_ages_are_two_units(seconds, words):
    assert _age(seconds) == words


def test_the_document_has_the_holders_and_each_section():
    value = live_value(article(), report(Reading()))
    assert value["vip"] == {"address": "192.168.1.123", "holders": [LB]}
    assert value["balancers"][LB]["health"][0]["server"] == WIN1
