"""Unmodified SSH clients log in, run commands, copy files and open tunnels."""

from __future__ import annotations

import io
import socket
import subprocess
import threading

import fabric
import paramiko
import pytest
from labbalancer.balancers import ADDRESS, PORT, Balancer


def paramiko_client(balancer: Balancer, **how: object) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.load_host_keys(str(balancer.root / "known"))
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(ADDRESS, PORT, "root", allow_agent=False, look_for_keys=False, **how)
    return client


def test_openssh_gets_output_errors_and_the_exit_status(balancer: Balancer) -> None:
    done = balancer.ssh("echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 7)


def test_a_script_comes_on_standard_input_with_arguments(balancer: Balancer) -> None:
    done = balancer.ssh("sh -s -- one 'two words'", stdin='for word; do echo "<$word>"; done\n')
    assert done.stdout == "<one>\n<two words>\n"


def test_a_megabyte_goes_through_unharmed(balancer: Balancer) -> None:
    text = "0123456789abcde\n" * 65536
    assert balancer.ssh("cat | cat", stdin=text).stdout == text


def test_the_command_runs_in_the_root(balancer: Balancer) -> None:
    assert balancer.ssh("pwd").stdout == f"{balancer.root}\n"


def test_nothing_of_the_operators_environment_comes_through(balancer: Balancer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_SECRET", "canary")
    done = subprocess.run([*balancer.ssh_words("-o", "SendEnv=LC_SECRET"), "env"], capture_output=True, text=True, timeout=20)
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert names <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR", "LAB_USER", "PWD", "_", "SHLVL", "OLDPWD"}


def test_a_person_gets_a_terminal(balancer: Balancer) -> None:
    done = subprocess.run([*balancer.ssh_words("-tt")], input="tty; echo $((6*7)); exit 3\n", capture_output=True, text=True, timeout=20)
    assert "/dev/pts/" in done.stdout and "42" in done.stdout and done.returncode == 3


def test_paramiko_logs_in_with_the_key(balancer: Balancer) -> None:
    with paramiko_client(balancer, key_filename=str(balancer.root / "key")) as client:
        _, out, _ = client.exec_command("systemctl is-active firewalld", timeout=10)
        assert out.read() == b"active\n"


def test_paramiko_logs_in_with_the_password(balancer: Balancer) -> None:
    with paramiko_client(balancer, password="by word of mouth") as client:
        _, out, _ = client.exec_command("id -un", timeout=10)
        assert out.read() == b"root\n"


def test_a_wrong_password_is_refused(balancer: Balancer) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        paramiko_client(balancer, password="guess")


def test_a_strangers_key_is_refused(balancer: Balancer) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        paramiko_client(balancer, pkey=paramiko.ECDSAKey.generate())


def test_fabric_runs_a_script_from_standard_input(balancer: Balancer) -> None:
    with fabric.Connection(ADDRESS, "root", PORT, connect_kwargs={"key_filename": str(balancer.root / "key")}) as connection:
        result = connection.run("sh -s -- a", in_stream=io.StringIO("echo got $1; exit 3\n"), hide=True, warn=True)
    assert (result.stdout, result.exited) == ("got a\n", 3)


def test_sftp_reads_and_writes_below_the_root(balancer: Balancer) -> None:
    with paramiko_client(balancer, key_filename=str(balancer.root / "key")) as client, client.open_sftp() as sftp:
        sftp.putfo(io.BytesIO(b"text"), f"{balancer.root}/tmp/there")
        assert sftp.open("tmp/there").read() == b"text"


@pytest.mark.parametrize("path", ["/etc/hosts", "../../etc/hosts", "tmp/way-out/hosts"])
def test_sftp_does_not_leave_the_root(balancer: Balancer, path: str) -> None:
    (balancer.root / "tmp/way-out").unlink(missing_ok=True)
    (balancer.root / "tmp/way-out").symlink_to("/etc")
    with paramiko_client(balancer, key_filename=str(balancer.root / "key")) as client, client.open_sftp() as sftp:
        with pytest.raises(PermissionError):
            sftp.open(path).read()


def test_a_tunnel_leaves_from_the_balancers_source_address(balancer: Balancer) -> None:
    with socket.create_server(("127.0.92.11", 0)) as server:
        port = server.getsockname()[1]
        seen: list[str] = []
        threading.Thread(target=lambda: seen.append(_greet(server)), daemon=True).start()
        done = subprocess.run([*balancer.ssh_words("-W", f"127.0.92.11:{port}")], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
    assert (done.stdout, seen) == (b"220 hello\r\n", ["127.0.92.2"])


def _greet(server: socket.socket) -> str:
    connection, (address, _) = server.accept()
    with connection:
        connection.sendall(b"220 hello\r\n")
    return str(address)


def test_a_tunnel_to_nobody_is_refused(balancer: Balancer) -> None:
    with paramiko_client(balancer, key_filename=str(balancer.root / "key")) as client:
        with pytest.raises(paramiko.ChannelException, match="(?i)refused|failed"):
            client.get_transport().open_channel("direct-tcpip", ("127.0.92.11", 9), ("127.0.0.1", 0), timeout=10)


def test_a_tunnel_to_loopback_does_not_reach_this_machines_services(balancer: Balancer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as private:
        with paramiko_client(balancer, key_filename=str(balancer.root / "key")) as client:
            with pytest.raises(paramiko.ChannelException):
                client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", private.getsockname()[1]), ("127.0.0.1", 0), timeout=10)


def test_a_command_ends_with_its_connection(balancer: Balancer) -> None:
    client = paramiko_client(balancer, key_filename=str(balancer.root / "key"))
    _, out, _ = client.exec_command("echo $$; sleep 600", timeout=10)
    pid = int(out.readline())
    client.close()
    done = balancer.ssh(f"for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 {pid} 2>/dev/null || exit 0; sleep 0.1; done; exit 1")
    assert done.returncode == 0
