"""The article's cluster where SELinux enforces: a virtual machine with a kernel and a policy of its own. In this order.

The policy is Debian's, with a module of ours that gives haproxy what EL's policy gives it (`selinux/haproxy.te`).
"""

import pytest
from real.house import house
from real.image import VIRTUAL, image_of
from real.needs import missing
from real.test_real_article import ARTICLE
from real.virtual import VirtualBalancer

pytestmark = pytest.mark.slow
BOOLEAN = "haproxy_connect_any"
CONFIG = "/etc/selinux/config"
EDITS = {
    "until the next boot": f"setsebool {BOOLEAN} off; setenforce 0",
    "for ever": f"setsebool -P {BOOLEAN} off; setenforce 0; sed -i s/^SELINUX=.*/SELINUX=permissive/ {CONFIG}",
}


@pytest.fixture(scope="module")
def enforcing():
    lacking = missing(virtual=True)
    if lacking:
        pytest.skip(lacking)
    with image_of(VIRTUAL) as image, house(image, make_balancer=VirtualBalancer) as lab:
        yield lab


def provision(lab, *words, code):
    return lab.desk.provision(*words, code=code, timeout=300)


def drift(lab, code):
    return lab.desk.json("drift", "article", code=code, timeout=300)["differences"]


def selinux(lab):
    """The mode and the boolean, now and from the next boot on."""
    now = lab.balancer.shell(f"getenforce; getsebool {BOOLEAN}").splitlines()
    later = lab.balancer.shell(f"grep ^SELINUX= {CONFIG}; cat /var/lib/selinux/*/active/booleans.local || true")
    return [*now, *(line for line in later.splitlines() if "=" in line)]


LET = ["Enforcing", f"{BOOLEAN} --> on", "SELINUX=enforcing", f"{BOOLEAN}=1"]


def serves(lab):
    """A file through the VIP."""
    return lab.client("curl", "-sS", "-m", "30", lab.ftp_url("services"), check=False).stdout == ARTICLE.read_text()


def test_1_left_alone_selinux_does_not_let_haproxy_bind_and_the_message_says_so(enforcing):
    unmanaged = enforcing.folder / "unmanaged.yml"
    ssh = "ssh: {user: root, key_file: ~/.ssh/id_ed25519}"
    text = ARTICLE.read_text().replace("cluster: article", "cluster: unmanaged")
    unmanaged.write_text(text.replace(ssh, f"{ssh}\n    selinux: unmanaged"))
    said = provision(enforcing, "cluster", str(unmanaged), "--yes", code=6).stderr
    assert "cannot bind socket" in said
    assert "say 'selinux: boolean' for lb1" in " ".join(said.split())
    denied = enforcing.balancer.shell("dmesg | grep 'denied  { name_bind }.*comm=\"haproxy\"' | grep -o ' src=[0-9]*'")
    assert "src=21" in denied.split()
    assert enforcing.balancer.shell("systemctl is-active haproxy", check=False) in ("inactive", "failed")


def test_2_one_command_lets_it_and_selinux_goes_on_enforcing(enforcing):
    provision(enforcing, "cluster", "article", "--yes", code=0)
    assert selinux(enforcing) == LET
    labels = enforcing.balancer.shell("ps -e -o label=,comm= | grep ' haproxy$'").splitlines()
    assert {line.split(":")[2] for line in labels} == {"haproxy_t"}


def test_3_files_move_through_the_vip_and_each_session_is_logged(enforcing):
    enforcing.client("curl", "-sS", "-m", "60", "-T", ARTICLE, enforcing.ftp_url("services"))
    assert serves(enforcing)
    assert "FTPVIP/WinFTPServer2016FTP" in enforcing.balancer.shell("sleep 2; tail -n 3 /var/log/haproxy.log")


def test_4_a_second_run_changes_nothing(enforcing):
    before = enforcing.balancer.shell("pgrep haproxy; stat -c '%y %i' /etc/haproxy/haproxy.cfg /etc/selinux/config")
    report = enforcing.desk.json("cluster", "article", "--yes", code=0, timeout=300)
    assert report["outcome"] == "unchanged"
    assert enforcing.balancer.shell("pgrep haproxy; stat -c '%y %i' /etc/haproxy/haproxy.cfg /etc/selinux/config") == before


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_5_what_is_put_off_by_hand_is_found_and_mended(enforcing, edit):
    enforcing.balancer.shell(edit)
    assert {one["kind"] for one in drift(enforcing, code=2)} == {"selinux-boolean", "selinux-mode"}
    provision(enforcing, "cluster", "article", "--yes", code=0)
    assert selinux(enforcing) == LET
    assert serves(enforcing)


def test_6_after_a_reboot_it_enforces_and_serves_as_before(enforcing):
    enforcing.balancer.reboot()
    assert selinux(enforcing) == LET
    assert drift(enforcing, code=0) == []
    assert serves(enforcing)


def test_7_a_folder_that_is_haproxys_own_is_named_before_it_hurts(enforcing):
    enforcing.balancer.shell("chown haproxy:haproxy /var/lib/haproxy")
    said = provision(enforcing, "plan", "article", "-v", code=0)
    restarted = enforcing.balancer.run("systemctl", "restart", "haproxy", check=False)
    words = enforcing.balancer.shell("journalctl -u haproxy -n 20 --no-pager -o cat")
    enforcing.balancer.shell("chown root:root /var/lib/haproxy; systemctl reset-failed haproxy; systemctl start haproxy")
    assert "chown root:root /var/lib/haproxy" in " ".join((said.stdout + said.stderr).split())
    assert restarted.returncode != 0
    assert "UNIX socket (Permission denied) [/var/lib/haproxy/stats]" in words


def test_8_the_way_back_takes_the_boolean_back_and_enforces(enforcing):
    provision(enforcing, "rollback", "article", "--to", "0", "--yes", code=0)
    assert selinux(enforcing)[:3] == ["Enforcing", f"{BOOLEAN} --> off", "SELINUX=enforcing"]
    assert not serves(enforcing)
