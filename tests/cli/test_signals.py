"""Ctrl-C and TERM: at once while nothing is changed, after the step while something is."""

import signal
import socket
import subprocess
import sys

import pytest

from provision.cli.signals import Signals, asks_to_stop

SILENT = """\
cluster: silent
vip: 127.0.62.100
ftp: {{port: 2121, passive_ports: 10000-10009}}
balancers:
  - {{name: lb1, address: 127.0.62.1, root: {root}, ssh: {{port: {port}, user: root}}}}
servers:
  - {{name: win1, address: 127.0.62.11, winrm: {{port: {port}}}}}
winrm: {{user: someone, password: "env:SILENT_PASSWORD"}}
"""


def recorder():
    left, said, told = [], [], []
    signals = Signals(lambda code, text: left.append((code, text)), said.append)
    return signals, left, said, told


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_before_a_change_one_signal_ends_the_run(number, code):
    signals, left, _, _ = recorder()
    signals.received(number)
    assert left == [(code, "stopped: nothing was changed")]


def test_while_writing_the_first_finishes_the_step_and_the_second_stops_at_once():
    signals, left, said, told = recorder()
    signals.hold(told.append, lambda: "win1 was being changed")
    signals.received(signal.SIGINT)
    assert (told, left, len(said)) == ([signal.SIGINT], [], 1)
    signals.received(signal.SIGTERM)
    assert left == [(130, "stopped at once. win1 was being changed")]


@pytest.fixture
def silent(tmp_path):
    """A cluster file whose hosts take connections and say nothing."""
    listeners = [socket.create_server(("127.0.62.1", 0))]
    port = listeners[0].getsockname()[1]
    listeners.append(socket.create_server(("127.0.62.11", port)))
    file = tmp_path / "silent.yml"
    file.write_text(SILENT.format(root="/lab", port=port))
    yield file
    for one in listeners:
        one.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_that_waits_for_silent_hosts_ends_at_once_and_says_so(silent, number, code):
    command = [sys.executable, "-m", "provision", "drift", str(silent)]
    environment = {"SILENT_PASSWORD": "x" * 12, "PROVISION_HOME": str(silent.parent), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        first = process.stderr.readline()
        process.send_signal(number)
        _, rest = process.communicate(timeout=10)
    assert "reading" in first
    assert (process.returncode, rest.splitlines()[-1]) == (code, "stopped: nothing was changed")


def test_under_nohup_a_hangup_is_still_ignored(monkeypatch):
    assert signal.SIGHUP in asks_to_stop()
    monkeypatch.setattr(signal, "getsignal", lambda _one: signal.SIG_IGN)
    assert asks_to_stop() == [signal.SIGINT, signal.SIGTERM]


def test_hosts_that_never_answer_are_unknown_after_the_deadline(silent):
    command = [sys.executable, "-m", "provision", "drift", str(silent), "--timeout", "1", "-q"]
    environment = {"SILENT_PASSWORD": "x" * 12, "PROVISION_HOME": str(silent.parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)
    assert done.returncode == 3
    assert "Drift: 0 different, 2 unknown, 0 same." in done.stdout
