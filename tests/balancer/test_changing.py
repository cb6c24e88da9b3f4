from __future__ import annotations

import contextlib
import hashlib
import shutil
import stat
import time
from dataclasses import replace

import pytest
from balancer_clusters import MASKS, cluster
from hypothesis import given
from hypothesis import strategies as st
from machine import EL7_UNIT, Machine

from provision.errors import ChangeFailed, ReadFailed
from provision.hosts.balancer.changing import ChangeStep, change_script, change_steps, parse_change
from provision.hosts.balancer.desired import desired
from provision.hosts.balancer.digest import carried, sha256
from provision.hosts.balancer.entries import cuts, rules, whole
from provision.hosts.balancer.facts import MAIN
from provision.hosts.balancer.generations import fetch_script, parse_fetch, record_script
from provision.hosts.balancer.reading import parse_reading, read_script
from provision.lab.balancer.firewall import FirewallError, add_port, port_text, remove_port
from provision.model.change import Change
from provision.model.command import ShellResult
from provision.model.ports import PortRange, PortSet
from provision.model.resources import File, FirewallPorts, ForeignContent, OurText, SelinuxBoolean, Service
from provision.model.state import Key, Scope, State
from provision.planning.diff import diff

pytestmark = pytest.mark.timeout(60)
LOGS = "etc/rsyslog.d/provision-article.conf"


class Bench:
    """A machine and what the engine would do with it."""

    def __init__(self, machine, **more):
        self.machine = machine
        balancer = {"root": str(machine.root), **more.pop("balancer", {})}
        self.cluster = cluster(balancer=balancer, **more)
        self.balancer = self.cluster.balancers[0]

    def read(self):
        result = self.machine.run(read_script(self.cluster, self.balancer))
        assert result.returncode == 0, result.stderr
        return parse_reading(result.stdout, self.cluster, self.balancer, MASKS)

    def wanted(self, reading):
        return desired(self.cluster, self.balancer, reading.facts, self.cluster.ownership, MASKS)

    def differences(self, reading, target):
        scope = Scope.of(State(target)) | Scope.of(State(self.wanted(reading).resources))
        return diff(scope.restrict(State(reading.resources)), State(target))

    def change(self, reading, changes, texts):
        result = self.machine.run(change_script(self.cluster, self.balancer, reading.facts, changes, texts))
        return parse_change(ShellResult(result.returncode, result.stdout, result.stderr), self.balancer)

    def apply(self):
        reading = self.read()
        wanted = self.wanted(reading)
        return self.change(reading, self.differences(reading, wanted.resources), wanted.texts)

    def go_back(self, past):
        reading = self.read()
        return self.change(reading, self.differences(reading, past.resources), {})

    def left(self):
        reading = self.read()
        return self.differences(reading, self.wanted(reading).resources)


@pytest.fixture
def bench(tmp_path):
    one = Bench(Machine(tmp_path / "root"))
    yield one
    one.machine.close()


def test_a_failed_start_is_told_in_the_words_of_this_step_alone(bench):
    reading, journal = bench.read(), bench.machine.root / "bin/journalctl"
    journal.write_text(f'#!/bin/sh\necho "journalctl $*" >>{bench.machine.root}/log\necho "cannot bind socket (Permission denied)"\n')
    journal.chmod(0o755)
    bench.machine.write("refuse-start", "")
    began = int(time.time())
    wanted = bench.wanted(reading)
    failed = bench.change(reading, bench.differences(reading, wanted.resources), wanted.texts).failed
    asked = next(line for line in bench.machine.text("log").splitlines() if line.startswith("journalctl -u"))
    assert began <= int(asked.partition("--since @")[2].split()[0]) <= time.time()
    assert "say 'selinux: boolean' for lb1" in failed.next


def test_on_a_busy_machine_a_service_does_not_seem_older_than_its_files(bench):
    bench.apply()
    slow, real = bench.machine.root / "bin/date", shutil.which("date")
    slow.unlink()
    slow.write_text(f'#!/bin/sh\n{real} "$@"\nsleep 0.5\n')
    slow.chmod(0o755)
    assert bench.left() == ()


