"""From what was typed to a file: names, paths, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.definition.load import find_cluster
from provision.errors import ClusterFileError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clusters").mkdir()
    for name in ("article.yml", "other.yaml", "notes.txt"):
        (tmp_path / "clusters" / name).touch()
    (tmp_path / "own.yml").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("article", "clusters/article.yml"),
        ("other", "clusters/other.yaml"),
        ("own.yml", "own.yml"),
        ("clusters/article.yml", "clusters/article.yml"),
        ("./clusters/../own.yml", "./clusters/../own.yml"),
    ],
)
def test_a_name_or_a_path_leads_to_its_file(name: str, file: str, folder: Path) -> None:
    assert find_cluster(name, folder) == folder / file


def test_a_path_is_kept_as_it_was_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert str(find_cluster("article")) == "clusters/article.yml"


def test_an_unknown_name_says_where_it_was_looked_for_and_what_there_is(folder: Path) -> None:
    with pytest.raises(ClusterFileError) as caught:
        find_cluster("artikle", folder)
    assert caught.value.exit_code == 4
    assert caught.value.problems[0].code == "P100"
    assert caught.value.file.endswith("clusters/artikle.yml")
    assert caught.value.problems[0].allowed.endswith("clusters holds: article, other")


def test_without_any_cluster_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClusterFileError, match="clusters holds no cluster"):
        find_cluster("article", tmp_path)


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "../../etc/passwd", "a/b.yml", "[", "**"])
def test_a_strange_name_is_no_file(name: str, folder: Path) -> None:
    with pytest.raises(ClusterFileError, match="P100"):
        find_cluster(name, folder)


def test_a_dot_is_a_folder_and_no_name(folder: Path) -> None:
    assert find_cluster(".", folder) == folder / "."


@pytest.mark.parametrize(
    ("name", "meant"),
    [("own", "did you mean own.yml? "), ("other.yaml", "did you mean clusters/other.yaml? ")],
)
def test_a_file_that_lies_beside_is_suggested(name: str, meant: str, folder: Path) -> None:
    with pytest.raises(ClusterFileError) as caught:
        find_cluster(name, folder)
    assert caught.value.problems[0].allowed.startswith(meant)
