"""The article's cluster on real systems, its file unmodified: from nothing to built, by hand and back. In this order."""

from pathlib import Path

import pytest

from provision.model.ports import PortSet

ARTICLE = Path(__file__).parents[2] / "clusters" / "article.yml"
PORTS = (21, 8080, 10000, 10020)
EDITS = {
    "closed and edited": {
        "firewall-cmd --remove-port=10005-10007/tcp": "firewall",
        "sed -i s/leastconn/roundrobin/ /etc/haproxy/haproxy.cfg": "file",
        "systemctl disable haproxy": "service",
    },
    "closed at boot and stopped": {
        "firewall-cmd --permanent --remove-port=21/tcp": "firewall",
        "chmod 644 /etc/haproxy/haproxy.cfg": "file",
        "systemctl stop haproxy": "service",
    },
    "closed now and killed": {
        "for one in $(firewall-cmd --list-ports); do firewall-cmd --remove-port=$one; done": "firewall",
        "rm /etc/rsyslog.d/provision-article.conf": "file",
        "systemctl kill -s KILL haproxy; sleep 1": "service",
    },
    "logging stopped": {"systemctl stop syslog.socket rsyslog": "service"},
}


def states(lab, *ports):
    return {lab.reaches(port) for port in ports}


def open_ports(listed):
    return PortSet.parse(listed.replace("/tcp", "").replace(" ", ","))


def ruleset(lab):
    return lab.balancer.shell("nft -s list ruleset")


def services(lab):
    """What would be another after a restart or a reload: processes, and when systemd saw them start."""
    properties = "MainPID,ActiveEnterTimestampMonotonic,InvocationID,NRestarts"
    units = lab.balancer.shell(f"systemctl show -p {properties} haproxy rsyslog firewalld")
    children = lab.balancer.shell("pgrep haproxy")
    stamps = lab.balancer.shell("stat -c '%n %y %i' /etc/haproxy/haproxy.cfg /etc/rsyslog.d/*.conf /etc/firewalld/zones/*")
    return units, children, stamps, [server.ask(do="status")["services"] for server in lab.servers.values()]


def test_01_before_the_first_run_no_client_gets_in(lab):
    assert lab.desk.provision("drift", "article", code=2)
    assert states(lab, *PORTS) == {"filtered"}


def test_02_a_plan_says_that_selinux_is_disabled_and_changes_nothing(lab):
    before = ruleset(lab)
    said = lab.desk.provision("plan", "article", "-v").stdout
    assert "SELinux is disabled" in said
    assert "haproxy" in said
    assert ruleset(lab) == before
    assert "not installed" in lab.balancer.run("rpm", "-q", "haproxy", check=False).stdout


def test_03_one_command_builds_it_with_the_machines_own_tools(built):
    assert built.desk.json("drift", "article", code=0)["differences"] == []
    assert built.balancer.shell("rpm -q haproxy").startswith("haproxy-2.6")
    assert built.balancer.shell("dnf -q repoquery --userinstalled haproxy").startswith("haproxy")
    changed = built.balancer.shell("rpm -V haproxy", check=False).splitlines()
    assert [line.split()[-1] for line in changed] == ["/etc/haproxy/haproxy.cfg"]
    assert built.balancer.shell("systemctl is-enabled haproxy; systemctl is-active haproxy") == "enabled\nactive"


def test_04_the_ports_are_open_now_and_at_boot(built):
    assert states(built, *PORTS[:2]) == {"open"}
    now, at_boot = (built.balancer.shell(f"firewall-cmd {how} --list-ports") for how in ("", "--permanent"))
    assert set(now.split()) == set(at_boot.split()) == {"21/tcp", "8080/tcp", "10000-10020/tcp"}
    assert "tcp dport 10000-10020" in ruleset(built)


