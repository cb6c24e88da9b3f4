from __future__ import annotations

from dataclasses import astuple, is_dataclass

import pytest
from balancer_clusters import cluster
from printing import frame
from recorded import answers, cases

from provision.errors import ReadFailed
from provision.hosts.balancer.frames import Frame
from provision.hosts.balancer.live import NotSetUp, ServerHealth, Session, TableEntry, live_script, parse_live

INFO = "Name: HAProxy\nVersion: 2.4.22-f8e3218\nPid: 78\nUptime: 0d 0h01m40s\nUptime_sec: 100\n"
STAT = """# pxname,svname,qcur,scur,status,lastchg,sid,check_status,
FTPVIP,FRONTEND,,2,OPEN,,0,,
FTPVIP,WinFTPServer2016FTP1,0,2,UP,90,1,L7OK,
FTPVIP,WinFTPServer2016FTP2,0,0,DOWN 1/2,5,2,* L7TOUT,
FTPVIP,BACKEND,0,2,UP,100,0,,
web,app1,0,9,UP,90,1,L4OK,
"""
SESSIONS = """0x1: proto=tcpv4 src=10.0.0.7:33148 fe=FTPVIP be=FTPVIP srv=WinFTPServer2016FTP1 ts=00 age=1h2m calls=2 rate=1
0x2: proto=tcpv4 src=10.0.0.8:4000 fe=FTPVIP be=FTPVIP srv=<none> ts=00 age=3s calls=2
0x3: proto=tcpv4 src=10.0.0.9:5000 fe=web be=web srv=app1 ts=00 age=3s calls=2
0x4: proto=unix_stream src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=1 rate=1
"""
TABLE = """# table: FTPVIP, type: ip, size:100, used:1
0x55: key=10.0.0.7 use=0 exp=1798787 server_id=1 server_key=WinFTPServer2016FTP1
0x56: key=10.0.0.8 use=0 exp=900 server_id=2
"""
PROCESSES = """    1     0    9000 systemd
   70     1     500 haproxy
   75    70     400 haproxy
   78    70     100 haproxy
   90     1     100 haproxy
"""


def answer(**parts):
    texts = {
        "recorded": "", "info": INFO, "stat": STAT, "sessions": SESSIONS, "table:FTPVIP": TABLE, "table:FTPVIP_article": "Unknown table\n",
        "units": "MainPID=70\nId=haproxy.service\n", "processes": PROCESSES, **parts,
    }
    found = [Frame(name, 0, text) for name, text in texts.items()]
    return b"".join(frame(one) for one in (*found, Frame("end", 0, "")))


def asked(*refusing, **parts):
    """The answers, of which some ended with 1."""
    data = answer(**parts)
    for name in refusing:
        data = data.replace(f"provision-frame {name} 0 ".encode(), f"provision-frame {name} 1 ".encode())
    return parse_live(data, cluster(), cluster().balancers[0])


def live(**parts):
    return parse_live(answer(**parts), cluster(), cluster().balancers[0])


def test_health_is_that_of_our_servers_only():
    assert live().health == (
        ServerHealth("FTPVIP", "WinFTPServer2016FTP1", "UP", "L7OK", 2, 90),
        ServerHealth("FTPVIP", "WinFTPServer2016FTP2", "DOWN 1/2", "L7TOUT", 0, 5),
    )


def test_columns_are_found_by_their_header_in_any_version():
    short = "# svname,pxname,status,scur,\nWinFTPServer2016FTP1,FTPVIP,UP 1/3,7,\n"
    assert live(stat=short).health == (ServerHealth("FTPVIP", "WinFTPServer2016FTP1", "UP 1/3", "", 7, None),)


@pytest.mark.parametrize(("status", "usable"), [
    ("UP", True), ("UP 1/3", True), ("no check", True), ("DOWN", False), ("DRAIN", False), ("MAINT", False), ("NOLB", False),
])
def test_logins_go_to_servers_that_are_up(status, usable):
    assert ServerHealth("FTPVIP", "s", status, "", 0, None).usable is usable


def test_sessions_say_who_is_connected_where_and_for_how_long():
    assert live().sessions == (
        Session("10.0.0.7", 33148, "FTPVIP", "WinFTPServer2016FTP1", 3720),
        Session("10.0.0.8", 4000, "FTPVIP", "", 3),
    )


def test_the_table_names_servers_also_where_haproxy_gives_only_their_id():
    assert live().table == (
        TableEntry("FTPVIP", "10.0.0.7", "WinFTPServer2016FTP1", 1798),
        TableEntry("FTPVIP", "10.0.0.8", "WinFTPServer2016FTP2", 0),
    )


def test_a_worker_from_before_a_reload_is_counted_by_its_age():
    assert live().old_workers == (400,)


def test_the_wrapper_of_el7_and_the_workers_above_the_present_one_are_not_old():
    el7 = "   70     1     500 haproxy-systemd\n   71    70     100 haproxy\n   78    71     100 haproxy\n"
    old = "   60    70     300 haproxy\n   61    60     300 haproxy\n"
    assert live(processes=el7).old_workers == ()
    assert live(processes=el7 + old).old_workers == (300,)


def test_a_haproxy_that_cannot_be_asked_is_not_an_idle_one():
    with pytest.raises(ReadFailed, match="P543"):
        asked("stat")


@pytest.mark.parametrize(("refusing", "stat"), [(("recorded", "info", "stat"), STAT), (("recorded",), "# pxname,svname,status,scur,\n")])
def test_before_the_first_change_the_cluster_is_not_set_up_instead_of_broken(refusing, stat):
    with pytest.raises(NotSetUp):
        asked(*refusing, stat=stat)


def test_after_the_first_change_a_silent_haproxy_is_an_error_without_the_words_of_socat():
    with pytest.raises(ReadFailed, match="does not run") as caught:
        asked("info", info="socat[7] E connect(5, AF=1): No such file or directory\n")
    assert not isinstance(caught.value, NotSetUp)
    assert "socat" not in str(caught.value)


@pytest.mark.parametrize("parts", [{"info": "Name: HAProxy\n"}, {"stat": "# a,b,\n1,2,\n"}])
def test_an_answer_that_is_not_understood_is_said(parts):
    with pytest.raises(ReadFailed, match="P500"):
        live(**parts)


def test_the_script_asks_for_the_table_under_both_its_names():
    assert live_script(cluster(), cluster().balancers[0]).arguments == ("/", "article", "FTPVIP", "FTPVIP_article")


@pytest.mark.parametrize("case", cases("live"))
def test_what_a_genuine_haproxy_answers_is_read_as_what_it_means(case):
    found = live(**{name: text for name, (_, text) in answers(case).items()})
    for name, wanted in case["expected"].items():
        value = getattr(found, name)
        rows = [list(astuple(one)) if is_dataclass(one) else one for one in value] if isinstance(value, tuple) else value
        assert rows == wanted, name
