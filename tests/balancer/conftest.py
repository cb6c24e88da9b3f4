"""What the tests of the balancer share: an SSH server on loopback."""

from __future__ import annotations

import sys
from pathlib import Path

import asyncssh
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ssh_server import Account, Server


@pytest.fixture(scope="session")
def host_key():
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def start(tmp_path, host_key):
    """Starts a server; every one is closed at the end."""
    servers = []

    def started(password="right-password", key=None, path="/usr/bin:/bin"):
        servers.append(Server(Account(password, key), path, host_key).start())
        return servers[-1]

    yield started
    for one in servers:
        one.close()
