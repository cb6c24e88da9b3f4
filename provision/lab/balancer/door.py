"""The door: how a stand-in, which is a line of sh, reaches the process of its host.

A call is a file `PID.in` (user, folder and words, each ended by NUL) and the PID as a line in the fifo `door`; the answer is
shell text in the fifo `PID.out`. Two small programs a call, no Python start: a few milliseconds, as the real tools take.
"""

from __future__ import annotations

import errno
import os
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


def shell_text(reply: Reply) -> str:
    """The answer as the stand-in evaluates it."""
    out = f"printf %s {shlex.quote(reply.out)}\n" if reply.out else ""
    err = f"printf %s {shlex.quote(reply.err)} >&2\n" if reply.err else ""
    return f"{out}{err}exit {reply.code}\n"


class Door:
    """Serves the calls of one folder until it is closed. A handler that raises makes an answer with exit code 70."""

    def __init__(self, folder: Path, handler: Handler, log: Callable[[str], None]) -> None:
        self._folder = folder
        self._handler = handler
        self._log = log
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="call")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        os.mkfifo(folder / "door", 0o600)
        # Open for reading and writing, so that the end of one caller is not the end of the file.
        self._fifo = os.open(folder / "door", os.O_RDWR)
        self._thread = threading.Thread(target=self._listen, name="door", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more calls; those under way are answered."""
        os.write(self._fifo, b"0\n")
        self._thread.join(PATIENCE_SECONDS)
        self._workers.shutdown(wait=False, cancel_futures=True)
        os.close(self._fifo)

    def _listen(self) -> None:
        pending = b""
        while True:
            pending += os.read(self._fifo, 65536)
            *numbers, pending = pending.split(b"\n")
            for number in numbers:
                if number == b"0":
                    return
                if number.isdigit():
                    self._workers.submit(self._serve, number.decode())

    def _serve(self, number: str) -> None:
        question, answer = self._folder / f"{number}.in", self._folder / f"{number}.out"
        try:
            user, cwd, *words = question.read_bytes().decode("utf-8", "replace").split("\0")[:-1]
            question.unlink()
            reply = self._answer(Call(tuple(words), user, cwd))
            _hand_over(answer, shell_text(reply).encode())
        except (OSError, ValueError) as error:
            self._log(f"call {number}: {error}")
        finally:
            answer.unlink(missing_ok=True)

    def _answer(self, call: Call) -> Reply:
        try:
            return self._handler(call)
        except Exception as error:  # a defect of the lab must not look like an answer of the real tool
            self._log(f"{shlex.join(call.words)}: {type(error).__name__}: {error}")
            return Reply(70, err=f"{call.name}: the lab failed: {type(error).__name__}: {error}\n")


def _hand_over(fifo: Path, data: bytes) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.0003)
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
