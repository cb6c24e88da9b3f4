"""The one door: results to stdout, talk to stderr, both without secrets and without control characters.

It must not know what is said, nor decide what is worth saying. One door for a run; safe to share by threads.
"""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

from provision.model.secret import Redactor
from provision.view.clean import clean_rows, cut, folded, mapped, redacted, redacted_value, visible, writable

WIDTH_WITHOUT_TERMINAL = 100


class PipeConsole(Console):
    """A console that says when its reader is gone; rich's own ends the process."""

    def on_broken_pipe(self) -> None:
        """Called by rich while it handles the error."""
        raise BrokenPipeError


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak. `width` in columns; None: the terminal's, or 100 where there is none."""

    quiet: bool = False
    verbose: bool = False
    colour: bool = True
    width: int | None = None


@dataclass(slots=True)
class Door:
    """Writes lines and documents to the two streams, and everything that was said to the debug log as well.

    A reader that went away (`| head`) is no error: what follows is dropped. A result that cannot be written (a full
    disk) is dropped as well, but then `failed` is true: what was asked for did not arrive.
    """

    out: TextIO
    err: TextIO
    manner: Manner = Manner()
    redactor: Redactor = field(default_factory=Redactor)
    log: TextIO | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _gone: set[int] = field(default_factory=set)
    _status: bool = False
    failed: bool = False

    def result(self, lines: Iterable[Text]) -> None:
        """What was asked for: to stdout."""
        self._write(self.out, list(lines))

    def talk(self, lines: Iterable[Text]) -> None:
        """Progress, notes: to stderr, unless quiet."""
        shown = list(lines)
        self.note_in_log(one.plain for one in shown)
        if not self.manner.quiet:
            self._write(self.err, shown)

    def complain(self, lines: Iterable[Text]) -> None:
        """Errors and warnings: to stderr, also when quiet."""
        shown = list(lines)
        self.note_in_log(one.plain for one in shown)
        self._write(self.err, shown)

    def document(self, value: Mapping[str, object]) -> None:
        """One JSON document to stdout, in ASCII."""
        text = json.dumps(redacted_value(value, self.redactor.redact), indent=2)
        self._write(self.out, [Text(one, no_wrap=True) for one in text.split("\n")])

    def status(self, words: str) -> None:
        """The live line at the end of a terminal's stderr; empty words take it away. Nothing without a terminal."""
        with self._lock:
            if self.talks_to_terminal and not self.manner.quiet:
                self._wipe()
                self._status = bool(words)
                width = self._console(self.err).width - 1
                shown = self._fit([Text(words, style="dim")], self.err) if words else []
                self._emit(self.err, [text[:width] for text in shown], end="")

    def note_in_log(self, words: Iterable[str]) -> None:
        """Lines for the debug log only, with the time."""
        if self.log is None:
            return
        stamp = self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with self._lock:
            for row in clean_rows("\n".join(words), self.redactor.redact):
                self.log.write(f"{stamp} {row}\n")
            self.log.flush()

    @property
    def talks_to_terminal(self) -> bool:
        """Whether stderr is a terminal: only then is there a live line."""
        return self.err.isatty()

    def _write(self, stream: TextIO, lines: list[Text]) -> None:
        with self._lock:
            self._wipe()
            width = self._console(stream).width
            self._emit(stream, [row for text in self._fit(lines, stream) for row in folded(text, width)])

    def _fit(self, lines: list[Text], stream: TextIO) -> list[Text]:
        carry = writable(getattr(stream, "encoding", None) or "utf-8")
        clean = redacted(lines, self.redactor.redact)
        return [mapped(mapped(cut(text), visible), carry) for text in clean]

    def _emit(self, stream: TextIO, lines: list[Text], end: str = "\n") -> None:
        if id(stream) in self._gone:
            return
        console = self._console(stream)
        with self._leaving(stream):
            for text in lines:
                console.print(text, end=end, soft_wrap=True)
            stream.flush()

    def _wipe(self) -> None:
        if self._status:
            self._status = False
            with self._leaving(self.err):
                self._console(self.err).control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))

    @contextmanager
    def _leaving(self, stream: TextIO) -> Iterator[None]:
        """A reader that leaves while it is written to: a pipe that is closed, a terminal that hung up (EIO)."""
        try:
            yield
        except (BrokenPipeError, ValueError):
            self._gone.add(id(stream))
        except OSError as error:
            self._gone.add(id(stream))
            self.failed |= stream is self.out and error.errno != errno.EIO

    def _console(self, stream: TextIO) -> Console:
        width = self.manner.width or (None if stream.isatty() else WIDTH_WITHOUT_TERMINAL)
        plain = None if self.manner.colour else True
        return PipeConsole(file=stream, width=width, no_color=plain, highlight=False, markup=False, emoji=False)
