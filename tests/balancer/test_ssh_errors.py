from __future__ import annotations

import inspect
import re
import socket
import tomllib
from pathlib import Path

import fabric.exceptions
import invoke.exceptions
import paramiko
import pytest
from paramiko import auth_strategy, ssh_exception
from paramiko.pkey import UnknownKeyType

import provision
from provision.errors import ConnectionFailed
from provision.remote.ssh_errors import FOREIGN, HostKeyUnknown, changed_key, explain
from provision.remote.ssh_target import SshTarget

HOME = Path(provision.__file__).parent
ATTRIBUTES = "hostname kind fingerprint code text types command error exceptions explanation allowed_types".split()
TARGET = SshTarget("lb1", "192.0.2.1")


def test_the_old_key_is_removed_from_the_file_that_the_cluster_file_names():
    target = SshTarget("lb1", "192.0.2.1", port=2222, known_hosts=Path("/etc/my hosts"))
    assert changed_key(target).next.endswith("ssh-keygen -f '/etc/my hosts' -R '[192.0.2.1]:2222'")
    assert changed_key(TARGET).next.endswith("ssh-keygen -R 192.0.2.1")


def classes():
    """Every exception class that the libraries define, and the system's own for sockets and files."""
    modules = (ssh_exception, auth_strategy, invoke.exceptions, fabric.exceptions)
    found = {one for module in modules for _, one in inspect.getmembers(module, inspect.isclass)}
    own = {one for one in found if issubclass(one, Exception) and one.__module__.startswith(("paramiko", "invoke", "fabric"))}
    system = {one for one in OSError.__subclasses__() if one.__module__ == "builtins"}
    extra = {UnknownKeyType, paramiko.SFTPError, HostKeyUnknown, EOFError, socket.gaierror}
    return sorted(own | extra | system | {OSError}, key=lambda one: one.__name__)


@pytest.mark.parametrize("kind", classes(), ids=lambda one: one.__name__)
def test_every_foreign_exception_becomes_ours_with_a_cause_and_a_way_on(kind):
    error = kind.__new__(kind)
    error.args = ("detail",)
    for name, value in (*((one, "x") for one in ATTRIBUTES), ("errors", {}), ("result", [])):
        if not hasattr(type(error), name):
            error.__dict__[name] = value
    assert isinstance(error, FOREIGN)
    ours = explain(error, TARGET, "connecting")
    assert isinstance(ours, ConnectionFailed)
    assert (bool(ours.why), bool(ours.next), ours.host) == (True, True, "lb1")


def test_every_code_that_is_used_is_explained_and_none_is_explained_in_vain():
    codes = tomllib.loads((HOME / "error_codes.toml").read_text())
    files = [*HOME.glob("hosts/balancer/*.py"), *HOME.glob("remote/ssh*.py")]
    used = {code for file in files for code in re.findall(r'"(P\d{3})"', file.read_text())}
    assert used <= set(codes)
    mine = {code for code in codes if code.startswith(("P22", "P5"))}
    engine = {code for file in HOME.glob("engine/*.py") for code in re.findall(r'"(P\d{3})"', file.read_text())}
    assert mine <= used | engine


def test_connections_are_made_in_one_place():
    makers = re.compile(r"\bfabric\.Connection\(|\bSSHClient\(|\bparamiko\.Transport\(")
    places = [file.relative_to(HOME).as_posix() for file in HOME.rglob("*.py") if makers.search(file.read_text())]
    assert [one for one in places if not one.startswith("lab/")] == ["remote/ssh.py"]
