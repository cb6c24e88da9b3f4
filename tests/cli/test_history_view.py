"""History without a generation says how to reach the balancers' copies."""

from dataclasses import replace
from pathlib import Path

from cli.cliworld import article
from cli.golden import shown

from provision.model.cluster import Ssh
from provision.view.history import history_lines


def test_the_ssh_command_logs_in_as_provision_does():
    cluster = article()
    ssh = Ssh(port=2222, user="ops", key_file=Path("/k/id key"), known_hosts=Path("/k/hosts"))
    cluster = replace(cluster, balancers=(replace(cluster.balancers[0], ssh=ssh),))
    text = shown(history_lines(cluster, [], Path("/none"), "provision rollback"))
    assert "ssh -p 2222 -i '/k/id key' -o UserKnownHostsFile=/k/hosts ops@" in text
