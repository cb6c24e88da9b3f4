"""One exec on an open SSH channel: what goes in, what comes out, sudo's question, and the deadline.

It must not know how the connection was made nor what the script says.
"""

from __future__ import annotations

import select

import paramiko

from provision.model.command import ShellResult
from provision.model.secret import Secret
from provision.remote.deadline import Deadline
from provision.remote.ssh_errors import output_too_long, passed_deadline, sudo_refused
from provision.remote.ssh_target import SshTarget

OUTPUT_LIMIT = 8 * 1024 * 1024
"""Bytes of output that one script may print."""

READY = b"provision-ready\n"
SUDO_PROMPT = "provision-sudo:"
BOOTSTRAP = 'echo provision-ready; script=$(head -c "$1"; echo .); shift; eval "${script%.}"'
"""Reads so many bytes of script from standard input and runs them; what follows on it is the script's own. With
`sh -s` instead, dash reads ahead and swallows the payload."""

_CHUNK = 32768
PAUSE = 0.05


class Exec:
    """One exec under way: what still goes in, what came out, and sudo's question."""

    def __init__(self, channel: paramiko.Channel, target: SshTarget, limit: Deadline) -> None:
        self._channel = channel
        self._target = target
        self._limit = limit
        self._out = bytearray()
        self._err = bytearray()
        self._asked = False

    def run(self, data: bytes) -> ShellResult:
        """Feed `data` and wait for the end. With a sudo password nothing is sent before it is known to be wanted."""
        if self._target.sudo_password is not None:
            self._wait_until_ready(self._target.sudo_password)
        waiting = memoryview(data)
        while waiting or not self._ended():
            waiting = self._feed(waiting)
            self._wait(sending=bool(waiting))
        self._drain()
        return self._result()

    def _feed(self, waiting: memoryview) -> memoryview:
        """Send what the window takes; when all is sent, say so. A script that ended early takes no more."""
        while waiting and self._channel.send_ready() and not self._ended():
            sent = self._channel.send(bytes(waiting[:_CHUNK]))
            waiting = waiting[sent:]
            if not waiting:
                self._channel.shutdown_write()
        return memoryview(b"") if self._ended() else waiting

    def _wait_until_ready(self, password: Secret) -> None:
        """Answer sudo's prompt once. A second one means that the password was wrong, and there is no second guess."""
        while READY not in self._out and not self._ended():
            self._wait()
            prompts = self._err.count(SUDO_PROMPT.encode())
            if prompts > 1:
                raise sudo_refused(self._target, "the password is wrong")
            if prompts and not self._asked:
                self._asked = True
                self._channel.sendall(password.reveal().encode() + b"\n")

    def _ended(self) -> bool:
        channel = self._channel
        over = channel.closed or (channel.status_event.is_set() and bool(channel.eof_received))
        return over and not channel.recv_ready()

    def _wait(self, *, sending: bool = False) -> None:
        """Until something arrived, but not past the deadline."""
        if self._limit.passed:
            raise passed_deadline(self._target, "the script did not end in time")
        if self._channel.eof_received:  # from here on the descriptor is always readable
            self._channel.status_event.wait(PAUSE)
        else:
            longest = PAUSE if sending else 1.0
            select.select([self._channel], [], [], min(longest, self._limit.left))
        self._drain()

    def _drain(self) -> None:
        while self._channel.recv_ready():
            self._out += self._channel.recv(_CHUNK)
        while self._channel.recv_stderr_ready():
            self._err += self._channel.recv_stderr(_CHUNK)
        if len(self._out) + len(self._err) > OUTPUT_LIMIT:
            raise output_too_long(self._target, OUTPUT_LIMIT)

    def _result(self) -> ShellResult:
        """Without what a login shell's own files may have printed before our first word."""
        if not self._channel.status_event.is_set() or self._channel.exit_status < 0:
            raise EOFError("the channel closed without an exit status")
        status = self._channel.exit_status
        before, ready, out = bytes(self._out).partition(READY)
        err = bytes(self._err).replace(SUDO_PROMPT.encode(), b"")
        if not ready and status != 0 and (b"sudo" in err or self._asked):
            raise sudo_refused(self._target, err.decode("utf-8", "replace").strip() or "sudo ended without a word")
        return ShellResult(status, out if ready else before, err)
