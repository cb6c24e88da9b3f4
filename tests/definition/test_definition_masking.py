"""A plain secret in a refused file is shown nowhere: not in the message, not in the line that is printed with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.definition.load import parse_cluster
from provision.definition.masking import without_secret_lines
from provision.errors import ClusterFileError

CANARY = "Xy7canary"

WRITTEN = {
    "plain": f"password: {CANARY}",
    "quoted": f'password: "{CANARY}"',
    "with blanks and a hash": f"password: '{CANARY} #{CANARY}'",
    "under a misspelt key": f"pasword: {CANARY}",
    "under another word for it": f"passwd: {CANARY}",
    "in a list": f"password: [{CANARY}]",
    "in a mapping": f"password: {{env: {CANARY}}}",
    "over several lines": f"password: |\n    {CANARY}\n    {CANARY}",
    "folded": f"password: {CANARY}\n    {CANARY}",
    "twice": f"password: {CANARY}\n  password: {CANARY}2",
    "where the rest is not YAML": f'password: {CANARY}\n  user: "open',
    "over several lines where the rest is not YAML": f'password: |\n    {CANARY}\n    {CANARY}\n  user: "open',
    "beside a control character": f"password: {CANARY}\n  user: \x1b",
    "in a file that is not YAML, in flow style": f"x: {{user: a, password: {CANARY}, b: [}}",
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_plain_secret_is_blanked_everywhere(written: str, base: str) -> None:
    with pytest.raises(ClusterFileError) as caught:
        parse_cluster(base.replace("password: env:WINRM_PASSWORD", written), Path("demo.yml"))
    error = caught.value
    assert CANARY not in error.source
    assert CANARY not in f"{error} {error!r} {error.args} {error.problems}"
    assert len(error.source.split("\n")) == len(base.replace("password: env:WINRM_PASSWORD", written).split("\n"))


def test_the_line_keeps_its_shape_under_the_caret(base: str) -> None:
    with pytest.raises(ClusterFileError) as caught:
        parse_cluster(base.replace("password: env:WINRM_PASSWORD", f"password: {CANARY}"), Path("demo.yml"))
    problem = caught.value.problems[0]
    line = caught.value.source.split("\n")[problem.line - 1]
    assert line == "  password: *********"
    assert line[problem.column - 1 :][: problem.length] == "*" * len(CANARY)


def test_references_stay_readable(base: str) -> None:
    with pytest.raises(ClusterFileError) as caught:
        parse_cluster(base.replace("cluster: demo", "cluster: De mo"), Path("demo.yml"))
    assert caught.value.source == base.replace("cluster: demo", "cluster: De mo")


def test_where_the_text_is_no_tree_only_the_secret_lines_are_blanked() -> None:
    text = f"user: a\n  password: |\n    {CANARY}\n\n    {CANARY}\n  user: b\nc: d"
    assert without_secret_lines(text) == "user: a\n  password: *\n    *********\n\n    *********\n  user: b\nc: d"


def test_what_follows_a_secret_over_several_lines_stays_as_it_is(base: str) -> None:
    text = base.replace("password: env:WINRM_PASSWORD", f'password: "{CANARY}\n    {CANARY}"   # why')
    with pytest.raises(ClusterFileError) as caught:
        parse_cluster(text, Path("demo.yml"))
    assert '  password: **********\n    **********   # why\n' in caught.value.source


@pytest.mark.timeout(10)
@pytest.mark.parametrize("line", ["a" * 1_000_000, "pass" * 250_000, ":" * 1_000_000, "pass:" * 200_000])
def test_blanking_a_very_long_line_takes_no_time(line: str) -> None:
    assert len(without_secret_lines(line)) == len(line)
