"""What is not in the closed folder cannot be called by name, and what is there is quick."""

from __future__ import annotations

import time

import pytest
from labbalancer.balancers import Balancer


@pytest.mark.parametrize("command", ["apt-get", "mount", "iptables", "nft", "useradd", "reboot", "loginctl", "haproxy", "perl"])
def test_a_command_outside_the_folder_is_not_found(balancer: Balancer, command: str) -> None:
    assert balancer.ssh(f"{command} --version").returncode == 127


@pytest.mark.parametrize("command", ["systemctl", "firewall-cmd", "setsebool", "ip", "rpm"])
def test_a_stand_in_is_found_inside_the_root(balancer: Balancer, command: str) -> None:
    assert balancer.ssh(f"command -v {command}").stdout == f"{balancer.root}/bin-closed/{command}\n"


def test_words_arrive_as_they_were_given(balancer: Balancer) -> None:
    rule = 'rule family="ipv4" source address="10.9.0.0/16" port port="99" protocol="tcp" accept'
    done = balancer.ssh(f"firewall-cmd --permanent --add-rich-rule='{rule}' && firewall-cmd --permanent --list-rich-rules")
    assert done.stdout == f"success\n{rule}\n"


def test_output_and_errors_stay_apart(balancer: Balancer) -> None:
    done = balancer.ssh("firewall-cmd --remove-port=65000/tcp")
    assert done.stdout == "success\n" and done.stderr.startswith("Warning: NOT_ENABLED")


def test_fifteen_questions_take_less_than_a_second(balancer: Balancer) -> None:
    began = time.monotonic()
    done = balancer.ssh("for i in 1 2 3 4 5; do systemctl show -p MainPID rsyslog; getsebool haproxy_connect_any; ip -o -4 addr; done")
    assert done.returncode == 0 and time.monotonic() - began < 1.0


def test_many_callers_at_once_each_get_their_own_answer(balancer: Balancer) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do { rpm -q none-$i > tmp/a$i; } & done; wait; cat tmp/a*"
    assert balancer.ssh(script).stdout == "".join(f"package none-{i} is not installed\n" for i in range(1, 9))


@pytest.mark.parametrize("name", ["it's", r"back\slash\n", "two\nlines", "100%", "$HOME `id`", "ünïcode"])
def test_an_answer_arrives_as_it_was_said(balancer: Balancer, name: str) -> None:
    (balancer.root / "tmp/name").write_text(name)
    done = balancer.ssh('rpm -q "$(cat tmp/name)"')
    assert done.stdout == f"package {name} is not installed\n"
