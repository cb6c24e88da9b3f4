"""Somebody types at a balancer that really booted, alone in its world: what the lab's stand-ins are compared with.

It is made to look like EL where Debian's difference is no tool's: addresses as NetworkManager adds them, the release's
name, an account that is not root.
"""

import contextlib
import json
from pathlib import Path

from labbalancer.conversations import Answer
from real.balancer import ADDRESS, Balancer
from real.world import NET, sealed

VIP = f"{NET}.100"
TYPIST = Path(__file__).with_name("typist.py").read_text()
AS_ON_EL = f"""
set -e; cd /
ip address del {ADDRESS}/24 dev eth0
ip address add {ADDRESS}/24 brd + noprefixroute dev eth0
ip address add {VIP}/32 dev eth0
ip route add {NET}.0/24 dev eth0 proto kernel scope link src {ADDRESS} metric 100
echo '{ADDRESS} lb1' >>/etc/hosts
echo 'Rocky Linux release 9.4 (Blue Onyx)' >/etc/redhat-release
useradd --uid 1000 --user-group --create-home admin
printf '%s\\n' 'Name: release' 'Version: 9' 'Release: 1' 'Summary: tells dnf' 'License: none' 'BuildArch: noarch' \\
    'Provides: system-release(releasever) = 9' '%description' '%files' >/tmp/release.spec
rpmbuild -bb --quiet --define '_topdir /tmp/release' /tmp/release.spec
rpm -i --nodeps /tmp/release/RPMS/noarch/*.rpm 2>&1
"""


class Console:
    """Conversations one after the other, each with the machine as it was at first."""

    def __init__(self, balancer):
        self.balancer = balancer
        version = balancer.shell("rpm -qp --qf '%{VERSION}' /srv/repo/haproxy-*.rpm 2>/dev/null")
        self.values = {"root": "", "version": version, "address": ADDRESS, "source": ADDRESS, "vip": VIP, "net": NET,
                       "units": "/lib/systemd/system", "rsyslog": "8.2302.0"}  # fmt: skip

    def answers(self, lines, given=(), user="root"):
        """One answer for each line of words."""
        asked = json.dumps({"given": list(given), "user": user, "lines": lines})
        return [Answer(*said) for said in json.loads(self.balancer.run("python3", "-c", TYPIST, input=asked).stdout)]


@contextlib.contextmanager
def console_of(image):
    """The machine is gone afterwards, whatever happened."""
    with sealed() as (world, folder):
        balancer = Balancer(world, image, folder / "balancer", "")
        balancer.shell(AS_ON_EL)
        yield Console(balancer)
