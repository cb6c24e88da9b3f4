from __future__ import annotations

import logging
import os
import socket
import threading
import time

import asyncssh
import pytest
from ssh_server import ADDRESS

from provision.errors import ConnectionFailed
from provision.model.command import ShellScript
from provision.model.secret import Secret
from provision.remote.ssh import open_ssh
from provision.remote.ssh_target import SshTarget

pytestmark = pytest.mark.timeout(60)


def target_of(server, tmp_path, user="root", password="right-password", **more):
    known = more.pop("known_hosts", None) or server.known_hosts(tmp_path)
    secret = Secret(password) if password else None
    return SshTarget("lb1", ADDRESS, server.port, user, None, secret, known_hosts=known, connect_timeout=5.0, **more)


@pytest.fixture
def session(start, tmp_path):
    one = open_ssh(target_of(start(), tmp_path))
    yield one
    one.close()


def refused(target, script="true"):
    with pytest.raises(ConnectionFailed) as caught:
        open_ssh(target).run(ShellScript("test", script), 10)
    return caught.value


def sudo(tmp_path, body):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sudo").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "sudo").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_a_script_gets_its_arguments_and_then_its_payload_on_the_same_stream(session):
    script = ShellScript("echo", 'printf "%s|" "$@"; cat', ("a b", "it's", "$(id)"), b"\0payload\n")
    result = session.run(script, 10)
    assert (result.status, result.stdout) == (0, b"a b|it's|$(id)|\0payload\n")


def test_a_payload_is_read_whole_by_head_under_a_shell_that_reads_ahead(session):
    result = session.run(ShellScript("head", "head -c 4; echo; read -r line; echo $line", (), b"ABCDrest\n"), 10)
    assert result.stdout == b"ABCD\nrest\n"


def test_status_and_both_streams_come_back(session):
    result = session.run(ShellScript("fails", "echo out; echo err >&2; exit 7"), 10)
    assert (result.status, result.stdout, result.stderr) == (7, b"out\n", b"err\n")


def test_a_megabyte_goes_in_and_comes_out(session):
    data = os.urandom(1_000_000)
    assert session.run(ShellScript("cat", "cat", (), data), 30).stdout == data


def test_three_scripts_are_one_connection_and_three_execs(session):
    for _ in range(3):
        session.run(ShellScript("true", "true"), 10)
    assert (session.connections, session.execs) == (1, 3)


def test_nothing_is_contacted_before_the_first_run():
    session = open_ssh(SshTarget("lb1", "203.0.113.1"))
    assert (session.connections, session.execs) == (0, 0)


def test_a_deadline_ends_a_script_that_does_not_end(session):
    began = time.monotonic()
    with pytest.raises(ConnectionFailed, match="did not end in time") as caught:
        session.run(ShellScript("sleep", "sleep 30"), 1.0)
    assert caught.value.code == "P225"
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_given_up_at_the_connect_deadline(tmp_path):
    with socket.create_server((ADDRESS, 0)) as mute:
        (tmp_path / "known").write_text("")
        target = SshTarget("lb1", ADDRESS, mute.getsockname()[1], "root", known_hosts=tmp_path / "known", connect_timeout=1)
        began = time.monotonic()
        assert refused(target).code in ("P224", "P228")
        assert time.monotonic() - began < 6


def test_output_without_end_is_cut_off(session):
    with pytest.raises(ConnectionFailed) as caught:
        session.run(ShellScript("yes", "yes 0123456789012345678901234567890123456789"), 60)
    assert caught.value.code == "P226"


def test_a_wrong_password_is_tried_once_and_named(start, tmp_path):
    server = start()
    error = refused(target_of(server, tmp_path, password="wrong-password"))
    assert error.code == "P223"
    assert server.account.guesses == ["wrong-password"]


def test_an_unknown_host_key_is_refused_before_any_password_is_said(start, tmp_path):
    server = start()
    (tmp_path / "empty").write_text("")
    assert refused(target_of(server, tmp_path, known_hosts=tmp_path / "empty")).code == "P222"
    assert server.account.guesses == []


def test_a_changed_host_key_is_another_error_and_says_how_to_go_on(start, tmp_path):
    server = start()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (tmp_path / "other").write_text(f"[{ADDRESS}]:{server.port} {other}")
    error = refused(target_of(server, tmp_path, known_hosts=tmp_path / "other"))
    assert (error.code, f"ssh-keygen -f {tmp_path / 'other'} -R" in error.next) == ("P221", True)
    assert server.account.guesses == []


