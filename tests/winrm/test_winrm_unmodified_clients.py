"""pypsrp and pywinrm, as they come, use the lab's endpoint with their own calls."""

from __future__ import annotations

import base64

import pytest
import winrm
from pypsrp.client import Client
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from provision.lab.winrm.accounts import Account
from provision.lab.winrm.scripthost import ErrorInfo, PipelineResult, ProcessResult
from provision.lab.winrm.server import Settings

WAYS = [("http", "ntlm"), ("http", "negotiate"), ("https", "ntlm"), ("https", "negotiate"), ("https", "basic")]


@pytest.fixture
def wsman(server, tls, user, password):
    def wsman(scheme="https", auth="ntlm", **more):
        port = server.https_port if scheme == "https" else server.http_port
        options = {"ssl": scheme == "https", "auth": auth, "cert_validation": str(tls.ca), "no_proxy": True}
        return WSMan(server.address, port=port, username=user, password=password, **(options | more))

    return wsman


@pytest.fixture
def session(server, tls, user, password):
    def session(scheme, transport):
        port = server.https_port if scheme == "https" else server.http_port
        url = f"{scheme}://{server.address}:{port}/wsman"
        return winrm.Session(url, auth=(user, password), transport=transport, ca_trust_path=str(tls.ca), proxy=None)

    return session


@pytest.mark.parametrize(("scheme", "auth"), WAYS)
def test_the_pypsrp_client_runs_powershell_and_commands(server, host, tls, user, password, scheme, auth):
    host.process = lambda stdin: ProcessResult(b"out", b"err", 3)
    port = server.https_port if scheme == "https" else server.http_port
    client = Client(
        server.address,
        port=port,
        username=user,
        password=password,
        ssl=scheme == "https",
        auth=auth,
        cert_validation=str(tls.ca),
        no_proxy=True,
    )
    assert client.execute_ps("Get-Thing")[0] == "done"
    assert client.execute_cmd("dir") == ("out", "err", 3)
    assert server.open_shells == 0


def test_the_pypsrp_client_wraps_a_script_in_two_commands(host, server, tls, user, password):
    Client(server.address, port=server.http_port, username=user, password=password, ssl=False).execute_ps("Get-Thing")
    assert [command.text for command in host.asked[0]] == ["Invoke-Expression", "Out-String"]
    assert host.asked[0][0].parameters == (("Command", "Get-Thing"),)


@pytest.mark.parametrize(("scheme", "transport"), [("http", "ntlm"), ("https", "ntlm"), ("https", "basic")])
def test_a_pywinrm_session_runs_commands_and_powershell(host, session, scheme, transport):
    host.process = lambda stdin: ProcessResult(b"out\r\n", b"", 7)
    assert session(scheme, transport).run_cmd("ipconfig", ["/all"]).status_code == 7
    assert session(scheme, transport).run_ps("Get-Date").std_out == b"out\r\n"
    assert host.asked[0] == ("ipconfig", ("/all",))
    encoded = base64.b64encode("Get-Date".encode("utf-16-le")).decode()
    assert host.asked[1] == (f"powershell -encodedcommand {encoded}", ())


def test_a_pool_gives_back_objects_of_every_plain_kind(host, wsman):
    host.pipeline = lambda commands: PipelineResult(("text", 5, 2**40, True, [1, "b"], {"a": {"b": 1}}))
    with RunspacePool(wsman()) as pool:
        output = PowerShell(pool).add_script("Get-Everything").invoke()
    assert output == ["text", 5, 2**40, True, [1, "b"], {"a": {"b": 1}}]


def test_parameters_and_input_arrive_as_plain_values(host, wsman):
    with RunspacePool(wsman()) as pool:
        pipeline = PowerShell(pool).add_cmdlet("Do-It").add_parameters({"Count": 3, "Flag": True}).add_argument("x")
        pipeline.invoke(["first", 2, None])
    assert host.asked[0][0].parameters == (("Count", 3), ("Flag", True), (None, "x"))
    assert host.inputs[0] == ("first", 2, None)


def test_every_stream_arrives_in_its_own_place(host, wsman):
    host.pipeline = lambda commands: PipelineResult(
        ("out",),
        errors=(ErrorInfo("bad", script_line=3),),
        warnings=("careful",),
        verbose=("more",),
        progress=("slow",),
    )
    with RunspacePool(wsman()) as pool:
        pipeline = PowerShell(pool).add_script("x")
        pipeline.invoke()
    streams = pipeline.streams
    assert [str(error) for error in streams.error] == ["bad"]
    assert [str(streams.warning[0]), str(streams.verbose[0]), streams.progress[0].activity] == [
        "careful",
        "more",
        "slow",
    ]
    assert streams.error[0].script_stacktrace == "at <ScriptBlock>, <No file>: line 3"


