from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from balancer_clusters import MASKS, cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from printing import MAIN, STOCK, files, firewall, printed, rich, unit, units, words_for

from provision.errors import ReadFailed
from provision.hosts.balancer.haproxy_cfg import haproxy_cfg
from provision.hosts.balancer.reading import parse_reading
from provision.model.ports import PortRange, PortSet
from provision.model.resources import (
    File,
    FirewallPorts,
    ForeignContent,
    OurText,
    Package,
    SelinuxBoolean,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Service,
    Sysctl,
    VipAddress,
)
from provision.model.state import Key


def read(*parts, **more):
    one = cluster(**more)
    return parse_reading(printed(*parts), one, one.balancers[0], MASKS)


def codes(*parts, **more):
    return {one.code: one.level for one in read(*parts, **more).findings}


# --- the law: parse(what a server prints for r) == r -------------------------------------------------------------


def masked_texts():
    lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029", exclude_categories=["Cs", "Cc"]))
    return st.lists(lines, max_size=4).map(lambda rows: "\n".join(["# Managed by provision, cluster article.", *rows]))


ranges = st.tuples(st.integers(1, 65535), st.integers(0, 50)).map(lambda t: PortRange(t[0], min(65535, t[0] + t[1])))
port_sets = st.lists(ranges, min_size=1, max_size=5).map(lambda rows: PortSet.of(*rows))
foreign = ForeignContent(hashlib.sha256(STOCK.encode()).hexdigest())
zone_names = st.sampled_from(["public", "dmz", "public from 10.0.0.0/8", "work from 192.168.1.0/24"])
named = st.one_of(
    st.just(("haproxy", Package())),
    st.builds(
        lambda content, mode, owner: (MAIN, File(content, mode, owner)),
        st.one_of(masked_texts().map(OurText), st.just(foreign)),
        st.sampled_from([0o600, 0o640, 0o644]),
        st.sampled_from(["root:root", "root:haproxy"]),
    ),
    st.tuples(zone_names, st.builds(FirewallPorts, port_sets, port_sets)),
    st.tuples(st.just("haproxy_connect_any"), st.builds(SelinuxBoolean, st.booleans(), st.booleans())),
    st.tuples(
        st.just("mode"),
        st.builds(
            SelinuxMode,
            st.sampled_from(["enforcing", "permissive"]),
            st.sampled_from(["enforcing", "permissive", "disabled"]),
        ),
    ),
    st.just(("haproxy_t", SelinuxPermissiveDomain())),
    st.tuples(
        st.just("net.ipv4.ip_nonlocal_bind"),
        st.builds(Sysctl, st.sampled_from("01"), st.sampled_from(["0", "1", None])),
    ),
    st.tuples(st.just("192.168.1.123"), st.builds(VipAddress, st.sampled_from(["eth0", "bond0.7"]), st.integers(8, 32))),
    st.tuples(st.sampled_from(["haproxy", "rsyslog"]), st.builds(Service, st.booleans(), st.booleans(), st.booleans())),
)


@settings(max_examples=300, deadline=None)
@given(named)
def test_what_a_balancer_prints_for_a_resource_is_read_as_that_resource(pair):
    name, resource = pair
    reading = read(words_for(name, resource, MASKS))
    assert reading.resources[Key("lb1", resource.kind, name)] == resource


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5000))
def test_output_that_breaks_off_is_never_a_reading(cut):
    data = printed(firewall({"public": (["21"], ["21"], [], [])}))
    with pytest.raises(ReadFailed):
        parse_reading(data[: min(cut, len(data) - 2)], cluster(), cluster().balancers[0], MASKS)


# --- unknown is never a default ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status", "text", "quoted"), [
    ("enforce", 0, "Sometimes\n", "Sometimes"),
    ("boolean", 0, "haproxy_connect_any is on\n", "is on"),
    ("booleans-stored", 4, "", "semanage"),
    ("selinux-config", 0, "nothing\n", "SELINUX="),
    ("version", 0, "Segmentation fault\n", "Segmentation"),
    ("package", 1, "error: rpmdb: damaged\n", "rpmdb"),
    ("units", 1, "System has not been booted with systemd\n", "booted"),
    ("addresses", 127, "sh: ip: not found\n", "ip addr"),
    ("clock", 1, "cat: /proc/uptime\n", "uptime"),
])
def test_what_is_not_understood_is_said_and_never_guessed(name, status, text, quoted):
    with pytest.raises(ReadFailed) as caught:
        read({name: (status, text)})
    assert quoted in caught.value.why


def test_a_firewalld_that_does_not_answer_is_not_a_closed_one():
    broken = {**firewall({"public": ([], [], [], [])}), "fw:ports:public": (1, "Failed: NOT_AUTHORIZED\n")}
    with pytest.raises(ReadFailed, match="NOT_AUTHORIZED"):
        read(broken)


