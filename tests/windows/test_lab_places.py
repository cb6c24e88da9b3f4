"""Where a lab lies, and that nobody else can have prepared the place."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from provision.errors import LabError
from provision.lab.places import PASSWORDS, Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "clusters").mkdir()
    return Places.of(tmp_path / "clusters" / "lab.yml", base=tmp_path)


def test_the_place_is_private_and_so_is_every_secret(places: Places) -> None:
    places.make()
    assert stat.S_IMODE(places.folder.stat().st_mode) == 0o700
    secrets = [places.password_file(name) for name in PASSWORDS] + [places.private_key, places.folder / "ca-key.pem"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in secrets} == {0o600}


def test_the_link_leads_to_it_from_beside_the_cluster_file(places: Places) -> None:
    places.make()
    assert places.link.parent == places.cluster_file.parent
    assert places.link.resolve() == places.folder.resolve()


def test_making_it_again_keeps_the_secrets(places: Places) -> None:
    places.make()
    before = [places.password(name) for name in PASSWORDS], places.private_key.read_bytes()
    places.make()
    assert ([places.password(name) for name in PASSWORDS], places.private_key.read_bytes()) == before
    assert len(set(before[0])) == 3


def test_a_folder_that_others_can_enter_is_refused(places: Places) -> None:
    places.folder.mkdir()
    places.folder.chmod(0o755)
    with pytest.raises(LabError, match="open to others"):
        places.make()


def test_a_link_in_the_place_of_the_folder_is_refused(places: Places, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    places.folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LabError, match="not this user's folder"):
        places.make()


def test_something_else_called_dot_lab_is_left_alone(places: Places) -> None:
    places.link.mkdir()
    with pytest.raises(LabError, match="in the way"):
        places.make()


def test_two_checkouts_have_two_places_with_short_paths(tmp_path: Path) -> None:
    one, other = (Places.of(tmp_path / name / "lab.yml") for name in ("a", "b"))
    assert one.folder != other.folder
    assert len(str(one.host("win1") / "control.sock")) < 60
    assert str(os.getuid()) in one.folder.name


def test_asking_for_a_secret_that_is_none_names_those_there_are(places: Places) -> None:
    with pytest.raises(LabError, match="winrm, stats, ftp"):
        places.password("root")
    with pytest.raises(LabError, match="never started"):
        places.password("winrm")
