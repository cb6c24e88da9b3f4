"""Not everybody logs in as root: sudo with and without a password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from labbalancer.balancers import Balancer, balancer_of

SECRET = "it's a $ecret"


@pytest.fixture(scope="module")
def asking() -> Iterator[Balancer]:
    with balancer_of(user="admin", sudo="password", sudo_password=SECRET) as running:
        yield running


def test_without_sudo_a_user_may_read_but_not_change(asking: Balancer) -> None:
    done = asking.ssh("id -un; systemctl is-active firewalld; systemctl stop firewalld")
    assert done.stdout == "admin\nactive\n" and "Interactive authentication required." in done.stderr


def test_sudo_n_refuses_when_a_password_is_needed(asking: Balancer) -> None:
    done = asking.ssh("sudo -n id -u")
    assert (done.returncode, done.stderr) == (1, "sudo: a password is required\n")


def test_sudo_takes_the_password_from_standard_input_and_leaves_the_rest(asking: Balancer) -> None:
    done = asking.ssh("sudo -S -p '' sh -s -- x", stdin=f"{SECRET}\nid -u; echo $1\n")
    assert (done.stdout, done.stderr) == ("0\nx\n", "")


def test_a_wrong_password_is_asked_for_again_three_times(asking: Balancer) -> None:
    done = asking.ssh("sudo -S -p 'pw:' id -u", stdin="a\nb\nc\n")
    assert done.returncode == 1 and done.stderr == "pw:Sorry, try again.\npw:Sorry, try again.\npw:sudo: 3 incorrect password attempts\n"


def test_no_password_at_all(asking: Balancer) -> None:
    assert asking.ssh("sudo -S -p '' id -u").stderr == "sudo: no password was provided\n"


def test_the_password_is_in_no_file_but_the_hosts_own_settings(asking: Balancer) -> None:
    asking.ssh("sudo -S -p '' true", stdin=f"{SECRET}\n")
    holders = [path.name for path in asking.root.rglob("*") if path.is_file() and not path.is_symlink() and SECRET.encode() in path.read_bytes()]
    assert holders == ["host.json"]


def test_sudo_cleans_the_environment(asking: Balancer) -> None:
    done = asking.ssh("MINE=1 sudo -S -p '' env", stdin=f"{SECRET}\n")
    assert "MINE=" not in done.stdout and "SUDO_USER=admin\n" in done.stdout
