"""A small lab on addresses of its own."""

from __future__ import annotations

from pathlib import Path

from provision.definition.load import load_cluster
from provision.model.cluster import Cluster

TEXT = """\
cluster: tiny
vip: 127.0.47.100
ftp: {port: 2121, passive_ports: 10000-10019}
balancers:
  - name: lb1
    address: 127.0.47.1
    source: 127.0.47.1
    ssh: {port: 2222, user: root, key_file: .lab/id_ed25519, known_hosts: .lab/known_hosts}
    root: .lab/lb1
servers:
  - {name: win1, address: 127.0.47.11, sites: [Default FTP Site]}
  - {name: win2, address: 127.0.47.12, sites: [Default FTP Site]}
winrm: {scheme: https, user: labadmin, password: "file:.lab/winrm-password", ca_file: .lab/ca.pem}
probe: {user: ftpuser, password: "file:.lab/ftp-password", directory: probe}
"""


def write_cluster(folder: Path, text: str = TEXT) -> Cluster:
    """The cluster in FOLDER/lab.yml."""
    folder.mkdir(exist_ok=True)
    (folder / "lab.yml").write_text(text)
    return load_cluster(folder / "lab.yml")
