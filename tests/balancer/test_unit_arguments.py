"""Which files the unit of haproxy loads: common.sh as it is, with a systemctl that prints what a genuine one does."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import pytest
from machine import Machine
from recorded import cases

COMMON = (files("provision.hosts.balancer") / "common.sh").read_text()


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("case", cases("units"))
def test_the_unit_tells_what_haproxy_loads(case, shell, tmp_path):
    machine = Machine(tmp_path / "root", shell=shell, unit=case["unit"])
    if "sysconfig" in case:
        machine.write("etc/sysconfig/haproxy", case["sysconfig"])
    script = COMMON + f'setup "{machine.root}" article\nknow_unit\nconfig_paths\n'
    done = subprocess.run([machine.shell, "-c", script], env={"PATH": str(machine.root / "bin")}, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (case["paths"], "")
