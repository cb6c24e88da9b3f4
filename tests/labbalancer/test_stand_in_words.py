"""Each case is a conversation: commands, and what the real tools would have answered. Here the lab's stand-ins answer."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import pytest
from labbalancer.balancers import Words, words_of
from labbalancer.conversations import Answer, Case, cases

from provision.lab.balancer.closedpath import TOOLS
from provision.lab.balancer.shell import environment

CASES = cases()


def values(words: Words) -> dict[str, str]:
    settings = words.machine.settings
    return {"root": str(words.root), "version": words.machine.tool.version, "address": settings.address, "vip": settings.vip,
            "source": settings.source, "net": settings.address.rpartition(".")[0], "units": str(words.machine.layout.units), "rsyslog": "8.2310.0"}  # fmt: skip


def type_in(words: Words, argv: Sequence[str], user: str) -> Answer:
    """A stand-in is asked directly, a plain tool runs as an SSH session of the lab runs it."""
    if not (words.machine.layout.tools / argv[0]).exists():
        return Answer(127, "", f"sh: {argv[0]}: command not found\n")
    if argv[0] not in TOOLS:
        reply = words(*argv, user=user)
        return Answer(reply.code, reply.out, reply.err)
    env = {**environment(words.machine.layout, words.machine.settings, None), "LAB_USER": user}
    program = words.machine.layout.tools / argv[0]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    done = subprocess.run([argv[0], *argv[1:]], executable=program, cwd=words.root, env=env, text=True, check=False, **streams)
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("case", [case for case in CASES if case.is_for("lab")], ids=lambda case: case.title)
def test_a_stand_in_speaks_like_the_real_tool(case: Case) -> None:
    with words_of(case.shape, given=case.given, **case.settings or {}) as words:
        known = values(words)
        case.check([type_in(words, argv, case.user) for argv in case.lines(known)], known, "lab")


def test_a_case_that_runs_in_one_place_only_says_why() -> None:
    silent = [case.title for case in CASES if case.only is not None and not case.because]
    silent += [case.title for case in CASES for step in case.steps if "real" in step and not step["real"].get("because")]
    assert silent == []


def test_a_case_of_another_shape_is_for_the_lab_only() -> None:
    assert [case.title for case in CASES if case.shape != "el9" and case.only != "lab"] == []
