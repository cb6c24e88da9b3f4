"""One call of a stand-in and its answer, as values. Nothing here runs anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """`words` is the whole command line, the command's own name first; `user` is who called it."""

    words: tuple[str, ...]
    user: str = "root"
    cwd: str = "/"

    @property
    def name(self) -> str:
        """The command's name, without a folder."""
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return self.words[1:]

    @property
    def is_root(self) -> bool:
        """Stand-ins that change the system refuse everybody else, as the real ones do."""
        return self.user == "root"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller sees. `out` and `err` end with a newline unless they are empty."""

    code: int = 0
    out: str = ""
    err: str = ""


Handler = Callable[[Call], Reply]


def say(*lines: str, code: int = 0) -> Reply:
    """An answer on standard output."""
    return Reply(code=code, out="".join(f"{line}\n" for line in lines))


def complain(*lines: str, code: int = 1) -> Reply:
    """An answer on standard error."""
    return Reply(code=code, err="".join(f"{line}\n" for line in lines))
