"""Mistakes in a cluster file, with carets, as in the picture."""

from cli.golden import shown

from provision.errors import ClusterFileError, Problem
from provision.view.problems import file_problems

SOURCE = """cluster: article
vip: 192.168.1.123
ftp:
  passive_ports: 20-10020
servers:
  - name: ftp2
"""


def test_every_mistake_has_its_line_and_a_caret():
    problems = (
        Problem("P102", "passive range contains the SSH port 22", 4, 18, 8, "must lie in 1025-65535"),
        Problem("P107", 'server name "ftp2" is used twice (first at line 3)', 6, 11, 4),
    )
    assert (
        shown(file_problems(ClusterFileError("clusters/article.yml", SOURCE, problems)), 80)
        == """\
error P102  clusters/article.yml:4:18  passive range contains the SSH port 22
    4 |   passive_ports: 20-10020
      |                  ^^^^^^^^ must lie in 1025-65535
error P107  clusters/article.yml:6:11  server name "ftp2" is used twice (first
    at line 3)
    6 |   - name: ftp2
      |           ^^^^
2 errors. Nothing was contacted.
"""
    )


def test_of_a_very_long_line_the_part_around_the_mistake_is_shown():
    source = "x" * 300 + "BAD" + "y" * 300
    text = shown(file_problems(ClusterFileError("f.yml", source, (Problem("P102", "no", 1, 301, 3),))), 80)
    marked, caret = text.splitlines()[1:3]
    assert marked[caret.index("^") : caret.rindex("^") + 1] == "BAD"
    assert len(marked) <= 80


def test_a_problem_without_a_line_in_the_file_is_told_without_a_caret():
    text = shown(file_problems(ClusterFileError("f.yml", "", (Problem("P100", "there is no such file", 1, 1),))), 80)
    assert text.splitlines() == ["error P100  f.yml:1:1  there is no such file", "1 error. Nothing was contacted."]


def test_what_does_not_fit_behind_the_caret_stands_below_it():
    problem = Problem(
        "P102", "no", 1, 1, 3, "a long sentence about what is allowed here, for which there is no room behind it"
    )
    rows = shown(file_problems(ClusterFileError("f.yml", "abc", (problem,))), 60).splitlines()
    assert rows[2] == "      | ^^^"
    assert rows[3].startswith("        a long sentence")
