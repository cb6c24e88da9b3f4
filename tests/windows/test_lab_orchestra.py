"""The lab goes up, down and up again, keeps its state, and minds who else is there. The hosts are empty processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from windows.labcluster import TEXT, write_cluster

from provision.errors import LabError
from provision.lab import orchestra
from provision.lab.places import Places
from provision.lab.windows.settings import load_settings
from provision.model.cluster import Cluster

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(orchestra, "MODULES", {"server": "windows.tinyhost", "balancer": "windows.tinyhost"})
    made = write_cluster(tmp_path / "clusters")
    yield made
    orchestra.down(made, made.file)
    orchestra.forget(made.file)


def test_up_starts_every_host_and_status_shows_them(cluster: Cluster) -> None:
    status = orchestra.up(cluster, cluster.file)
    assert status.is_up
    assert [(host.name, host.kind, host.requests) for host in status.hosts] == [
        ("win1", "server", 7), ("win2", "server", 7), ("lb1", "balancer", 7)]


def test_up_again_keeps_what_runs_and_the_secrets(cluster: Cluster) -> None:
    first = orchestra.up(cluster, cluster.file)
    password = Places.of(cluster.file).password("winrm")
    assert orchestra.up(cluster, cluster.file) == first
    assert Places.of(cluster.file).password("winrm") == password


def test_down_ends_every_host_and_nothing_is_left_running(cluster: Cluster) -> None:
    orchestra.up(cluster, cluster.file)
    status = orchestra.down(cluster, cluster.file)
    assert [(host.pid, host.ready) for host in status.hosts] == [(None, False)] * 3


def test_reset_makes_everything_anew(cluster: Cluster) -> None:
    orchestra.up(cluster, cluster.file)
    before = Places.of(cluster.file).password("winrm")
    assert orchestra.reset(cluster, cluster.file).is_up
    assert Places.of(cluster.file).password("winrm") != before


def test_status_of_a_lab_that_never_was_changes_nothing(cluster: Cluster) -> None:
    status = orchestra.status(cluster, cluster.file)
    assert not status.is_up
    assert not status.folder.exists()


def test_the_hosts_are_made_as_the_cluster_file_says(cluster: Cluster) -> None:
    folder = orchestra.up(cluster, cluster.file).folder
    settings = load_settings(folder / "win1")
    assert (settings.address, settings.winrm_https_port, settings.sites[0].binding) == ("127.0.47.11", 5986, "*:2121:")
    assert [login.name for login in settings.logins] == ["labadmin", "ftpuser"]
    assert (folder / "shares" / "files" / "ftproot" / "probe").is_dir()
    assert [load_settings(folder / name).passive_rule_open for name in ("win1", "win2")] == [False, True]


def test_known_hosts_is_written_once_and_not_learned_again(cluster: Cluster) -> None:
    folder = orchestra.up(cluster, cluster.file).folder
    assert (folder / "known_hosts").read_text() == "[127.0.47.1]:2222 ssh-ed25519 AAAAkey\n"
    (folder / "known_hosts").write_text("as it was\n")
    orchestra.up(cluster, cluster.file)
    assert (folder / "known_hosts").read_text() == "as it was\n"


def test_a_host_that_does_not_start_is_named_with_the_reason(cluster: Cluster) -> None:
    places = Places.of(cluster.file)
    places.make()
    places.host("win2").mkdir()
    (places.host("win2") / "refuse").touch()
    with pytest.raises(LabError, match="win2: the host did not start .the port is taken"):
        orchestra.up(cluster, cluster.file)


def test_another_lab_behind_the_same_link_goes_first(cluster: Cluster) -> None:
    orchestra.up(cluster, cluster.file)
    other = cluster.file.with_name("other.yml")
    with pytest.raises(LabError, match="another lab is up"):
        orchestra.up(cluster, other)
    orchestra.down(cluster, cluster.file)
    assert orchestra.up(cluster, other).is_up
    orchestra.down(cluster, other)
    orchestra.forget(other)


def test_a_lab_made_for_another_cluster_file_is_refused(cluster: Cluster) -> None:
    orchestra.up(cluster, cluster.file)
    changed = write_cluster(cluster.file.parent, TEXT.replace("127.0.47.12", "127.0.47.13"))
    with pytest.raises(LabError, match="changed since the lab was made"):
        orchestra.up(changed, changed.file)


def test_a_cluster_of_real_addresses_is_no_lab(cluster: Cluster) -> None:
    changed = write_cluster(cluster.file.parent, TEXT.replace("127.0.47.12", "192.168.1.12"))
    with pytest.raises(LabError, match=r"192.168.1.12 is not a loopback address"):
        orchestra.up(changed, changed.file)
