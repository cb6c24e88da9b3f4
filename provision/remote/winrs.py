"""PowerShell sessions over WinRS, with pywinrm: one cmd shell, one powershell.exe for each run.

It must not know what the scripts say. A command line holds only about 3,000 characters of script, so a constant
bootstrap takes script and JSON from standard input, in base64, which no code page can spoil. HTTP requests over
https with NTLM: login 2, open 1, run 3, close 1; every further run 3. A command that is not signalled stays in
the shell's books, so the shell is replaced after SHELL_COMMANDS runs, which costs less than signalling each.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from typing import Literal

import requests
from winrm.exceptions import WinRMOperationTimeoutError
from winrm.protocol import Protocol
from winrm.transport import HAVE_CREDSSP, HAVE_KERBEROS, Transport

from provision.remote.clixml import error_text
from provision.remote.deadline import GRACE, Deadline, DeadlinePassed, run_in_time
from provision.remote.session import WinRMTarget, check_target, closed_session, script_failed, unusable
from provision.remote.winrm_errors import FOREIGN, explain
from provision.remote.winrm_http import IDLE_LIMIT, Wire, close_loggers, prepare

BOOTSTRAP = """\
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$utf8 = [System.Text.Encoding]::UTF8
$script = $utf8.GetString([System.Convert]::FromBase64String([Console]::In.ReadLine()))
$json = $utf8.GetString([System.Convert]::FromBase64String([Console]::In.ReadLine()))
$block = [scriptblock]::Create($script)
$output = @(& $block -Json $json)
if ($output.Count -ne 1) { throw "the script must output one string and gave $($output.Count) objects" }
[Console]::Out.Write([System.Convert]::ToBase64String($utf8.GetBytes([string]$output[0])))
exit 0
"""
"""Must not mention $input: where the command does, powershell.exe reads standard input itself, before the script
can (ConsoleHost looks for it in the syntax tree)."""

ARGUMENTS = (
    "-NoLogo",
    "-NoProfile",
    "-NonInteractive",
    "-ExecutionPolicy",
    "Bypass",
    "-EncodedCommand",
    base64.b64encode(BOOTSTRAP.encode("utf-16-le")).decode(),
)

SHELL_COMMANDS = 10
"""Runs after which the shell is replaced: half of the 25 processes a stock shell may have, to be safe."""

SEND_BYTES = 96 * 1024
"""Standard input a message: in base64, with its envelope, it stays below the 150 kB of MaxEnvelopeSize."""

UTF_8 = 65001

_Method = Literal["basic", "certificate", "ntlm", "kerberos", "credssp"]

_METHODS: dict[str, _Method] = {
    "negotiate": "ntlm",
    "ntlm": "ntlm",
    "basic": "basic",
    "kerberos": "kerberos",
    "credssp": "credssp",
    "certificate": "certificate",
}
"""pywinrm has no SPNEGO of its own: negotiate means NTLM under the name Negotiate."""


class _Transport(Transport):
    """pywinrm's transport on our adapter. The base class may send as soon as a session exists."""

    wire: Wire

    def setup_encryption(self, session: requests.Session) -> None:
        """First chance before the first request, when messages are encrypted."""
        prepare(session, self.wire)
        super().setup_encryption(session)

    def build_session(self) -> requests.Session:
        """First chance before the first request, when they are not."""
        fresh = self.session is None
        session = super().build_session()
        if fresh:
            prepare(session, self.wire)
        return session


