"""Ctrl-C, TERM and HUP. Before anything is written they end the run at once; while writing, the first ends the step.

Knows nothing of hosts: a writing command says with `hold` whom to tell.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

EXIT_BASE = 128
"""Shells count a death by signal N as 128 + N."""


def asks_to_stop() -> list[signal.Signals]:
    """The signals that ask a run to stop. HUP is none where there is no such signal, and under nohup."""
    known = [one for one in signal.Signals if one.name in ("SIGINT", "SIGTERM", "SIGHUP")]
    return [one for one in known if one.name != "SIGHUP" or signal.getsignal(one) is not signal.SIG_IGN]


@dataclass(slots=True)
class Signals:
    """`leave` ends the process at once with an exit code and a sentence; `announce` says that a step is finished."""

    leave: Callable[[int, str], None]
    announce: Callable[[str], None]
    where: Callable[[], str] = lambda: ""
    _tell: Callable[[int], None] | None = None
    _seen: list[int] = field(default_factory=list)

    @property
    def writing(self) -> bool:
        """Whether hosts may have been changed."""
        return self._tell is not None

    def hold(self, tell: Callable[[int], None], where: Callable[[], str]) -> None:
        """From now on hosts are changed: the first signal goes to `tell`; `where` says what is in which state."""
        self._tell, self.where = tell, where

    def install(self) -> None:
        """Take what `asks_to_stop`. Only in the main thread of the process.

        A thread of its own hears of them through a socket pair. Python runs handlers in the main thread, between two
        of its steps: while that thread waits for hosts, a signal that came a moment too early would wait as well.
        """
        hears, told = socket.socketpair()
        told.setblocking(False)
        signal.set_wakeup_fd(told.detach(), warn_on_full_buffer=False)
        for one in asks_to_stop():
            signal.signal(one, lambda _number, _frame: None)
        threading.Thread(target=self._listen, args=(hears,), name="signals", daemon=True).start()

    def _listen(self, hears: socket.socket) -> None:
        while number := hears.recv(1):
            self.received(number[0])

    def received(self, number: int) -> None:
        """What happens on a signal."""
        self._seen.append(number)
        if self._tell is None:
            self.leave(EXIT_BASE + number, "stopped: nothing was changed")
        elif len(self._seen) == 1:
            self._tell(number)
            self.announce("stopping after this step; once more stops at once")
        else:
            self.leave(EXIT_BASE + self._seen[0], f"stopped at once. {self.where()}")
