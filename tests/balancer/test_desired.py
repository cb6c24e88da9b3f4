from __future__ import annotations

from dataclasses import replace

import pytest
from balancer_clusters import MASKS, PASSWORD, cluster
from printing import MAIN, STOCK, files, firewall, printed, unit, units

from provision.errors import ReadFailed
from provision.hosts.balancer.by_hand import by_hand
from provision.hosts.balancer.desired import desired, log_snippet, render_cfg, unit_options
from provision.hosts.balancer.masks import Masks
from provision.hosts.balancer.reading import parse_reading
from provision.model.ports import PortSet
from provision.model.resources import (
    File,
    FirewallPorts,
    SelinuxBoolean,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Service,
    Sysctl,
    VipAddress,
)
from provision.model.secret import Secret

OPEN = firewall({"public": ([], [], [], []), "inside": ([], [], [], [])})


def wanted(*parts, masks=MASKS, **more):
    one = cluster(**more)
    facts = parse_reading(printed(*parts), one, one.balancers[0], MASKS).facts
    found = desired(one, one.balancers[0], facts, one.ownership, masks)
    return {(key.kind, key.name): value for key, value in found.resources.items()}


def both(text):
    return FirewallPorts(PortSet.parse(text), PortSet.parse(text))


def test_the_article_s_balancer_is_what_the_article_says():
    found = wanted(OPEN)
    assert found[("firewall", "public")] == both("21,8080,10000-10020")
    assert found[("selinux-boolean", "haproxy_connect_any")] == SelinuxBoolean(True, True)
    assert found[("service", "haproxy")] == found[("service", "rsyslog")] == Service(True, True, True)
    assert {name for kind, name in found if kind == "file"} == {MAIN, "/etc/rsyslog.d/provision-article.conf"}


def test_our_configuration_is_not_for_everyone_to_read():
    assert wanted()[("file", MAIN)].mode == 0o640


def test_nothing_is_opened_while_firewalld_does_not_run():
    assert not [kind for kind, _ in wanted() if kind == "firewall"]


def test_the_zone_of_the_file_wins_over_that_of_the_interface():
    assert ("firewall", "inside") in wanted(OPEN, balancer={"firewall_zone": "inside"})


def test_the_page_is_opened_for_its_networks_only():
    one = cluster()
    found = wanted(OPEN, stats=replace(one.stats, allow=("10.0.0.0/8", "192.168.1.0/24")))
    assert found[("firewall", "public from 10.0.0.0/8")] == both("8080")
    assert 8080 not in found[("firewall", "public")].runtime


def test_a_page_on_loopback_opens_nothing():
    assert 8080 not in wanted(OPEN, stats=replace(cluster().stats, bind="127.0.0.1"))[("firewall", "public")].runtime


def test_in_a_lab_a_loopback_address_plays_the_network():
    stats = replace(cluster().stats, bind="127.0.20.1", allow=("127.0.20.0/24",))
    assert ("firewall", "public from 127.0.20.0/24") in wanted(OPEN, stats=stats, balancer={"root": "/tmp/pl/lb1"})
    assert ("firewall", "public from 127.0.20.0/24") not in wanted(OPEN, stats=stats)


ENFORCES = ("selinux-mode", "mode"), SelinuxMode("enforcing", "enforcing")


@pytest.mark.parametrize(("policy", "resources"), [
    ("boolean", [ENFORCES, (("selinux-boolean", "haproxy_connect_any"), SelinuxBoolean(current=True, persistent=True))]),
    ("permissive-domain", [ENFORCES, (("selinux-permissive-domain", "haproxy_t"), SelinuxPermissiveDomain())]),
    ("permissive", [(("selinux-mode", "mode"), SelinuxMode("permissive", "permissive"))]),
    ("unmanaged", []),
])
def test_selinux_follows_the_policy(policy, resources):
    found = {one: two for one, two in wanted(balancer={"selinux": policy}).items() if one[0].startswith("selinux")}
    assert found == dict(resources)


def test_a_machine_that_is_set_up_to_enforce_enforces_now():
    assert ENFORCES in wanted({"enforce": (0, "Permissive\n")}).items()


def test_a_machine_that_is_set_up_to_be_permissive_is_left_alone():
    lenient = {"enforce": (0, "Permissive\n"), "selinux-config": (0, "SELINUX=permissive\n")}
    assert ENFORCES[0] not in wanted(lenient)


def test_a_disabled_selinux_is_left_alone():
    assert not [kind for kind, _ in wanted({"enforce": (0, "Disabled\n")}) if kind.startswith("selinux")]


def test_two_balancers_that_share_a_vip_may_bind_it_without_holding_it():
    one = cluster()
    pair = (one.balancers[0], replace(one.balancers[0], name="lb2"))
    key = ("sysctl", "net.ipv4.ip_nonlocal_bind")
    assert wanted(balancers=pair, ftp={"transparent": False})[key] == Sysctl("1", "1")
    assert key not in wanted(balancers=pair)
    assert key not in wanted(ftp={"transparent": False})


def test_a_static_vip_goes_to_the_interface_towards_the_servers_with_its_prefix():
    nowhere = {"addresses": (0, "2: eth0    inet 192.168.1.5/23 brd 192.168.1.255 scope global eth0\n")}
    assert wanted(nowhere, vip_owner="static")[("vip", "192.168.1.123")] == VipAddress("eth0", 23)


def test_a_fragment_goes_to_conf_d_where_the_unit_loads_it():
    main = files(**{MAIN: (STOCK, 0o644, "root:root")})
    found = wanted(main, balancer={"haproxy": "fragment"})
    assert ("file", "/etc/haproxy/conf.d/provision-article.cfg") in found
    assert ("file", MAIN) not in found


