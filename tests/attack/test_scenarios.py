"""What admins really do to a cluster between two runs, and that the way back never costs them a file. In this order."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from attack.attackhouse import root, up
from journey.labhouse import LabHouse, write_cluster

NET = "127.0.54"
MAIN = "etc/haproxy/haproxy.cfg"
FOREIGN = """\
# written by an admin
global
    stats socket {root}/var/lib/haproxy/stats mode 600
defaults
    mode tcp
    timeout client 5s
    timeout server 5s
    timeout connect 5s
listen mine
    bind {net}.100:8008
    server one {net}.11:2121
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    with up(LabHouse(write_cluster(folder, "scenes", NET), folder / "home", NET)) as one:
        yield one


def edited(lab, *changes):
    """The same cluster in another file, as if somebody had edited it."""
    text = lab.file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = lab.file.parent / "edited.yml"
    path.write_text(text)
    return LabHouse(path, lab.home, lab.net)


def tell(lab, *argv):
    """Run a program on the balancer as its admin would."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(root(lab) / "control.sock"))
        control.sendall(json.dumps({"do": "run", "argv": argv}).encode() + b"\n")
        return json.loads(control.makefile().readline())["out"].strip()


def configuration(lab):
    """Every file below etc of the balancer with its mode: SELinux's and firewalld's own as well."""
    files = (path for path in (root(lab) / "etc").rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path): (path.read_bytes(), path.stat().st_mode) for path in files if "selinux" not in str(path)}


def write_foreign(lab, more=""):
    path = root(lab) / MAIN
    path.write_text(FOREIGN.format(root=root(lab), net=lab.net) + more)
    path.chmod(0o600)


@pytest.mark.slow
def test_1_a_run_that_is_limited_to_hosts_goes_host_by_host(lab):
    assert "P303" in lab.on_cluster("cluster", "--yes", "--limit", "win1", code=1).stderr
    for host in ("lb1", "win1", "win2"):
        lab.on_cluster("cluster", "--yes", "--limit", host, code=0)
    lab.json("drift", code=0)


@pytest.mark.slow
def test_2_a_foreign_file_is_refused_adopted_and_given_back(lab):
    lab.on_cluster("rollback", "--to", "0", "--yes", code=0)
    write_foreign(lab)
    tell(lab, "systemctl", "start", "haproxy")
    before = configuration(lab)
    assert "P501" in lab.on_cluster("cluster", "--yes", code=1).stderr
    lab.on_cluster("cluster", "--yes", "--adopt", code=0)
    lab.on_cluster("rollback", "--yes", code=0)
    assert configuration(lab) == before
    assert tell(lab, "systemctl", "is-active", "haproxy") == "active"


@pytest.mark.slow
def test_3_a_fragment_leaves_the_main_file_alone_also_where_ours_once_was(lab):
    before = configuration(lab)
    beside = edited(lab, ("root: .lab/lb1", "root: .lab/lb1\n    haproxy: fragment"))
    beside.on_cluster("cluster", "--yes", code=0)
    beside.json("drift", code=0)
    assert (root(lab) / MAIN).read_bytes() == before[str(root(lab) / MAIN)][0]
    beside.on_cluster("rollback", "--yes", code=0)
    assert configuration(lab) == before


@pytest.mark.slow
def test_4_a_file_that_somebody_wrote_since_is_not_rolled_over(lab):
    lab.on_cluster("cluster", "--yes", "--adopt", code=0)
    write_foreign(lab, "# newer\n")
    assert "P501" in lab.on_cluster("rollback", "--to", "0", "--yes", code=1).stderr
    assert (root(lab) / MAIN).read_text().endswith("# newer\n")
    lab.on_cluster("cluster", "--yes", "--adopt", code=0)
    lab.on_cluster("rollback", "--yes", code=0)
    assert (root(lab) / MAIN).read_text().endswith("# newer\n")
    (root(lab) / MAIN).unlink()
    tell(lab, "systemctl", "stop", "haproxy")


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        (("10000-10059", "20000-20059"),),
        (("passive_layout: sliced", "passive_layout: shared"), ("port: 8080", "port: 8081")),
        (("root: .lab/lb1", "root: .lab/lb1\n    selinux: permissive"),),
    ],
    ids=["ports", "layout", "permissive"],
)
def test_5_an_edited_file_is_applied_and_taken_back(lab, change):
    lab.on_cluster("cluster", "--yes", code=0)
    other = edited(lab, *change)
    other.on_cluster("cluster", "--yes", code=0)
    other.json("drift", code=0)
    other.on_cluster("rollback", "--yes", code=0)
    lab.json("drift", code=0)


@pytest.mark.slow
def test_6_what_is_managed_no_more_and_cannot_be_absent_stays(lab):
    lab.on_cluster("cluster", "--yes", code=0)
    other = edited(lab, ("root: .lab/lb1", "root: .lab/lb1\n    selinux: unmanaged"))
    assert other.json("cluster", "--yes", code=0)["outcome"] == "unchanged"
    other.json("drift", code=0)


@pytest.mark.slow
def test_7_of_two_runs_at_once_one_works_and_the_other_says_5(lab):
    lab.on_cluster("rollback", "--to", "0", "--yes", code=0)
    with ThreadPoolExecutor(2) as pool:
        codes = [one.returncode for one in pool.map(lambda _: lab.on_cluster("cluster", "--yes"), range(2))]
    assert 0 in codes
    assert set(codes) <= {0, 1, 5}  # 1: the other one had changed something between plan and lock
    lab.on_cluster("cluster", "--yes", code=0)
    lab.json("drift", code=0)


@pytest.mark.slow
def test_8_forged_and_damaged_generations_on_the_balancer_are_not_believed(lab):
    lab.on_cluster("cluster", "--yes", code=0)
    folder = root(lab) / "var/lib/provision/scenes/generations"
    newest = sorted(folder.iterdir())[-1]
    other = json.loads(newest.read_text()) | {"number": 0, "cluster": "other", "definition": "\x1b[2J[bold]"}
    (folder / "9998.json").write_text(json.dumps(other))
    (folder / "9999.json").write_bytes(b"[" * 100_000)
    (folder / "a b;$(id).json").write_text("{}")
    lab.json("drift", code=0)
    lab.home = lab.home.parent / "another-desk"
    done = lab.on_cluster("rollback", "--to", "9998", "--yes", code=1)
    assert "Traceback" not in done.stderr
    assert "P70" in done.stderr
    lab.on_cluster("rollback", "--to", "0", "--yes", code=0)
    assert lab.json("drift", code=2)["unread"] == {}


@pytest.mark.slow
def test_9_a_site_that_the_file_names_no_more_loses_our_address_and_gets_it_back(tmp_path):
    net = "127.0.55"
    file = write_cluster(tmp_path, "sites", net, servers=1)
    file.write_text(file.read_text().replace(f"address: {net}.11,", f"address: {net}.11, sites: [One, Two],"))
    with up(LabHouse(file, tmp_path / "home", net)) as both:
        both.on_cluster("cluster", "--yes", code=0)
        one = edited(both, ("sites: [One, Two]", "sites: [One]"))
        planned = one.json("plan", code=2)["plan"]["changes"]
        assert [(change["name"], change["after"]) for change in planned] == [("Two", None)]
        one.on_cluster("cluster", "--yes", code=0)
        one.on_cluster("rollback", "--yes", code=0)
        both.json("drift", code=0)
