"""Processes of the lab are started apart, known again, and nothing else is ever ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.errors import LabError
from provision.lab.hostprocess import HostProcess, start_time
from provision.lab.windows.control import ask

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostProcess]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    made = HostProcess("win1", tmp_path, "windows.tinyhost")
    yield made
    made.stop()


def started(process: HostProcess) -> int:
    process.start()
    process.wait_ready(time.monotonic() + 20)
    pid = process.running_pid()
    assert pid is not None
    return pid


def test_starting_twice_starts_once(process: HostProcess) -> None:
    assert started(process) == started(process)


def test_it_runs_in_a_session_of_its_own_without_our_environment(
    process: HostProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "s3cret")
    pid = started(process)
    assert os.getsid(pid) == pid
    assert b"CANARY" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_stopping_asks_first_and_leaves_no_record(process: HostProcess) -> None:
    started(process)
    process.stop()
    assert process.running_pid() is None
    assert not (process.directory / "process.json").exists()


def test_a_process_that_does_not_listen_gets_sigterm(process: HostProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provision.lab.hostprocess.GRACE_SECONDS", 0.3)
    (process.directory / "stubborn").touch()
    started(process)
    process.stop()
    assert process.running_pid() is None


def test_a_process_that_ends_at_once_is_an_error_with_its_last_words(process: HostProcess) -> None:
    (process.directory / "refuse").touch()
    process.start()
    with pytest.raises(LabError, match="the port is taken"):
        process.wait_ready(time.monotonic() + 20)


def test_an_id_that_belongs_to_another_process_is_left_alone(process: HostProcess) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (process.directory / "process.json").write_text(json.dumps({"pid": stranger.pid, "started": "12345"}))
        process.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_a_dead_process_has_no_start_time(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    assert start_time(dead.pid) is None
    assert start_time(os.getpid()) == start_time(os.getpid()) is not None


def test_an_unknown_verb_is_answered_with_the_known_ones(process: HostProcess) -> None:
    started(process)
    assert ask(process.directory, {"do": "dance"}) == {"ok": False, "error": "do is one of status, stop"}
