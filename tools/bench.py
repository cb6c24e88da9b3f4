"""Benchmarks on the embedded lab, side by side in one run: `make bench`. Prints medians; judges nothing.

Whole processes are timed from start to exit. The lab shares the machine's cores with what is measured, so read ratios,
not seconds. Start-up of Windows' own processes is not in here: the lab has none.
"""

from __future__ import annotations

import ftplib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import fabric
import paramiko
import winrm

from provision.definition.load import load_cluster
from provision.definition.secrets import resolve_secrets
from provision.lab.orchestra import status
from provision.model.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
LABS = {"sliced": ROOT / "clusters" / "lab.yml", "shared": ROOT / "clusters" / "lab-shared.yml"}
PLAIN_TYPER = """
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
@app.command()
def one(): pass
@app.command()
def two(): pass
@app.command()
def three(): pass
app()
"""
NAIVE = (
    "cat /etc/os-release",
    "rpm -q haproxy",
    "haproxy -v",
    "systemctl is-active haproxy",
    "systemctl is-enabled haproxy",
    "firewall-cmd --list-ports",
    "firewall-cmd --permanent --list-ports",
    "getenforce",
    "getsebool haproxy_connect_any",
    "cat etc/haproxy/haproxy.cfg",
    "ip -o -4 addr show",
)
SETTINGS = ("$PSVersionTable.PSVersion.Major", "$env:windir", "hostname") * 3
READ = """
import sys
from pathlib import Path
from provision.definition.load import load_cluster
from provision.definition.secrets import resolve_secrets
from provision.engine.context import Context
from provision.engine.keys import MaskMaker
from provision.engine.generations import Store
from provision.engine.openers import WireOpener
from provision.engine.read import read_hosts
from provision.engine.sessions import Sessions
file, home, host = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
cluster = load_cluster(file)
secrets = resolve_secrets(cluster.secret_refs(), environ={}, ask=None, base=file.parent)
context = Context(WireOpener(secrets), secrets)
with Sessions(cluster, context) as sessions:
    reading = read_hosts(cluster, [host], sessions, MaskMaker(Store(home, cluster.name), secrets).for_output, context)
sys.exit(len(reading.failures))
"""


def seconds(work: Callable[[], object], runs: int = 7) -> tuple[float, float]:
    """Median wall and CPU seconds (children included) of `work`, after one warm-up."""
    work()
    walls, cpus = [], []
    for _ in range(runs):
        before, start = os.times(), time.perf_counter()
        work()
        after = os.times()
        walls.append(time.perf_counter() - start)
        cpus.append(sum(after[:4]) - sum(before[:4]))
    return statistics.median(walls), statistics.median(cpus)


def process(command: Sequence[str], stdin: bytes = b"", env: dict[str, str] | None = None) -> Callable[[], object]:
    """A whole process as work; it must end with 0."""
    return lambda: subprocess.run(command, input=stdin, capture_output=True, check=True, env=env, cwd=ROOT)


def http_requests(cluster: Cluster, server: str) -> int:
    """HTTP requests that the lab's host has counted so far."""
    return next(one.requests or 0 for one in status(cluster, cluster.file).hosts if one.name == server)


def row(name: str, figures: tuple[float, float], note: str = "") -> None:
    """One line of a table: wall and CPU in milliseconds."""
    print(f"  {name:<44} {figures[0] * 1000:8.0f} ms wall {figures[1] * 1000:8.0f} ms CPU   {note}")


def start_up() -> None:
    """`provision --help` beside a Typer program that does nothing."""
    print("\nStart-up")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as plain:
        plain.write(PLAIN_TYPER)
        plain.flush()
        row("python -c pass", seconds(process([sys.executable, "-c", "pass"])))
        row("a plain Typer program --help", seconds(process([sys.executable, plain.name, "--help"])))
    row("provision --help", seconds(process([sys.executable, "-m", "provision", "--help"])))
    row(
        "provision validate lab", seconds(process([sys.executable, "-m", "provision", "validate", str(LABS["sliced"])]))
    )


def balancer(cluster: Cluster, home: Path) -> None:
    """A no-op check of one balancer: ours, a naive Fabric script, one bare OpenSSH exec of a trivial command."""
    print("\nNo-op check of one balancer (whole processes, lab)")
    one = cluster.balancers[0]
    ours = [sys.executable, "-c", READ, str(cluster.file), str(home), one.name]
    row("provision: one connection, one exec", seconds(process(ours)))
    row(
        f"naive Fabric: {len(NAIVE)} commands", seconds(process([sys.executable, __file__, "naive", str(cluster.file)]))
    )
    target = f"{one.ssh.user}@{one.address}"
    options = ["-F", "none", "-i", str(one.ssh.key_file), "-p", str(one.ssh.port), "-o", "BatchMode=yes"]
    options += ["-o", f"UserKnownHostsFile={one.ssh.known_hosts}", "-o", "KexAlgorithms=curve25519-sha256"]
    try:
        row("OpenSSH: one bare exec of true", seconds(process(["ssh", *options, target, "true"])))
    except FileNotFoundError:
        print("  OpenSSH's ssh is not installed here: not measured")


