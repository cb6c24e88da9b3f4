"""What happens while it happens: one live line on a terminal; else one line an event with the time in UTC.

Every 30 s without news says who is waited for. The engine calls `say` from several threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from provision.engine.context import Event
from provision.view.door import Door
from provision.view.marks import ADD, ALERT, CHANGE, SAME, UNKNOWN, Mark, line
from provision.view.verify import MARKS

STILL = 30.0
"""Seconds of silence after which somebody without a terminal is told what is waited for."""

TICK = 0.5

SPOKEN: dict[str, tuple[Mark, str]] = {
    "reading": (SAME, "reading"),
    "read": (SAME, "read"),
    "unread": (UNKNOWN, "could not be read:"),
    "step": (CHANGE, "changing:"),
    "done": (ADD, "changed and read again"),
    "failed": (ALERT, "failed:"),
    "undo": (CHANGE, "undoing:"),
    "note": (SAME, ""),
    "verify": (SAME, "FTP:"),
}
BEGINS = {"reading": "read", "step": "change", "undo": "put back"}
LASTING = ("unread", "step", "done", "failed", "undo", "note")
"""What stays on a terminal; reading and checks of FTP show in the live line only: their results come as a list."""


@dataclass(slots=True)
class Progress:
    """A context manager around a run. `now` is for the time shown, `clock` (seconds) for how long something takes."""

    door: Door
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    _doing: dict[str, tuple[str, float]] = field(default_factory=dict)
    _changed: dict[str, str] = field(default_factory=dict)
    _news: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _guard: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        self._news = self.clock()
        threading.Thread(target=self._run, name="progress", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self.door.status("")

    def say(self, event: Event) -> None:
        """Show an event and remember who is at work."""
        with self._guard:
            self._remember(event)
            mark, words = SPOKEN[event.kind]
            mark = MARKS[event.level] if event.kind == "verify" else mark
            text = event.text.removeprefix(f"{event.host}: ")  # an error names its host itself
            told = " ".join(one for one in (event.host, words, text) if one)
            if not self.door.talks_to_terminal:
                self.door.talk([line(f"{self.now():%H:%M:%SZ} ", mark, told)])
            elif event.kind in LASTING:
                self.door.talk([line(mark, told)])
            else:
                self.door.note_in_log([told])
            self._news = self.clock()
            self.door.status(self.waiting())

    def tick(self) -> None:
        """Redraw the live line, or say after a long silence who is waited for."""
        with self._guard:
            if self.door.talks_to_terminal:
                self.door.status(self.waiting())
            elif self._doing and self.clock() - self._news >= STILL:
                self._news = self.clock()
                self.door.talk([line(f"{self.now():%H:%M:%SZ} ", SAME, f"still waiting: {self.waiting()}")])

    def waiting(self) -> str:
        """Who is at work, at what, and for how many seconds; empty when nobody is."""
        now = self.clock()
        return ", ".join(f"{what} {host} ({now - since:.0f} s)" for host, (what, since) in self._doing.items())

    def where(self) -> str:
        """Which hosts were changed and which one is being changed, for last words."""
        told = [f"{host} {state}" for host, state in self._changed.items()]
        return "; ".join(told) or "no host was changed yet"

    def _remember(self, event: Event) -> None:
        if event.kind in ("step", "undo", "failed", "verify"):
            self._doing.clear()  # hosts are changed one at a time
        if event.kind == "verify":
            self._doing["FTP"] = ("try", self.clock())
        if event.kind in BEGINS:
            self._doing[event.host] = (BEGINS[event.kind], self.clock())
        else:
            self._doing.pop(event.host, None)
        back = self._changed.get(event.host, "").endswith("put back")
        states = {"undo": "was being put back"}
        states |= {"done": "was put back"} if back else {"step": "was being changed", "done": "was changed"}
        if event.kind in states:
            self._changed[event.host] = states[event.kind]

    def _run(self) -> None:
        while not self._stop.wait(TICK):
            self.tick()
