"""What a valid file means: defaults, merging, slices, paths, and the clusters that are shipped."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from provision.definition.load import find_cluster, load_cluster, parse_cluster
from provision.errors import ClusterFileError
from provision.model.cluster import Cluster, HealthCheck, Probe, Ssh, Stats, StickTable
from provision.model.ports import PortRange
from provision.model.secret import SecretRef

ROOT = Path(__file__).parents[2]
SMALLEST = """\
cluster: small
vip: 10.0.0.100
ftp: {passive_ports: 10000-10020}
balancers: [{name: lb1, address: 10.0.0.1}]
servers:
  - {name: ftp1, address: 10.0.0.11}
  - {name: ftp2, address: 10.0.0.12}
winrm: {user: Administrator, password: ask}
"""


def read(text: str, file: str = "/etc/provision/small.yml") -> Cluster:
    return parse_cluster(text, Path(file))


def shipped(name: str) -> Cluster:
    return load_cluster(find_cluster(name, ROOT))


def test_the_articles_cluster_is_the_article_to_the_letter() -> None:
    article = shipped("article")
    assert (article.name, article.vip, article.vip_owner) == ("article", "192.168.1.123", "external")
    assert (article.ftp.port, article.ftp.layout, article.ftp.transparent) == (21, "shared", True)
    assert {one.passive_ports for one in article.servers} == {PortRange(10000, 10020)}
    assert [one.address for one in article.servers] == ["192.168.1.110", "192.168.1.111"]
    assert article.stats is not None
    assert (article.stats.bind, article.stats.port, article.stats.admin, article.stats.allow) == ("*", 8080, True, "any")
    assert article.ftp.check == HealthCheck(10, 2, 2)
    assert article.balancers[0].ssh.key_file == Path.home() / ".ssh" / "id_ed25519"


def test_the_sliced_cluster_pins_three_slices_over_https_with_two_sites_on_one_server() -> None:
    sliced = shipped("sliced")
    assert [str(one.passive_ports) for one in sliced.servers] == ["20000-20199", "20200-20399", "20400-20599"]
    assert all(one.pinned and one.winrm.scheme == "https" and one.winrm.port == 5986 for one in sliced.servers)
    assert sliced.servers[0].sites == ("Customers", "Partners")


@pytest.mark.parametrize(("name", "slices"), [("lab", ["10000-10014", "10015-10029"]), ("lab-shared", ["10000-10029"] * 2)])
def test_the_labs_reach_one_server_over_https_and_one_over_http(name: str, slices: list[str]) -> None:
    lab = shipped(name)
    assert [(one.winrm.scheme, one.winrm.port) for one in lab.servers] == [("https", 5986), ("http", 5985)]
    assert [str(one.passive_ports) for one in lab.servers] == slices
    assert lab.servers[0].winrm.ca_file == ROOT / "clusters" / ".lab" / "ca.pem"
    assert lab.balancers[0].root.endswith("/lb1")


def test_what_is_left_out_has_the_documented_default() -> None:
    small = read(SMALLEST)
    ftp = small.ftp
    assert (ftp.port, ftp.external_address, ftp.layout, ftp.affinity) == (21, small.vip, "sliced", "source")
    assert (ftp.session_timeout, ftp.transfer_timeout) == (14_400, 600)
    assert (ftp.check, ftp.table) == (HealthCheck(10, 2, 2), StickTable(100_000, 14_400))
    assert (ftp.transparent, ftp.splice, small.stats, small.probe) == (False, False, None, None)
    assert (small.balancers[0].selinux, small.balancers[0].haproxy, small.balancers[0].root) == ("boolean", None, "/")


def test_a_server_has_documented_defaults_too() -> None:
    server = read(SMALLEST).servers[0]
    assert (server.ftp_address, server.ftp_port, server.sites, server.pinned) == ("10.0.0.11", 21, None, False)
    winrm = server.winrm
    assert (winrm.scheme, winrm.port, winrm.auth, winrm.transport, winrm.verify) == ("http", 5985, "negotiate", "psrp", True)


def test_everything_that_is_given_arrives_where_it_belongs() -> None:
    text = (Path(__file__).parent / "cases" / "base.yml").read_text(encoding="utf-8")
    cluster = read(text, "/srv/demo.yml")
    lb1, ftp1 = cluster.balancers[0], cluster.servers[0]
    assert lb1.ssh == Ssh(port=2022, user="root", key_file=Path("/srv/keys/id"))
    assert (lb1.name, lb1.address, lb1.source, lb1.firewall_zone) == ("lb1", "10.0.0.1", "10.0.0.2", "public")
    assert (ftp1.name, ftp1.ftp_port, ftp1.sites, ftp1.winrm.user) == ("ftp1", 2121, ("Default FTP Site",), "Administrator")
    assert (cluster.servers[1].ftp_port, cluster.ftp.external_address) == (21, "203.0.113.9")
    assert cluster.stats == Stats("127.0.0.1", 8404, "stats", SecretRef("env", "STATS_PASSWORD", "stats.password", 32, 13), False, ("10.0.0.0/24",))
    assert cluster.probe == Probe("probe", SecretRef("file", "probe-password", "probe.password", 36, 13), "none", "incoming")


def test_slices_are_cut_in_order_and_what_is_left_over_belongs_to_nobody() -> None:
    assert [str(one.passive_ports) for one in read(SMALLEST).servers] == ["10000-10009", "10010-10019"]


def test_a_size_of_slices_overrules_the_division() -> None:
    text = SMALLEST.replace("10000-10020", "10000-10020, ports_per_server: 3")
    assert [str(one.passive_ports) for one in read(text).servers] == ["10000-10002", "10003-10005"]


def test_a_table_outlives_short_sessions_by_half_an_hour() -> None:
    assert read(SMALLEST.replace("10020}", "10020, session_timeout: 5m}")).ftp.table.expire == 1800
    assert read(SMALLEST.replace("10020}", "10020, table: {expire: 45m, size: 5k}}")).ftp.table == StickTable(5000, 2700)


def test_a_servers_own_winrm_keys_replace_the_common_ones_one_by_one() -> None:
    text = SMALLEST.replace("10.0.0.12}", "10.0.0.12, winrm: {scheme: https, password: env:OTHER}}")
    text = text.replace("winrm: {user", "winrm: {port: 15985, auth: ntlm, user")
    first, second = (one.winrm for one in read(text).servers)
    assert (first.scheme, first.port, first.auth, str(first.password)) == ("http", 15985, "ntlm", "ask")
    assert (second.scheme, second.port, second.auth, str(second.password)) == ("https", 5986, "ntlm", "env:OTHER")


def test_a_secret_reference_knows_its_place_in_the_file() -> None:
    text = SMALLEST.replace("10.0.0.12}", "10.0.0.12, winrm: {password: 'env:OTHER'}}")
    assert read(text).secret_refs() == (
        SecretRef("ask", "", "winrm.password", 8, 40),
        SecretRef("env", "OTHER", "servers[1].winrm.password", 7, text.split("\n")[6].index("'env:") + 1),
    )


def test_paths_are_relative_to_the_file() -> None:
    text = SMALLEST.replace("address: 10.0.0.1}", "address: 10.0.0.1, ssh: {key_file: keys/id, known_hosts: ~/kh}}")
    ssh = read(text).balancers[0].ssh
    assert (ssh.key_file, ssh.known_hosts) == (Path("/etc/provision/keys/id"), Path.home() / "kh")


def test_a_site_may_have_any_name_that_iis_takes() -> None:
    text = SMALLEST.replace("10.0.0.12}", "10.0.0.12, sites: [Größe 1, '📁 Ablage', \"O'Neil (old)\", ftp.example.com]}")
    assert read(text).servers[1].sites == ("Größe 1", "📁 Ablage", "O'Neil (old)", "ftp.example.com")


def test_a_site_name_has_at_most_259_characters() -> None:
    text = SMALLEST.replace("10.0.0.12}", "10.0.0.12, sites: [LONG]}")
    assert read(text.replace("LONG", "x" * 259)).servers[1].sites == ("x" * 259,)
    with pytest.raises(ClusterFileError, match="P110"):
        read(text.replace("LONG", "x" * 260))


def test_a_server_may_be_given_by_name_with_an_address_for_ftp() -> None:
    server = read(SMALLEST.replace("address: 10.0.0.12", "address: ftp2.example.com, ftp_address: 10.0.0.12")).servers[1]
    assert (server.address, server.ftp_address) == ("ftp2.example.com", "10.0.0.12")


def test_networks_are_written_alike() -> None:
    stats = "stats: {port: 8080, allow: [10.0.0.5, 10.0.0.5/32, 10.1.0.0/16]}\n"
    assert read(SMALLEST + stats).stats.allow == ("10.0.0.5/32", "10.1.0.0/16")  # type: ignore[union-attr]


def test_the_vip_may_be_the_balancers_own_address() -> None:
    assert read(SMALLEST.replace("vip: 10.0.0.100", "vip: 10.0.0.1")).vip == "10.0.0.1"


def test_a_root_loses_its_symbolic_links(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pd-") as short:
        (Path(short) / "lb1").mkdir()
        (tmp_path / ".lab").symlink_to(short)
        text = SMALLEST.replace("address: 10.0.0.1}", "address: 10.0.0.1, root: .lab/lb1}")
        assert read(text, f"{tmp_path}/small.yml").balancers[0].root == os.path.realpath(short) + "/lb1"


@pytest.mark.parametrize("root", ["/tmp/" + "x" * 72, "/tmp/a b", "/tmp/a'b"])
def test_a_root_that_sockets_or_haproxy_cannot_bear_is_refused(root: str) -> None:
    text = SMALLEST.replace("address: 10.0.0.1}", f'address: 10.0.0.1, root: "{root}"}}')
    with pytest.raises(ClusterFileError, match=r"4:5[0-9].*P119"):
        read(text)


def test_the_longest_root_leaves_97_characters_for_the_statistics_socket() -> None:
    root = "/tmp/" + "x" * 70
    cluster = read(SMALLEST.replace("address: 10.0.0.1}", f"address: 10.0.0.1, root: {root}}}"))
    assert len(cluster.balancers[0].path("/var/lib/haproxy/stats")) == 97


def test_a_relative_root_that_is_not_there_yet_is_not_judged() -> None:
    text = SMALLEST.replace("address: 10.0.0.1}", "address: 10.0.0.1, root: .lab/lb1}")
    assert read(text, "/tmp/" + "long/" * 30 + "small.yml").balancers[0].root.endswith(".lab/lb1")


def test_loopback_is_for_labs_alone() -> None:
    lab = SMALLEST.replace("10.0.0.", "127.0.33.")
    assert read(lab.replace("address: 127.0.33.1}", "address: 127.0.33.1, root: /tmp/x}")).vip == "127.0.33.100"
    with pytest.raises(ClusterFileError) as caught:
        read(lab)
    assert [one.code for one in caught.value.problems] == ["P111"] * 4


def test_one_real_balancer_makes_it_no_lab() -> None:
    both = "balancers: [{name: lb1, address: 127.0.33.1, root: /tmp/x}, {name: lb2, address: 10.0.0.2}]"
    with pytest.raises(ClusterFileError, match="this machine itself"):
        read(SMALLEST.replace("balancers: [{name: lb1, address: 10.0.0.1}]", both))


def test_kerberos_and_certificates_need_no_password() -> None:
    text = SMALLEST.replace("password: ask", "auth: kerberos")
    assert read(text).servers[0].winrm.password is None
    assert read(text.replace("kerberos", "certificate, scheme: https")).secret_refs() == ()
