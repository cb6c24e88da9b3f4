"""PsrpSession and WinrsSession against the lab's endpoint: the same results, few requests, deadlines that hold."""

from __future__ import annotations

import base64
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import tree_sitter
import tree_sitter_powershell

from provision.errors import ConnectionFailed, HostError, ReadFailed
from provision.lab.winrm.accounts import Account
from provision.lab.winrm.connection import Faults
from provision.lab.winrm.scripthost import ErrorInfo, PipelineResult, ProcessResult
from provision.lab.winrm.server import Settings
from provision.lab.winrm.shells import Quotas
from provision.lab.winrm.tls import make_tls
from provision.model.secret import Secret
from provision.remote.psrp import open_psrp
from provision.remote.session import WinRMTarget
from provision.remote.winrs import ARGUMENTS, BOOTSTRAP, SHELL_COMMANDS, open_winrs

WAYS = [("http", "ntlm"), ("http", "negotiate"), ("https", "ntlm"), ("https", "negotiate"), ("https", "basic")]


def failure_of(opener, target, deadline=10.0) -> HostError:
    """How one run fails; the session is closed by it and stays so."""
    session = opener(target)
    with pytest.raises(HostError) as caught:
        session.run("x", "{}", deadline)
    with pytest.raises(ConnectionFailed, match="session is closed"):
        session.run("x", "{}", deadline)
    session.close()
    return caught.value


@pytest.mark.parametrize(("scheme", "auth"), WAYS)
def test_script_and_json_arrive_and_the_answer_comes_back(host, server, target, opener, scheme, auth):
    host.answer(lambda script, json: f"{script}|{json}|ünd 漢字 '“”’‘ & <b>")
    session = opener(target(server, scheme, auth=auth))
    answer = session.run("param($Json) $Json", '{"näme": "a\'b"}', 10)
    session.close()
    assert answer == 'param($Json) $Json|{"näme": "a\'b"}|ünd 漢字 \'“”’‘ & <b>'
    assert server.open_shells == 0


@pytest.mark.parametrize(("scheme", "most"), [("https", 7), ("http", 9)])
def test_one_read_needs_few_requests(host, server, target, opener, scheme, most):
    host.answer(lambda script, json: "{}")
    session = opener(target(server, scheme))
    session.run("x", "{}", 10)
    session.close()
    assert server.requests <= most
    assert len(server.requests_by_connection) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_further_script_needs_three_requests(host, server, target, opener, scheme):
    host.answer(lambda script, json: "{}")
    session = opener(target(server, scheme))
    session.run("x", "{}", 10)
    before = server.requests
    for _ in range(3):
        session.run("x", "{}", 10)
    assert server.requests - before <= 9


def test_nothing_is_contacted_before_the_first_run(server, target, opener):
    opener(target(server)).close()
    assert server.requests == 0


def test_a_script_of_megabytes_and_its_answer_pass(host, server, target, opener):
    host.answer(lambda script, json: script.upper())
    session = opener(target(server, "http"))
    assert session.run("ä" * 600_000, "{}", 20) == "Ä" * 600_000


def test_many_runs_leave_no_commands_behind_at_the_server(host, start, target, opener):
    host.answer(lambda script, json: json)
    server = start(Settings(quotas=Quotas(commands_per_shell=SHELL_COMMANDS)))
    session = opener(target(server))
    assert [session.run("x", str(n), 10) for n in range(25)] == [str(n) for n in range(25)]
    assert server.open_shells == 1


def test_a_deadline_stops_the_script_and_closes_the_session(host, server, target, opener):
    host.hold.clear()
    started = time.monotonic()
    failure = failure_of(opener, target(server), deadline=1.2)
    assert (failure.code, type(failure)) == ("P214", ReadFailed)
    assert time.monotonic() - started < 4


def test_a_server_that_never_answers_costs_no_more_than_the_deadline(opener, target, server):
    with socket.create_server((server.address, 0)) as silent:
        started = time.monotonic()
        failure = failure_of(opener, target(server, "http", port=silent.getsockname()[1]), deadline=0.5)
    assert failure.code == "P214"
    assert time.monotonic() - started < 3


def test_a_session_that_idled_logs_in_again_before_it_is_used(host, start, target, opener):
    now = [0.0]
    host.answer(lambda script, json: json)
    server = start(Settings(idle_seconds=0.3))
    for scheme in ("http", "https"):
        session = opener(target(server, scheme), clock=lambda: now[0])
        session.run("x", "1", 10)
        time.sleep(0.5)
        now[0] += 61
        assert session.run("x", "2", 10) == "2"


def test_a_connection_lost_too_early_is_told_and_not_retried(host, server, target, opener):
    host.answer(lambda script, json: json)
    session = opener(target(server, "http"))
    session.run("x", "1", 10)
    server.close()
    server.start()
    with pytest.raises(HostError) as caught:
        session.run("x", "2", 10)
    assert caught.value.code == "P215"


