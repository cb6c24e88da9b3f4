"""What the genuine tools answer to every command, on each EL: change.sh and read.sh as they are, and what comes of it."""

from __future__ import annotations

import hashlib
import re

import pytest
from balancer_clusters import MASKS, cluster
from machine import Machine
from recorded import cases

from provision.errors import ReadFailed
from provision.hosts.balancer.changing import ChangeStep, parse_change
from provision.hosts.balancer.desired import desired
from provision.hosts.balancer.frames import frames
from provision.hosts.balancer.reading import parse_reading, read_script
from provision.hosts.balancer.scripts import read_arguments, script
from provision.model.command import ShellResult, ShellScript

QUESTIONS = ("systemctl cat ", "systemctl is-active ", "sync ", "socat ")
"""Calls that change nothing and that no case is about."""


def machine_of(case, folder):
    machine = Machine(folder / "root", installed=case.get("installed", True))
    machine.becomes(case["shape"])
    for name, text in case.get("files", {}).items():
        (machine.root / name).parent.mkdir(parents=True, exist_ok=True)
        machine.write(name, text)
    for name in case.get("running", ()):
        machine.write(f"state/{name}.active", "1")
    machine.records(case["answers"])
    return machine


def meant(case, machine):
    one = cluster(balancer={"root": str(machine.root), **case.get("balancer", {})}, **case.get("cluster", {}))
    return one, one.balancers[0]


def step(one):
    """A step of the case: words, or a file to be staged."""
    if isinstance(one, list):
        return ChangeStep(tuple(one))
    data = one["text"].encode()
    words = ("stage", one["stage"], "640", "root:root", str(len(data)), hashlib.sha256(data).hexdigest())
    return ChangeStep(words, data)


def changed(case, machine):
    """The report of the case's steps. The wait for HAProxy is cut down to a second."""
    one, balancer = meant(case, machine)
    payload = b"".join(step(each).encoded() for each in case["steps"])
    text = script("change").replace("tries=75", "tries=3")
    result = machine.run(ShellScript("change lb1", text, read_arguments(one, balancer), payload))
    return parse_change(ShellResult(result.returncode, result.stdout, result.stderr), balancer)


def calls(machine):
    """What was called to change something: the reading that follows begins with `systemctl show`."""
    found = []
    for line in re.sub(r"@\d+", "@NOW", machine.text("calls")).replace(str(machine.root), "").splitlines():
        if line.startswith("systemctl show "):
            break
        if not line.startswith(QUESTIONS):
            found.append(line)
    return found


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", cases("commands"))
def test_a_genuine_answer_to_a_command_is_taken_for_what_it_is(case, tmp_path):
    machine = machine_of(case, tmp_path)
    report = changed(case, machine)
    machine.close()
    assert [line.split()[0] for line in report.done] == case["done"], report.failed
    assert calls(machine) == case["calls"]
    check_failure(report.failed, case.get("failed"))
    for name, text in case.get("after", {}).items():
        assert (machine.text(name) if machine.has(name) else None) == text, name


def check_failure(failed, wanted):
    if wanted is None:
        assert failed is None, failed
        return
    assert failed.what == f"the step '{wanted['step']}' failed"
    assert all(words in failed.why for words in wanted.get("why", ())), failed.why
    assert all(words in failed.next for words in wanted.get("next", ())), failed.next


@pytest.mark.parametrize("case", cases("asked"))
def test_a_genuine_answer_to_a_question_leads_to_the_next_question(case, tmp_path):
    machine = machine_of(case, tmp_path)
    one, balancer = meant(case, machine)
    found = {frame.name: frame for frame in frames(machine.run(read_script(one, balancer)).stdout)}
    for name, wanted in case["frames"].items():
        assert (found[name].text if name in found else None) == wanted, name


def dead_mirrors():
    """The recorded words of CentOS 7's yum since its mirrors are gone."""
    return next(one.values[0] for one in cases("commands") if "EL7 with dead mirrors" in one.id)


def test_el7_with_dead_mirrors_is_refused_before_anything_is_changed_and_its_repositories_stay(tmp_path):
    machine = machine_of(dead_mirrors(), tmp_path)
    one, balancer = meant(dead_mirrors(), machine)
    before = {path: path.read_bytes() for path in machine.root.glob("etc/**/*") if path.is_file()}
    reading = parse_reading(machine.run(read_script(one, balancer)).stdout, one, balancer, MASKS)
    (found,) = (finding for finding in reading.findings if finding.code == "P503")
    assert found.level == "refuse" and "mirrorlist.centos.org" in found.message and "vault.centos.org" in found.fix
    with pytest.raises(ReadFailed) as caught:
        desired(one, balancer, reading.facts, one.ownership, MASKS)
    assert (caught.value.code, "vault.centos.org" in caught.value.next) == ("P503", True)
    assert {path: path.read_bytes() for path in machine.root.glob("etc/**/*") if path.is_file()} == before
