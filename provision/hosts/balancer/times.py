"""When processes started, on their machine's own clock: to tell whether they saw a file's last change. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

TICKS = 100
"""Ticks a second in /proc/PID/stat: USER_HZ, 100 on every architecture of EL."""

SLACK = 0.05
"""Seconds that a file's time may lag behind: the kernel stamps files with the time of its last tick."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The machine's wall clock and its seconds since boot, read together."""

    now: float
    uptime: float

    @classmethod
    def parse(cls, text: str) -> Clock:
        """From `date +%s.%N` and /proc/uptime. Raises ValueError for anything else."""
        match = re.match(r"(\d+\.\d+)\n(\d+\.\d+) ", text)
        if match is None:
            raise ValueError(f"not a time and an uptime: {text[:80]!r}")
        return cls(float(match[1]), float(match[2]))


def process_start(stat: str, since: str, clock: Clock) -> float | None:
    """When a process started, from /proc/PID/stat (field 22); else from the second in which systemd saw it start."""
    fields = stat.rpartition(")")[2].split()
    if len(fields) > 19:
        return clock.now - (clock.uptime - int(fields[19]) / TICKS) + SLACK
    return float(since) + 1 if re.fullmatch(r"\d+\s*", since) else None


def youngest_start(table: str, main_pid: str, clock: Clock) -> float | None:
    """When the youngest process below `main_pid` started, from `ps -o pid=,ppid=,etimes=,comm=`; None: not known."""
    ages = [age for _, age, _ in descendants(table, main_pid)]
    return clock.now - min(ages) + 1 if ages else None


def descendants(table: str, main_pid: str) -> tuple[tuple[int, int, str], ...]:
    """The processes of a service: pid, age in seconds and name of `main_pid` and everything below it."""
    rows = [line.split(None, 3) for line in table.splitlines()]
    known = [(row[0], row[1], int(row[2]), row[3]) for row in rows if len(row) == 4 and row[2].isdigit()]
    family = {main_pid} if main_pid not in ("", "0") else set()
    grown = True
    while grown:
        more = {pid for pid, parent, _, _ in known if parent in family} - family
        family |= more
        grown = bool(more)
    return tuple((int(pid), age, name) for pid, _, age, name in known if pid in family)
