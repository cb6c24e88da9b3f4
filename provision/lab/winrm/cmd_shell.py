"""One WinRS shell: command lines run through the host, in threads, with their standard streams.

It must not know HTTP or SOAP envelopes. A process starts when its input is complete: with the Send that says
End, or with the first Receive when nothing was sent. (A real process reads while it runs; `ScriptHost` takes
its whole input at once.)
"""

from __future__ import annotations

import base64
import binascii
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field

from provision.lab.winrm import envelope
from provision.lab.winrm.envelope import RSP, WSManFault
from provision.lab.winrm.scripthost import ProcessResult, ScriptHost
from provision.lab.winrm.shells import Owner, Quotas, Received, StreamPart

CMD_LINE_LIMIT = 8191
"""Characters a command line of cmd.exe may have; longer ones are refused before anything runs."""

STOPPED_EXIT_CODE = 0xC000013A
"""STATUS_CONTROL_C_EXIT: what a process leaves behind that was stopped with Ctrl+C."""


@dataclass(slots=True)
class _Command:
    """One process. `result` is set when it ended; `sent` counts the bytes of each stream already delivered."""

    line: str
    arguments: tuple[str, ...]
    through_cmd: bool
    stdin: bytearray = field(default_factory=bytearray)
    has_input: bool = False
    started: bool = False
    result: ProcessResult | None = None
    sent: dict[str, int] = field(default_factory=lambda: {"stdout": 0, "stderr": 0})


class CommandShell:
    """A cmd shell. See `shells.Shell` for the contract."""

    resource_uri = envelope.SHELL_CMD

    def __init__(self, shell_id: str, owner: Owner, host: ScriptHost, quotas: Quotas, now: float) -> None:
        self.shell_id = shell_id
        self.owner = owner
        self.last_used = now
        self._host = host
        self._quotas = quotas
        self._commands: dict[str, _Command] = {}
        self._changed = threading.Condition()
        self._closed = False

    def describe(self) -> str:
        """The rest of rsp:Shell."""
        return (
            "<rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams>"
            "<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity>"
        )

    def command(self, line: ET.Element, options: Mapping[str, str]) -> str:
        """Remember a command line; it starts when its input is known."""
        command_id = (line.get("CommandId") or str(uuid.uuid4())).upper()
        arguments = tuple(element.text or "" for element in line.iter(f"{{{RSP}}}Arguments"))
        through_cmd = options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() != "TRUE"
        with self._changed:
            if len(self._commands) >= self._quotas.commands_per_shell:
                raise WSManFault(envelope.too_many_commands(self._quotas.commands_per_shell))
            text = line.findtext(f"{{{RSP}}}Command") or ""
            self._commands[command_id] = _Command(text, arguments, through_cmd)
        return command_id

    def send(self, stream: ET.Element) -> None:
        """Standard input; what comes after the end is dropped, as a pipe without a reader drops it."""
        try:
            data = base64.b64decode(stream.text or "", validate=True)
        except binascii.Error:
            raise WSManFault(envelope.INVALID_XML) from None
        with self._changed:
            command = self._command(stream.get("CommandId"))
            command.has_input = True
            command.stdin += data
            if (stream.get("End") or "").lower() == "true":
                self._start(command)

    def receive(self, command_id: str | None, timeout: float, budget: int) -> Received:
        """Output of one process; the shell itself has none."""
        with self._changed:
            command = self._command(command_id)
            if not command.has_input:
                self._start(command)
            self._changed.wait_for(lambda: self._closed or command.result is not None, timeout)
            if self._closed:
                raise WSManFault(envelope.shell_not_found(self.shell_id))
            if command.result is None:
                raise WSManFault(envelope.TIMED_OUT)
            return self._output(command_id, command, command.result, budget)

    def signal(self, command_id: str, code: str) -> None:
        """Ctrl+C and Ctrl+Break stop the process; Terminate also forgets it."""
        with self._changed:
            command = self._commands.get(command_id)
            if command is None:
                raise WSManFault(envelope.command_not_found(command_id))
            if command.result is None:
                command.started = True
                command.result = ProcessResult(b"", b"", STOPPED_EXIT_CODE)
            if code.lower().endswith("/terminate"):
                del self._commands[command_id]
            self._changed.notify_all()

    def close(self) -> None:
        """Waiting Receives end with a fault; what still runs is forgotten."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _command(self, command_id: str | None) -> _Command:
        command = self._commands.get((command_id or "").upper())
        if command is None:
            raise WSManFault(envelope.command_not_found(command_id))
        return command

    def _start(self, command: _Command) -> None:
        if not command.started:
            command.started = True
            threading.Thread(target=self._run, args=(command,), daemon=True, name="process").start()

    def _run(self, command: _Command) -> None:
        result = _run_guarded(self._host, command)
        with self._changed:
            command.result = command.result or result
            self._changed.notify_all()

    def _output(self, command_id: str | None, command: _Command, result: ProcessResult, budget: int) -> Received:
        """What fits of both streams; the last piece says End and brings the exit code."""
        parts, left = list[StreamPart](), budget
        for name, data in (("stdout", result.stdout), ("stderr", result.stderr)):
            piece = data[command.sent[name] : command.sent[name] + left]
            command.sent[name] += len(piece)
            left -= len(piece)
            if piece:
                parts.append(StreamPart(name, piece))
        done = command.sent["stdout"] == len(result.stdout) and command.sent["stderr"] == len(result.stderr)
        if done:
            parts += [StreamPart("stdout", b"", end=True), StreamPart("stderr", b"", end=True)]
        return Received(tuple(parts), command_id, done, result.exit_code)


def _run_guarded(host: ScriptHost, command: _Command) -> ProcessResult:
    """Run the process; a defect of the host is a process that failed and says so."""
    whole_line = " ".join((command.line, *command.arguments))
    if command.through_cmd and len(whole_line) > CMD_LINE_LIMIT:
        return ProcessResult(b"", b"The command line is too long.\r\n", 1)
    try:
        return host.run_process(command.line, command.arguments, bytes(command.stdin))
    except Exception as error:  # the boundary to foreign code in a thread: whatever it is, tell it
        text = f"The host behind the endpoint failed: {type(error).__name__}: {error}\r\n"
        return ProcessResult(b"", text.encode(), 1)
