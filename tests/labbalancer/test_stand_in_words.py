"""Each case is a conversation: commands, and what the real tools would have answered."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from labbalancer.balancers import Words, words_of
from ruamel.yaml import YAML

CASES = [(path.stem, case) for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
         for case in YAML(typ="safe").load(path)]
BUS = "org.fedoraproject.FirewallD1"
PATH = "/org/fedoraproject/FirewallD1"
SHORT = {"{fw}": f"busctl call {BUS} {PATH} {BUS}", "{config}": f"busctl call {BUS} {PATH}/config {BUS}.config",
         "{zone}": f"busctl call {BUS} {PATH}/config/zone/"}


def fill(words: Words, text: str) -> str:
    return text.replace("{root}", str(words.root)).replace("{version}", words.machine.tool.version)


def answer(words: Words, line: str, user: str) -> tuple[int, str, str]:
    for short, long in SHORT.items():
        line = line.replace(short, long)
    argv = shlex.split(fill(words, line))
    if argv[0] in ("sh", "cat"):
        done = subprocess.run(argv, cwd=words.root, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr
    reply = words(*argv, user=user)
    return reply.code, reply.out, reply.err


@pytest.mark.parametrize(("command", "case"), CASES, ids=[f"{name}: {case['case']}" for name, case in CASES])
def test_a_stand_in_speaks_like_the_real_tool(command: str, case: dict[str, Any]) -> None:
    with words_of(case.get("shape", "el9"), **case.get("settings", {})) as words:
        for step in case["steps"]:
            code, out, err = answer(words, step["run"], case.get("user", "root"))
            said = f"{step['run']} -> {code}\n{out}{err}"
            assert code == step.get("code", 0), said
            assert out == fill(words, step.get("out", out)), said
            assert err == fill(words, step.get("err", err)), said
            assert fill(words, step.get("out_has", "")) in out, said
            assert fill(words, step.get("err_has", "")) in err, said