def naive(cluster: Cluster) -> None:
    """What a quick script does: one command an item over one connection."""
    one = cluster.balancers[0]
    keys = {"key_filename": str(one.ssh.key_file)}
    connection = fabric.Connection(one.address, user=one.ssh.user, port=one.ssh.port, connect_kwargs=keys)
    connection.client.load_host_keys(str(one.ssh.known_hosts))
    connection.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    for command in NAIVE:
        connection.run(command, hide=True, warn=True)
    connection.close()


def windows(cluster: Cluster, home: Path) -> None:
    """Reading one Windows server: ours beside `run_ps` for each setting. HTTP requests counted by the lab's host."""
    print("\nReading one Windows server (whole processes, lab)")
    for server in cluster.servers:
        command = [sys.executable, "-c", READ, str(cluster.file), str(home), server.name]
        what = f"provision, {server.winrm.transport} over {server.winrm.scheme}"
        before = http_requests(cluster, server.name)
        figures = seconds(process(command), runs=5)
        row(what, figures, f"{(http_requests(cluster, server.name) - before) / 6:.0f} HTTP requests")
    server = cluster.servers[0]
    before = http_requests(cluster, server.name)
    figures = seconds(process([sys.executable, __file__, "run-ps", str(cluster.file)]), runs=3)
    requests = (http_requests(cluster, server.name) - before) / 4
    row(f"pywinrm run_ps, {len(SETTINGS)} settings", figures, f"{requests:.0f} HTTP requests")


def run_ps(cluster: Cluster) -> None:
    """One `run_ps` a setting, as scripts do."""
    server = cluster.servers[0]
    secret = resolve_secrets([server.winrm.password], environ={}, ask=None, base=cluster.file.parent)
    password = next(iter(secret.values())).reveal()
    url = f"{server.winrm.scheme}://{server.address}:{server.winrm.port}/wsman"
    session = winrm.Session(
        url, auth=(server.winrm.user, password), transport="ntlm", ca_trust_path=str(server.winrm.ca_file)
    )
    for setting in SETTINGS:
        session.run_ps(setting)


def login(cluster: Cluster, address: str, source: str) -> ftplib.FTP:
    """A plain FTP client, logged in."""
    assert cluster.probe is not None
    secret = resolve_secrets([cluster.probe.password], environ={}, ask=None, base=cluster.file.parent)
    client = ftplib.FTP(timeout=60)
    client.connect(address, cluster.ftp.port, source_address=(source, 0))
    client.login(cluster.probe.user, next(iter(secret.values())).reveal())
    return client


def transfers(layout: str, cluster: Cluster) -> None:
    """64 MiB and 200 small files, through the VIP and directly."""
    print(f"\nFTP, {layout} layout (lab)")
    source = cluster.balancers[0].source or cluster.balancers[0].address
    for name, address in (("through the VIP", cluster.vip), ("direct to one server", cluster.servers[0].ftp_address)):
        client = login(cluster, address, source)
        client.trust_server_pasv_ipv4_address = False
        data = bytes(64 << 20)
        client.storbinary("STOR bench.bin", BytesIO(data), blocksize=1 << 18)
        wall, cpu = seconds(
            lambda c=client: c.retrbinary("RETR bench.bin", lambda part: None, blocksize=1 << 18), runs=5
        )
        row(f"RETR 64 MiB {name}", (wall, cpu), f"{len(data) * 8 / wall / 1e9:.1f} Gbit/s")
        wall, cpu = seconds(lambda c=client: [c.storbinary("STOR s", BytesIO(bytes(4096))) for _ in range(100)], runs=3)
        row(f"STOR 100 x 4 KiB {name}", (wall, cpu), f"{100 / wall:.0f} files/s")
        client.delete("bench.bin")
        client.delete("s")
        client.quit()


def provision(home: Path, *words: str) -> None:
    """Run the product, quietly."""
    env = {**os.environ, "PROVISION_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "provision", *words], check=True, capture_output=True, env=env, cwd=ROOT)


def main() -> None:
    """All benchmarks, each lab started and taken down."""
    if sys.argv[1:2] in (["naive"], ["run-ps"]):
        {"naive": naive, "run-ps": run_ps}[sys.argv[1]](load_cluster(Path(sys.argv[2])))
        return
    start_up()
    for layout, file in LABS.items():
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            provision(home, "lab", "up", str(file))
            try:
                provision(home, "cluster", str(file), "--yes")
                cluster = load_cluster(file)
                if layout == "sliced":
                    balancer(cluster, home)
                    windows(cluster, home)
                transfers(layout, cluster)
            finally:
                provision(home, "lab", "down", str(file))


if __name__ == "__main__":
    main()
