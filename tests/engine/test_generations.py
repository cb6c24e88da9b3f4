"""Generations on this machine: written, read back, refused when damaged; the lock; the key."""

import json
import os
import stat

import pytest

from provision.engine.documents import Generation, decode, encode
from provision.engine.apply import _previous
from provision.engine.generations import Locked, Store, held, whoami, write_atomically
from provision.errors import SnapshotError
from provision.model.ports import PortRange
from provision.model.resources import DataChannelPorts
from provision.model.state import Key, Scope, State

STATE = State({Key("win1", "data-channel-ports", "server"): DataChannelPorts(PortRange(10000, 10020))})


def generation(number=1, result="proven"):
    return Generation(
        cluster="lab",
        number=number,
        when="2026-01-01T00:00:00Z",
        who="ops@desk",
        what="cluster",
        result=result,
        state=STATE,
        before=State(),
        scope=Scope.of(STATE),
        definition="cluster: lab\n",
        key="00" * 32,
    )


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "lab")


def test_what_is_written_is_read(store):
    store.write(generation())
    assert store.read(1) == generation()


def test_a_document_survives_the_wire():
    assert decode(encode(generation()), "here", "lab") == generation()


def test_a_changed_document_is_refused_with_its_place(store):
    store.write(generation())
    path = store.folder / "generations" / "0001.json"
    path.write_text(path.read_text().replace("10020", "10021"))
    with pytest.raises(SnapshotError, match="damaged") as caught:
        store.read(1)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"nonsense", b'{"sha256": "x"}'])
def test_rubbish_is_refused(data):
    with pytest.raises(SnapshotError):
        decode(data, "here", "lab")


def test_a_missing_generation_names_those_that_are_there(store):
    store.write(generation(3))
    with pytest.raises(SnapshotError, match="there are: 3"):
        store.read(9)


def test_the_latest_usable_one_passes_over_failed_and_damaged_ones(store):
    for number, result in ((1, "proven"), (2, "undone"), (3, "proven")):
        store.write(generation(number, result))
    (store.folder / "generations" / "0003.json").write_text("damaged")
    assert store.latest().number == 1


def test_a_finished_generation_says_how_it_ended(store):
    store.write(generation(2, "started"))
    store.write(generation(2, "undone"))
    assert store.read(2).result == "undone"


@pytest.mark.parametrize("result", ["started", "interrupted", "failed"])
def test_after_a_run_that_did_not_end_the_way_back_is_to_what_was_proven_last(store, result):
    for number, how in ((1, "proven"), (2, "proven"), (3, result)):
        store.write(generation(number, how))
    assert store.unfinished().number == 3
    assert _previous(store) == 2


def test_after_a_proven_run_the_way_back_is_to_the_one_before(store):
    for number, how in ((1, "proven"), (2, "proven"), (3, "undone")):
        store.write(generation(number, how))
    assert store.unfinished() is None
    assert _previous(store) == 1


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_files_are_for_this_user_only(store):
    store.write(generation())
    path = store.folder / "generations" / "0001.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_disk_that_is_full_stops_with_a_clear_error(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("provision.engine.generations.os.fsync", full)
    with pytest.raises(SnapshotError, match="No space left"):
        store.write(generation())
    assert list((store.folder / "generations").iterdir()) == []


def test_the_key_is_made_once(store):
    first = store.keep_key()
    assert len(first) == 32
    assert store.keep_key() == first == store.key()


def test_a_key_that_a_balancer_recorded_replaces_ours(store):
    store.keep_key()
    assert store.adopt_key(b"k" * 32) == store.keep_key() == b"k" * 32


def test_a_second_run_is_locked_out_and_let_in_afterwards(store):
    with held(store, "noon"), pytest.raises(Locked) as caught, held(Store(store.folder.parent, "lab")):
        pass
    assert caught.value.exit_code == 5
    assert caught.value.why == f"it is process {os.getpid()} of {whoami()}, since noon"
    with held(store):
        pass


def test_an_atomic_write_leaves_nothing_beside(tmp_path):
    write_atomically(tmp_path / "a", b"one")
    write_atomically(tmp_path / "a", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_document_is_plain_json():
    assert json.loads(encode(generation()))["cluster"] == "lab"


def test_a_folder_that_nobody_may_look_into_is_said_with_the_variable_that_names_another(store, monkeypatch):
    def refused(*_words):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.glob", refused)
    with pytest.raises(SnapshotError) as caught:
        store.numbers()
    assert (caught.value.code, str(store.folder) in caught.value.where) == ("P707", True)
    assert "PROVISION_HOME" in caught.value.next


def test_a_folder_that_cannot_be_written_names_the_variable_as_well(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError) as caught:
        Store(tmp_path / "file", "lab").write(generation())
    assert (caught.value.code, "PROVISION_HOME" in caught.value.next) == ("P703", True)
