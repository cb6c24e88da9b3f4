"""The real haproxy on the lab's balancer: SELinux, the firewall, reloads, logs, the VIP, and a boot."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from labbalancer.balancers import ADDRESS, VIP, Balancer, soon, talk

CONFIG = """global
    log 127.0.0.1:514 local2
    chroot {root}/var/lib/haproxy
    maxconn 4000
    user haproxy
    group haproxy
    description one
    stats socket {root}/var/lib/haproxy/stats mode 600 level admin
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 2s
    timeout client 1m
    timeout server 1m
listen ftp_control
    bind {vip}:2121
    server a 127.0.92.11:29221
listen ftp_data
    bind {vip}:10020-10029
    server a 127.0.92.11
listen stats
    bind *:8080
    mode http
    stats enable
    stats uri /
"""
CLIENT = "127.0.92.50"
PAGE = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A server that says 220 and the peer's address."""
    with socket.create_server(("127.0.92.11", 29221)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            connection, (address, _) = listener.accept()
        except OSError:
            return
        threading.Thread(target=_hold, args=(connection, address), daemon=True).start()


def _hold(connection: socket.socket, address: str) -> None:
    with connection:
        connection.sendall(f"220 {address}\r\n".encode())
        while data := connection.recv(100):
            connection.sendall(data)


@pytest.fixture
def proxy(balancer: Balancer, server: None) -> Balancer:
    """haproxy runs CONFIG, the boolean is on, every port of it is open."""
    if balancer.ssh("rpm -q haproxy").returncode:
        balancer.run("dnf", "-y", "install", "haproxy")
    balancer.configure(CONFIG)
    balancer.run("setenforce", "1")
    balancer.run("setsebool", "-P", "haproxy_connect_any", "on")
    balancer.run("systemctl", "start", "firewalld")
    balancer.run("firewall-cmd", "--reload")
    balancer.run("firewall-cmd", "--add-port=2121/tcp", "--add-port=8080/tcp", "--add-port=10020-10029/tcp")
    balancer.run("systemctl", "restart", "haproxy")
    return balancer


def description(balancer: Balancer) -> str:
    """HAProxy's own word, asked without socat: not every machine has it."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(balancer.root / "var/lib/haproxy/stats"))
        admin.sendall(b"show info\n")
        lines = admin.makefile(encoding="utf-8").read().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("description")), "")


def test_a_client_reaches_the_server_through_the_vip(proxy: Balancer) -> None:
    assert talk(CLIENT, VIP, 2121).startswith(b"220")


def test_the_product_s_admin_socket_answers(proxy: Balancer) -> None:
    assert description(proxy) == "one"


def test_a_port_closed_now_is_refused_and_opened_again_without_a_reload(proxy: Balancer) -> None:
    pid = proxy.run("systemctl", "show", "-p", "MainPID", "haproxy")
    proxy.run("firewall-cmd", "--remove-port=2121/tcp")
    assert talk(CLIENT, VIP, 2121) == b""
    proxy.run("firewall-cmd", "--add-port=2121/tcp")
    assert talk(CLIENT, VIP, 2121).startswith(b"220")
    assert proxy.run("systemctl", "show", "-p", "MainPID", "haproxy") == pid


def test_a_permanent_change_does_nothing_until_the_firewall_reloads(proxy: Balancer) -> None:
    proxy.run("firewall-cmd", "--permanent", "--add-port=8080/tcp")
    proxy.run("firewall-cmd", "--remove-port=8080/tcp")
    assert talk(CLIENT, VIP, 8080, PAGE) == b""
    proxy.run("firewall-cmd", "--reload")
    assert talk(CLIENT, VIP, 8080, PAGE).startswith(b"HTTP/1.1 200")
    proxy.run("firewall-cmd", "--permanent", "--remove-port=8080/tcp")


def test_a_rich_rule_opens_for_one_network_only(proxy: Balancer) -> None:
    proxy.run("firewall-cmd", "--remove-port=8080/tcp")
    proxy.run("firewall-cmd", "--add-rich-rule", "rule family=ipv4 source address=127.0.92.64/26 port port=8080 protocol=tcp accept")
    assert talk("127.0.92.65", VIP, 8080, PAGE).startswith(b"HTTP/1.1 200")
    assert talk("127.0.92.63", VIP, 8080, PAGE) == b""


def test_a_zone_bound_to_a_source_wins(proxy: Balancer) -> None:
    proxy.run("firewall-cmd", "--zone=drop", "--add-source=127.0.92.50/32")
    assert talk(CLIENT, VIP, 2121) == b"" and talk("127.0.92.51", VIP, 2121).startswith(b"220")


def test_the_balancer_itself_is_not_filtered(proxy: Balancer) -> None:
    proxy.run("firewall-cmd", "--remove-port=2121/tcp")
    assert talk("127.0.92.2", VIP, 2121).startswith(b"220")


def test_without_firewalld_everything_is_open(proxy: Balancer) -> None:
    proxy.run("firewall-cmd", "--remove-port=2121/tcp")
    proxy.run("systemctl", "stop", "firewalld")
    assert talk(CLIENT, VIP, 2121).startswith(b"220")


def test_selinux_keeps_haproxy_from_binding(proxy: Balancer) -> None:
    proxy.run("setsebool", "haproxy_connect_any", "off")
    done = proxy.ssh("systemctl restart haproxy; systemctl is-active haproxy; journalctl -u haproxy -n 20 -o cat")
    assert "Job for haproxy.service failed" in done.stderr and done.stdout.startswith("failed\n")
    assert f"for proxy ftp_control: cannot bind socket (Permission denied) for [{VIP}:2121]" in done.stdout
    assert "[127.0.92.100:10020]" in done.stdout and ":8080]" not in done.stdout


@pytest.mark.parametrize("way", ["setenforce 0", "dnf -y -q install policycoreutils-python-utils && semanage permissive -a haproxy_t"])
def test_selinux_lets_it_when_it_is_permissive(proxy: Balancer, way: str) -> None:
    done = proxy.ssh(f"setsebool haproxy_connect_any off && {way} && systemctl restart haproxy")
    reached = talk(CLIENT, VIP, 2121)
    proxy.ssh("semanage permissive -d haproxy_t")
    assert done.returncode == 0 and reached.startswith(b"220")


def test_the_boolean_switched_off_cuts_a_running_proxy_from_its_servers(proxy: Balancer) -> None:
    proxy.run("setsebool", "haproxy_connect_any", "off")
    assert talk(CLIENT, VIP, 2121) == b"" and talk(CLIENT, VIP, 8080, PAGE).startswith(b"HTTP/1.1 200")


def test_a_reload_serves_the_new_file_and_keeps_old_sessions(proxy: Balancer) -> None:
    with socket.create_connection((VIP, 2121), 3, (CLIENT, 0)) as session:
        assert session.recv(100).startswith(b"220")
        proxy.configure(CONFIG.replace("description one", "description two"))
        proxy.run("systemctl", "reload", "haproxy")
        assert soon(lambda: description(proxy) == "two")
        session.sendall(b"still here")
        assert session.recv(100) == b"still here"


def test_a_reload_never_turns_a_connection_away(proxy: Balancer) -> None:
    answers: list[bytes] = []
    stop = threading.Event()
    knocking = threading.Thread(target=lambda: [answers.append(talk(CLIENT, VIP, 2121)) for _ in iter(stop.is_set, True)])
    knocking.start()
    for _ in range(3):
        proxy.run("systemctl", "reload", "haproxy")
        time.sleep(0.2)
    stop.set()
    knocking.join()
    assert len(answers) > 20 and all(answer.startswith(b"220") for answer in answers)


def test_a_reload_of_a_broken_file_fails_and_the_old_worker_serves_on(proxy: Balancer) -> None:
    proxy.configure(CONFIG + "sauce\n")
    done = proxy.ssh("systemctl reload haproxy")
    assert done.returncode == 1 and "Job for haproxy.service failed" in done.stderr
    assert talk(CLIENT, VIP, 2121).startswith(b"220") and description(proxy) == "one"


def test_a_firewall_change_in_the_middle_of_a_reload_is_not_lost(proxy: Balancer) -> None:
    proxy.ssh("systemctl reload haproxy; firewall-cmd --remove-port=2121/tcp")
    assert soon(lambda: talk(CLIENT, VIP, 2121) == b"")
    time.sleep(0.3)
    assert talk(CLIENT, VIP, 2121) == b""


def test_a_vip_that_is_elsewhere_cannot_be_bound(proxy: Balancer) -> None:
    proxy.run("ip", "address", "del", f"{VIP}/32", "dev", "eth0")
    done = proxy.ssh("systemctl restart haproxy; journalctl -u haproxy -n 5 -o cat")
    proxy.run("ip", "address", "add", f"{VIP}/32", "dev", "eth0")
    assert "cannot bind socket (Cannot assign requested address)" in done.stdout


def test_transparent_binds_a_vip_that_is_elsewhere_and_nobody_reaches_it(proxy: Balancer) -> None:
    proxy.configure(CONFIG.replace("bind {vip}:2121", "bind {vip}:2121 transparent").replace("10020-10029", "10020-10029 transparent"))
    proxy.run("ip", "address", "del", f"{VIP}/32", "dev", "eth0")
    proxy.run("systemctl", "restart", "haproxy")
    reached = talk(CLIENT, VIP, 2121)
    proxy.run("ip", "address", "add", f"{VIP}/32", "dev", "eth0")
    assert reached == b"" and talk(CLIENT, VIP, 2121).startswith(b"220")


def test_rsyslog_writes_what_haproxy_logs_once_it_listens(proxy: Balancer) -> None:
    talk(CLIENT, VIP, 2121)
    log = proxy.root / "var/log/haproxy.log"
    assert not log.exists()
    (proxy.root / "etc/rsyslog.d/haproxy.conf").write_text(
        'module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="514")\n'
        f"local2.*    {log}\n& stop\n")
    proxy.run("systemctl", "restart", "rsyslog")
    assert soon(lambda: bool(talk(CLIENT, VIP, 2121)) and log.exists() and "ftp_control ftp_control/a" in log.read_text())
    assert "ftp_control" not in (proxy.root / "var/log/messages").read_text()


def test_the_stats_page_on_loopback_is_reached_through_ssh_only(proxy: Balancer) -> None:
    proxy.configure(CONFIG.replace("bind *:8080", "bind 127.0.0.1:8080"))
    proxy.run("systemctl", "restart", "haproxy")
    assert talk(CLIENT, VIP, 8080, PAGE) == b"" and talk(CLIENT, ADDRESS, 8080, PAGE) == b""


def test_options_of_sysconfig_reach_haproxy(proxy: Balancer) -> None:
    (proxy.root / "etc/haproxy/more.cfg").write_text(f"listen more\n    bind {VIP}:10050\n    server a 127.0.92.11:29221\n")
    (proxy.root / "etc/sysconfig/haproxy").write_text(f'OPTIONS="-f {proxy.root}/etc/haproxy/more.cfg"\n')
    proxy.run("systemctl", "restart", "haproxy")
    proxy.run("firewall-cmd", "--add-port=10050/tcp")
    reached = talk(CLIENT, VIP, 10050)
    (proxy.root / "etc/sysconfig/haproxy").write_text('OPTIONS=""\n')
    assert reached.startswith(b"220")


def test_a_killed_haproxy_is_a_failed_unit(proxy: Balancer) -> None:
    pid = proxy.run("systemctl", "show", "--value", "-p", "MainPID", "haproxy").strip()
    proxy.ssh(f"kill -9 {pid}")
    assert soon(lambda: proxy.ssh("systemctl is-active haproxy").stdout == "failed\n")
    proxy.run("systemctl", "start", "haproxy")



def test_a_log_path_outside_the_root_is_taken_inside_it(proxy: Balancer) -> None:
    (proxy.root / "etc/rsyslog.d/other.conf").write_text("local3.*    /var/log/of-the-host.log\n")
    proxy.configure(CONFIG.replace("log 127.0.0.1:514 local2", "log /dev/log local3"))
    proxy.run("systemctl", "restart", "rsyslog")
    proxy.run("systemctl", "restart", "haproxy")
    log = proxy.root / "var/log/of-the-host.log"
    assert soon(lambda: bool(talk(CLIENT, VIP, 2121)) and log.exists() and "ftp_control" in log.read_text())


def test_copies_of_the_configuration_are_private_and_gone_after_a_stop(proxy: Balancer) -> None:
    copies = list((proxy.root / "lab/haproxy").iterdir())
    assert copies and all(copy.stat().st_mode & 0o077 == 0 for copy in copies)
    proxy.run("systemctl", "stop", "haproxy")
    assert not any(copy.exists() for copy in copies)


def test_a_fragment_that_came_since_the_start_is_served_after_a_reload(proxy: Balancer) -> None:
    fragment = proxy.root / "etc/haproxy/conf.d/more.cfg"
    fragment.write_text(f"listen more\n    bind {VIP}:10051\n    server a 127.0.92.11:29221\n")
    proxy.run("firewall-cmd", "--add-port=10051/tcp")
    proxy.run("systemctl", "reload", "haproxy")
    served = soon(lambda: talk(CLIENT, VIP, 10051).startswith(b"220"))
    fragment.unlink()
    proxy.run("systemctl", "reload", "haproxy")
    assert served and soon(lambda: talk(CLIENT, VIP, 10051) == b"")


def test_a_drop_in_counts_after_daemon_reload(proxy: Balancer) -> None:
    drop_in = proxy.root / "etc/systemd/system/haproxy.service.d/more.conf"
    drop_in.parent.mkdir(parents=True)
    proxy.run("systemctl", "daemon-reload")
    drop_in.write_text('[Service]\nEnvironment="OPTIONS=-L other"\n')
    done = proxy.ssh("systemctl reload haproxy; systemctl daemon-reload; systemctl show -p DropInPaths -p NeedDaemonReload haproxy")
    assert "changed on disk. Run 'systemctl daemon-reload'" in done.stderr
    assert done.stdout == f"DropInPaths={drop_in}\nNeedDaemonReload=no\n"
