"""The sealed world itself: two do not meet, and nothing is left of one, however it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real.needs import missing
from real.world import World

KILLED = """
from real.world import World
world = World()
world.add_machine("lb1", "192.168.1.123")
world.start("sleep", "{seconds}", at="lb1")
print("up", flush=True)
input()
"""


@pytest.fixture(autouse=True)
def can_run():
    lacking = missing()
    if lacking:
        pytest.skip(lacking)


def sleepers(seconds):
    found = subprocess.run(["pgrep", "-f", f"^sleep {seconds}$"], capture_output=True, text=True, check=False)
    return found.stdout.split()


def answers(world, address):
    """Whether somebody has the address: a refused connection is an answer."""
    tried = "import socket, sys; socket.create_connection((sys.argv[1], 9), 1)"
    return "ConnectionRefused" in world.run(sys.executable, "-c", tried, address, check=False).stderr


def soon(claim):
    deadline = time.monotonic() + 10
    while not claim() and time.monotonic() < deadline:
        time.sleep(0.05)
    return claim()


def test_two_worlds_have_the_same_names_and_addresses_and_do_not_meet():
    with contextlib.closing(World()) as one, contextlib.closing(World()) as two:
        for world, last in ((one, 123), (two, 124)):
            world.add_machine("lb1", f"192.168.1.{last}")
        assert [answers(one, "192.168.1.123"), answers(one, "192.168.1.124")] == [True, False]
        assert [answers(two, "192.168.1.123"), answers(two, "192.168.1.124")] == [False, True]


def test_nothing_of_it_is_seen_outside():
    before = subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    with contextlib.closing(World()) as world:
        world.add_machine("lb1", "192.168.1.123")
        assert subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout == before
        assert not Path("/run/netns/lb1").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_run_that_is_ended_leaves_no_process(how):
    seconds = 80_000 + os.getpid() % 1000 * 10 + int(how)
    command = [sys.executable, "-c", KILLED.format(seconds=seconds)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    assert run.stdout.readline() == "up\n"
    assert soon(lambda: sleepers(seconds))
    run.send_signal(how)
    run.communicate(timeout=20)
    assert soon(lambda: not sleepers(seconds))
