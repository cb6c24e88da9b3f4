"""What a run that was killed on a balancer leaves there misleads nobody, and nobody waits for the dead."""

import os
import subprocess
import threading

import pytest
from balancer.machine import EL7_UNIT, Machine
from balancer.test_changing import Bench


@pytest.fixture
def machine(tmp_path):
    one = Machine(tmp_path / "root")
    yield one
    one.close()


def lock(machine, holder):
    folder = machine.root / "var/lib/provision/.changing"
    folder.mkdir(parents=True)
    (folder / "holder").write_text(str(holder))
    return folder


def test_options_that_wait_beside_the_unit_s_are_not_taken_for_its_own(tmp_path):
    machine = Machine(tmp_path / "root", unit=EL7_UNIT)
    machine.write("etc/sysconfig/.provision-new-haproxy", 'OPTIONS="-f /etc/haproxy/half.cfg"\n')
    assert Bench(machine).read().facts.haproxy.config_paths == ("/etc/haproxy/haproxy.cfg",)


def test_what_was_left_lying_about_is_neither_checked_nor_kept(machine):
    machine.write("etc/haproxy/.provision-new-haproxy.cfg", "BROKEN\n")
    machine.write("etc/rsyslog.d/.provision-new-provision-article.conf", "BROKEN\n")
    bench = Bench(machine)
    assert bench.apply().failed is None
    assert list((machine.root / "etc").rglob(".provision-new-*")) == []


def test_the_lock_of_the_dead_is_taken_over(machine):
    dead = subprocess.Popen(["true"])
    dead.wait()
    folder = lock(machine, dead.pid)
    assert Bench(machine).apply().failed is None
    assert not folder.exists()


def test_the_lock_of_another_program_that_has_the_number_now_is_taken_over(machine):
    lock(machine, os.getpid())
    assert Bench(machine).apply().failed is None


def test_a_run_at_work_is_waited_for(machine):
    other = subprocess.Popen(["sh", "-c", "sleep 60; :", "provision", "1"])
    lock(machine, other.pid)
    ends = threading.Timer(1.5, other.kill)
    ends.start()
    report = Bench(machine).apply()
    other.wait()
    assert report.failed is None
    assert other.returncode == -9