def test_on_el7_a_fragment_is_named_in_the_unit_s_options():
    old = {**files(**{MAIN: (STOCK, 0o644, "root:root")}), "config-paths": (0, "/etc/haproxy/haproxy.cfg\n")}
    found = wanted(old, balancer={"haproxy": "fragment"})
    assert ("file", "/etc/haproxy/provision-article.cfg") in found
    assert "OPTIONS=\"-f /etc/haproxy/provision-article.cfg\"\n" in found[("file", "/etc/sysconfig/haproxy")].content.text


def test_the_unit_s_options_keep_what_others_wrote_and_do_not_grow():
    fragment = "/etc/haproxy/provision-article.cfg"
    once = unit_options(cluster(), "# help\nOPTIONS='-n 5000'\nOTHER=1\n", fragment)
    assert once.splitlines()[1:] == ["# help", "OTHER=1", f'OPTIONS="-n 5000 -f {fragment}"']
    assert unit_options(cluster(), once, fragment) == once


def test_the_log_goes_to_its_file_once():
    text = log_snippet(cluster(), cluster().balancers[0], old_syntax=False, load=True, listen=True)
    assert text.splitlines()[1:] == [
        'module(load="imudp")', 'input(type="imudp" address="127.0.0.1" port="514")', "local2.* /var/log/haproxy.log", "& stop"
    ]


def test_imudp_is_not_loaded_twice():
    other = {"log-rules": (0, '/etc/rsyslog.conf:9:module(load="imudp")\n/etc/rsyslog.conf:10:#input(type="imudp" port="514")\n')}
    text = wanted(other)[("file", "/etc/rsyslog.d/provision-article.conf")].content.text
    assert ("module(load" in text, "input(type" in text) == (False, True)


def test_our_own_snippet_does_not_count_as_somebody_else_s():
    ours = {"log-rules": (0, '/etc/rsyslog.d/provision-article.conf:2:module(load="imudp")\n')}
    assert 'module(load="imudp")' in wanted(ours)[("file", "/etc/rsyslog.d/provision-article.conf")].content.text


def test_el7_gets_the_old_words():
    old = {"os": (0, 'VERSION_ID="7"\n'), "release": (0, "CentOS Linux release 7.9.2009 (Core)\n")}
    text = wanted(old)[("file", "/etc/rsyslog.d/provision-article.conf")].content.text
    assert "$ModLoad imudp\n$UDPServerAddress 127.0.0.1\n$UDPServerRun 514\n$UDPServerAddress *\n" in text


def test_the_texts_hold_the_secret_and_the_resources_do_not():
    one = cluster()
    facts = parse_reading(printed(), one, one.balancers[0], MASKS).facts
    found = desired(one, one.balancers[0], facts, one.ownership, MASKS)
    assert "canary-7Q" not in repr(found)
    assert any(b"canary-7Q" in raw for raw in found.texts.values())


@pytest.mark.parametrize("value", ["two words", "line\nlisten evil", "a#b", "it's", 'say "x"', "back\\slash"])
def test_a_password_that_would_break_out_is_refused(value):
    with pytest.raises(ReadFailed) as caught:
        wanted(masks=Masks(b"key", {PASSWORD: Secret(value)}))
    assert caught.value.code == "P551"
    assert value not in str(caught.value)


def test_without_a_version_nothing_is_written():
    gone = {"package": (1, "package haproxy is not installed\n"), "candidate": (1, "Cannot find a valid baseurl\n"), "version": None}
    with pytest.raises(ReadFailed, match="P503"):
        wanted(gone)


def test_every_text_on_disk_is_read_back_as_it_was_wanted():
    one = cluster()
    balancer = one.balancers[0]
    facts = parse_reading(printed(), one, balancer, MASKS).facts
    found = desired(one, balancer, facts, one.ownership, MASKS)
    written = {
        key.name: (found.texts[file.content.text].decode(), file.mode, file.owner)
        for key, file in found.resources.items()
        if isinstance(file, File)
    }
    again = parse_reading(printed(files(**written), units(haproxy=unit("haproxy", running=True))), one, balancer, MASKS)
    assert {key: one for key, one in again.resources.items() if key.kind == "file"} == {
        key: one for key, one in found.resources.items() if key.kind == "file"
    }


def test_render_needs_no_machine_and_no_secret():
    one = cluster()
    text = render_cfg(one, one.balancers[0], (2, 4), Masks(b""))
    assert "stats auth loadbalancer:<secret env:HAPROXY_STATS_PASSWORD>" in text
    assert text == render_cfg(one, one.balancers[0], (2, 4), Masks(b""))


@pytest.mark.parametrize("words", [
    "firewall-cmd --permanent --zone=ZONE --add-port=21/tcp --add-port=10000-10020/tcp --add-port=8080/tcp",
    "setsebool -P haproxy_connect_any 1", "haproxy -c -f /etc/haproxy/haproxy.cfg", "systemctl enable haproxy",
    "    bind 192.168.1.123:10000-10020 transparent",
])
def test_the_steps_for_a_person_hold_every_command(words):
    assert words in by_hand(cluster(), cluster().balancers[0], (2, 4))


def test_the_steps_for_a_person_show_no_secret_and_close_every_block():
    lines = by_hand(cluster(), cluster().balancers[0], (1, 5))
    assert sum(line.startswith("```") for line in lines) % 2 == 0
    assert "canary-7Q" not in "\n".join(lines)
