"""The operator: a home of his own with key and known_hosts, and the real `provision` command run from the segment."""

import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

CLUSTERS = Path(__file__).parents[2] / "clusters"


class Desk:
    """Commands and secrets of one operator."""

    def __init__(self, world, home, secrets):
        self._world, self.home, self._secrets = world, home, secrets
        ssh = home / ".ssh"
        ssh.mkdir(parents=True, mode=0o700)
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        (ssh / "id_ed25519").touch(mode=0o600)
        (ssh / "id_ed25519").write_bytes(private)
        self.public_key = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " operator\n"

    def trust(self, line):
        with (self.home / ".ssh" / "known_hosts").open("a") as known:
            known.write(line)

    def provision(self, *words, code=None, timeout=110):
        """The command in a process of its own; `code` is the exit code that is claimed."""
        plain = {key: os.environ[key] for key in ("PATH", "LANG", "PYTHONPATH") if key in os.environ}
        env = {**plain, **self._secrets, "HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "100"}
        done = self._world.run(sys.executable, "-m", "provision", *words, check=False, timeout=timeout, env=env)
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words, code=None, timeout=110):
        return json.loads(self.provision(*words, "--json", code=code, timeout=timeout).stdout)
