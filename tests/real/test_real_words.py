"""The same conversations as the lab's stand-ins have (tests/labbalancer/cases), with a machine that really boots.

Where the two differ, the real one is right.
"""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from labbalancer.conversations import Answer, cases
from real.balancer import ADDRESS, Balancer
from real.world import NET, World

VIP = f"{NET}.100"
TYPIST = Path(__file__).with_name("typist.py").read_text()
# Addresses as NetworkManager makes them on EL, the package that tells dnf the release, and a user who is not root.
AS_ON_EL = f"""
set -e; cd /
ip address del {ADDRESS}/24 dev eth0
ip address add {ADDRESS}/24 brd + noprefixroute dev eth0
ip address add {VIP}/32 dev eth0
ip route add {NET}.0/24 dev eth0 proto kernel scope link src {ADDRESS} metric 100
echo '{ADDRESS} lb1' >>/etc/hosts
useradd --uid 1000 --user-group --create-home admin
printf '%s\\n' 'Name: release' 'Version: 9' 'Release: 1' 'Summary: tells dnf' 'License: none' 'BuildArch: noarch' \
    'Provides: system-release(releasever) = 9' '%description' '%files' >/tmp/release.spec
rpmbuild -bb --quiet --define '_topdir /tmp/release' /tmp/release.spec
rpm -i --nodeps /tmp/release/RPMS/noarch/*.rpm 2>&1
"""


class Console:
    """Somebody types at the machine."""

    def __init__(self, balancer):
        self._balancer = balancer
        version = balancer.shell("rpm -qp --qf '%{VERSION}' /srv/repo/haproxy-*.rpm 2>/dev/null")
        self.values = {"root": "", "version": version, "address": ADDRESS, "source": ADDRESS, "vip": VIP, "net": NET,
                       "units": "/lib/systemd/system", "rsyslog": "8.2302.0"}

    def type_in(self, case):
        asked = {"given": list(case.given), "user": case.user, "lines": case.lines(self.values)}
        said = self._balancer.run("python3", "-c", TYPIST, input=json.dumps(asked)).stdout
        return [Answer(*answer) for answer in json.loads(said)]


@pytest.fixture(scope="module")
def console(image):
    folder = Path(tempfile.mkdtemp(prefix=f"pr-{os.getpid()}-"))
    with contextlib.closing(World()) as world:
        balancer = Balancer(world, image, folder / "balancer", "")
        balancer.shell(AS_ON_EL)
        yield Console(balancer)
    shutil.rmtree(folder)


@pytest.mark.parametrize("case", [case for case in cases() if case.is_for("real")], ids=lambda case: case.title)
def test_a_real_tool_answers_as_the_case_says(console, case):
    case.check(console.type_in(case), console.values, "real")
