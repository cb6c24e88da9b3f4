"""The door: how a stand-in, which is a few lines of sh, reaches the process of its host.

A call takes a slot by making the file `N.in` (user, folder and words, each ended by NUL), says N in the fifo `door`, and reads one
line of shell text from the fifo `N.out`. The slot is free again when the caller has closed that fifo. No program but the
stand-in's own shell is started, so a call costs a few milliseconds, as the real tools do.
"""

from __future__ import annotations

import errno
import os
import select
import shlex
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from provision.lab.balancer.call import Call, Handler, Reply

PATIENCE_SECONDS = 5.0
"""How long an answer waits for a caller that may have been killed."""
WORKERS = 8
SLOTS = 64
"""How many calls may be under way at once."""
_GLANCE_SECONDS = 0.0003
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "'": "\\0047", "\r": "\\r", "\t": "\\t", "\0": ""})


def shell_text(reply: Reply) -> str:
    """The answer as one line that the stand-in evaluates; `printf %b` gives back what is escaped here.

    Standard error goes first: the real tools keep what they print on standard output until they end, unless it is a
    terminal, so in one file for both streams warnings come before results.
    """
    out = f"printf %b '{reply.out.translate(_ESCAPES)}'; " if reply.out else ""
    err = f"printf %b '{reply.err.translate(_ESCAPES)}' >&2; " if reply.err else ""
    return f"{err}{out}exit {reply.code}\n"


class Door:
    """Serves the calls of one folder until it is closed. A handler that raises makes an answer with exit code 70."""

    def __init__(self, folder: Path, handler: Handler, log: Callable[[str], None]) -> None:
        self._folder = folder
        self._handler = handler
        self._log = log
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="call")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        for name in ("door", *(f"{slot}.out" for slot in range(SLOTS))):
            os.mkfifo(folder / name, 0o600)
        # Open for reading and writing, so that the end of one caller is not the end of the file.
        self._fifo = os.open(folder / "door", os.O_RDWR)
        self._thread = threading.Thread(target=self._listen, name="door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more calls; those under way are answered."""
        os.write(self._fifo, b"end\n")
        self._thread.join(PATIENCE_SECONDS)
        self._workers.shutdown(wait=False, cancel_futures=True)
        os.close(self._fifo)

    def _listen(self) -> None:
        pending = b""
        while True:
            pending += os.read(self._fifo, 65536)
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if line == b"end":
                    return
                if line.isdigit() and int(line) < SLOTS:
                    self._workers.submit(self._serve, int(line))

    def _serve(self, slot: int) -> None:
        question = self._folder / f"{slot}.in"
        try:
            user, cwd, *words = question.read_bytes().decode("utf-8", "replace").split("\0")[:-1]
            reply = self._answer(Call(tuple(words), user, cwd))
            _hand_over(self._folder / f"{slot}.out", shell_text(reply).encode())
        except (OSError, ValueError) as error:
            self._log(f"call in slot {slot}: {error}")
        finally:
            question.unlink(missing_ok=True)

    def _answer(self, call: Call) -> Reply:
        try:
            return self._handler(call)
        except Exception as error:  # a defect of the lab must not look like an answer of the real tool
            self._log(f"{shlex.join(call.words)}: {type(error).__name__}: {error}")
            return Reply(70, err=f"{call.name}: the lab failed: {type(error).__name__}: {error}\n")


def _hand_over(fifo: Path, data: bytes) -> None:
    """Give `data` to the one reader of `fifo`, and wait until it has closed it: then nobody else can read it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(_GLANCE_SECONDS)
    os.set_blocking(descriptor, True)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
        gone = select.poll()
        gone.register(descriptor, 0)  # POLLERR comes unasked when the last reader has closed
        gone.poll(PATIENCE_SECONDS * 1000)
    finally:
        os.close(descriptor)
