"""TCP ports as intervals: `PortRange` and `PortSet`. Coverage is compared, never strings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """An inclusive range of TCP ports, 0 <= low <= high <= 65535. 0-0 is IIS's word for "ephemeral"."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 65535:
            raise ValueError(f"not a port range: {self.low}-{self.high}")

    def __len__(self) -> int:
        return self.high - self.low + 1

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.low <= port <= self.high

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


@dataclass(frozen=True, slots=True)
class PortSet:
    """A set of TCP ports. Built by `PortSet.of`, it is always the minimal ordered tuple of disjoint ranges."""

    ranges: tuple[PortRange, ...] = ()

    def __post_init__(self) -> None:
        if self.ranges != _minimal(self.ranges):
            raise ValueError("PortSet wants minimal, ordered, disjoint ranges: use PortSet.of")

    @classmethod
    def of(cls, *parts: PortRange | PortSet | int) -> PortSet:
        """The union of ports, ranges and sets."""
        return cls(_minimal(one for part in parts for one in _ranges_of(part)))

    @classmethod
    def parse(cls, text: str) -> PortSet:
        """Read '21,10000-10020' (commas or blanks between). Raises ValueError for anything else."""
        parts = []
        for word in re.split(r"[,\s]+", text.strip()) if text.strip() else ():
            match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", word)
            if match is None:
                raise ValueError(f"not a port or port range: {word[:40]!r}")
            parts.append(PortRange(int(match[1]), int(match[2] or match[1])))
        return cls.of(*parts)

    def __or__(self, other: PortSet) -> PortSet:
        return PortSet.of(self, other)

    def __sub__(self, other: PortSet) -> PortSet:
        return PortSet(_minimal(rest for one in self.ranges for rest in _cut(one, other.ranges)))

    def __and__(self, other: PortSet) -> PortSet:
        return self - (self - other)

    def __le__(self, other: PortSet) -> bool:
        return not self - other

    def __contains__(self, port: object) -> bool:
        return any(port in one for one in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __len__(self) -> int:
        return sum(len(one) for one in self.ranges)

    def __iter__(self) -> Iterator[PortRange]:
        return iter(self.ranges)

    def __str__(self) -> str:
        return ",".join(map(str, self.ranges))


def _ranges_of(part: PortRange | PortSet | int) -> tuple[PortRange, ...]:
    if isinstance(part, PortSet):
        return part.ranges
    return (part if isinstance(part, PortRange) else PortRange(part, part),)


def _minimal(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    merged: list[PortRange] = []
    for one in sorted(ranges):
        if merged and one.low <= merged[-1].high + 1:
            merged[-1] = PortRange(merged[-1].low, max(merged[-1].high, one.high))
        else:
            merged.append(one)
    return tuple(merged)


def _cut(one: PortRange, holes: Iterable[PortRange]) -> Iterator[PortRange]:
    """What is left of `one` when the ordered, disjoint `holes` are taken out."""
    low = one.low
    for hole in holes:
        if hole.high < low or hole.low > one.high:
            continue
        if hole.low > low:
            yield PortRange(low, hole.low - 1)
        low = hole.high + 1
    if low <= one.high:
        yield PortRange(low, one.high)