def test_a_firewalld_that_hangs_is_asked_once_by_each_way(bench):
    for tool in ("busctl", "firewall-cmd"):
        hangs = bench.machine.root / "bin" / tool
        hangs.write_text(f'#!/bin/sh\necho "{tool} $*" >>{bench.machine.root}/log\nexit 124\n')  # as timeout(1) ends it
        hangs.chmod(0o755)
    bench.machine.write("state/firewalld.active", "1")
    with pytest.raises(ReadFailed, match="firewalld runs and does not answer"):
        bench.read()
    assert [line.split()[0] for line in bench.machine.text("log").splitlines()].count("busctl") == 1
    assert bench.machine.text("log").count("firewall-cmd") == 1


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_change_takes_and_a_second_reading_shows_no_difference(tmp_path, shell):
    bench = Bench(Machine(tmp_path / "root", shell=shell))
    report = bench.apply()
    bench.machine.close()
    assert report.failed is None
    assert bench.left() == ()


def test_the_reading_that_comes_with_a_change_is_the_reading_itself(bench):
    report = bench.apply()
    parsed = parse_reading(report.reading, bench.cluster, bench.balancer, MASKS)
    assert parsed.resources == bench.read().resources


def test_a_second_change_restarts_and_reloads_nothing(bench):
    bench.apply()
    before = bench.machine.text("log")
    assert bench.left() == ()
    assert bench.apply().done == ()
    assert bench.machine.text("log") == before


def test_a_fresh_machine_gets_the_package_first(tmp_path):
    bench = Bench(Machine(tmp_path / "root", installed=False))
    report = bench.apply()
    bench.machine.close()
    assert report.failed is None
    assert report.done[0].startswith("package haproxy")
    assert bench.left() == ()


def test_an_edited_file_is_put_right_with_a_reload_and_no_restart(bench):
    bench.apply()
    path = bench.machine.root / MAIN[1:]
    path.write_text(path.read_text().replace("leastconn", "roundrobin"))
    assert [one.key.name for one in bench.left()] == [MAIN, "haproxy"]
    bench.machine.write("log", "")
    assert bench.apply().failed is None
    assert bench.left() == ()
    verbs = [line for line in bench.machine.text("log").splitlines() if line.endswith(" haproxy")]
    assert verbs == ["reload haproxy"]


def test_a_file_that_was_written_and_not_reloaded_is_a_difference(bench):
    bench.apply()
    bench.machine.write("state/running", "    description provision article 0123456789abcdef\n")
    (change,) = bench.left()
    assert (change.key.kind, change.before) == ("service", Service(enabled=True, running=True, current=False))
    assert bench.apply().failed is None
    assert bench.left() == ()


def test_what_haproxy_refuses_never_replaces_the_old_file(bench):
    bench.apply()
    old = bench.machine.text("etc/haproxy/haproxy.cfg")
    bench.cluster = replace(bench.cluster, servers=(replace(bench.cluster.servers[0], name="BROKEN"),))
    report = bench.apply()
    assert "unknown keyword 'BROKEN'" in report.failed.why
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == old
    assert not bench.machine.has("etc/haproxy/.provision-new-haproxy.cfg")


def test_a_reload_that_does_not_take_puts_the_old_file_back(bench, monkeypatch):
    bench.apply()
    old = bench.machine.text("etc/haproxy/haproxy.cfg")
    bench.machine.write("stuck", "")
    monkeypatch.setattr("provision.hosts.balancer.changing.script", quick)
    bench.cluster = replace(bench.cluster, stats=None)
    report = bench.apply()
    assert "does not serve the new configuration" in report.failed.why
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == old
    parsed = parse_reading(report.reading, bench.cluster, bench.balancer, MASKS)
    assert parsed.facts.services["haproxy"] == Service(enabled=True, running=True, current=True)


def quick(name):
    """The script with a deadline of a second instead of fifteen."""
    from provision.hosts.balancer.scripts import script

    assert "tries=75" in script(name)
    return script(name).replace("tries=75", "tries=3")


def test_a_start_that_fails_leaves_it_stopped_as_it_was(bench):
    bench.machine.write("refuse-start", "")
    report = bench.apply()
    assert "Job for haproxy.service failed." in report.failed.why
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == "# stock\n"
    assert not bench.machine.has("state/haproxy.active")


def test_what_rsyslog_refuses_is_taken_away_again(bench):
    reading = bench.read()
    content = OurText("# Managed by provision, cluster article.\nBROKEN\n")
    key = Key("lb1", "file", "/" + LOGS)
    report = bench.change(reading, [Change(key, None, File(content, 0o644, "root:root"))], {content.text: content.text.encode()})
    assert report.failed.code == "P550"
    assert not bench.machine.has(LOGS)


