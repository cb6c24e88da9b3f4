"""What HAProxy said when it did not start, and what a person is told to do."""

from __future__ import annotations

import pytest

from provision.hosts.balancer.causes import condensed, way_out

SAID = [
    ("[ALERT]    (719) : Binding [/etc/haproxy/haproxy.cfg:37] for proxy FTPVIP: cannot bind socket (Permission denied) for [192.168.1.123:21]", "selinux: boolean"),
    ("[ALERT] 143/093845 (2900) : Starting proxy FTPVIP: cannot bind socket [192.168.1.123:21]", "if SELinux denies it"),
    ("[ALERT]    (719) : Binding [/etc/haproxy/haproxy.cfg:11] for frontend GLOBAL: cannot bind UNIX socket (Permission denied) [/var/lib/haproxy/stats]", "chown root:root /var/lib/haproxy"),
    ("[ALERT]    (5649) : Starting frontend GLOBAL: error when trying to preserve previous UNIX socket (Permission denied) [/var/lib/haproxy/stats]", "chown root:root /var/lib/haproxy"),
    ("[ALERT] (719) : Binding for frontend GLOBAL: cannot bind UNIX socket (Permission denied) [/run/haproxy/admin.sock]", "ls -Z"),
    ("[ALERT]    (709) : config : parsing [/etc/haproxy/haproxy.cfg:43] : 'tcp-check expect' : regex '^220' jit compilation failed.", "SELinux denies this haproxy the memory"),
    ("[ALERT]    (719) : Binding [/etc/haproxy/haproxy.cfg:37] for proxy FTPVIP: cannot bind socket (Address already in use) for [192.168.1.123:21]", "ss -ltnp"),
    ("[ALERT]    (719) : Binding [/etc/haproxy/haproxy.cfg:37] for proxy FTPVIP: cannot bind socket (Cannot assign requested address) for [192.168.1.123:21]", "give lb1 the VIP"),
    ("Unable to detect release version", ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "fix"), SAID)
def test_the_way_out_follows_from_what_haproxy_said(said, fix):
    found = way_out(f"Job for haproxy.service failed.\n{said}\n", "lb1")
    assert fix in found
    assert bool(found) == bool(fix)


def test_a_range_that_cannot_be_bound_is_told_once():
    ports = [f"[ALERT] (719) : Binding [/etc/haproxy/haproxy.cfg:38]: cannot bind socket for [192.168.1.123:{port}]" for port in range(10000, 10021)]
    said = condensed("\n".join(["Configuration file is valid", *ports, "Exiting."]))
    assert said.splitlines() == ["Configuration file is valid", ports[0], "... and 20 lines like it", "Exiting."]


def test_what_is_said_twice_stays_as_it_is():
    assert condensed("line 1\nline 2\nother") == "line 1\nline 2\nother"