class WinrsSession:
    """See `session.PowerShellSession`. `clock` gives monotonic seconds."""

    def __init__(self, target: WinRMTarget, protocol: Protocol, wire: Wire, clock: Callable[[], float]) -> None:
        self._target = target
        self._protocol = protocol
        self._wire = wire
        self._clock = clock
        self._shell: str | None = None
        self._commands = 0
        self._used = clock()
        self._closed = False

    def run(self, script: str, argument: str, deadline: float) -> str:
        """One process; see `session.PowerShellSession.run`."""
        if self._closed:
            raise closed_session(self._target)
        limit = Deadline.after(deadline, self._clock)
        self._wire.deadline = limit
        try:
            return run_in_time(lambda: self._invoke(script, argument, limit), deadline + 2 * GRACE)
        except FOREIGN as error:
            self._abandon()
            raise explain(error, self._target) from error

    def close(self) -> None:
        """Delete the shell, which ends its processes too, and hang up."""
        if self._closed:
            return
        self._closed = True
        self._wire.deadline = Deadline.after(GRACE, self._clock)
        try:
            run_in_time(self._delete_shell, GRACE)
        except FOREIGN:
            pass  # the server drops an idle shell by itself
        finally:
            self._hang_up()

    def _invoke(self, script: str, argument: str, limit: Deadline) -> str:
        shell = self._ready_shell()
        command = self._protocol.run_command(shell, "powershell.exe", ARGUMENTS, console_mode_stdin=False)
        self._commands += 1
        self._feed(shell, command, script, argument)
        stdout, stderr, exit_code = self._collect(shell, command, limit)
        self._used = self._clock()
        if exit_code != 0:
            raise script_failed(self._target, error_text(stderr) or f"powershell.exe ended with {exit_code}")
        return self._text(stdout)

    def _text(self, stdout: bytes) -> str:
        """The one string that the bootstrap wrote, out of its base64."""
        try:
            text = base64.b64decode(b"".join(stdout.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise script_failed(self._target, "something else than the script wrote to its output") from None
        if not text:
            raise script_failed(self._target, "it must output one string and gave nothing")
        return text

    def _ready_shell(self) -> str:
        """An open shell on a connection that did not idle; a shell that ran enough commands is replaced."""
        if self._clock() - self._used > IDLE_LIMIT:
            self._hang_up()
        if self._shell is not None and self._commands >= SHELL_COMMANDS:
            self._delete_shell()
        if self._shell is None:
            self._shell = self._protocol.open_shell(noprofile=True, codepage=UTF_8)
            self._commands = 0
        return self._shell

    def _feed(self, shell: str, command: str, script: str, argument: str) -> None:
        """Two lines of base64, and the end of input."""
        stdin = b"".join(base64.b64encode(text.encode()) + b"\r\n" for text in (script, argument))
        for start in range(0, len(stdin), SEND_BYTES):
            end = start + SEND_BYTES >= len(stdin)
            self._protocol.send_command_input(shell, command, stdin[start : start + SEND_BYTES], end=end)

    def _collect(self, shell: str, command: str, limit: Deadline) -> tuple[bytes, bytes, int]:
        """Poll until the process has ended; stop it when its time is over."""
        stdout, stderr = bytearray(), bytearray()
        while not limit.passed:
            self._protocol.operation_timeout_sec = max(1, min(self._target.operation_timeout, int(limit.left)))
            self._wire.deadline = limit.plus(GRACE)
            try:
                out, err, exit_code, done = self._protocol.get_command_output_raw(shell, command)
            except WinRMOperationTimeoutError:
                continue
            stdout += out
            stderr += err
            if done:
                return bytes(stdout), bytes(stderr), exit_code
        self._protocol.cleanup_command(shell, command)
        raise DeadlinePassed

    def _delete_shell(self) -> None:
        shell, self._shell = self._shell, None
        if shell is not None:
            self._protocol.close_shell(shell, close_session=False)

    def _hang_up(self) -> None:
        """The next request, if there is one, makes a new connection and logs in on it."""
        self._protocol.transport.close_session()
        self._protocol.transport.encryption = None

    def _abandon(self) -> None:
        """After trouble on the wire nothing of the session is believed any more."""
        self._closed = True
        self._hang_up()


def open_winrs(target: WinRMTarget, clock: Callable[[], float] = time.monotonic) -> WinrsSession:
    """A session that connects on its first run. Raises ConnectionFailed for settings that cannot be used."""
    check_target(target)
    if (target.auth == "kerberos" and not HAVE_KERBEROS) or (target.auth == "credssp" and not HAVE_CREDSSP):
        why = f"the library for {target.auth} is not installed"
        raise unusable(target, why, f"pip install 'pywinrm[{target.auth}]'")
    close_loggers()
    try:
        wire = Wire(target)
        protocol = Protocol(
            target.endpoint,
            username=target.user,
            password=target.password.reveal(),
            operation_timeout_sec=target.operation_timeout,
            read_timeout_sec=target.operation_timeout + 10,
        )
        protocol.transport = _transport(target, wire)
    except FOREIGN as error:
        raise explain(error, target) from error
    return WinrsSession(target, protocol, wire, clock)


def _transport(target: WinRMTarget, wire: Wire) -> _Transport:
    transport = _Transport(
        endpoint=target.endpoint,
        username=target.user,
        password=target.password.reveal(),
        auth_method=_METHODS[target.auth],
        server_cert_validation="validate" if target.verify else "ignore",
        message_encryption="auto" if target.scheme == "https" else "always",
        ca_trust_path=str(target.ca_file or ""),
        cert_pem=str(target.client_certificate) if target.client_certificate else None,
        cert_key_pem=str(target.client_key) if target.client_key else None,
        proxy=None,
    )
    transport.wire = wire
    return transport
