"""`provision lab ...` as it is typed: what it forgets, what it keeps, what it says of other labs. Hosts are empty."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from windows.labcluster import TEXT, write_cluster

from provision.cli.invocation import Streams
from provision.cli.main import run
from provision.cli.program import pasted
from provision.errors import LabError
from provision.lab import orchestra
from provision.lab.faults import list_breaks
from provision.lab.hostprocess import HostProcess
from provision.lab.neighbours import explain_taken
from provision.lab.places import Places
from provision.model.cluster import Cluster

TESTS = Path(__file__).resolve().parents[1]
Type = Callable[..., tuple[int, str]]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(orchestra, "MODULES", {"server": "windows.tinyhost", "balancer": "windows.tinyhost"})
    made = write_cluster(tmp_path / "clusters")
    yield made
    orchestra.down(made, made.file)
    orchestra.forget(made.file)


@pytest.fixture
def typed(tmp_path: Path) -> Type:
    def run_words(*words: str) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        environ = {**os.environ, "PROVISION_HOME": str(tmp_path / "home"), "COLUMNS": "300"}
        code = run(words, Streams(io.StringIO(), out, err), environ, tmp_path, signals=False)
        return code, out.getvalue() + err.getvalue()

    return run_words


@pytest.fixture
def generations(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "tiny" / "generations"
    folder.mkdir(parents=True)
    (folder / "0000.json").write_text("{}")
    return folder


@pytest.mark.parametrize("words", [("lab", "reset", "tiny.yml"), ("lab", "down", "tiny.yml", "--purge")])
def test_generations_of_a_lab_that_is_gone_are_set_aside(
    cluster: Cluster, typed: Type, generations: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    orchestra.up(cluster, cluster.file)
    code, said = typed(*words[:2], str(cluster.file), *words[3:])
    (aside,) = (tmp_path / "home").glob("tiny.lab-gone-*")
    assert (code, (aside / "generations" / "0000.json").exists(), generations.exists()) == (0, True, False)
    assert f"were set aside: {aside}" in said


def test_generations_stay_when_the_lab_goes_down_and_up_again(
    cluster: Cluster, typed: Type, generations: Path
) -> None:
    orchestra.up(cluster, cluster.file)
    assert typed("lab", "down", str(cluster.file))[0] == 0
    assert typed("lab", "up", str(cluster.file))[0] == 0
    assert (generations / "0000.json").exists()


def test_purge_leaves_no_key_and_no_link(cluster: Cluster, typed: Type) -> None:
    folder = orchestra.up(cluster, cluster.file).folder
    assert typed("lab", "down", str(cluster.file), "--purge")[0] == 0
    assert not folder.exists()
    assert not Places.of(cluster.file).link.is_symlink()


def test_status_names_the_other_lab_behind_the_link(cluster: Cluster, typed: Type) -> None:
    orchestra.up(cluster, cluster.file)
    other_file = cluster.file.with_name("other.yml")
    other_file.write_text(TEXT)
    code, said = typed("lab", "status", str(other_file))
    assert code == 0
    assert f"lb1, win1, win2 run for {cluster.file} [P803]" in said


def test_a_fault_is_not_put_into_a_lab_that_the_link_does_not_lead_to(cluster: Cluster, typed: Type) -> None:
    orchestra.up(cluster, cluster.file)
    other_file = cluster.file.with_name("other.yml")
    other_file.write_text(TEXT)
    code, said = typed("lab", "break", "service-stopped", str(other_file))
    assert code == 1
    assert "P803" in said


def test_an_address_that_is_taken_is_said_in_words_and_what_was_started_ends(cluster: Cluster) -> None:
    places = Places.of(cluster.file)
    places.make()
    places.host("win2").mkdir()
    (places.host("win2") / "refuse").write_text("OSError: [Errno 98] Address already in use")
    with pytest.raises(LabError, match=r"127\.0\.47\.100.*another lab uses them") as caught:
        orchestra.up(cluster, cluster.file)
    assert caught.value.code == "P809"
    assert [host.pid for host in orchestra.status(cluster, cluster.file).hosts] == [None, None, None]


def test_another_reason_is_left_as_it_is() -> None:
    error = LabError("P802", "the host did not start", why="no disk")
    assert explain_taken(error, ["127.0.0.1"]) is error


def test_a_missing_package_of_the_extra_is_said_before_a_host_is_started(
    cluster: Cluster, typed: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orchestra, "NEEDED", ("no_such_module_at_all",))
    monkeypatch.setattr(HostProcess, "start", lambda _self: pytest.fail("a host was started"))
    code, said = typed("lab", "up", str(cluster.file))
    assert (code, "P903" in said, "pip install 'provision[lab]'" in said) == (64, True, True)


@pytest.mark.parametrize(("on_path", "shown"), [(True, "provision lab up"), (False, "{folder}/provision lab up")])
def test_what_comes_next_can_be_pasted_where_the_program_is_not_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_path: bool, shown: str
) -> None:
    program = tmp_path / "provision"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path) if on_path else "")
    assert pasted("provision lab up", str(program)) == shown.format(folder=tmp_path)


def test_the_list_of_faults_fits_80_columns(typed: Type) -> None:
    code, said = typed("lab", "break", "--list")
    heads = [row for row in said.splitlines() if not row.startswith("    ")]
    assert code == 0
    assert max(map(len, heads)) < 80
    assert "    an FTP site shows other files than the other servers" in said.splitlines()


@pytest.mark.parametrize(("fault", "seen"), [("content-differs", "verify"), ("service-stopped", "drift")])
def test_what_comes_after_a_fault_is_the_command_that_shows_it(fault: str, seen: str) -> None:
    assert {one.name: one.seen_by for one in list_breaks()}[fault] == seen