def test_a_rsyslog_that_runs_since_nobody_knows_when_is_not_called_current():
    with pytest.raises(ReadFailed, match="rsyslog started"):
        read(units(rsyslog=unit("rsyslog", running=True, pid=5)), {"log-process": (1, "No such file\n")})


def test_a_reading_without_rsyslog_has_no_such_service_and_says_so():
    reading = read({"log-rules": None, "log-times": None})
    assert Key("lb1", "service", "rsyslog") not in reading.resources
    assert "P541" in {one.code for one in reading.findings}


# --- haproxy ------------------------------------------------------------------------------------------------------


def ours(**more):
    one = cluster(**more)
    text = haproxy_cfg(one, one.balancers[0], (2, 4), "main", ownership=one.ownership, stats_secret=None)
    return files(**{MAIN: (text, 0o640, "root:root")})


def test_an_edited_file_of_ours_is_not_what_runs():
    digest = {"served": (0, "description: provision article " + "a" * 16 + "\n")}
    reading = read(ours(), digest, units(haproxy=unit("haproxy", running=True)))
    assert not reading.resources[Key("lb1", "service", "haproxy")].current


def test_the_password_of_a_file_of_ours_never_reaches_a_resource():
    text = "# Managed by provision, cluster article.\nlisten stats\n    stats auth loadbalancer:changed-by-hand\n"
    reading = read(files(**{MAIN: (text, 0o640, "root:root")}))
    assert "changed-by-hand" not in repr(reading)


def test_a_foreign_text_never_reaches_facts_or_resources():
    text = "global\n    setenv TOKEN top-secret\nuserlist u\n    user admin insecure-password hunter-2\n"
    reading = read(files(**{MAIN: (text, 0o644, "root:root")}), {"package-files": (1, f"S.5....T.  c {MAIN}\n")})
    assert "top-secret" not in repr(reading)
    assert "hunter-2" not in repr(reading)


@pytest.mark.parametrize(("status", "text", "kind"), [
    (0, "", "stock"),
    (1, f"S.5....T.  c {MAIN}\n", "foreign"),
    (1, ".M.......    /usr/sbin/haproxy\n", "stock"),
    (1, f"..5....T.  c /etc/sysconfig/haproxy\nS.5....T.  c {MAIN}\n", "foreign"),
    (1, "error: cannot open Packages database\n", "foreign"),
    (127, "sh: rpm: not found\n", "foreign"),
])
def test_the_package_manager_tells_its_own_file_from_a_foreign_one(status, text, kind):
    reading = read(files(**{MAIN: (STOCK, 0o644, "root:root")}), {"package-files": (status, text)})
    assert reading.facts.haproxy.main == kind
    assert ("P501" in {one.code for one in reading.findings}) == (kind == "foreign")


def test_a_main_file_of_another_cluster_is_refused():
    text = "# Managed by provision, cluster other. Changes\nglobal\n"
    assert codes(files(**{MAIN: (text, 0o640, "root:root")}))["P502"] == "refuse"


def test_dead_mirrors_are_told_with_the_tool_s_own_words():
    said = "Error: Failed to download metadata for repo 'appstream': No URLs in mirrorlist\n"
    gone = {"package": (1, "package haproxy is not installed\n"), "candidate": (1, said), "version": None}
    reading = read(gone)
    assert reading.facts.haproxy.version is None
    (found,) = (one for one in reading.findings if one.code == "P503")
    assert (found.level, "No URLs in mirrorlist" in found.message) == ("refuse", True)


def test_a_candidate_tells_the_version_before_it_is_installed():
    listed = "Last metadata expiration check: 0:01\nAvailable Packages\nhaproxy.x86_64     3.0.5-4.el10    appstream\n"
    gone = {"package": (1, "package haproxy is not installed\n"), "candidate": (0, listed), "version": None}
    assert read(gone).facts.haproxy.version == (3, 0)


def test_without_a_socket_to_ask_times_decide():
    asked = {"served": (127, "not found\n"), "processes": (0, "   77     1     100 haproxy\n   78    77    %d haproxy\n")}
    running = units(haproxy=unit("haproxy", running=True, pid=77))
    for age, current in ((100, True), (900, False)):
        asked["processes"] = (0, f"   77     1     990 haproxy\n   78    77    {age} haproxy\n")
        service = read(ours(), asked, running).resources[Key("lb1", "service", "haproxy")]
        assert service.current is current


# --- findings -----------------------------------------------------------------------------------------------------


def test_a_plain_machine_has_no_finding_but_that_firewalld_does_not_run():
    assert codes() == {"P520": "warn"}


