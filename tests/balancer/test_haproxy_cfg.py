from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from balancer_clusters import MASKS, PASSWORD, cluster, server
from recorded import CASES, load

from provision.hosts.balancer.cfg_reader import read_cfg
from provision.hosts.balancer.digest import carried, digest_of, owner_of
from provision.hosts.balancer.haproxy_cfg import haproxy_cfg, section_names
from provision.model.ports import PortRange, PortSet

GOLDEN = Path(__file__).parent / "golden"
KNOWN = load(CASES / "keywords.yaml")
VERSIONS = [(1, 5), (1, 8), (2, 4), (2, 6), (3, 0)]
STOCK = """global
    log 127.0.0.1 local2
    maxconn 4000
    stats socket /var/lib/haproxy/stats
defaults
    mode http
    log global
    option httplog
    option http-server-close
    option forwardfor except 127.0.0.0/8
    option redispatch
    retries 3
    timeout connect 10s
    timeout client 1m
    timeout server 1m
frontend main
    bind *:5000
"""
haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed here")


def written(layout="shared", mode="main", version=(2, 4), ownership=None, **more):
    one = cluster(layout, **more)
    secret = MASKS.placeholder(PASSWORD)
    return haproxy_cfg(one, one.balancers[0], version, mode, ownership=ownership or one.ownership, stats_secret=secret)


def section(text, name):
    return next([" ".join(words) for words in one.lines] for one in read_cfg(text) if one.name == name)


