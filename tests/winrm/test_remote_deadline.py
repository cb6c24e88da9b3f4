"""Deadlines: moments on a clock that is passed in, and calls that keep them."""

from __future__ import annotations

import threading

import pytest

from provision.remote.deadline import Deadline, DeadlinePassed, run_in_time


def test_a_deadline_counts_down_to_zero_and_no_further():
    now = [100.0]
    deadline = Deadline.after(10, lambda: now[0])
    now[0] = 104.0
    assert (deadline.left, deadline.passed) == (6.0, False)
    now[0] = 111.0
    assert (deadline.left, deadline.passed) == (0.0, True)
    assert not deadline.plus(5).passed


def test_a_call_in_time_gives_its_value_or_its_exception():
    assert run_in_time(lambda: 5, 5) == 5
    with pytest.raises(KeyError):
        run_in_time(lambda: {}["x"], 5)


def test_a_call_that_does_not_end_is_left():
    never = threading.Event()
    with pytest.raises(DeadlinePassed):
        run_in_time(lambda: never.wait(20), 0.05)
    never.set()
