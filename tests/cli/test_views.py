"""What people see, word for word, at 100 and at 80 columns. PROVISION_GOLDEN=write rewrites the texts."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from cli.cliworld import article
from cli.golden import shown
from cli.showcase import DESIRED, LB, WIN1
from cli.showcase_runs import VIEWS

from provision.errors import ProvisionError
from provision.model.change import Change
from provision.model.ports import PortRange, PortSet
from provision.model.resources import (
    KINDS,
    File,
    FirewallPorts,
    ForeignContent,
    OurText,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Service,
    Sysctl,
    VipAddress,
)
from provision.model.state import Key
from provision.planning.plan import effects
from provision.view.errors import error_lines
from provision.view.marks import ADD, ALERT, CHANGE, REMOVE, SAME, UNKNOWN
from provision.view.plan import change_lines, loud_lines
from provision.view.words import WORDS, change_words, facets, property_word, value_words

TEXTS = Path(__file__).parent / "golden_texts"


@pytest.mark.parametrize("width", [100, 80])
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_says_what_its_golden_text_says(name, width):
    text = shown(VIEWS[name](), width)
    path = TEXTS / f"{name}-{width}.txt"
    if os.environ.get("PROVISION_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VIEWS)
def test_at_80_columns_nothing_but_a_command_is_longer(name):
    rows = shown(VIEWS[name](), 80).splitlines()
    assert [one for one in rows if len(one) > 80 and not one.startswith(("Next:", "       "))] == []


def test_every_kind_of_resource_has_its_word():
    assert set(WORDS) == set(KINDS)


@pytest.mark.parametrize("key", list(DESIRED.resources), ids=str)
def test_every_resource_can_be_said_and_its_parts_are_told_apart(key):
    resource = DESIRED[key]
    assert value_words(resource)
    assert len(set(facets(resource).values())) == len(facets(resource))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            FirewallPorts(PortSet.of(21), PortSet.of(21)),
            FirewallPorts(PortSet(), PortSet.of(21)),
            "public: 21/tcp, now and at boot -> closed now, 21/tcp at boot",
        ),
        (
            SelinuxMode("enforcing", "enforcing"),
            SelinuxMode("permissive", "permissive"),
            "public: enforcing -> permissive, now and at boot",
        ),
        (None, SelinuxPermissiveDomain(), "public: absent -> permissive"),
        (Sysctl("0", None), Sysctl("1", "1"), "public: 0 now, not set at boot -> 1, now and at boot"),
        (None, VipAddress("eth0", 24), "public: absent -> on eth0, /24"),
        (Service(True, False, False), Service(True, True, True), "public: stopped -> running, runs what is on disk"),
        (
            Service(True, True, False),
            Service(True, True, True),
            "public: runs what was there before -> runs what is on disk",
        ),
        (
            File(ForeignContent("ab" * 32), 0o644, "root:root"),
            File(OurText("a\nb\n"), 0o640, "root:root"),
            "public: not provision's text (SHA-256 abababababab), mode 0644 -> 2 lines, mode 0640",
        ),
        (
            File(OurText("a\n"), 0o644, "root:root"),
            File(OurText("b\n"), 0o644, "root:root"),
            "public: 1 line -> 1 line",
        ),
        (
            File(OurText("a\n"), 0o644, "root:root"),
            File(OurText("a\n"), 0o640, "root:root"),
            "public: mode 0644 -> mode 0640",
        ),
    ],
)
def test_a_change_says_only_what_differs(before, after, words):
    kind = (before or after).kind
    assert change_words(Change(Key(LB, kind, "public"), before, after)) == words


def test_haproxy_cfg_has_its_own_word_and_other_files_their_path():
    assert property_word(Key(LB, "file", "/etc/haproxy/haproxy.cfg")) == "haproxy.cfg"
    assert property_word(Key(LB, "file", "/etc/rsyslog.d/provision-x.conf")) == "file"


def test_a_long_diff_is_cut_and_v_shows_the_rest():
    before = File(OurText("a\n" * 60), 0o644, "root:root")
    change = Change(Key(LB, "file", "/etc/x"), before, replace(before, content=OurText("b\n" * 60)))
    short, whole = (shown(change_lines(change, [], verbose=one)) for one in (False, True))
    assert short.rstrip().endswith("more lines; -v shows them")
    assert whole.count("\n") > 120


def test_symbols_are_told_apart_without_colour():
    assert len({one.symbol for one in (ADD, CHANGE, REMOVE, ALERT, UNKNOWN, SAME)}) == 6


def test_verify_false_is_loud_and_names_the_servers():
    cluster = article()
    careless = replace(cluster.servers[0], winrm=replace(cluster.servers[0].winrm, scheme="https", verify=False))
    text = shown(loud_lines(replace(cluster, servers=(careless, cluster.servers[1]))))
    assert f"certificates of {WIN1} are NOT checked" in text
    assert loud_lines(cluster) == []


def test_an_effect_without_dropped_sessions_raises_no_alarm():
    change = Change(Key(LB, "service", "haproxy"), Service(True, True, False), Service(True, True, True))
    from provision.view.plan import effect_text

    assert [str(effect_text(one, 5)) for one in effects([change])] == ["reloads haproxy, open connections stay"]


def test_an_error_that_gathers_several_names_each_host():
    class Many(ProvisionError):
        failures = {"win1": ProvisionError("P201", "the port is closed", next="open it")}

    text = shown(error_lines(Many("P304", "not every host could be read", why="nothing was changed")))
    assert "  win1  the port is closed (P201)\n      do: open it\n" in text


def test_ports_are_ranges_and_never_lists_of_a_thousand():
    ports = PortSet.of(PortRange(10000, 14000))
    assert value_words(FirewallPorts(ports, ports)) == "10000-14000/tcp, now and at boot"
