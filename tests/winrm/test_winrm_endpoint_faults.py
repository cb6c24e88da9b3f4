"""What the endpoint answers to requests that cannot be served, and to those that take too long."""

from __future__ import annotations

import threading
import time

import pytest
import requests
import winrm.exceptions
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import SelectorSet, WSMan, WSManAction
from winrm.protocol import Protocol

from provision.lab.winrm.accounts import Account
from provision.lab.winrm.connection import Faults
from provision.lab.winrm.scripthost import ProcessResult
from provision.lab.winrm.server import Settings
from provision.lab.winrm.shells import Quotas

CMD = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
NOWHERE = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def connect(tls, user, password):
    def connect(server, **options):
        return WSMan(
            server.address,
            port=server.https_port,
            username=user,
            password=password,
            auth="basic",
            cert_validation=str(tls.ca),
            no_proxy=True,
            **options,
        )

    return connect


def fault_of(call) -> int:
    with pytest.raises(WSManFaultError) as caught:
        call()
    return caught.value.code


def test_a_shell_that_does_not_exist_is_named_in_the_fault(server, connect):
    selectors = SelectorSet()
    selectors.add_option("ShellId", NOWHERE)
    with pytest.raises(WSManFaultError, match=f"ShellId {NOWHERE} failed") as caught:
        connect(server).delete(CMD, selector_set=selectors)
    assert caught.value.code == 2150858843


def test_a_shell_of_another_user_is_not_there(start, connect, tls, password, user):
    server = start(accounts=(Account(user, password), Account("other", password)))
    with WinRS(connect(server)) as mine:
        stranger = WSMan(
            server.address,
            port=server.https_port,
            username="other",
            password=password,
            auth="basic",
            cert_validation=str(tls.ca),
            no_proxy=True,
        )
        assert fault_of(lambda: stranger.delete(CMD, selector_set=mine._selector_set)) == 2150858843
        assert server.open_shells == 1


def test_an_action_or_resource_that_is_not_served_is_a_fault(server, connect):
    connection = connect(server)
    assert fault_of(lambda: connection.invoke(WSManAction.ENUMERATE, CMD, None)) == 2150858753
    assert fault_of(lambda: connection.get("http://schemas.microsoft.com/wbem/wsman/1/nothing")) == 2150858811


def test_a_command_that_is_not_there_is_a_fault(server, connect):
    with WinRS(connect(server)) as shell:
        assert fault_of(lambda: shell.receive(command_id=NOWHERE)) == 2150858810


def test_a_receive_with_nothing_to_say_times_out_and_can_be_repeated(host, server, connect):
    host.hold.clear()
    with WinRS(connect(server, operation_timeout=1)) as shell:
        process = Process(shell, "slow")
        process.begin_invoke()
        started = time.monotonic()
        assert fault_of(lambda: shell.receive(command_id=process.id)) == 2150858793
        assert 0.9 < time.monotonic() - started < 5
        host.hold.set()
        process.end_invoke()
        assert process.stdout == b"done\r\n"


def test_pywinrm_knows_the_operation_timeout_by_its_code(host, server, user, password):
    host.hold.clear()
    url = f"http://{server.address}:{server.http_port}/wsman"
    client = Protocol(url, "ntlm", user, password, operation_timeout_sec=1, read_timeout_sec=10, proxy=None)
    shell = client.open_shell()
    command = client.run_command(shell, "slow")
    with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
        client.get_command_output_raw(shell, command)


def test_a_signal_ends_a_process_and_a_second_one_finds_nothing(host, server, connect):
    host.hold.clear()
    with WinRS(connect(server)) as shell:
        process = Process(shell, "slow")
        process.begin_invoke()
        process.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_c")
        process.poll_invoke()
        assert process.rc == 0xC000013A
        terminate = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/terminate"
        process.signal(terminate)
        assert fault_of(lambda: process.signal(terminate)) == 2150858810


def test_standard_input_is_complete_before_a_process_starts(host, server, connect):
    with WinRS(connect(server)) as shell:
        process = Process(shell, "sort")
        process.begin_invoke()
        process.send(b"one\r\n", end=False)
        process.send(b"two\r\n", end=True)
        process.end_invoke()
    assert host.inputs == [b"one\r\ntwo\r\n"]


def test_a_command_line_of_more_than_8191_characters_is_too_long(host, server, connect):
    with WinRS(connect(server)) as shell:
        process = Process(shell, "powershell", ["-EncodedCommand", "A" * 8200])
        process.invoke()
    assert (process.rc, process.stderr, host.asked) == (1, b"The command line is too long.\r\n", [])


