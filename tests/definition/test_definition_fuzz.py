"""Properties: whatever the text, the loader answers with a cluster or with a ClusterFileError whose places exist."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provision.definition.load import load_cluster, parse_cluster
from provision.definition.shape import ClusterShape
from provision.definition.slices import cut
from provision.errors import ClusterFileError, Problem
from provision.model.cluster import Cluster
from provision.model.ports import PortRange, PortSet

BASE = (Path(__file__).parent / "cases" / "base.yml").read_text(encoding="utf-8")
TOKENS = re.findall(r"\n *|[\w.]+|[^\w\s]| +", BASE)
KEYS = sorted(set(re.findall(r'"(\w+)": \{', json.dumps(ClusterShape.model_json_schema()))) | {"<<", "", "a.b"})
WORDS = st.sampled_from([*"&*!|>%@`\"'#:-?,[]{}~\t", "no", "1e3", "0x1", "---", "...", "2016-01-01", "null", "10.0.0.12", "\ufeff"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(TOKENS)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    max_leaves=40,
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def problems_of(load: Callable[[], Cluster]) -> tuple[Problem, ...] | None:
    """None for a good file. Any exception but ClusterFileError passes through, and the test fails."""
    try:
        load()
    except ClusterFileError as error:
        return error.problems
    return None


def check(text: str) -> None:
    found = problems_of(lambda: parse_cluster(text, Path("demo.yml")))
    lines = [*text.split("\n"), ""]
    for one in found or ():
        assert 1 <= one.line <= len(lines)
        assert 1 <= one.column <= len(lines[one.line - 1]) + 1
        assert one.length >= 1
        assert one.message
        assert re.fullmatch("P1[0-9][0-9]", one.code)
    assert found != ()
    assert list(found or ()) == sorted(found or (), key=lambda one: (one.line, one.column))


@QUICK
@given(st.text())
@example("%YAML 9.9\n---\na")
@example("%TAG ! tag:x,2000:\n--- !a b")
@example("a: !<")
@example("? ")
@example("\"\\UFFFFFFFF\"")
@example("- " * 2000)
@example("port: " + "9" * 5000)
def test_any_text_gives_a_cluster_or_a_cluster_file_error(text: str) -> None:
    check(text)


@QUICK
@given(st.lists(st.tuples(st.integers(0, len(TOKENS) - 1), WORDS | st.sampled_from(TOKENS)), min_size=1, max_size=6))
def test_a_spoilt_cluster_file_gives_a_cluster_or_a_cluster_file_error(changes: list[tuple[int, str]]) -> None:
    tokens = list(TOKENS)
    for index, word in changes:
        tokens[index] = word
    check("".join(tokens))


@QUICK
@given(st.dictionaries(st.sampled_from(KEYS), DATA, max_size=8))
def test_any_data_under_our_keys_gives_a_cluster_or_a_cluster_file_error(data: dict[str, Any]) -> None:
    check(json.dumps(data))


@settings(QUICK, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_cluster_or_a_cluster_file_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "demo.yml").write_bytes(data)
    assert problems_of(lambda: load_cluster(tmp_path / "demo.yml")) != ()


@given(st.integers(1025, 60000), st.integers(1, 400), st.integers(1, 40))
def test_slices_are_equal_disjoint_ordered_and_within_the_range(low: int, ports: int, servers: int) -> None:
    whole = PortRange(low, low + ports + servers - 1)
    slices = cut(whole, servers, None)
    assert len({len(one) for one in slices}) == 1
    assert sum(map(len, slices)) == len(PortSet.of(*slices)) > len(whole) - servers
    assert list(slices) == sorted(slices)
    assert PortSet.of(*slices) <= PortSet.of(whole)


@given(st.integers(1025, 60000), st.integers(1, 400), st.integers(1, 40), st.integers(1, 40))
def test_slices_of_a_given_size_stay_when_a_server_is_added_at_the_end(low: int, ports: int, servers: int, size: int) -> None:
    whole = PortRange(low, low + ports + size * (servers + 1))
    assert cut(whole, servers + 1, size)[:-1] == cut(whole, servers, size)