def test_a_terminating_error_is_an_error_record_with_its_type_and_line(host, wsman):
    failure = ErrorInfo("No such thing.", "System.ArgumentException", "Nope,Get-Thing", category=6, script_line=12)
    host.pipeline = lambda commands: PipelineResult(("before",), failed=failure)
    with RunspacePool(wsman()) as pool:
        pipeline = PowerShell(pool).add_script("x")
        assert pipeline.invoke() == ["before"]
    assert pipeline.had_errors
    record = pipeline.streams.error[0]
    assert (record.fq_error, record.category) == ("Nope,Get-Thing", 6)
    assert record.invocation_info.adapted_properties["ScriptLineNumber"] == 12
    assert record.exception.types[0] == "System.ArgumentException"


def test_a_long_script_arrives_whole_and_a_long_answer_comes_back_whole(host, wsman):
    script, answer = "#" * 400_000, "ä" * 400_000
    host.pipeline = lambda commands: PipelineResult((answer,))
    with RunspacePool(wsman("http")) as pool:
        assert PowerShell(pool).add_script(script).invoke() == [answer]
    assert host.asked[0][0].text == script


def test_several_pipelines_and_pools_live_side_by_side(host, wsman, server):
    with RunspacePool(wsman()) as first, RunspacePool(wsman(auth="basic")) as second:
        pipelines = [PowerShell(pool).add_script(f"n{n}") for n, pool in enumerate((first, second, first))]
        for pipeline in pipelines:
            pipeline.begin_invoke()
        assert server.open_shells == 2
        assert [pipeline.end_invoke() for pipeline in reversed(pipelines)] == [["done"]] * 3


def test_a_pipeline_can_be_stopped_while_it_runs(host, wsman):
    host.hold.clear()
    with RunspacePool(wsman(operation_timeout=1)) as pool:
        pipeline = PowerShell(pool).add_script("Start-Sleep 100")
        pipeline.begin_invoke()
        pipeline.stop()
        host.hold.set()
        assert PowerShell(pool).add_script("next").invoke() == ["done"]


def test_the_server_tells_how_large_an_envelope_may_be(wsman):
    connection = wsman()
    connection.update_max_payload_size()
    assert connection.max_envelope_size == 500 * 1024


def test_a_wrong_password_is_refused_on_every_way(server, tls, user):
    for scheme, auth in WAYS:
        port = server.https_port if scheme == "https" else server.http_port
        client = Client(
            server.address,
            port=port,
            username=user,
            password="wrong",
            ssl=scheme == "https",
            auth=auth,
            cert_validation=str(tls.ca),
            no_proxy=True,
        )
        with pytest.raises(AuthenticationError):
            client.execute_cmd("dir")


def test_messages_over_http_must_be_encrypted(wsman):
    with pytest.raises(WinRMTransportError) as refused:
        RunspacePool(wsman("http", "ntlm", encryption="never")).open()
    assert refused.value.code == 500


def test_basic_is_refused_over_http(wsman):
    with pytest.raises(AuthenticationError):
        RunspacePool(wsman("http", "basic", encryption="never")).open()


def test_messages_inside_tls_may_be_encrypted_too(host, wsman):
    with RunspacePool(wsman(encryption="always")) as pool:
        assert PowerShell(pool).add_script("x").invoke() == ["done"]


def test_a_domain_before_the_name_is_understood(start, tls, password):
    server = start(accounts=(Account("svc", password, domain="CORP"),))
    for name in ("svc", "CORP\\SVC"):
        client = Client(server.address, port=server.http_port, username=name, password=password, ssl=False)
        assert client.execute_cmd("dir")[2] == 0


def test_a_login_with_the_channel_binding_of_another_certificate_is_refused(start, tls, user, password):
    server = start(Settings(strict_bindings=True))
    options = {"port": server.https_port, "username": user, "password": password, "cert_validation": str(tls.ca)}
    assert Client(server.address, auth="ntlm", **options).execute_cmd("dir")[2] == 0
    with pytest.raises(AuthenticationError):
        Client(server.address, auth="ntlm", negotiate_send_cbt=False, **options).execute_cmd("dir")