def test_a_wrong_password_is_tried_once(server, target, opener):
    for scheme in ("http", "https"):
        before = server.requests
        failure = failure_of(opener, target(server, scheme, password=Secret("wrong")))
        assert (failure.code, type(failure)) == ("P209", ConnectionFailed)
        assert "Administrator" in failure.what
        assert server.requests - before <= 3


def test_an_account_that_may_not_use_winrm_is_told_apart_from_a_wrong_password(start, target, opener, user, password):
    server = start(accounts=(Account(user, password, may_connect=False),))
    failure = failure_of(opener, target(server))
    assert failure.code == "P211"
    assert "Remote Management Users" in failure.why


def test_a_used_up_quota_is_told(start, target, opener):
    server = start(Settings(quotas=Quotas(shells_per_user=0)))
    assert failure_of(opener, target(server)).code == "P213"


def test_a_closed_port_is_told(server, target, opener):
    server.close()
    failure = failure_of(opener, target(server))
    assert (failure.code, failure.host) == ("P203", "win1")
    assert "Enable-PSRemoting" in failure.next


def test_an_address_without_a_route_is_told_in_time(target, server, opener):
    started = time.monotonic()
    failure = failure_of(opener, target(server, address="127.0.37.1", port=1, connect_timeout=0.5))
    assert failure.code == "P203"
    assert time.monotonic() - started < 3


def test_a_name_that_does_not_resolve_is_told(target, server, opener):
    assert failure_of(opener, target(server, address="no-such-host.invalid")).code == "P201"


def test_a_certificate_of_an_unknown_ca_is_not_trusted(server, target, opener, tmp_path):
    other = make_tls(tmp_path, "127.0.37.1")
    failure = failure_of(opener, target(server, ca_file=other.ca))
    assert failure.code == "P206"
    assert failure_of(opener, target(server, ca_file=None)).code == "P206"


def test_a_certificate_for_another_address_is_named_so(server, target, opener):
    forwarder = _forward(server.https_port, "127.0.37.2")
    with forwarder:
        failure = failure_of(opener, target(server, address="127.0.37.2", port=forwarder.getsockname()[1]))
    assert failure.code == "P207"


def _forward(port: int, address: str) -> socket.socket:
    """One connection to `address` handed on to the server: what a wrong DNS entry looks like."""
    listener = socket.create_server((address, 0))

    def carry() -> None:
        inside, _ = listener.accept()
        outside = socket.create_connection(("127.0.37.1", port))
        threading.Thread(target=_pump, args=(inside, outside), daemon=True).start()
        _pump(outside, inside)

    threading.Thread(target=carry, daemon=True).start()
    return listener


def _pump(source: socket.socket, sink: socket.socket) -> None:
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_RDWR)


def test_verify_false_accepts_any_certificate(host, server, target, opener, tmp_path):
    host.answer(lambda script, json: "fine")
    session = opener(target(server, verify=False, ca_file=make_tls(tmp_path, "127.0.37.1").ca))
    assert session.run("x", "{}", 10) == "fine"


def test_https_at_a_port_that_speaks_http_is_told(server, target, opener):
    assert failure_of(opener, target(server, port=server.http_port)).code == "P208"


@pytest.mark.parametrize(
    ("status", "code"), [(404, "P204"), (407, "P205"), (502, "P205"), (403, "P211"), (500, "P212")]
)
def test_what_a_strange_http_server_answers_is_told(server, target, opener, status, code):
    with _answering(status) as listener:
        assert (
            failure_of(opener, target(server, "http", address="127.0.37.3", port=listener.getsockname()[1])).code
            == code
        )