def test_05_a_file_goes_up_and_down_through_the_vip(built):
    built.client("curl", "-sS", "-T", "/etc/services", built.ftp_url("services"))
    down = built.client("curl", "-sS", built.ftp_url("services"), text=False).stdout
    assert down == Path("/etc/services").read_bytes()


def test_06_a_second_run_changes_restarts_and_reloads_nothing(built):
    before = services(built)
    assert built.desk.json("cluster", "article", "--yes", code=0)["outcome"] == "unchanged"
    assert services(built) == before


@pytest.mark.parametrize("edits", EDITS.values(), ids=EDITS)
def test_07_what_is_changed_by_hand_is_found_and_mended(built, edits):
    for command in edits:
        built.balancer.shell(command)
    found = built.desk.json("drift", "article", code=2)["differences"]
    assert {one["kind"] for one in found} == set(edits.values()), found
    built.desk.provision("cluster", "article", "--yes", code=0)
    assert built.desk.json("drift", "article", code=0)["differences"] == []
    assert built.client("curl", "-sS", built.ftp_url("services")).stdout


def test_08_a_reload_of_the_firewall_leaves_the_ports_open(built):
    built.balancer.shell("firewall-cmd --reload")
    assert states(built, *PORTS[:2]) == {"open"}
    assert built.client("curl", "-sS", built.ftp_url("services")).stdout


def test_09_without_firewalld_nothing_is_taken_for_open(built):
    built.balancer.shell("systemctl stop firewalld")
    said = built.desk.provision("drift", "article", "-v")
    built.balancer.shell("systemctl start firewalld")
    assert "firewalld" in said.stdout + said.stderr
    built.desk.provision("drift", "article", code=0)


def test_10_each_session_is_logged_with_client_and_balancer_port(built):
    built.client("curl", "-sS", "--interface", "192.168.1.55", built.ftp_url("services"))
    line = built.balancer.shell("sleep 1; grep 192.168.1.55: /var/log/haproxy.log | tail -n 1")
    assert "FTPVIP/WinFTPServer2016FTP" in line
    assert " 192.168.1.123:" in line


def test_11_after_a_reboot_it_serves_as_before(built):
    built.balancer.reboot()
    assert states(built, *PORTS[:2]) == {"open"}
    assert built.desk.json("drift", "article", code=0)["differences"] == []
    assert built.client("curl", "-sS", built.ftp_url("services")).stdout


def test_12_a_range_that_shrinks_and_grows_is_followed_by_firewall_and_servers(built):
    narrow = built.folder / "narrow.yml"
    narrow.write_text(ARTICLE.read_text().replace("10000-10020", "10000-10009"))
    for file, ports in ((narrow, "10000-10009"), (ARTICLE, "10000-10020")):
        built.desk.provision("cluster", str(file), "--yes", code=0)
        now, at_boot = (built.balancer.shell(f"firewall-cmd {how} --list-ports") for how in ("", "--permanent"))
        assert open_ports(now) == open_ports(at_boot) == PortSet.parse(f"21,8080,{ports}")
        assert built.client("curl", "-sS", built.ftp_url("services")).stdout


def test_13_the_way_back_closes_everything_and_keeps_the_package(built):
    said = built.desk.provision("rollback", "article", "--to", "0", "--yes", code=0).stdout
    assert "package haproxy is kept" in said
    assert states(built, *PORTS) == {"filtered"}
    assert built.balancer.shell("systemctl is-enabled haproxy; systemctl is-active haproxy", check=False) == "disabled\ninactive"
    assert built.balancer.shell("firewall-cmd --permanent --list-ports; ls /etc/rsyslog.d") == ""
    report = built.desk.json("drift", "article", code=2)["differences"]
    assert {one["live"] for one in report if one["kind"] in ("data-channel-ports", "external-address")} == {None}


def test_14_and_forward_again(built):
    built.desk.provision("cluster", "article", "--yes", code=0)
    assert built.client("curl", "-sS", built.ftp_url("services")).stdout
