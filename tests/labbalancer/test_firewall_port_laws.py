"""Laws of firewalld's port lists: what is covered after adding and removing, whatever the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.lab.balancer.firewall import FirewallError, add_port, has_port, join, parse_port, port_text, remove_port

PORTS = st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def text(span: tuple[int, int]) -> str:
    return port_text(span, "tcp")


def covered(ports: tuple[str, ...]) -> set[int]:
    return {port for (low, high), _ in map(parse_port, ports) for port in range(low, high + 1)}


def added(spans: list[tuple[int, int]]) -> tuple[str, ...]:
    ports: tuple[str, ...] = ()
    for span in spans:
        if not has_port(ports, text(span), inside=True):
            ports = add_port(ports, text(span), coalesces=True, where="")
    return ports


@given(st.lists(PORTS, max_size=8))
def test_adding_covers_the_union_and_nothing_overlaps(spans: list[tuple[int, int]]) -> None:
    ports = added(spans)
    union = {port for low, high in spans for port in range(low, high + 1)}
    assert covered(ports) == union and sum(high - low + 1 for (low, high), _ in map(parse_port, ports)) == len(union)


@given(st.lists(PORTS, min_size=1, max_size=6), st.data())
def test_removing_a_part_leaves_exactly_the_rest(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    ports = added(spans)
    low, high = parse_port(data.draw(st.sampled_from(ports)))[0]
    start = data.draw(st.integers(low, high))
    end = data.draw(st.integers(start, high))
    rest = remove_port(ports, text((start, end)), coalesces=True, where="")
    assert covered(rest) == covered(ports) - set(range(start, end + 1))


@given(PORTS)
def test_a_port_list_reads_back_what_was_written(span: tuple[int, int]) -> None:
    assert parse_port(text(span)) == (span, "tcp")


@given(st.lists(PORTS, max_size=8))
def test_joined_intervals_are_apart_and_in_order(spans: list[tuple[int, int]]) -> None:
    joined = join(spans)
    assert all(first[1] + 1 < second[0] for first, second in zip(joined, joined[1:], strict=False))


def test_old_versions_compare_strings() -> None:
    ports = add_port(("10-20/tcp",), "15-30/tcp", coalesces=False, where="")
    assert ports == ("10-20/tcp", "15-30/tcp")
    with pytest.raises(FirewallError, match="NOT_ENABLED"):
        remove_port(ports, "12/tcp", coalesces=False, where="")
