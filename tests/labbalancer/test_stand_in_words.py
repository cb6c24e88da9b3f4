"""Each case is a conversation: commands, and what the real tools answer. Here the lab's stand-ins answer."""

from __future__ import annotations

import pytest
from labbalancer.balancers import words_of
from labbalancer.conversations import Case, cases

CASES = cases()


@pytest.mark.parametrize("case", [case for case in CASES if case.is_for("lab")], ids=lambda case: case.title)
def test_a_stand_in_speaks_like_the_real_tool(case: Case) -> None:
    with words_of(case.shape, given=case.given, **case.settings or {}) as words:
        case.check([words.type_in(argv, case.user) for argv in case.lines(words.values)], words.values, "lab")


def test_a_case_that_runs_in_one_place_only_says_why() -> None:
    silent = [case.title for case in CASES if case.only is not None and not case.because]
    silent += [case.title for case in CASES for step in case.steps if "real" in step and not step["real"].get("because")]
    assert silent == []


def test_a_case_of_another_shape_is_for_the_lab_only() -> None:
    assert [case.title for case in CASES if case.shape != "el9" and case.only != "lab"] == []
