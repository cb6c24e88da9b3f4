"""What others' files say of UDP, beyond the recorded machines."""

from __future__ import annotations

import pytest
from balancer_clusters import cluster

from provision.hosts.balancer.desired import log_snippet
from provision.hosts.balancer.rsyslog import read_log

MAIN, OURS = "/etc/rsyslog.conf", "/etc/rsyslog.d/provision-article.conf"
INCLUDE = (MAIN, "$IncludeConfig /etc/rsyslog.d/*.conf")


@pytest.mark.parametrize(("lines", "address"), [
    ([INCLUDE], "*"),
    ([(MAIN, "$UDPServerAddress 10.0.0.5"), INCLUDE, (MAIN, "$UDPServerRun 10514")], "10.0.0.5"),
    ([INCLUDE, (MAIN, "$UDPServerAddress 10.0.0.5")], "*"),
    ([INCLUDE, ("/etc/rsyslog.d/a.conf", "$UDPServerAddress 10.0.0.6"), ("/etc/rsyslog.d/z.conf", "$UDPServerAddress 10.0.0.7")], "10.0.0.6"),
    ([(MAIN, "# $UDPServerAddress 10.0.0.5"), INCLUDE], "*"),
    ([(MAIN, "$UDPServerAddress 10.0.0.5;reboot"), INCLUDE], "*"),
])
def test_an_address_that_was_in_force_is_put_back_behind_our_input(lines, address):
    facts = read_log(lines, OURS, old_syntax=True)
    one = cluster()
    text = log_snippet(one, one.balancers[0], old_syntax=True, load=True, listen=True, address=facts.address)
    assert text.splitlines()[2:5] == ["$UDPServerAddress 127.0.0.1", "$UDPServerRun 514", f"$UDPServerAddress {address}"]


def test_blanks_around_the_equals_sign_change_nothing():
    lines = [(MAIN, 'module( load = "imudp" )'), (MAIN, 'input(type = "imudp" port = "514" address = "127.0.0.1")')]
    facts = read_log(lines, OURS, old_syntax=False)
    assert (facts.imudp_elsewhere, facts.listens_elsewhere) == (True, True)
