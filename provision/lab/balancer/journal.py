"""The journal of one host: what its services said, in order. It writes no file; the process keeps host.log beside it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT = 2000
"""How many entries are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of one unit."""

    time: datetime
    unit: str
    identifier: str
    pid: int
    text: str

    def render(self, host: str) -> str:
        """As journalctl and `systemctl status` print it."""
        return f"{self.time:%b %d %H:%M:%S} {host} {self.identifier}[{self.pid}]: {self.text}"


class Journal:
    """Entries of all units; safe to use from several threads."""

    def __init__(self, also: Callable[[str], None], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._also = also
        self._now = now

    def add(self, unit: str, identifier: str, pid: int, text: str) -> None:
        """Note each line of `text`."""
        for line in text.splitlines():
            entry = Entry(self._now(), unit, identifier, pid, line)
            with self._lock:
                self._entries.append(entry)
            self._also(f"{unit}: {line}")

    def tail(self, unit: str | None, count: int, since: float = 0) -> tuple[Entry, ...]:
        """The last `count` entries, of one unit or of all, from `since` (seconds since 1970) on."""
        with self._lock:
            of_unit = [entry for entry in self._entries if unit is None or entry.unit == unit]
        chosen = [entry for entry in of_unit if entry.time.timestamp() >= since]
        return tuple(chosen[-count:]) if count else ()
