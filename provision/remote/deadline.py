"""A deadline that travels with a call, and a call that keeps its deadline even when a library does not.

It must not know what is being done. Time comes in as a clock (monotonic seconds).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

GRACE = 5.0
"""Seconds after a deadline in which a session may still stop what it started and clean up."""


class DeadlinePassed(Exception):
    """The time for a call is over. `grace` had its turn too, when it was given."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock."""

    expires: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The moment `seconds` from now."""
        return cls(clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds until then; never negative."""
        return max(0.0, self.expires - self.clock())

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.left <= 0

    def plus(self, seconds: float) -> Deadline:
        """A later one on the same clock."""
        return Deadline(self.expires + seconds, self.clock)


class _Outcome(Generic[T]):
    """What a call in another thread came to."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._value: list[T] = []
        self._error: BaseException | None = None

    def fill(self) -> None:
        try:
            self._value.append(self._work())
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread, whatever it is
            self._error = error

    def get(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]


def run_in_time(work: Callable[[], T], seconds: float) -> T:
    """`work()`'s result or exception; DeadlinePassed when neither came within `seconds`.

    The work runs in a daemon thread, because nothing else bounds a name lookup or a peer that sends a byte now
    and then. After DeadlinePassed the thread is left to die of its own timeouts: what it uses is lost.
    """
    outcome = _Outcome(work)
    thread = threading.Thread(target=outcome.fill, daemon=True, name="bounded")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise DeadlinePassed
    return outcome.get()