def test_the_way_back_restores_the_package_s_file_and_stops_what_was_stopped(bench):
    found = bench.read()
    bench.apply()
    report = bench.go_back(found)
    assert report.failed is None
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == "# stock\n"
    assert not bench.machine.has(LOGS)
    assert not bench.machine.has("state/haproxy.active")
    assert bench.differences(bench.read(), found.resources) == ()


def test_the_way_back_from_a_fresh_machine_removes_the_file_that_was_not_there(tmp_path):
    bench = Bench(Machine(tmp_path / "root", installed=False))
    found = bench.read()
    bench.apply()
    bench.go_back(found)
    bench.machine.close()
    assert not bench.machine.has("etc/haproxy/haproxy.cfg")
    assert bench.read().facts.services["haproxy"] == Service(enabled=False, running=False, current=False)


def test_an_earlier_text_of_ours_comes_back_from_the_originals(bench):
    bench.apply()
    past = bench.read()
    bench.cluster = replace(bench.cluster, stats=None)
    bench.apply()
    assert bench.go_back(past).failed is None
    assert bench.read().resources == past.resources


def test_an_original_that_is_missing_fails_and_changes_nothing(bench):
    bench.apply()
    past = bench.read()
    bench.cluster = replace(bench.cluster, stats=None)
    bench.apply()
    for file in (bench.machine.root / "var/lib/provision/article/originals").iterdir():
        file.unlink()
    assert "no original is kept" in bench.go_back(past).failed.why


def test_a_file_that_changed_since_it_was_read_is_not_replaced(bench):
    reading = bench.read()
    wanted = bench.wanted(reading)
    bench.machine.write("etc/haproxy/haproxy.cfg", "# somebody's\n")
    report = bench.change(reading, bench.differences(reading, wanted.resources), wanted.texts)
    assert "changed since it was read" in report.failed.why
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == "# somebody's\n"


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_whatever_is_in_a_file_comes_over_or_is_told_by_its_hash(tmp_path, shell):
    bench = Bench(Machine(tmp_path / "root", shell=shell))
    content = b"provision-frame end 0 0\n\xff\xfe\r\n\n\n%s ${x} $(y) `z` \\n"
    for data in (content, content + b"\0nul"):
        (bench.machine.root / MAIN[1:]).write_bytes(data)
        file = bench.read().resources[Key("lb1", "file", MAIN)]
        assert file.content == ForeignContent(hashlib.sha256(data).hexdigest())


def test_nothing_is_written_by_a_reading(bench):
    before = snapshot(bench.machine.root)
    bench.read()
    assert snapshot(bench.machine.root) == before


def snapshot(root):
    return {str(one): one.lstat().st_mtime_ns for one in root.rglob("*")}


