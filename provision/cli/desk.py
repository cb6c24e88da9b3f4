"""What every command body is given: the door, the options, the cluster files, and the signals. Knows no engine.

A body returns its exit code. It never prints but through the door, and asks through `Desk.confirm`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from getpass import getpass
from pathlib import Path
from typing import TextIO

from platformdirs import user_state_dir

from provision.cli.invocation import Common
from provision.cli.signals import Signals
from provision.definition.load import FOLDER, SUFFIXES, find_cluster, load_cluster
from provision.errors import UsageError
from provision.model.cluster import Cluster
from provision.view.document import FORMAT
from provision.view.door import Door
from provision.view.marks import Lines, line

PRECEDENCE = (7, 6, 4, 5, 1, 2, 3)
"""With several clusters the first of these that occurred is the exit code."""


def worst(codes: Sequence[int]) -> int:
    """One exit code for several clusters."""
    return next((code for code in PRECEDENCE if code in codes), max(codes, default=0))


@dataclass(frozen=True, slots=True)
class Desk:
    """One run of one command. `folder` is where names of clusters are looked up."""

    command: str
    common: Common
    door: Door
    signals: Signals
    environ: Mapping[str, str]
    stdin: TextIO
    folder: Path = field(default_factory=Path)

    def finish(self, code: int, lines: Lines, document: Callable[[], Mapping[str, object]]) -> int:
        """The result, as text or as one document, and the exit code back."""
        if self.common.json:
            head = {"format": FORMAT, "command": self.command, "exit_code": code}
            self.door.document(head | dict(document()) | head)
        else:
            self.door.result(lines)
        return code

    def load(self, name: str | None) -> Cluster:
        """The cluster of that name or path. Raises ClusterFileError, UsageError when none was named."""
        return load_cluster(find_cluster(name or self._only_one(), self.folder))

    def every_name(self, names: Sequence[str] | None) -> list[str]:
        """The names that were given, or every cluster there is. Raises UsageError when there is none."""
        found = list(names or self._there())
        if not found:
            raise UsageError("P901", "no cluster was named and there is none in clusters/", next="provision --help")
        return found

    def _there(self) -> list[str]:
        files = (self.folder / FOLDER).glob("*")
        return sorted(one.stem for one in files if one.suffix in SUFFIXES)

    def _only_one(self) -> str:
        there = self._there()
        if len(there) == 1:
            return there[0]
        listed = ", ".join(there) or "none"
        raise UsageError(
            "P901", "which cluster?", why=f"in clusters/ there are: {listed}", next=f"provision {self.command} NAME"
        )

    def confirm(self, question: str, unasked: str) -> bool:
        """Ask on the terminal. Raises UsageError (64) without one; it names `unasked`, the command that asks nothing.

        Nothing ever waits for an answer that cannot come.
        """
        if not (self.stdin.isatty() and self.door.talks_to_terminal) or self.common.json:
            why = "there is no terminal to ask on" if not self.common.json else "--json asks nothing"
            raise UsageError("P902", f"a question is needed: {question}", why=why, next=unasked)
        self.door.complain([line(f"{question} [y/N]")])
        return self.stdin.readline().strip().lower() in {"y", "yes"}

    def ask_secret(self) -> Callable[[str], str] | None:
        """How an `ask` reference is answered; None without a terminal."""
        return getpass if self.stdin.isatty() and self.door.talks_to_terminal and not self.common.json else None


def home(environ: Mapping[str, str]) -> Path:
    """Where generations and crash files are kept: $PROVISION_HOME, else the platform's state directory."""
    given = environ.get("PROVISION_HOME")
    return Path(given) if given else Path(user_state_dir("provision", appauthor=False))


def command_line(*words: str | os.PathLike[str]) -> str:
    """A command that can be pasted as it is."""
    return shlex.join(["provision", *(os.fspath(one) for one in words)])
