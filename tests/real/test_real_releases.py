"""A sliced cluster on balancers one release older and one newer than the rest is tried on. In this order.

What they stand for: firewalld 0.9 is EL8's, and HAProxy 2.2 lies between EL8's and EL9's; firewalld 2.3 and HAProxy 3.0
are EL10's.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from real.clusterfiles import SLICED, written
from real.house import CLIENTS, VIP, house
from real.image import NEWER, OLDER, image_of
from real.needs import missing
from real.test_real_article import open_ports, services
from real.test_real_world import soon
from real.test_real_sliced import SERVERS, STRANGERS, stranger

from provision.model.ports import PortSet

GOLDEN = sorted((Path(__file__).parents[1] / "balancer/golden").glob("*-main-*.cfg"))
RELOADS = 5
EDITS = {
    "firewall-cmd --remove-port=10005-10007/tcp": "firewall",
    "firewall-cmd --permanent --remove-port=21/tcp": "firewall",
    "sed -i s/leastconn/roundrobin/ /etc/haproxy/haproxy.cfg": "file",
    "systemctl disable haproxy": "service",
}


@pytest.fixture(scope="module", params=[OLDER, NEWER], ids=["older", "newer"])
def release(request):
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    with image_of(request.param) as image, house(image, SERVERS) as lab:
        for site in (lab.share / "files").iterdir():
            (site / "probe").mkdir()
        lab.file = written(lab.folder, "sliced", SLICED)
        yield lab


def version(lab):
    """HAProxy's, as numbers."""
    said = lab.balancer.shell("haproxy -v | sed -n 's/^HA-*Proxy version \\([0-9]*\\.[0-9]*\\).*/\\1/p'")
    return tuple(map(int, said.split(".")))


def talking(lab):
    """How a client is started that one talks to."""
    env = {"FTP_PASSWORD": lab.passwords["ftp"], "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return {"env": env, "text": True, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def test_1_it_is_another_release_than_the_others_tests_have(release):
    firewalld = release.balancer.shell("firewall-cmd --version")
    assert firewalld.startswith(("0.9.", "2."))


def test_2_one_command_builds_it_and_a_second_changes_nothing(release):
    release.desk.provision("cluster", release.file, "--yes", code=0)
    assert release.desk.json("drift", release.file, code=0)["differences"] == []
    before = services(release)
    assert release.desk.json("cluster", release.file, "--yes", code=0)["outcome"] == "unchanged"
    assert services(release) == before
    assert version(release) in ((2, 2), (3, 0))


@pytest.mark.parametrize("tls", ["plain", "tls"])
def test_3_twenty_clients_at_once_get_their_own_bytes(release, tls):
    assert stranger(release, "crowd", VIP, tls, *CLIENTS[:20])["same"] == [True] * 20


def test_4_health_and_sessions_are_understood(release):
    release.desk.provision("status", release.file, code=0)
    client = release.world.start(sys.executable, STRANGERS, "looping", VIP, at="client", **talking(release))
    told = soon(lambda: json.dumps(release.desk.json("sessions", release.file, code=0)).count('"192.168.1.5'))
    client.communicate("stop\n", timeout=60)
    assert told


def test_5_what_is_changed_by_hand_is_found_and_mended(release):
    for command in EDITS:
        release.balancer.shell(command)
    found = release.desk.json("drift", release.file, code=2)["differences"]
    assert {one["kind"] for one in found} == set(EDITS.values()), found
    release.desk.provision("cluster", release.file, "--yes", code=0)
    assert release.desk.json("drift", release.file, code=0)["differences"] == []


def test_6_a_range_that_shrinks_and_grows_is_followed_by_the_firewall(release):
    narrow = written(release.folder, "narrow", SLICED.replace("10000-10299", "10000-10149"))
    for file, ports in ((narrow, "10000-10149"), (release.file, "10000-10299")):
        release.desk.provision("cluster", file, "--yes", code=0)
        now, at_boot = (release.balancer.shell(f"firewall-cmd {how} --list-ports") for how in ("", "--permanent"))
        assert open_ports(now) == open_ports(at_boot) == PortSet.parse(f"21,{ports}")


def test_7_nobody_is_refused_during_reloads(release):
    client = release.world.start(sys.executable, STRANGERS, "looping", VIP, at="client", **talking(release))
    for _ in range(RELOADS):
        release.balancer.shell("systemctl reload haproxy; sleep 0.3")
    assert json.loads(client.communicate("stop\n", timeout=60)[0])["failures"] == []
    if version(release) < (2, 6):  # later ones pass them on without being told
        assert "-x /var/lib/haproxy/stats" in release.balancer.shell("pgrep -a haproxy")


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_8_its_haproxy_accepts_every_golden_file_up_to_its_own_version(release, golden):
    written_for = tuple(map(int, golden.stem.rpartition("-")[2].split(".")))
    if written_for > version(release):
        pytest.skip("written for a newer HAProxy")
    release.balancer.write("/root/golden.cfg", golden.read_text())
    assert release.balancer.run("haproxy", "-c", "-f", "/root/golden.cfg", check=False).returncode == 0


def test_9_the_way_back_closes_everything(release):
    release.desk.provision("rollback", release.file, "--to", "0", "--yes", code=0)
    assert release.balancer.shell("firewall-cmd --list-ports; firewall-cmd --permanent --list-ports").strip() == ""
    assert release.reaches(21) == "filtered"