def _answering(status: int) -> socket.socket:
    listener = socket.create_server(("127.0.37.3", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n".encode())

    threading.Thread(target=answer, daemon=True).start()
    return listener


def test_a_server_without_negotiate_is_told_with_what_it_offers(server, target, opener):
    listener = socket.create_server(("127.0.37.3", 0))

    def answer() -> None:
        while True:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')

    threading.Thread(target=answer, daemon=True).start()
    failure = failure_of(opener, target(server, "http", address="127.0.37.3", port=listener.getsockname()[1]))
    listener.close()
    assert failure.code in {"P210", "P209"}  # pywinrm cannot tell the two apart


def test_proxies_of_the_environment_are_not_used(host, server, target, opener, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.37.9:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    host.answer(lambda script, json: "direct")
    for scheme in ("http", "https"):
        assert opener(target(server, scheme)).run("x", "{}", 10) == "direct"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scheme": "http", "auth": "basic"}, "over http"),
        ({"scheme": "http", "auth": "certificate"}, "over http"),
        ({"auth": "telepathy"}, "unknown"),
        ({"auth": "certificate"}, "client certificate"),
    ],
)
def test_settings_that_must_not_be_tried_are_refused_before_anything_is_contacted(
    server, target, opener, changes, words
):
    with pytest.raises(ConnectionFailed, match=words) as refused:
        opener(target(server, **changes))
    assert (refused.value.code, server.requests) == ("P217", 0)


def test_a_missing_ca_file_is_refused_before_anything_is_contacted(server, target, opener, tmp_path):
    with pytest.raises(ConnectionFailed, match="is not there"):
        opener(target(server, ca_file=tmp_path / "none.pem"))


@pytest.mark.parametrize("auth", ["kerberos", "credssp"])
def test_a_login_whose_library_is_missing_says_which(server, target, opener, auth):
    with pytest.raises(ConnectionFailed) as refused:
        opener(target(server, auth=auth)).run("x", "{}", 10)
    assert "install" in refused.value.why or "requires" in refused.value.why
    assert refused.value.code == "P217"


def test_a_psrp_script_that_fails_is_told_in_its_own_words_and_leaves_the_session_open(host, server, target):
    host.pipeline = lambda commands: PipelineResult((), failed=ErrorInfo("it  went\nwrong"))
    session = open_psrp(target(server))
    with pytest.raises(ReadFailed, match="it went wrong") as caught:
        session.run("x", "{}", 10)
    assert caught.value.code == "P216"
    host.answer(lambda script, json: "again")
    assert session.run("x", "{}", 10) == "again"


@pytest.mark.parametrize("output", [(), ("a", "b"), (5,), (None,)])
def test_a_psrp_script_must_output_exactly_one_string(host, server, target, output):
    host.pipeline = lambda commands: PipelineResult(output)
    with pytest.raises(ReadFailed, match="must output one string"):
        open_psrp(target(server)).run("x", "{}", 10)


def test_warnings_and_errors_beside_the_answer_do_no_harm(host, server, target):
    host.pipeline = lambda commands: PipelineResult(
        ("answer",), errors=(ErrorInfo("e"),), warnings=("w",), progress=("p",)
    )
    assert open_psrp(target(server)).run("x", "{}", 10) == "answer"


def test_stderr_of_winrs_is_read_as_clixml(host, server, target):
    clixml = (
        '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        '<Obj S="progress" RefId="0"><MS><S N="Activity">Preparing</S></MS></Obj>'
        '<S S="Error">It broke._x000D__x000A_</S><S S="Error">At line:1</S></Objs>'
    )
    host.process = lambda stdin: ProcessResult(b"", clixml.encode(), 1)
    with pytest.raises(ReadFailed, match=r"It broke. At line:1") as caught:
        open_winrs(target(server)).run("x", "{}", 10)
    assert "CLIXML" not in str(caught.value)
    assert "Preparing" not in str(caught.value)


def test_noise_on_the_output_of_winrs_is_not_taken_for_an_answer(host, server, target):
    host.process = lambda stdin: ProcessResult(b"Hello from the profile!\r\n", b"", 0)
    with pytest.raises(ReadFailed, match="something else than the script"):
        open_winrs(target(server)).run("x", "{}", 10)


def test_the_winrs_command_line_is_constant_and_short_enough_for_cmd(host, server, target, password):
    host.answer(lambda script, json: json)
    session = open_winrs(target(server))
    for n in range(2):
        session.run(f"script {n}", f"{password} {n}", 10)
    assert host.asked == [("powershell.exe", (" ".join(ARGUMENTS),))] * 2
    assert len(" ".join(("powershell.exe", *ARGUMENTS))) < 8191
    assert base64.b64decode(ARGUMENTS[-1]).decode("utf-16-le") == BOOTSTRAP
    assert "$input" not in BOOTSTRAP


def test_nothing_of_a_session_is_logged_or_shown(host, start, target, opener, caplog, password):
    caplog.set_level(logging.DEBUG)
    server = start(faults=Faults)
    host.answer(lambda script, json: json)
    with caplog.at_level(logging.DEBUG):
        session = opener(target(server, "http"))
        session.run("x", '{"secret": "c4nary"}', 10)
        failure = failure_of(opener, target(server, "http", password=Secret("c4nary-password")))
    shown = caplog.text + str(failure) + repr(target(server)) + repr(failure.__cause__)
    assert "c4nary" not in shown
    assert password not in shown


def test_a_target_writes_an_ipv6_address_in_brackets():
    target = WinRMTarget("w", "fe80::1", 5986, "https", "ntlm", "u", Secret("p"))
    assert target.endpoint == "https://[fe80::1]:5986/wsman"


def test_the_bootstrap_is_powershell_that_parses():
    language = tree_sitter.Language(tree_sitter_powershell.language())
    assert not tree_sitter.Parser(language).parse(BOOTSTRAP.encode()).root_node.has_error


def test_many_sessions_run_side_by_side_without_mixing_their_answers(host, server, target, opener):
    host.answer(lambda script, json: f"{script}:{json}")

    def work(n: int) -> list[str]:
        session = opener(target(server, "http" if n % 2 else "https"))
        answers = [session.run(f"s{n}", f"{n}.{run}", 20) for run in range(3)]
        session.close()
        return answers

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == [[f"s{n}:{n}.{run}" for run in range(3)] for n in range(16)]
    assert server.open_shells == 0