def test_a_closed_port_and_a_missing_key_file_are_told_apart(tmp_path):
    (tmp_path / "known").write_text("")
    closed = SshTarget("lb1", ADDRESS, 1, "root", known_hosts=tmp_path / "known")
    missing = SshTarget("lb1", ADDRESS, 1, "root", key_file=tmp_path / "none", known_hosts=tmp_path / "known")
    assert (refused(closed).code, refused(missing).code) == ("P220", "P229")


def test_a_key_file_logs_in(start, tmp_path):
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "id")
    server = start(password=None, key=key.export_public_key().decode())
    target = SshTarget("lb1", ADDRESS, server.port, "root", tmp_path / "id", known_hosts=server.known_hosts(tmp_path))
    assert open_ssh(target).run(ShellScript("hi", "echo hi"), 10).stdout == b"hi\n"


def test_an_ordinary_user_goes_through_sudo_without_a_question(start, tmp_path):
    server = start(path=sudo(tmp_path, '[ "$1" = -n ] || exit 9; shift; echo sudo >&2; exec "$@"'))
    result = open_ssh(target_of(server, tmp_path, user="admin")).run(ShellScript("cat", "cat", (), b"payload"), 10)
    assert (result.stdout, result.stderr) == (b"payload", b"sudo\n")


def test_sudo_that_wants_a_password_and_has_none_is_named(start, tmp_path):
    server = start(path=sudo(tmp_path, 'echo "sudo: a password is required" >&2; exit 1'))
    error = refused(target_of(server, tmp_path, user="admin"))
    assert (error.code, error.why) == ("P227", "sudo: a password is required")


ASKS = """shift; prompt=$2; shift 2
for try in 1 2 3; do
    printf '%s' "$prompt" >&2
    IFS= read -r given || exit 1
    printf '%s\\n' "$given" >>{log}
    [ "$given" = sudo-password ] && exec "$@"
    echo "Sorry, try again." >&2
done
exit 1"""


def test_sudo_gets_its_password_when_it_asks(start, tmp_path):
    server = start(path=sudo(tmp_path, ASKS.format(log=tmp_path / "log")))
    target = target_of(server, tmp_path, user="admin", sudo_password=Secret("sudo-password"))
    result = open_ssh(target).run(ShellScript("cat", "cat", (), b"payload"), 10)
    assert (result.status, result.stdout) == (0, b"payload")
    assert (tmp_path / "log").read_text() == "sudo-password\n"


def test_a_wrong_sudo_password_is_guessed_once(start, tmp_path):
    server = start(path=sudo(tmp_path, ASKS.format(log=tmp_path / "log")))
    error = refused(target_of(server, tmp_path, user="admin", sudo_password=Secret("wrong-one")))
    assert error.code == "P227"
    assert (tmp_path / "log").read_text() == "wrong-one\n"


def test_the_sudo_password_is_not_sent_when_sudo_does_not_ask(start, tmp_path):
    server = start(path=sudo(tmp_path, 'shift 3; exec "$@"'))
    target = target_of(server, tmp_path, user="admin", sudo_password=Secret("sudo-password"))
    assert open_ssh(target).run(ShellScript("cat", "cat", (), b"payload"), 10).stdout == b"payload"


def test_what_a_login_shell_prints_first_is_not_output(start, tmp_path):
    server = start(path=sudo(tmp_path, 'echo Welcome; shift; exec "$@"'))
    assert open_ssh(target_of(server, tmp_path, user="admin")).run(ShellScript("x", "echo x"), 10).stdout == b"x\n"


def test_a_channel_reaches_a_port_beyond_the_balancer(session):
    with socket.create_server((ADDRESS, 0)) as there:
        threading.Thread(target=lambda: there.accept()[0].sendall(b"220 hello"), daemon=True).start()
        channel = session.open_channel(ADDRESS, there.getsockname()[1])
        channel.settimeout(5)
        assert channel.recv(100) == b"220 hello"


def test_a_channel_to_a_closed_port_is_an_oserror(session):
    with pytest.raises(ConnectionRefusedError):
        session.open_channel(ADDRESS, 1)


def test_a_session_that_died_is_opened_anew(session):
    session.run(ShellScript("x", "true"), 10)
    session._connection.transport.close()
    assert session.run(ShellScript("x", "echo again"), 10).stdout == b"again\n"
    assert session.connections == 2


def test_paramiko_logs_nothing_even_when_someone_turns_debugging_on(session, caplog):
    with caplog.at_level(logging.DEBUG):
        session.run(ShellScript("x", "true"), 10)
    assert not [one for one in caplog.records if one.name.startswith(("paramiko", "fabric", "invoke"))]


def test_the_socket_does_not_wait_to_fill_packets(session):
    session.run(ShellScript("x", "true"), 10)
    raw = session._connection.transport.sock
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