def test_long_output_comes_in_pieces_that_fit_the_envelope(host, server, connect):
    host.process = lambda stdin: ProcessResult(b"x" * 300_000, b"y" * 1000, 0)
    with WinRS(connect(server)) as shell:
        process = Process(shell, "chatty")
        before = server.requests
        process.invoke()
        assert server.requests - before == 4  # Command, three Receives
    assert (len(process.stdout), len(process.stderr)) == (300_000, 1000)


def test_more_shells_than_the_quota_are_refused(start, connect):
    server = start(Settings(quotas=Quotas(shells_per_user=2)))
    for _ in range(2):
        WinRS(connect(server)).open()
    assert fault_of(WinRS(connect(server)).open) == 2150859173


def test_commands_count_until_they_are_signalled(start, connect):
    server = start(Settings(quotas=Quotas(commands_per_shell=2)))
    with RunspacePool(connect(server)) as pool:
        first = PowerShell(pool).add_script("1")
        first.invoke()
        PowerShell(pool).add_script("2").invoke()
        assert fault_of(PowerShell(pool).add_script("3").invoke) == 2150859241
        first.close()
        assert PowerShell(pool).add_script("3").invoke() == ["done"]


def test_an_account_outside_the_remote_management_users_is_denied(start, connect, user, password):
    server = start(accounts=(Account(user, password, may_connect=False),))
    assert fault_of(WinRS(connect(server)).open) == 5


def test_a_shell_that_idled_for_two_hours_makes_room(start, connect):
    now = [0.0]
    server = start(Settings(quotas=Quotas(shells_per_user=1), clock=lambda: now[0]))
    WinRS(connect(server)).open()
    now[0] = 7201.0
    WinRS(connect(server)).open()
    assert server.open_shells == 1


def test_a_defect_of_the_host_fails_the_pipeline_and_the_process(host, server, connect):
    def broken(_):
        raise ZeroDivisionError("oops")

    host.pipeline = host.process = broken
    with RunspacePool(connect(server)) as pool:
        pipeline = PowerShell(pool).add_script("x")
        pipeline.invoke()
        assert "ZeroDivisionError: oops" in str(pipeline.streams.error[0])
    with WinRS(connect(server)) as shell:
        process = Process(shell, "x")
        process.invoke()
        assert b"ZeroDivisionError: oops" in process.stderr


def test_latency_and_refused_logins_are_looked_up_for_every_request(start, connect):
    slept, now = [], {"faults": Faults()}
    server = start(Settings(sleep=slept.append), faults=lambda: now["faults"])
    WinRS(connect(server)).open()
    now["faults"] = Faults(latency_seconds=2.5, reject_logins=True)
    with pytest.raises(Exception, match="authenticate"):
        WinRS(connect(server)).open()
    assert slept == [2.5]


def test_a_closed_endpoint_refuses_connections_and_can_be_started_again(server, connect):
    connection = connect(server)
    WinRS(connection).open()
    server.close()
    with pytest.raises(requests.ConnectionError):
        WinRS(connect(server)).open()
    server.start()
    assert server.open_shells == 0
    WinRS(connect(server)).open()


def test_a_receive_that_waits_ends_when_its_shell_is_deleted(host, server, connect):
    host.hold.clear()
    shell = WinRS(connect(server))
    shell.open()
    process = Process(shell, "slow")
    process.begin_invoke()
    threading.Timer(0.2, WinRS.close, (_same(shell, connect(server)),)).start()
    assert fault_of(process.poll_invoke) == 2150858843


def _same(shell, connection):
    other = WinRS(connection)
    other.id, other._selector_set, other.opened = shell.id, shell._selector_set, True
    return other


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/other", b"x", 404),
        ("/wsman", b"not xml", 500),
        ("/wsman", b"<a/>", 500),
        ("/wsman", b"<!DOCTYPE a><a/>", 500),
    ],
)
def test_what_is_not_wsman_is_refused_in_http(server, tls, user, password, path, body, status):
    url = f"https://{server.address}:{server.https_port}{path}"
    answer = requests.post(url, data=body, auth=(user.encode(), password.encode()), verify=str(tls.ca), timeout=5)
    assert answer.status_code == status


def test_without_a_login_the_methods_are_offered_and_basic_only_inside_tls(server, tls):
    plain = requests.post(f"http://{server.address}:{server.http_port}/wsman", timeout=5)
    secure = requests.post(f"https://{server.address}:{server.https_port}/wsman", verify=str(tls.ca), timeout=5)
    assert plain.headers["WWW-Authenticate"] == "Negotiate"
    assert secure.headers["WWW-Authenticate"] == 'Negotiate, Basic realm="WSMAN"'


def test_requests_are_counted_for_each_connection(server, connect):
    for _ in range(2):
        WinRS(connect(server)).open()
    assert (server.requests, server.requests_by_connection) == (2, (1, 1))
