"""render: offline, byte-stable, without secrets, and as the machines will get it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cli.cliworld import ARTICLE, article, clusters, say

from provision.engine.render import everything, haproxy_version
from provision.errors import UsageError

SLICED = (Path(__file__).parents[2] / "clusters" / "sliced.yml").read_text(encoding="utf-8")


def test_the_configuration_alone_goes_to_stdout_as_it_is(tmp_path):
    said = say("render", folder=clusters(tmp_path, article=ARTICLE))
    assert said.code == 0
    assert "    bind 192.168.1.123:10000-10020 transparent\n" in said.out


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
def test_haproxy_accepts_what_stdout_gives(tmp_path):
    path = tmp_path / "haproxy.cfg"
    path.write_text(say("render", folder=clusters(tmp_path, article=ARTICLE)).out)
    done = subprocess.run(["haproxy", "-c", "-f", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_secrets_are_placeholders_and_are_not_even_looked_up(tmp_path):
    environ = {"HAPROXY_STATS_PASSWORD": "C4nary-of-render", "WINRM_PASSWORD": "C4nary-of-render"}
    said = say("render", "--all", folder=clusters(tmp_path, article=ARTICLE), environ=environ)
    assert "stats auth loadbalancer:<secret env:HAPROXY_STATS_PASSWORD>" in said.out
    assert "C4nary" not in said.out


def test_two_renders_are_the_same_bytes():
    assert everything(article(), (2, 4)) == everything(article(), (2, 4))


def test_out_writes_every_file_and_says_how_many(tmp_path):
    said = say("render", "--out", str(tmp_path / "out"), folder=clusters(tmp_path, sliced=SLICED))
    files = {one.relative_to(tmp_path / "out").as_posix() for one in (tmp_path / "out").rglob("*") if one.is_file()}
    assert {
        "by-hand.md",
        "balancers/lb1/haproxy.cfg",
        "servers/ftp1/set.json",
        "scripts/Set-FtpServerState.ps1",
    } <= files
    assert said.out.startswith(f"{len(files)} files written")


def test_the_scripts_are_the_shipped_ones_byte_for_byte(tmp_path):
    say("render", "--out", str(tmp_path / "out"), folder=clusters(tmp_path, article=ARTICLE))
    shipped = Path(__file__).parents[2] / "powershell" / "Set-FtpServerState.ps1"
    assert (tmp_path / "out" / "scripts" / shipped.name).read_bytes() == shipped.read_bytes()


def test_a_servers_argument_says_what_the_file_says():
    order = json.loads(everything(article(), (2, 4))["servers/WinFTPServer2016FTP1/set.json"])
    assert order["dataChannelPorts"] == {"set": {"low": 10000, "high": 10020}}
    assert order["externalAddresses"] == [{"site": "Default FTP Site", "set": "192.168.1.123"}]
    assert order["firewallRule"]["set"]["remoteAddresses"] == ["ADDRESS OF lb1"]


def test_by_hand_names_every_host_and_the_firewall_and_selinux_commands():
    text = everything(article(), (2, 4))["by-hand.md"]
    words = (
        "lb1",
        "WinFTPServer2016FTP1",
        "WinFTPServer2016FTP2",
        "firewall-cmd",
        "setsebool -P",
        "New-NetFirewallRule",
    )
    assert [one for one in words if one not in text] == []


def test_the_version_changes_what_is_written():
    assert everything(article(), (1, 5)) != everything(article(), (3, 0))


@pytest.mark.parametrize(("text", "version"), [("2.4", (2, 4)), ("1.5", (1, 5)), ("2.6.12", (2, 6)), ("3.2", (3, 2))])
def test_a_version_is_two_numbers(text, version):
    assert haproxy_version(text) == version


@pytest.mark.parametrize("text", ["1.4", "2", "2.x", "", "4.0", "2.4\n", "2.4.1.1"])
def test_what_is_no_version_is_64(text):
    with pytest.raises(UsageError):
        haproxy_version(text)


def test_a_folder_that_cannot_be_written_is_64(tmp_path):
    (tmp_path / "file").write_text("")
    said = say("render", "--out", str(tmp_path / "file" / "x"), folder=clusters(tmp_path, article=ARTICLE))
    assert (said.code, "P904" in said.err) == (64, True)


def test_json_carries_the_files(tmp_path):
    said = say("render", "--json", folder=clusters(tmp_path, article=ARTICLE))
    assert list(json.loads(said.out)["files"]) == ["lb1"]
