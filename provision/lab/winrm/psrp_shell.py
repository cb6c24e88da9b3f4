"""One PowerShell shell: a runspace pool whose pipelines run in threads, so that a Receive can time out.

It must not know HTTP or SOAP envelopes; it takes rsp elements and gives bytes of PSRP fragments.
"""

from __future__ import annotations

import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from provision.lab.winrm import envelope
from provision.lab.winrm.envelope import RSP, WSManFault
from provision.lab.winrm.runspace import Pipeline, Runspace
from provision.lab.winrm.scripthost import ErrorInfo, PipelineCommand, PipelineResult, ScriptHost
from provision.lab.winrm.shells import Owner, Quotas, Received, StreamPart


class PowerShellShell:
    """A runspace pool. See `shells.Shell` for the contract."""

    resource_uri = envelope.SHELL_POWERSHELL

    def __init__(self, shell_id: str, owner: Owner, host: ScriptHost, quotas: Quotas, now: float) -> None:
        self.shell_id = shell_id
        self.owner = owner
        self.last_used = now
        self._host = host
        self._quotas = quotas
        self._runspace = Runspace(self._launch)
        self._changed = threading.Condition()
        self._closed = False

    def open(self, creation: str) -> None:
        """Take the client's first messages from creationXml (base64). Raises WSManFault when it is damaged."""
        with self._changed:
            self._runspace.feed(creation)

    def describe(self) -> str:
        """The rest of rsp:Shell."""
        return (
            "<rsp:ProcessId>1528</rsp:ProcessId><rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut>"
            "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
            "<rsp:MaxIdleTimeOut>PT2147483.647S</rsp:MaxIdleTimeOut><rsp:Locale>en-US</rsp:Locale>"
            "<rsp:DataLocale>en-US</rsp:DataLocale><rsp:CompressionMode>NoCompression</rsp:CompressionMode>"
            "<rsp:ProfileLoaded>Yes</rsp:ProfileLoaded><rsp:Encoding>UTF8</rsp:Encoding>"
            "<rsp:BufferMode>Block</rsp:BufferMode><rsp:State>Connected</rsp:State>"
            "<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity>"
        )

    def command(self, line: ET.Element, options: Mapping[str, str]) -> str:
        """Create a pipeline from the fragment in Arguments; more fragments may follow in Sends."""
        command_id = (line.get("CommandId") or str(uuid.uuid4())).upper()
        with self._changed:
            if len(self._runspace) >= self._quotas.commands_per_shell:
                raise WSManFault(envelope.too_many_commands(self._quotas.commands_per_shell))
            self._runspace.create(command_id, line.findtext(f"{{{RSP}}}Arguments") or "")
            self._changed.notify_all()
        return command_id

    def send(self, stream: ET.Element) -> None:
        """More fragments: of a long script, of pipeline input, of an answer to a host call."""
        with self._changed:
            self._runspace.feed(stream.text or "")
            self._changed.notify_all()

    def receive(self, command_id: str | None, timeout: float, budget: int) -> Received:
        """Fragments of the pool (command_id None) or of one pipeline."""
        with self._changed:
            pipeline = None if command_id is None else self._runspace.find(command_id)
            self._changed.wait_for(lambda: self._closed or self._has_news(command_id, pipeline), timeout)
            if self._closed:
                raise WSManFault(envelope.shell_not_found(self.shell_id))
            if not self._has_news(command_id, pipeline):
                raise WSManFault(envelope.TIMED_OUT)
            parts = tuple(StreamPart("stdout", data) for data in self._runspace.outbox.take(command_id, budget))
            done = pipeline is not None and pipeline.finished and not self._runspace.outbox.has(command_id)
            return Received(parts, command_id, done)

    def signal(self, command_id: str, code: str) -> None:
        """Ctrl+C stops a running pipeline; Terminate stops it and forgets it."""
        with self._changed:
            pipeline = self._runspace.find(command_id)
            if not pipeline.finished:
                self._runspace.end(pipeline, None)
            if code.lower().endswith("/terminate"):
                self._runspace.forget(command_id)
            self._changed.notify_all()

    def close(self) -> None:
        """Waiting Receives end with a fault; results of running pipelines are thrown away."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_news(self, command_id: str | None, pipeline: Pipeline | None) -> bool:
        return (pipeline is not None and pipeline.finished) or self._runspace.outbox.has(command_id)

    def _launch(self, pipeline: Pipeline, commands: tuple[PipelineCommand, ...]) -> None:
        threading.Thread(target=self._run, args=(pipeline, commands), daemon=True, name="pipeline").start()

    def _run(self, pipeline: Pipeline, commands: tuple[PipelineCommand, ...]) -> None:
        result = _run_guarded(self._host, commands, tuple(pipeline.input))
        with self._changed:
            if not pipeline.finished and not self._closed:
                self._runspace.end(pipeline, result)
            self._changed.notify_all()


def _run_guarded(
    host: ScriptHost, commands: tuple[PipelineCommand, ...], input_objects: tuple[object, ...]
) -> PipelineResult:
    """Run the pipeline; a defect of the host is a failed pipeline that says so, never a Receive that waits."""
    try:
        return host.run_pipeline(commands, input_objects)
    except Exception as error:  # the boundary to foreign code in a thread: whatever it is, tell it
        text = f"The host behind the endpoint failed: {type(error).__name__}: {error}"
        return PipelineResult((), failed=ErrorInfo(text, type(error).__name__, "HostDefect"))
