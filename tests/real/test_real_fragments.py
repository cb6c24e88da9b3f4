"""A balancer that already serves others: two clusters beside a foreign haproxy.cfg, and what was there survives."""

import pytest
from real.clusterfiles import FRAGMENT, written
from real.house import house

EAST, WEST = "192.168.1.123", "192.168.1.124"
SERVERS = {"east1": "192.168.1.110", "east2": "192.168.1.111", "west1": "192.168.1.112", "west2": "192.168.1.113"}
FOREIGN = """
listen other
    bind *:8888
    mode tcp
    timeout client 1m
    timeout server 1m
    server ssh 127.0.0.1:22
"""


@pytest.fixture(scope="module")
def shared(image):
    """haproxy was installed by hand, with a section of its own and a port open for it."""
    with house(image, SERVERS) as lab:
        for site in (lab.share / "files").iterdir():
            (site / "probe").mkdir()
        lab.world.run("ip", "-n", "lb1", "address", "add", f"{WEST}/24", "dev", "eth0")
        lab.balancer.shell("dnf -y -q install haproxy")
        lab.balancer.write("/etc/haproxy/haproxy.cfg", lab.balancer.shell("cat /etc/haproxy/haproxy.cfg") + "\n" + FOREIGN)
        lab.balancer.shell("systemctl enable --now haproxy; firewall-cmd --add-port=8888/tcp --add-port=10050/tcp")
        lab.balancer.shell("firewall-cmd --permanent --add-port=8888/tcp --add-port=10050/tcp")
        clusters = {"east": (EAST, "10000-10099", SERVERS["east1"], SERVERS["east2"]),
                    "west": (WEST, "10100-10199", SERVERS["west1"], SERVERS["west2"])}  # fmt: skip
        for name, (vip, ports, first, second) in clusters.items():
            text = FRAGMENT.format(name=name, vip=vip, ports=ports, first=first, second=second)
            setattr(lab, name, written(lab.folder, name, text))
        yield lab


def foreign(lab):
    """What is not ours: the main file, the section's service, the ports."""
    main = lab.balancer.shell("sha256sum /etc/haproxy/haproxy.cfg; stat -c '%a %Y' /etc/haproxy/haproxy.cfg")
    ports = [set(lab.balancer.shell(f"firewall-cmd {how} --list-ports").split()) & {"8888/tcp"} for how in ("", "--permanent")]
    return main, ports, lab.reaches(8888)


def listed(lab, vip):
    return lab.client("curl", "-sS", "-l", lab.ftp_url(vip=vip), check=False).stdout


def test_1_the_first_cluster_comes_beside_what_was_there(shared):
    before = foreign(shared)
    shared.desk.provision("cluster", shared.east, "--yes", code=0)
    assert "probe" in listed(shared, EAST)
    assert foreign(shared) == before


def test_2_the_second_cluster_does_not_disturb_the_first(shared):
    before = foreign(shared)
    shared.desk.provision("cluster", shared.west, "--yes", code=0)
    assert "probe" in listed(shared, EAST)
    assert "probe" in listed(shared, WEST)
    for cluster in (shared.east, shared.west):
        assert shared.desk.json("drift", cluster, code=0)["differences"] == []
    assert foreign(shared) == before


def test_3_both_clusters_log(shared):
    names = shared.balancer.shell("sleep 1; cat /var/log/haproxy.log")
    assert "ftp_control_east/" in names
    assert "ftp_control_west/" in names


def test_4_the_second_goes_and_the_first_stays(shared):
    before = foreign(shared)
    shared.desk.provision("rollback", shared.west, "--to", "0", "--yes", code=0)
    assert listed(shared, WEST) == ""
    assert "probe" in listed(shared, EAST)
    assert shared.desk.json("drift", shared.east, code=0)["differences"] == []
    assert foreign(shared) == before


def test_5_the_first_goes_and_the_machine_is_as_it_was(shared):
    shared.desk.provision("rollback", shared.east, "--to", "0", "--yes", code=0)
    assert listed(shared, EAST) == ""
    assert shared.balancer.shell("ls /etc/haproxy/conf.d /etc/rsyslog.d") == "/etc/haproxy/conf.d:\n\n/etc/rsyslog.d:"
    ports = shared.balancer.shell("firewall-cmd --permanent --list-ports")
    assert set(ports.split()) == {"8888/tcp", "10050/tcp"}
    assert shared.reaches(8888) == "open"


def test_6_when_the_first_goes_first_the_second_shows_drift_and_can_be_mended(shared):
    for cluster in (shared.east, shared.west):
        shared.desk.provision("cluster", cluster, "--yes", code=0)
    shared.desk.provision("rollback", shared.east, "--to", "0", "--yes", code=0)
    found = shared.desk.json("drift", shared.west, code=2)["differences"]
    assert {one["kind"] for one in found} == {"firewall", "file"}
    shared.desk.provision("cluster", shared.west, "--yes", code=0)
    assert "probe" in listed(shared, WEST)
    assert shared.reaches(8888) == "open"
