"""The same conversations as the lab's stand-ins have (tests/labbalancer/cases), with a machine that really boots.

Where the two differ, the real one is right.
"""

import pytest
from labbalancer.conversations import cases
from real.console import console_of


@pytest.fixture(scope="module")
def console(image):
    with console_of(image) as one:
        yield one


@pytest.mark.parametrize("case", [case for case in cases() if case.is_for("real")], ids=lambda case: case.title)
def test_a_real_tool_answers_as_the_case_says(console, case):
    case.check(console.answers(case.lines(console.values), case.given, case.user), console.values, "real")
