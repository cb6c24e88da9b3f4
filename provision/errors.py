"""Every error that provision raises on purpose, as one tree.

    ProvisionError                 exit 1
    |-- ClusterFileError           exit 4   the cluster file is wrong: all problems at once
    |-- SecretError                exit 4   a secret reference cannot be resolved
    |-- HostError                  exit 1   something about one host
    |   |-- ConnectionFailed                no session: port, TLS, host key, login, deadline
    |   |   `-- NoChannel                   a session, and no way through it to another address
    |   |-- ReadFailed                      the host answered, the reading did not work
    |   `-- ChangeFailed                    a change was refused or did not take
    |-- UnsafePlan                 exit 1   refused before anything was changed
    |-- SnapshotError              exit 1   a generation cannot be written or read back
    |-- VerificationFailed         exit 1   FTP through the cluster does not do what it should
    |-- UsageError                 exit 64  wrong words on the command line
    `-- LabError                   exit 1   the embedded lab

An error carries fields and makes its own sentence: what happened, where, why (the likely cause in words), and
what to do next. `code` names an entry of `error_codes.toml`, which `provision explain` prints.
This file knows nothing of hosts, wires or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class ProvisionError(Exception):
    """Base of all errors that are told to the user in one sentence, without a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, what: str, *, where: str = "", why: str = "", next: str = "") -> None:
        super().__init__(code, what, where, why, next)
        self.code = code
        self.what = what
        self.where = where
        self.why = why
        self.next = next

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cause = f" ({self.why})" if self.why and "\n" not in self.why else ""  # a machine's own words come on their own
        return f"{place}{self.what}{cause} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a cluster file. `line` and `column` count from 1; `length` is in characters, at least 1."""

    code: str
    message: str
    line: int
    column: int
    length: int = 1
    allowed: str = ""


class ClusterFileError(ProvisionError):
    """The cluster file cannot be used. Carries every problem found, in the order of the file."""

    exit_code: ClassVar[int] = 4

    def __init__(self, file: str, source: str, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        super().__init__(first.code, first.message, where=f"{file}:{first.line}:{first.column}", why=first.allowed)
        self.file = file
        self.source = source
        self.problems = problems


class SecretError(ProvisionError):
    """A secret reference that cannot be resolved: nothing was contacted."""

    exit_code: ClassVar[int] = 4


class HostError(ProvisionError):
    """Something about one host; `host` is the name the cluster file gives it."""

    def __init__(self, code: str, what: str, *, host: str, why: str = "", next: str = "") -> None:
        super().__init__(code, what, where=host, why=why, next=next)
        self.host = host


class ConnectionFailed(HostError):
    """No session to the host: port, TLS, host key, login or a deadline while connecting."""


class NoChannel(ConnectionFailed):
    """The session to the host stands; the way through it to another address does not open."""


class ReadFailed(HostError):
    """The host answered and could not be read: a script failed, its output is not understood, a deadline passed."""


class ChangeFailed(HostError):
    """A change was refused, failed midway, or did not show when it was read again."""


class UnsafePlan(ProvisionError):
    """The plan holds a danger that is refused before anything is changed."""


class SnapshotError(ProvisionError):
    """A generation could not be written, or not be read back, or is damaged."""


class VerificationFailed(ProvisionError):
    """An FTP session through the cluster did not do what it should."""


class UsageError(ProvisionError):
    """Wrong words on the command line, or a question was needed and there is no terminal."""

    exit_code: ClassVar[int] = 64


class LabError(ProvisionError):
    """The embedded lab could not do what was asked of it."""
