"""The conversations of cases/*.yaml: commands, and what the real tools answer.

A case runs against the lab's stand-ins and against a machine that really boots, unless it says `only:` and `because:`.
Its words:

    case      what it is about             settings  of the lab's host (host.json)
    shape     of the lab's host (el9)      user      who types (root)
    given     what is there before the first step: `haproxy` is installed, NAME.service runs, `selinux-off`
    only      lab or real, with `because`  steps     see below

A step has `run`, and claims: code (0), out, err, out_has, err_has, out_like and err_like (regular expressions that
match the whole stream). `real:` inside a step holds the claims that differ there, with their `because`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

Place = Literal["lab", "real"]
BUS = "org.fedoraproject.FirewallD1"
PATH = "/org/fedoraproject/FirewallD1"
SHORT = {"{fw}": f"busctl call {BUS} {PATH} {BUS}", "{config}": f"busctl call {BUS} {PATH}/config {BUS}.config",
         "{zone}": f"busctl call {BUS} {PATH}/config/zone/",
         "{rule}": 'rule family="ipv4" source address="10.0.0.0/8" port port="8404" protocol="tcp" accept'}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation as its file has it."""

    file: str
    name: str
    steps: Sequence[Mapping[str, Any]]
    shape: str = "el9"
    user: str = "root"
    settings: Mapping[str, object] | None = None
    given: Sequence[str] = ()
    only: Place | None = None
    because: str = ""

    @property
    def title(self) -> str:
        return f"{self.file}: {self.name}"

    def is_for(self, place: Place) -> bool:
        return self.only in (None, place)

    def lines(self, values: Mapping[str, str]) -> list[list[str]]:
        """The steps' command lines as words."""
        return [words_in(step["run"], values) for step in self.steps]

    def check(self, answers: Sequence[Answer], values: Mapping[str, str], place: Place) -> None:
        """Raises AssertionError that names every step which was answered otherwise."""
        wrong: list[str] = []
        for step, answer in zip(self.steps, answers, strict=True):
            broken = _broken({**step, **step.get(place, {})}, answer, values)
            claimed = [f"claimed {claim}: {said!r}" for claim, said in broken]
            wrong += [f"{step['run']} -> {answer}", *claimed] if claimed else []
        assert not wrong, "\n".join(wrong)


def _broken(claims: Mapping[str, Any], answer: Answer, values: Mapping[str, str]) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = [] if answer.code == claims.get("code", 0) else [("code", claims.get("code", 0))]
    for stream in ("out", "err"):
        came = getattr(answer, stream)
        same, part, like = (claims.get(f"{stream}{kind}") for kind in ("", "_has", "_like"))
        if same is not None and came != fill(same, values):
            found.append((stream, fill(same, values)))
        if part is not None and fill(part, values) not in came:
            found.append((f"{stream}_has", fill(part, values)))
        pattern = fill(like or "", {name: re.escape(value) for name, value in values.items()})
        if like is not None and not re.fullmatch(pattern, came):
            found.append((f"{stream}_like", pattern))
    return found


def words_in(line: str, values: Mapping[str, str]) -> list[str]:
    """A command line's words."""
    return shlex.split(fill(line, values))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with {name} replaced, for the names that are known."""
    for short, long in SHORT.items():
        text = text.replace(short, long)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def cases() -> list[Case]:
    """All of them."""
    files = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    found = ((path.stem, case) for path in files for case in YAML(typ="safe").load(path))
    return [Case(file, case["case"], **{key: value for key, value in case.items() if key != "case"}) for file, case in found]
