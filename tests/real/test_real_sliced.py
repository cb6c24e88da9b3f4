"""A sliced cluster of three servers under clients that nobody here wrote, and reloads under load. In this order."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from real.clusterfiles import SLICED, written
from real.house import CLIENTS, VIP, house

SERVERS = {f"win{number}": f"192.168.1.11{number - 1}" for number in (1, 2, 3)}
STRANGERS = Path(__file__).with_name("strangers.py")
RELOADS = 20
GIBIBYTE = 1 << 30


@pytest.fixture(scope="module")
def sliced(image):
    with house(image, SERVERS) as lab:
        for site in (lab.share / "files").iterdir():
            (site / "probe").mkdir()
        lab.file = written(lab.folder, "sliced", SLICED)
        lab.desk.provision("cluster", lab.file, "--yes", code=0)
        yield lab


@pytest.fixture(scope="module")
def files(sliced):
    """2,000 small files in a folder, and one of a gibibyte beside them."""
    folder = sliced.folder / "files"
    (folder / "small").mkdir(parents=True)
    for number in range(2000):
        (folder / "small" / f"{number:04}").write_bytes(hashlib.sha256(b"%d" % number).digest() * (number % 40))
    with (folder / "large").open("wb") as large:
        subprocess.run(["head", "-c", str(GIBIBYTE), "/dev/urandom"], stdout=large, check=True)
    return folder


def stranger(lab, *words, **how):
    env = {"FTP_PASSWORD": lab.passwords["ftp"], "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return json.loads(lab.client(sys.executable, STRANGERS, *words, env=env, **how).stdout)


def same(first, second):
    return subprocess.run(["cmp", first, second], check=False).returncode == 0


def test_1_drift_is_quiet_and_verify_saw_every_server(sliced):
    assert sliced.desk.json("drift", sliced.file, code=0)["differences"] == []
    said = sliced.desk.provision("verify", sliced.file, code=0).stdout
    assert all(name in said for name in SERVERS)


def test_2_the_statistics_page_is_open_for_its_network_only(sliced):
    page = ("curl", "-sS", "-m", "5", "-u", f"watcher:{sliced.passwords['stats']}", f"http://{VIP}:8404/")
    assert "ftp_control" in sliced.world.run(*page).stdout
    assert sliced.reaches(8404) == "filtered"


def test_3_curl_lists_and_moves_a_gibibyte_each_way(sliced, files):
    sliced.client("curl", "-sS", "-T", files / "large", sliced.ftp_url("large"), timeout=300)
    assert "large" in sliced.client("curl", "-sS", "-l", sliced.ftp_url()).stdout
    sliced.client("curl", "-sS", "-o", files / "large.back", sliced.ftp_url("large"), timeout=300)
    assert same(files / "large", files / "large.back")
    (files / "large.back").unlink()


def test_4_lftp_mirrors_2000_small_files_there_and_back(sliced, files):
    go = f"set ftp:ssl-allow no; set net:max-retries 1; set net:timeout 20; open {sliced.ftp_url()}; "
    mirror = f"mirror -R -P 4 {files}/small small; mirror -P 4 small {files}/small.back; rm -r small"
    sliced.client("lftp", "-c", go + mirror, timeout=300)
    compared = subprocess.run(["diff", "-r", files / "small", files / "small.back"], capture_output=True, check=False)
    assert compared.stdout == b""
    assert len(list((files / "small.back").iterdir())) == 2000


def test_5_the_ftp_program_lists_and_moves_a_file(sliced, files):
    back = files / "0039.back"
    typed = (
        f"user ftpuser {sliced.passwords['ftp']}\nbinary\nput {files}/small/0039 typed\nls\n"
        f"get typed {back}\ndelete typed\nquit\n"
    )
    said = sliced.client("ftp", "-n", "-p", VIP, input=typed).stdout
    assert "typed" in said
    assert same(files / "small/0039", back)


@pytest.mark.parametrize("tls", ["plain", "tls"])
def test_6_twenty_clients_at_once_get_their_own_bytes(sliced, tls):
    assert stranger(sliced, "crowd", VIP, tls, *CLIENTS[:20])["same"] == [True] * 20


def test_7_curl_and_lftp_speak_explicit_tls_on_both_channels(sliced, files):
    secure = ("curl", "-sS", "--ssl-reqd", "--insecure")  # the certificates name the servers, not the VIP
    sliced.client(*secure, "-T", files / "small/0039", sliced.ftp_url("sealed"))
    down = sliced.client(*secure, sliced.ftp_url("sealed"), text=False).stdout
    assert down == (files / "small/0039").read_bytes()
    sealed = "set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set net:max-retries 1; "
    said = sliced.client("lftp", "-c", f"{sealed} open {sliced.ftp_url()}; ls; rm sealed").stdout
    assert "sealed" in said


def test_8_active_mode_logs_in_and_moves_nothing(sliced):
    tried = sliced.client("curl", "-sS", "-m", "20", "--ftp-port", "-", sliced.ftp_url(), check=False)
    assert tried.returncode == 30, tried.stderr  # "FTP PORT failed"
    assert tried.stdout == ""


def test_9_nobody_is_refused_during_twenty_reloads(sliced):
    env = {"FTP_PASSWORD": sliced.passwords["ftp"], "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    command = (sys.executable, STRANGERS, "looping", VIP)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    client = sliced.world.start(*command, at="client", env=env, text=True, **pipes)
    for _ in range(RELOADS):
        sliced.balancer.shell("systemctl reload haproxy; sleep 0.2")
    told = json.loads(client.communicate("stop\n", timeout=60)[0])
    assert told["failures"] == []
    assert told["logins"] > RELOADS


def test_10_the_way_back_takes_the_rule_for_the_statistics_page_along(sliced):
    assert "192.168.1.2/32" in sliced.balancer.shell("firewall-cmd --list-rich-rules")
    sliced.desk.provision("rollback", sliced.file, "--to", "0", "--yes", code=0)
    for how in ("", "--permanent"):
        assert sliced.balancer.shell(f"firewall-cmd {how} --list-rich-rules; firewall-cmd {how} --list-ports").strip() == ""
