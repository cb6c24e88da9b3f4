"""What a command says when the lab of its cluster file is not up: how to start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cli.cliworld import clusters, say

LAB = """\
cluster: gone
vip: 127.0.93.100
ftp: {port: 2121, passive_ports: 10000-10019}
balancers:
  - {name: lb1, address: 127.0.93.1, root: .lab/lb1, ssh: {port: 2222, user: root, known_hosts: .lab/known_hosts}}
servers:
  - {name: win1, address: 127.0.93.11}
winrm: {scheme: https, user: labadmin, password: "file:.lab/winrm-password"}
"""


def started_by(folder):
    return f"provision lab up {folder}/clusters/gone.yml"


def test_missing_secrets_of_a_lab_lead_to_lab_up(tmp_path):
    said = say("plan", "gone", folder=clusters(tmp_path, gone=LAB))
    assert said.code == 4
    assert f"Next:  {started_by(tmp_path)}" in said.err


def test_missing_secrets_of_real_servers_do_not(tmp_path):
    text = LAB.replace("root: .lab/lb1, ", "").replace("127.0.93", "192.168.93")
    said = say("plan", "gone", folder=clusters(tmp_path, gone=text))
    assert said.code == 4
    assert "Next:  provision explain P122" in said.err


@pytest.fixture
def short():
    with TemporaryDirectory(dir="/tmp") as name:
        yield Path(name).resolve()


def test_closed_ports_of_a_lab_lead_to_lab_up(short):
    folder = clusters(short, gone=LAB)
    (folder / "clusters" / ".lab" / "lb1").mkdir(parents=True)
    secret = folder / "clusters" / ".lab" / "winrm-password"
    secret.touch(mode=0o600)
    secret.write_text("x\n")
    (folder / "clusters" / ".lab" / "known_hosts").touch()
    said = say("drift", "gone", folder=folder, environ={"PROVISION_HOME": str(short / "home")})
    assert said.code == 3
    assert f"do: {started_by(short)}" in said.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_below_stdout_ends_quietly_with_1():
    words = [sys.executable, "-m", "provision", "explain", "P101"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, env={**os.environ}, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
