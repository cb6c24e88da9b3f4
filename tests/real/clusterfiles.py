"""Cluster files of the tests' own, beside the article's: sliced, and two that share a balancer as fragments."""

SLICED = """\
cluster: sliced
vip: 192.168.1.123
ftp: {passive_ports: 10000-10299, affinity: none}
balancers:
  - name: lb1
    address: 192.168.1.123
    ssh: {user: root, key_file: ~/.ssh/id_ed25519}
servers:
  - {name: win1, address: 192.168.1.110}
  - {name: win2, address: 192.168.1.111, winrm: {transport: winrs}}
  - {name: win3, address: 192.168.1.112, winrm: {scheme: http}}
winrm: {scheme: https, ca_file: ca.pem, user: Administrator, password: "env:WINRM_PASSWORD"}
stats: {bind: 192.168.1.123, port: 8404, user: watcher, password: "env:HAPROXY_STATS_PASSWORD", allow: [192.168.1.2/32]}
probe: {user: ftpuser, password: "env:FTP_PROBE_PASSWORD", tls: explicit, directory: probe}
"""

FRAGMENT = """\
cluster: {name}
vip: {vip}
ftp: {{passive_ports: {ports}}}
balancers:
  - name: lb1
    address: 192.168.1.123
    haproxy: fragment
    ssh: {{user: root, key_file: ~/.ssh/id_ed25519}}
servers:
  - {{name: {name}1, address: {first}}}
  - {{name: {name}2, address: {second}}}
winrm: {{user: Administrator, password: "env:WINRM_PASSWORD"}}
probe: {{user: ftpuser, password: "env:FTP_PROBE_PASSWORD", directory: probe}}
"""


def written(folder, name, text):
    """The path of a file with that text."""
    path = folder / f"{name}.yml"
    path.write_text(text)
    return str(path)
