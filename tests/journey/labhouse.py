"""A lab of the tests' own, in a /24 of its own, driven by the real command line in processes of its own."""

import ftplib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

CLUSTER = """\
cluster: {name}
vip: {net}.100
ftp:
  port: 2121
  passive_ports: 10000-10059
  passive_layout: {layout}
  check: {{interval: 1s, rise: 1, fall: 2}}
  affinity: {affinity}
balancers:
  - name: lb1
    address: {net}.1
    source: {net}.1
    root: .lab/lb1
    ssh: {{port: 2222, user: labadmin, key_file: .lab/id_ed25519, known_hosts: .lab/known_hosts}}
servers:
{servers}
winrm:
  scheme: https
  port: 5986
  ca_file: .lab/ca.pem
  user: labadmin
  password: file:.lab/winrm-password
stats:
  bind: {net}.100
  port: 8080
  user: watcher
  password: file:.lab/stats-password
  allow: any
probe:
  user: ftpuser
  password: file:.lab/ftp-password
  directory: probe
"""
SERVER = "  - {{name: win{n}, address: {net}.1{n}, winrm: {{transport: {transport}}}}}\n"


@dataclass
class LabHouse:
    """A running lab and the words to use it."""

    file: Path
    home: Path
    net: str

    @property
    def vip(self):
        return f"{self.net}.100"

    @property
    def folder(self):
        return self.file.parent / ".lab"

    def provision(self, *words, code=None, timeout=120):
        """Run the real command; `code` is the exit code that is claimed."""
        env = {**os.environ, "PROVISION_HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "100"}
        command = [sys.executable, "-m", "provision", *words]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=timeout, cwd=self.file.parent, stdin=subprocess.DEVNULL
        )
        if code is not None:
            assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def on_cluster(self, verb, *words, code=None):
        return self.provision(verb, str(self.file), *words, code=code)

    def json(self, verb, *words, code=None):
        return json.loads(self.on_cluster(verb, *words, "--json", code=code).stdout)

    def break_it(self, name, *words):
        return self.provision("lab", "break", name, str(self.file), *words, code=0)

    def client(self, last=200, address=None):
        """An FTP client (ftplib, which knows nothing of us) logged in through the VIP, from an address of its own."""
        client = ftplib.FTP(timeout=20)
        client.connect(address or self.vip, 2121, source_address=(f"{self.net}.{last}", 0))
        client.login("ftpuser", (self.folder / "ftp-password").read_text().strip())
        return client


def write_cluster(folder, name, net, layout="sliced", affinity="source", servers=2):
    rows = "".join(
        SERVER.format(n=n, net=net, transport="winrs" if n == 2 else "psrp") for n in range(1, servers + 1)
    )
    path = folder / f"{name}.yml"
    path.write_text(CLUSTER.format(name=name, net=net, layout=layout, affinity=affinity, servers=rows.rstrip()))
    return path


def upload(client, name, data):
    client.storbinary(f"STOR {name}", BytesIO(data), blocksize=1 << 18)


def download(client, name):
    parts = []
    client.retrbinary(f"RETR {name}", parts.append, blocksize=1 << 18)
    return b"".join(parts)