def test_a_firewalld_that_does_not_run_is_not_taken_for_open():
    assert not [key for key in read().resources if key.kind == "firewall"]


def neighbour(text):
    return files(**{MAIN: ("global\n", 0o644, "root:root"), "/etc/haproxy/conf.d/web.cfg": (text, 0o644, "root:root")})


@pytest.mark.parametrize(("text", "code"), [
    ("frontend ftp\n    bind 192.168.1.123:10005\n", "P514"),
    ("frontend ftp\n    bind *:20-30\n", "P514"),
    ("frontend ftp\n    bind :8080\n", "P514"),
    ("listen FTPVIP_article\n    bind 10.0.0.1:80\n", "P515"),
    ("frontend a\n    bind *:90-80\n", "P516"),
    ("backend b\n    server s1 10.0.0.1 check inter 2s\n", "P517"),
    ("frontend a\n    bind *:80\nfrontend b\n    bind 10.0.0.9:80-90\n", "P518"),
])
def test_what_haproxy_s_own_check_lets_through_is_found(text, code):
    assert code in codes(neighbour(text), balancer={"haproxy": "fragment"})


@pytest.mark.parametrize("text", [
    "frontend web\n    bind 192.168.1.5:21\n", "frontend web\n    bind *:80\n    # bind *:21\n",
    "frontend web\n    bind abns@x\n    bind /run/x.sock\n", "backend b\n    server s 10.0.0.1:80 check\n",
])
def test_a_neighbour_that_is_in_nobody_s_way_is_left_in_peace(text):
    found = codes(neighbour(text), balancer={"haproxy": "fragment"})
    assert set(found) - {"P545"} == {"P520"}


def test_a_stray_file_in_conf_d_is_told_where_the_main_file_is_ours():
    both = {**ours(), **neighbour("frontend web\n    bind *:80\n")}
    assert codes(both)["P513"] == "warn"


def test_a_fragment_without_a_main_file_is_refused():
    assert codes(balancer={"haproxy": "fragment"})["P512"] == "refuse"


@pytest.mark.parametrize(("transparent", "owner", "level"), [(True, "external", "warn"), (False, "external", "refuse"), (False, "static", None)])
def test_a_vip_that_is_not_there_is_told_by_what_it_means(transparent, owner, level):
    nowhere = {"addresses": (0, "2: eth0    inet 192.168.1.5/24 brd 192.168.1.255 scope global eth0\n")}
    assert codes(nowhere, ftp={"transparent": transparent}, vip_owner=owner).get("P519") == level


def test_the_standby_of_a_pair_lacks_the_vip_by_nature():
    nowhere = {"addresses": (0, "2: eth0    inet 192.168.1.5/24 brd 192.168.1.255 scope global eth0\n")}
    one = cluster(ftp={"transparent": False})
    pair = (one.balancers[0], replace(one.balancers[0], name="lb2"))
    assert codes(nowhere, ftp={"transparent": False}, balancers=pair)["P519"] == "note"


def test_ports_in_the_ephemeral_range_are_refused_unless_they_are_reserved():
    def kernel(reserved):
        return {"sysctl": (0, f"net.ipv4.ip_local_port_range = 10000\t60999\nnet.ipv4.ip_local_reserved_ports = {reserved}\n")}

    assert codes(kernel(""))["P540"] == "refuse"
    assert "P540" not in codes(kernel("10000-10020"))


def test_a_source_bound_zone_wins_and_that_is_said():
    both = firewall(
        {"public": ([], [], [], []), "lan": ([], [], [], [])},
        active={"public": ("interfaces", ["eth0"]), "lan": ("sources", ["192.168.0.0/16"])},
    )
    assert codes(both)["P521"] == "warn"


def test_a_service_that_opens_the_control_port_is_noted():
    served = {
        **firewall({"public": ([], [], [], [])}),
        "fw:services:public": (0, 'as 1 "ftp"\n'),
        "fw:service:ftp": (0, 'a(ss) 1 "21" "tcp"\n'),
    }
    assert codes(served)["P522"] == "note"


def test_a_zone_that_does_not_exist_is_refused():
    assert codes(firewall({"public": ([], [], [], [])}), balancer={"firewall_zone": "inside"})["P523"] == "refuse"


def test_udp_and_other_people_s_rules_are_nobody_s_openings():
    zone = {**firewall({"public": ([], [], [rich("10.0.0.0/8", 8080) + " limit", "rule service name=\"http\" accept"], [])})}
    zone["fw:ports:public"] = (0, 'aas 1 2 "53" "udp"\n')
    assert not [key for key in read(zone).resources if key.kind == "firewall"]


