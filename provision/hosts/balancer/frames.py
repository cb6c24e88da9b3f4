"""Takes a script's framed output apart: named answers, each with its exit status. Pure; knows no host's meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = re.compile(rb"provision-frame (.+) (\d{1,3}) (\d{1,9})\Z")


class FrameError(ValueError):
    """The output is not a whole sequence of frames; the sentence says what was found instead."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One answer: what was asked, how it ended (a shell's exit status), what it printed on both streams."""

    name: str
    status: int
    text: str

    @property
    def ok(self) -> bool:
        """It ended with 0."""
        return self.status == 0

    @property
    def first(self) -> str:
        """Its first line that is not blank, for a sentence; empty when there is none."""
        return next((line.strip() for line in self.text.splitlines() if line.strip()), "")


def frames(data: bytes) -> tuple[Frame, ...]:
    """All frames up to the one named `end`. Raises FrameError when there is none, or on anything between frames."""
    found = tuple(frame for frame, _ in _walk(data))
    if not found or found[-1].name != "end":
        tail = data[-200:].decode("utf-8", "backslashreplace")
        raise FrameError(f"the output ended early; its last words: {tail!r}")
    return found[:-1]


def after(data: bytes, *prefixes: str) -> bytes:
    """What follows the frames at the beginning whose names start with one of `prefixes`."""
    at = 0
    for frame, end in _walk(data):
        if not frame.name.startswith(prefixes):
            break
        at = end
    return data[at:]


def _walk(data: bytes) -> Iterator[tuple[Frame, int]]:
    """Each frame, and where it ends."""
    at = 0
    while at < len(data):
        stop = data.find(b"\n", at)
        match = _HEAD.fullmatch(data[at : stop if stop >= 0 else len(data)])
        if match is None:
            raise FrameError(f"this is no frame: {data[at : at + 80]!r}")
        size, begin = int(match[3]), stop + 1
        if data[begin + size : begin + size + 1] != b"\n":
            raise FrameError(f"the frame {match[1]!r} is shorter or longer than it says")
        name, text = match[1].decode("utf-8", "surrogateescape"), data[begin : begin + size]
        at = begin + size + 1
        yield Frame(name, int(match[2]), text.decode("utf-8", "surrogateescape")), at


def starting(found: tuple[Frame, ...], prefix: str) -> dict[str, Frame]:
    """The frames whose name starts with `prefix`, by the rest of their name."""
    return {one.name.removeprefix(prefix): one for one in found if one.name.startswith(prefix)}