def test_originals_and_our_configuration_are_for_root_only(bench):
    bench.apply()
    state = bench.machine.root / "var/lib/provision/article"
    modes = {stat.S_IMODE(one.stat().st_mode) for one in (state / "originals").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((state / "originals").stat().st_mode) == 0o700
    assert stat.S_IMODE((bench.machine.root / MAIN[1:]).stat().st_mode) == 0o640
    assert not (state / "work").exists()


def test_the_password_is_in_the_payload_and_nowhere_in_the_arguments(bench):
    reading = bench.read()
    wanted = bench.wanted(reading)
    script = change_script(bench.cluster, bench.balancer, reading.facts, bench.differences(reading, wanted.resources), wanted.texts)
    assert b"canary-7Q" in script.payload
    assert not any("canary-7Q" in word for word in (*script.arguments, script.script))


def test_a_fragment_lives_beside_a_foreign_main_file(bench):
    foreign = "global\n    stats socket /var/lib/haproxy/stats\nfrontend web\n    bind *:80\n"
    bench.machine.write("etc/haproxy/haproxy.cfg", foreign)
    bench = Bench(bench.machine, balancer={"haproxy": "fragment"})
    assert bench.apply().failed is None
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == foreign
    assert bench.left() == ()
    assert carried(bench.machine.text("etc/haproxy/conf.d/provision-article.cfg"))


def test_on_el7_a_fragment_is_a_second_f_and_needs_a_restart(tmp_path):
    machine = Machine(tmp_path / "root", unit=EL7_UNIT)
    machine.write("etc/sysconfig/haproxy", '# Add extra options\nOPTIONS="-n 5000"\n')
    machine.write("etc/haproxy/haproxy.cfg", "global\n    stats socket /var/lib/haproxy/stats\n")
    machine.write("state/haproxy.active", "1")
    bench = Bench(machine, balancer={"haproxy": "fragment"})
    report = bench.apply()
    machine.close()
    assert report.failed is None
    path = f"{machine.root}/etc/haproxy/provision-article.cfg"
    assert f'OPTIONS="-n 5000 -f {path}"' in machine.text("etc/sysconfig/haproxy")
    assert "restart haproxy" in machine.text("log")
    assert bench.left() == ()


def test_validation_uses_the_unit_s_arguments_with_the_new_files_in_place(bench):
    bench.machine.write("etc/haproxy/conf.d/other.cfg", "# other\n")
    bench.apply()
    check = next(line for line in bench.machine.text("log").splitlines() if line.startswith("haproxy -c"))
    assert check.split()[2:4] == ["-f", f"{bench.machine.root}/etc/haproxy/.provision-new-haproxy.cfg"]
    assert check.split()[5].endswith("/var/lib/provision/article/work/view")


def test_a_broken_neighbour_in_conf_d_is_found_before_anything_is_replaced(bench):
    bench.machine.write("etc/haproxy/conf.d/other.cfg", "BROKEN\n")
    assert "unknown keyword" in bench.apply().failed.why
    assert bench.machine.text("etc/haproxy/haproxy.cfg") == "# stock\n"


# --- steps, as data -----------------------------------------------------------------------------------------------


def words(facts, *changes):
    return [step.words for step in change_steps(facts, changes, {})]


def test_opening_comes_before_haproxy_and_closing_after_it(bench):
    facts = bench.read().facts
    key = Key("lb1", "firewall", "public")
    one, two = (FirewallPorts(PortSet.of(port), PortSet.of(port)) for port in (21, 2121))
    boolean = Change(Key("lb1", "selinux-boolean", "b"), SelinuxBoolean(False, False), SelinuxBoolean(True, True))
    service = Change(Key("lb1", "service", "haproxy"), None, Service(True, True, True))
    zone = replace(facts.firewall, zones=zones(facts, (21,)))
    steps = words(replace(facts, firewall=zone), Change(key, one, two), service, boolean)
    assert [step[:3] for step in steps] == [
        ("boolean", "b", "on"),
        ("firewall", "add", "runtime"),
        ("firewall", "add", "permanent"),
        ("haproxy", "yes", "yes"),
        ("firewall", "remove", "runtime"),
        ("firewall", "remove", "permanent"),
    ]
    closing = words(facts, service, boolean.inverse())
    assert [step[0] for step in closing] == ["haproxy", "boolean"]


def zones(facts, ports):
    from provision.hosts.balancer.firewalld import Openings, Zone

    ranges = tuple(one for port in ports for one in PortSet.of(port)) if isinstance(ports[0], int) else ports
    return {"public": Zone("public", runtime=Openings(ranges), permanent=Openings(ranges))}


def test_of_an_entry_that_is_partly_closed_the_rest_is_named(bench):
    facts = bench.read().facts
    wide = tuple(PortSet.parse("10000-10030"))
    facts = replace(facts, firewall=replace(facts.firewall, zones=zones(facts, wide)))
    ours = PortSet.parse("10000-10020")
    steps = words(facts, Change(Key("lb1", "firewall", "public"), FirewallPorts(ours, ours), None))
    assert steps == [
        ("cut", when, "public", "10000-10030", "10000-10020", "10021-10030") for when in ("runtime", "permanent")
    ]


def test_only_what_is_not_covered_is_opened(bench):
    facts = bench.read().facts
    facts = replace(facts, firewall=replace(facts.firewall, zones=zones(facts, tuple(PortSet.parse("10000-10010")))))
    before, after = PortSet.parse("10000-10010"), PortSet.parse("10000-10020")
    change = Change(Key("lb1", "firewall", "public"), FirewallPorts(before, before), FirewallPorts(after, after))
    assert words(facts, change)[0] == ("firewall", "add", "runtime", "public", "-", "10011-10020")


def test_a_network_gets_a_rich_rule_in_one_word(bench):
    ports = PortSet.of(8080)
    change = Change(Key("lb1", "firewall", "public from 10.0.0.0/8"), None, FirewallPorts(ports, ports))
    report = bench.change(bench.read(), [change], {})
    assert report.failed is None
    rule = 'rule family="ipv4" source address="10.0.0.0/8" port port="8080" protocol="tcp" accept'
    assert bench.machine.text("log").splitlines()[0] == f"<--zone=public><--add-rich-rule={rule}>"


def test_generations_are_written_read_back_and_fetched(bench):
    documents = {0: b'{"a": 1}\n', 12: "{\"b\": \"\u00e9\"}".encode()}
    assert bench.machine.run(record_script(bench.cluster, bench.balancer, documents)).returncode == 0
    fetched = parse_fetch(bench.machine.run(fetch_script(bench.cluster, bench.balancer)).stdout)
    assert fetched == documents
    assert bench.read().facts.recorded == documents[12]


def test_a_generation_that_does_not_arrive_whole_is_not_kept(bench):
    script = record_script(bench.cluster, bench.balancer, {1: b"document"})
    result = bench.machine.run(replace(script, payload=script.payload[:-3]))
    assert (result.returncode, b"did not arrive whole" in result.stderr) == (1, True)
    assert parse_fetch(bench.machine.run(fetch_script(bench.cluster, bench.balancer)).stdout) == {}


def test_the_id_of_our_text_is_that_of_its_masked_form(bench):
    bench.apply()
    masked = bench.read().resources[Key("lb1", "file", MAIN)].content.text
    bench.cluster = replace(bench.cluster, stats=None)
    bench.apply()
    assert bench.machine.has(f"var/lib/provision/article/originals/{sha256(masked)}")


def test_rsyslog_that_did_not_see_a_changed_file_is_restarted(bench):
    bench.apply()
    bench.machine.write("etc/rsyslog.d/other.conf", "# by hand\n")
    (change,) = bench.left()
    assert (change.key.name, change.before.current) == ("rsyslog", False)
    assert bench.apply().failed is None
    assert bench.left() == ()


def test_the_module_that_another_file_loads_is_not_loaded_twice(bench):
    bench.machine.write("etc/rsyslog.d/other.conf", 'module(load="imudp")\ninput(type="imudp" port="514")\n')
    bench.apply()
    assert "local2.* " in bench.machine.text(LOGS)
    assert "imudp" not in bench.machine.text(LOGS)


def test_a_file_with_the_wrong_mode_is_put_right(bench):
    bench.apply()
    (bench.machine.root / MAIN[1:]).chmod(0o666)
    assert [one.key.name for one in bench.left()] == [MAIN]
    bench.apply()
    assert bench.left() == ()


port_sets = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=4).map(
    lambda rows: PortSet.of(*(PortRange(low, low + more) for low, more in rows))
)