def checked(*files):
    arguments = [word for file in files for word in ("-f", str(file))]
    return subprocess.run(["haproxy", "-c", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("mode", ["main", "fragment"])
@pytest.mark.parametrize("layout", ["shared", "sliced"])
@pytest.mark.parametrize("version", VERSIONS, ids=lambda v: f"{v[0]}.{v[1]}")
def test_the_text_is_the_golden_one(layout, mode, version):
    golden = GOLDEN / f"{layout}-{mode}-{version[0]}.{version[1]}.cfg"
    assert written(layout, mode, version) == golden.read_text()


def golden_files(mode):
    return [pytest.param(path, id=path.stem) for path in sorted(GOLDEN.glob(f"*-{mode}-*.cfg"))]


def version_of(path):
    return tuple(map(int, path.stem.rpartition("-")[2].split(".")))


def keyword(words):
    """The keyword of a line as the manual lists it, and whether "no" stands in front."""
    inverted = words[0] == "no"
    words = words[1:] if inverted else words
    return (" ".join(words[:2]) if " ".join(words[:2]) in KNOWN["keywords"] else words[0]), inverted


def since(words):
    return tuple(map(int, KNOWN["keywords"][keyword(words)[0]][0].split(".")))


@pytest.mark.parametrize("path", [*golden_files("main"), *golden_files("fragment")])
def test_a_version_gets_only_keywords_that_its_manual_has_and_where_it_has_them(path):
    for part in read_cfg(path.read_text()):
        for words in part.lines:
            name, inverted = keyword(words)
            assert since(words) <= version_of(path) and part.kind[0].upper() in KNOWN["keywords"][name][1], words
            assert not inverted or name in KNOWN["invertible"], words


@pytest.mark.parametrize("path", [*golden_files("main"), *golden_files("fragment")])
def test_the_log_line_has_only_variables_that_1_5_knows(path):
    (line,) = {line for line in path.read_text().splitlines() if "log-format" in line}
    assert set(re.findall(r"%([A-Za-z]+)", line)) <= set(KNOWN["log variables"])


def allowed(path):
    """A golden text as it lies on a machine, without the lines that the HAProxy installed here is too old for."""
    has = re.search(r"version (\d+)\.(\d+)", subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True).stdout)
    lines = MASKS.reveal(path.read_text()).decode().splitlines()
    late = [name for name in KNOWN["keywords"] if tuple(map(int, KNOWN["keywords"][name][0].split("."))) > tuple(map(int, has.groups()))]
    return "\n".join(line for line in lines if not line.strip().startswith(tuple(late))) + "\n"


@haproxy
@pytest.mark.parametrize("path", golden_files("main"))
def test_haproxy_accepts_every_main_file_without_a_word(path, tmp_path):
    (tmp_path / "haproxy.cfg").write_text(allowed(path))
    result = checked(tmp_path / "haproxy.cfg")
    assert (result.returncode, re.findall("WARNING|ALERT", result.stdout + result.stderr)) == (0, []), result.stderr


@haproxy
@pytest.mark.parametrize("path", golden_files("fragment"))
def test_haproxy_accepts_every_fragment_beside_the_package_s_own_file(path, tmp_path):
    """Its defaults have an option that a tcp section warns of and that nothing can take away; there is no other word."""
    (tmp_path / "stock.cfg").write_text(STOCK)
    (tmp_path / "ours.cfg").write_text(allowed(path))
    result = checked(tmp_path / "stock.cfg", tmp_path / "ours.cfg")
    said = [line for line in (result.stdout + result.stderr).splitlines() if "WARNING" in line or "ALERT" in line]
    assert (result.returncode, [line for line in said if "'option forwardfor' ignored" not in line]) == (0, [])


@pytest.mark.parametrize("line", [
    "chroot /var/lib/haproxy", "pidfile /var/run/haproxy.pid", "maxconn 4000", "user haproxy", "group haproxy",
    "daemon", "log 127.0.0.1 local2", "stats socket /var/lib/haproxy/stats level admin mode 600 expose-fd listeners",
])
def test_global_says_what_the_article_says(line):
    assert f"    {line}\n" in written().split("\ndefaults\n")[0]


def test_listeners_are_handed_on_by_every_version_that_can():
    assert ["expose-fd listeners" in written(version=one) for one in VERSIONS] == [one >= (1, 8) for one in VERSIONS]


@pytest.mark.parametrize("line", [
    "mode tcp", "bind 192.168.1.123:21 transparent", "bind 192.168.1.123:10000-10020 transparent",
    "balance leastconn", "stick-table type ip size 10485760 expire 30m", "stick on src",
    "server WinFTPServer2016FTP1 192.168.1.110 check port 21 inter 10s rise 2 fall 2",
    "server WinFTPServer2016FTP2 192.168.1.111 check port 21 inter 10s rise 2 fall 2",
])
def test_ftpvip_says_what_the_article_says(line):
    assert line in section(written(), "FTPVIP")


@pytest.mark.parametrize("line", ["bind *:8080", "mode http", "stats enable", "stats admin if TRUE"])
def test_the_statistics_page_says_what_the_article_says(line):
    assert line in section(written(), "stats")


def test_the_password_stands_as_a_placeholder_and_comes_back_at_the_last_moment():
    text = written()
    assert "canary-7Q" not in text
    assert b"stats auth loadbalancer:canary-7Q\n" in MASKS.reveal(text)
    assert MASKS.mask(MASKS.reveal(text).decode()) == text


def test_a_password_that_was_changed_by_hand_is_masked_too_and_differs():
    text = written()
    edited = MASKS.reveal(text).decode().replace("canary-7Q", "other-secret")
    assert "other-secret" not in MASKS.mask(edited)
    assert MASKS.mask(edited) != text


def test_each_slice_has_a_section_of_its_own_and_only_its_own_server():
    lines = section(written("sliced"), "ftp_data_WinFTPServer2016FTP2")
    assert "bind 192.168.1.123:10010-10019 transparent" in lines
    assert [line for line in lines if line.startswith("server ")] == ["server WinFTPServer2016FTP2 192.168.1.111"]


def test_redispatch_is_for_logins_only():
    for mode in ("main", "fragment"):
        names = [one.name for one in read_cfg(written("sliced", mode)) if ("option", "redispatch") in one.lines]
        assert [name.removesuffix("_article") for name in names] == ["ftp_control"]


def test_in_a_transition_a_server_is_reached_on_its_old_and_its_new_ports():
    old_and_new = {"WinFTPServer2016FTP1": PortSet.of(PortRange(10000, 10009), PortRange(11000, 11009))}
    lines = section(written("sliced", ownership=old_and_new), "ftp_data_WinFTPServer2016FTP1")
    binds = [line for line in lines if line.startswith("bind ")]
    assert binds == ["bind 192.168.1.123:10000-10009 transparent", "bind 192.168.1.123:11000-11009 transparent"]


def test_a_server_without_ports_has_no_data_section():
    only = {"WinFTPServer2016FTP1": PortSet.of(10000), "WinFTPServer2016FTP2": PortSet()}
    assert "ftp_data_WinFTPServer2016FTP2" not in {one.name for one in read_cfg(written("sliced", ownership=only))}


def test_logins_are_free_without_affinity_and_held_by_a_table_with_it():
    assert "stick on src" not in section(written("sliced", ftp={"affinity": "none"}), "ftp_control")
    assert "stick on src" in section(written("sliced"), "ftp_control")


def test_splicing_is_the_forced_form_and_for_data_only():
    text = written("sliced", ftp={"splice": True})
    assert "option splice-request" in section(text, "ftp_data_WinFTPServer2016FTP1")
    assert "option splice-request" not in section(text, "ftp_control")
    assert "splice-auto" not in text


def test_a_source_address_is_said_in_every_section_that_reaches_servers():
    text = written("sliced", balancer={"source": "127.0.20.1"})
    names = [one.name for one in read_cfg(text) if ("source", "127.0.20.1") in one.lines]
    assert names == ["ftp_control", "ftp_data_WinFTPServer2016FTP1", "ftp_data_WinFTPServer2016FTP2"]


def test_servers_on_another_port_get_a_control_section_that_shares_its_table():
    servers = (server(1, PortRange(10000, 10020), ftp_port=2121), server(2, PortRange(10000, 10020)))
    text = written(servers=servers)
    assert "server WinFTPServer2016FTP1 192.168.1.110:2121 check inter 10s rise 2 fall 2" in section(text, "FTPVIP")
    assert "stick on src table FTPVIP" in section(text, "FTPVIP_data")


def test_keepalive_is_tuned_only_where_haproxy_knows_how():
    assert "clitcpka-idle" not in written(version=(2, 2))
    assert "clitcpka-idle 120s" in written(version=(2, 4))


def test_half_closed_connections_get_no_timeout_where_it_spins():
    assert "-fin " not in written(version=(1, 5))
    assert "timeout client-fin 30s" in written(version=(1, 8))


def test_paths_carry_the_root_of_a_lab():
    text = written(balancer={"root": "/tmp/pl/lb1"})
    assert "    chroot /tmp/pl/lb1/var/lib/haproxy\n" in text
    assert "stats socket /tmp/pl/lb1/var/lib/haproxy/stats" in text


def test_a_fragment_has_neither_global_nor_defaults_and_names_of_its_own():
    sections = read_cfg(written("sliced", "fragment"))
    assert {one.kind for one in sections} == {"listen", "backend"}
    assert all("article" in one.name for one in sections)


@pytest.mark.parametrize("mode", ["main", "fragment"])
def test_the_digest_is_that_of_the_text_without_its_own_line(mode):
    text = written(mode=mode)
    lines = [line for line in text.split("\n") if carried(line) is None]
    assert carried(text) == digest_of(text) == digest_of("\n".join(lines))
    assert digest_of(text.replace("leastconn", "roundrobin")) != carried(text)


def test_our_first_line_names_the_cluster():
    assert owner_of(written()) == "article"
    assert owner_of("# Managed by somebody else\n") is None


@pytest.mark.parametrize("name", ["a b", "a\n", "a#b", "a'b", 'a"b', "a\\b", "a\rb", "a\0b", "", "a\u200bb", "a\u2028b"])
def test_a_name_that_is_not_one_word_is_refused(name):
    with pytest.raises(ValueError, match="one word"):
        written(servers=(replace(server(1, PortRange(10000, 10020)), name=name),))


def test_the_page_cannot_be_administered_without_a_password():
    one = cluster()
    text = haproxy_cfg(one, one.balancers[0], (2, 4), "main", ownership=one.ownership, stats_secret=None)
    assert "stats admin" not in text


def test_section_names_are_those_of_the_text():
    for layout in ("shared", "sliced"):
        text = written(layout, "fragment")
        assert section_names(cluster(layout), "fragment") == tuple(re.findall(r"^listen (\S+)", text, re.M))
