"""How a writing verb can end, as types; each knows its exit code and nothing of how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from provision.engine.documents import Generation
from provision.engine.prepare import Prepared
from provision.engine.read import ClusterReading
from provision.engine.verify import VerifyReport
from provision.errors import ProvisionError
from provision.model.change import Change


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Everything is as aimed at: nothing was changed, restarted or reloaded."""

    prepared: Prepared
    exit_code: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Declined:
    """The operator said no: nothing was changed."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Applied:
    """Applied, read again and proven. `verified` is None where FTP was not tried (rollback)."""

    generation: Generation
    kept: tuple[Change, ...]
    verified: VerifyReport | None
    exit_code: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class WentBack:
    """A step failed; everything that was changed is back as it was found, and was read again."""

    error: ProvisionError
    hosts: tuple[str, ...]
    verified: VerifyReport | None
    exit_code: ClassVar[int] = 6


@dataclass(frozen=True, slots=True)
class HalfBack:
    """A step failed and some hosts could not be put back: which, why, and exactly what differs there."""

    error: ProvisionError
    failures: Mapping[str, ProvisionError]
    left: Mapping[str, tuple[Change, ...]]
    exit_code: ClassVar[int] = 7


@dataclass(frozen=True, slots=True)
class Stopped:
    """Stopped between two steps because the operator asked. `done` hosts were changed.

    `due` has the host of each step that is still to come, in their order: also a host of `done` that has another one.
    """

    generation: Generation
    done: tuple[str, ...]
    due: tuple[str, ...]
    exit_code: int
    reading: ClusterReading

    @property
    def waiting(self) -> tuple[str, ...]:
        """The hosts with steps to come that are as they were, each once."""
        return tuple(dict.fromkeys(host for host in self.due if host not in self.done))


Outcome = Unchanged | Declined | Applied | WentBack | HalfBack | Stopped
