"""A change of one resource, and a finding about a host. Values; `planning` makes changes, `hosts` finds findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from provision.model.resources import Resource
from provision.model.state import Key


@dataclass(frozen=True, slots=True)
class Change:
    """From `before` to `after`. `before is None` creates, `after is None` removes; both None is no change at all."""

    key: Key
    before: Resource | None
    after: Resource | None

    def __post_init__(self) -> None:
        if self.before == self.after:
            raise ValueError(f"no change of {self.key}")

    def inverse(self) -> Change:
        """The change that leads back."""
        return Change(self.key, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reading brought to light and that is not a difference: told, never changed by us.

    `refuse` stops a run before anything is changed; `warn` is shown in plan and drift; `note` in detail only.
    """

    host: str
    code: str
    level: Literal["refuse", "warn", "note"]
    message: str
    fix: str = ""
