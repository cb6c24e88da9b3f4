"""What happens when a step fails, or the operator stops: the state of every host is told, and it is true."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from journey.conftest import house


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    with house(tmp_path_factory.mktemp("fragile"), "fragile", "127.0.34") as one:
        yield one


def listen(address, port):
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((address, port))
    held.listen()
    return held


def compared(lab):
    report = lab.json("drift", code=2)
    return {(one["host"], one["kind"], one["name"]): one["live"] for one in report["differences"]}


def test_1_a_port_of_the_vip_that_is_taken_rolls_everything_back(fresh):
    before = compared(fresh)
    with listen(fresh.vip, 10005):
        done = fresh.on_cluster("cluster", "--yes", code=6)
    assert "lb1" in done.stdout + done.stderr
    after = compared(fresh)
    assert {key: live for key, live in after.items() if key[1] != "package"} == {
        key: live for key, live in before.items() if key[1] != "package"
    }


def test_2_the_same_command_works_once_the_cause_is_gone(fresh):
    fresh.on_cluster("cluster", "--yes", code=0)
    fresh.json("drift", code=0)


def test_3_a_service_that_does_not_start_is_put_back_and_its_server_is_named(fresh):
    fresh.break_it("service-stopped", "--host", "win2")
    with listen(f"{fresh.net}.12", 2121):
        done = fresh.on_cluster("cluster", "--yes")
    assert done.returncode in (6, 7)
    assert "win2" in done.stdout + done.stderr
    fresh.on_cluster("cluster", "--yes", code=0)


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_4_ctrl_c_ends_the_step_and_says_where_it_stands(fresh):
    fresh.on_cluster("rollback", "--to", "0", "--yes", code=0)
    env = {**os.environ, "PROVISION_HOME": str(fresh.home), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "provision", "cluster", str(fresh.file), "--yes"]
    run = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=fresh.file.parent)
    for line in run.stderr:
        if "changes" in line:
            run.send_signal(signal.SIGINT)
            break
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, out + err
    assert "provision cluster" in out + err
    fresh.on_cluster("cluster", "--yes", code=0)
    fresh.json("drift", code=0)


def test_5_a_lost_desk_goes_back_with_the_balancers_copies(fresh, tmp_path):
    fresh.home = tmp_path / "another-desk"
    fresh.json("drift", code=0)
    fresh.on_cluster("rollback", "--to", "0", "--yes", code=0)
    assert fresh.json("drift", code=2)["differences"]