def test_firewall_cmd_is_the_way_back_and_reads_the_same():
    listing = """public (default, active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources: {sources}
  services: dhcpv6-client ssh
  ports: 21/tcp 10000-10020/tcp 53/udp
  protocols:
  masquerade: no
  rich rules:
\trule family="ipv4" source address="10.0.0.0/8" port port="8080" protocol="tcp" accept

work
  target: default
  interfaces:
  ports:
  rich rules:
"""
    frames = {
        **units(firewalld=unit("firewalld", running=True)),
        "fw:default": (1, "Failed to connect to bus\n"),
        "fw:cmd-default": (0, "public\n"),
        "fw:cmd-runtime": (0, listing.format(sources="")),
        "fw:cmd-permanent": (0, listing.format(sources="").replace("21/tcp ", "")),
    }
    reading = read(frames)
    all_ports, later, page = PortSet.parse("21,10000-10020"), PortSet.parse("10000-10020"), PortSet.of(8080)
    assert reading.resources[Key("lb1", "firewall", "public")] == FirewallPorts(all_ports, later)
    assert reading.resources[Key("lb1", "firewall", "public from 10.0.0.0/8")] == FirewallPorts(page, page)
    assert reading.facts.firewall.zone_of("eth0") == "public"


def test_a_stray_in_conf_d_is_in_the_way_also_before_the_main_file_is_ours():
    stray = files(**{MAIN: ("frontend x\n    bind *:21\n", 0o644, "root:root"), "/etc/haproxy/conf.d/a.cfg": ("frontend y\n    bind *:8080\n", 0o644, "root:root")})
    found = [one.message for one in read(stray).findings if one.code == "P514"]
    assert found == ["section y listens on *:8080 too"]


def test_the_fragment_of_another_cluster_does_not_make_ours_one():
    other = files(**{
        MAIN: (STOCK, 0o644, "root:root"),
        "/etc/haproxy/conf.d/provision-other.cfg": ("# Managed by provision, cluster other. C\n", 0o640, "root:root"),
    })
    changed = {"package-files": (1, f"S.5....T.  c {MAIN}\n")}
    assert "P501" in codes({**other, **changed})


def test_a_fragment_that_lies_there_is_as_found_and_needs_no_word_in_the_file():
    ours = files(**{
        MAIN: (STOCK, 0o644, "root:root"),
        "/etc/haproxy/conf.d/provision-article.cfg": ("# Managed by provision, cluster article. C\n", 0o640, "root:root"),
    })
    assert "P501" not in codes({**ours, "package-files": (1, f"S.5....T.  c {MAIN}\n")})


def test_a_firewalld_that_hangs_is_named():
    silent = {"fw:default": (124, ""), "fw:cmd-default": (124, "")}
    with pytest.raises(ReadFailed, match="firewalld runs and does not answer") as raised:
        read({**units(firewalld=unit("firewalld", running=True)), **silent})
    assert raised.value.code == "P524"


def test_a_machine_that_is_set_up_to_be_permissive_is_named():
    lenient = {"enforce": (0, "Permissive\n"), "selinux-config": (0, "SELINUX=permissive\n")}
    assert "P531" in codes(lenient)
    assert "P531" not in codes({"enforce": (0, "Permissive\n")})


@pytest.mark.parametrize(("release", "owner", "policy", "named"), [
    ("9.4", "haproxy", "boolean", True), ("9.4", "root", "boolean", False), ("7", "haproxy", "boolean", False),
    ("9.4", "haproxy", "permissive-domain", False),
])
@pytest.mark.parametrize("now", ["Enforcing", "Permissive"])  # permissive now, and enforcing again when we are done
def test_a_folder_in_which_selinux_lets_haproxy_make_no_socket_is_named(release, owner, policy, named, now):
    machine = {"os": (0, f'VERSION_ID="{release}"\n'), "home": (0, f"{owner}\n"), "enforce": (0, f"{now}\n")}
    assert ("P533" in codes(machine, balancer={"selinux": policy})) == named


def test_a_masked_rsyslog_that_is_not_installed_is_nobodys_business():
    masked = units(rsyslog=unit("rsyslog").replace("LoadState=loaded", "LoadState=masked"))
    assert "P544" in codes(masked)
    assert "P544" not in codes(masked, {"log-rules": None, "log-times": None})


@pytest.mark.parametrize(("version", "option", "named"), [
    ("2.4.22", "", True), ("2.4.22", " expose-fd listeners", False), ("1.5.18", "", False), ("2.6.12", "", False),
])
def test_beside_a_main_file_whose_reloads_reset_connections_that_is_said(version, option, named):
    main = f"global\n    stats socket /var/lib/haproxy/stats{option}\n"
    machine = {**files(**{MAIN: (main, 0o644, "root:root")}), "version": (0, f"HAProxy version {version}\n")}
    assert ("P545" in codes(machine, balancer={"haproxy": "fragment"})) == named