class Wall:
    """A zone's ports, as firewalld keeps them from 0.9 on (`joins`) or before."""

    def __init__(self, entries, *, joins):
        self.entries, self.joins = tuple(map(self.text, entries)), joins

    @staticmethod
    def text(ports):
        return port_text((ports.low, ports.high), "tcp")

    def do(self, edit, ports):
        for one in ports:
            with contextlib.suppress(FirewallError):
                self.entries = edit(self.entries, self.text(one), self.joins, "")

    def cut(self, entry, part, rest):
        self.do(remove_port, part)
        if self.text(entry) in self.entries:
            self.do(add_port, rest)
            self.do(remove_port, [entry])

    @property
    def open(self):
        return PortSet.parse(",".join(one.removesuffix("/tcp") for one in self.entries))


@given(port_sets, port_sets, port_sets, st.booleans())
def test_ports_end_as_wanted_on_every_version_of_firewalld(live, opened, closed, joins):
    opened, wall = opened - closed, Wall(live, joins=joins)
    added, removed = whole(live.ranges, opened, closed)
    wall.do(add_port, added)
    wall.do(remove_port, removed)
    for cut in cuts(live.ranges, closed):
        wall.cut(*cut)
    assert wall.open == (live | opened) - closed


@given(port_sets, port_sets, port_sets)
def test_rich_rules_end_as_wanted_and_never_overlap(live, opened, closed):
    opened = opened - closed
    added, removed = rules(live.ranges, opened, closed)
    left = [one for one in live.ranges if one not in removed]
    assert PortSet.of(*left, *added) == (live | opened) - closed
    assert sum(map(len, [*left, *added])) == len(PortSet.of(*left, *added))


@pytest.mark.parametrize("word", ["", "a\tb", "a\nb", "a\0b"])
def test_a_word_that_could_break_out_of_its_step_is_refused(word):
    with pytest.raises(ValueError, match="words"):
        ChangeStep(("package", word)).encoded()


def test_output_that_broke_off_does_not_say_that_nothing_happened(bench):
    with pytest.raises(ChangeFailed, match="broke off") as caught:
        parse_change(ShellResult(-1, b"provision-frame done:keep 0 0\n\n", b"Connection reset"), bench.balancer)
    assert (caught.value.code, caught.value.why) == ("P552", "Connection reset")
