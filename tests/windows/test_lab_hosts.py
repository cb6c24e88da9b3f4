"""Whole Windows hosts as processes: strangers' clients can use them, faults reach them, a crash does not lose state."""

from __future__ import annotations

import ftplib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import winrm
from pypsrp.client import Client
from windows.labcluster import write_cluster

from provision.lab import orchestra
from provision.lab.hostprocess import HostProcess
from provision.lab.places import Places
from provision.lab.windows.breaks import BREAKS
from provision.model.cluster import Cluster

TESTS = Path(__file__).resolve().parents[1]
READ = TESTS.parent / "powershell" / "Get-FtpServerState.ps1"
WIN1 = "127.0.47.11"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two real Windows hosts; the balancer is an empty process."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(TESTS))
    patch.setitem(orchestra.MODULES, "balancer", "windows.tinyhost")
    cluster = write_cluster(tmp_path_factory.mktemp("lab") / "clusters")
    orchestra.up(cluster, cluster.file)
    yield cluster
    orchestra.down(cluster, cluster.file)
    orchestra.forget(cluster.file)
    patch.undo()


@pytest.fixture
def places(lab: Cluster) -> Places:
    return Places.of(lab.file)


@pytest.fixture
def process(lab: Cluster, places: Places) -> HostProcess:
    return orchestra.host_processes(lab, places)[0]


def client(places: Places, **options: object) -> Client:
    return Client(WIN1, username="labadmin", password=places.password("winrm"), auth="negotiate", **{
        "ssl": True, "cert_validation": str(places.folder / "ca.pem"), "no_proxy": True, **options})


def question(cluster: str = "tiny") -> str:
    return json.dumps({"cluster": cluster, "ruleName": f"provision-{cluster}", "sites": ["Default FTP Site"],
                       "ftpAddress": WIN1, "ftpPort": 2121, "passivePorts": {"low": 10000, "high": 10009}})


def test_the_lab_is_up_within_seconds(lab: Cluster) -> None:
    orchestra.down(lab, lab.file)
    began = time.monotonic()
    assert orchestra.up(lab, lab.file).is_up
    assert time.monotonic() - began < 15     # 1.2 s on an idle machine


@pytest.mark.parametrize("options", [{}, {"ssl": False, "port": 5985, "cert_validation": True}])
def test_pypsrp_runs_what_a_newcomer_types(places: Places, options: dict[str, object]) -> None:
    with client(places, **options) as wsman:
        output, _, had_errors = wsman.execute_ps("hostname; (Get-Service ftpsvc).Status")
    assert (output.split(), had_errors) == (["WIN1", "Running"], False)


def test_pywinrm_runs_commands_and_scripts(places: Places) -> None:
    session = winrm.Session(f"http://{WIN1}:5985/wsman", ("labadmin", places.password("winrm")), transport="ntlm")
    assert session.run_cmd("hostname").std_out == b"WIN1\r\n"
    assert session.run_ps("1 + 1").std_out.strip() == b"2"


def test_the_shipped_script_reads_a_fresh_server(places: Places) -> None:
    with client(places) as wsman:
        answer = json.loads(_run(wsman, READ.read_text(), question()))
    assert answer["ok"]
    assert answer["data"]["dataChannelPorts"]["state"] == "absent"
    assert answer["data"]["sites"][0]["state"] == "Started"
    assert answer["data"]["listeners"] == []


def _run(wsman: Client, script: str, argument: str) -> str:
    quoted = argument.replace("'", "''")
    output, streams, _ = wsman.execute_ps(f"& {{ {script} }} -Json '{quoted}'")
    return output or str(streams.error)


def test_a_closed_winrm_is_refused_and_opens_again(places: Places, process: HostProcess) -> None:
    BREAKS["winrm-closed"].apply(process.directory)
    with pytest.raises(OSError, match="refused"), client(places) as wsman:
        wsman.execute_ps("1")
    _mend("winrm-closed", process)
    with client(places) as wsman:
        assert wsman.execute_ps("1")[0].strip() == "1"


def test_a_changed_password_is_refused_until_it_is_mended(places: Places, process: HostProcess) -> None:
    BREAKS["wrong-password"].apply(process.directory)
    with pytest.raises(Exception, match="(?i)auth|credentials"), client(places) as wsman:
        wsman.execute_ps("1")
    _mend("wrong-password", process)
    with client(places) as wsman:
        assert wsman.execute_ps("1")[0].strip() == "1"


def _mend(name: str, process: HostProcess) -> None:
    mend = BREAKS[name].mend
    assert mend
    mend(process.directory)


def _login(places: Places, address: str) -> ftplib.FTP:
    ftp = ftplib.FTP(timeout=5)
    ftp.connect(address, 2121, source_address=("127.0.47.1", 0))
    ftp.login("ftpuser", places.password("ftp"))
    return ftp


def test_the_hardened_server_admits_nobody_and_the_stock_one_everybody(places: Places) -> None:
    with pytest.raises((EOFError, OSError)):
        _login(places, WIN1)
    assert _login(places, "127.0.47.12").nlst() == ["probe"]


def test_a_crash_keeps_what_was_written_and_counts_as_a_reboot(
    lab: Cluster, places: Places, process: HostProcess
) -> None:
    with client(places) as wsman:
        wsman.execute_ps("[void](New-Item -Path HKLM:\\SOFTWARE\\provision\\crash -Force)")
    before = json.loads((process.directory / "windows.json").read_text())["booted_at"]
    with pytest.raises(ValueError):
        process.ask({"do": "crash"})
    _until(lambda: process.running_pid() is None)
    orchestra.up(lab, lab.file)
    assert json.loads((process.directory / "windows.json").read_text())["booted_at"] > before
    with client(places) as wsman:
        assert wsman.execute_ps("Test-Path HKLM:\\SOFTWARE\\provision\\crash")[0].strip() == "True"


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)


def test_the_status_counts_requests(places: Places, process: HostProcess) -> None:
    before = process.ask({"do": "status"})["requests"]
    with client(places) as wsman:
        wsman.execute_ps("1")
    assert 5 <= process.ask({"do": "status"})["requests"] - before <= 10


def test_an_ftp_service_that_was_stopped_through_the_control_socket_is_stopped(process: HostProcess) -> None:
    assert process.ask({"do": "service", "name": "ftpsvc", "action": "stop"})["status"] == "Stopped"
    assert process.ask({"do": "service", "name": "ftpsvc", "action": "start"})["status"] == "Running"
