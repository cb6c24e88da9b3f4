"""windows.json: hand edits are seen, bad ones refused, two writers lose nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from provision.lab.windows.firewall import built_in_rules
from provision.lab.windows.state import StateStore, WindowsState

STATE = WindowsState("WIN1", "10.0.0.11", rules=built_in_rules(passive_open=True), registry={"HKLM:\\X": {"a": 1}})


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    made = StateStore(tmp_path / "windows.json")
    made.write(STATE)
    return made


def edit(store: StateStore, how: Callable[[dict[str, object]], object]) -> None:
    data = json.loads(store.path.read_text())
    how(data)
    store.path.write_text(json.dumps(data))


def test_what_was_written_is_read_back_by_another_reader(store: StateStore) -> None:
    assert StateStore(store.path).read() == STATE


def test_a_hand_edit_is_seen_at_the_next_use(store: StateStore) -> None:
    edit(store, lambda data: data.update(stateful_ftp=True))
    assert store.read().stateful_ftp


def test_an_edit_that_does_not_fit_leaves_the_last_good_state_in_force(store: StateStore) -> None:
    edit(store, lambda data: data.update(network="Home"))
    assert store.read() == STATE
    with pytest.raises(ValidationError, match="network"):
        StateStore(store.path).read()


def test_a_change_builds_on_what_others_wrote(store: StateStore) -> None:
    other = StateStore(store.path)
    other.change(lambda state: replace(state, stateful_ftp=True))
    store.change(lambda state: replace(state, network="Public"))
    assert (other.read().stateful_ftp, other.read().network) == (True, "Public")


def test_concurrent_changes_lose_nothing(store: StateStore) -> None:
    def count(_number: int) -> None:
        StateStore(store.path).change(lambda state: state.with_new_process())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(40)))
    assert store.read().last_process_id == STATE.last_process_id + 160
