"""A runspace pool on psrpcore's server side: messages in, fragments out, pipelines kept by their ids.

It must not know threads, waiting or WSMan elements: the shell that owns it holds the lock and starts what
`launch` names. Ids are upper-case GUIDs.
"""

from __future__ import annotations

import base64
import binascii
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field

import psrpcore

from provision.lab.winrm import envelope, pipeline_output, records
from provision.lab.winrm.envelope import WSManFault
from provision.lab.winrm.fragments import Outbox, pipeline_id_of
from provision.lab.winrm.scripthost import ErrorInfo, PipelineCommand, PipelineResult

FRAGMENT_BYTES = 32 * 1024
"""Size of the fragments that Windows PowerShell sends."""


@dataclass(slots=True)
class Pipeline:
    """One command of the pool. `finished` is set with its last message: it ended, failed or was stopped."""

    command_id: str
    server: psrpcore.ServerPipeline
    input: list[object] = field(default_factory=list)
    started: bool = False
    finished: bool = False


Launch = Callable[[Pipeline, tuple[PipelineCommand, ...]], None]


class Runspace:
    """The pool. Not thread-safe: its owner holds a lock around every call, `outbox` included."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._pool = psrpcore.ServerRunspacePool({"PSVersionTable": records.powershell_51()})
        self._pipelines: dict[str, Pipeline] = {}
        self._commands: dict[uuid.UUID, str] = {}
        self.outbox = Outbox()

    def __len__(self) -> int:
        return len(self._pipelines)

    def create(self, command_id: str, first_fragment: str) -> None:
        """Make room for a pipeline and feed the fragment that came with the Command."""
        data = _decode(first_fragment)
        pipeline_id = pipeline_id_of(data) or uuid.UUID(command_id)
        self._pipelines[command_id] = Pipeline(command_id, psrpcore.ServerPipeline(self._pool, pipeline_id))
        self._commands[pipeline_id] = command_id
        self._take_in(data)

    def find(self, command_id: str) -> Pipeline:
        """The pipeline of that id. Raises WSManFault."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is None:
            raise WSManFault(envelope.command_not_found(command_id))
        return pipeline

    def feed(self, encoded: str) -> None:
        """Take fragments (base64) from the client and act on the messages they complete. Raises WSManFault."""
        self._take_in(_decode(encoded))

    def end(self, pipeline: Pipeline, result: PipelineResult | None) -> None:
        """Write the result and the final state; without a result the state is Stopped."""
        pipeline_output.begin(pipeline.server)
        if result is None:
            pipeline.server.stop()
        else:
            pipeline_output.write_result(pipeline.server, result)
        pipeline.started = pipeline.finished = True
        self._collect()

    def forget(self, command_id: str) -> None:
        """Drop an ended pipeline and what it has not delivered."""
        server = self._pipelines.pop(command_id).server
        server.close()
        self._commands.pop(server.pipeline_id, None)
        self.outbox.drop(command_id)

    def _take_in(self, data: bytes) -> None:
        try:
            self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, None))
            while (event := self._pool.next_event()) is not None:
                self._handle(event)
                self._collect()
        except (ValueError, ET.ParseError, psrpcore.PSRPCoreError):
            raise WSManFault(envelope.INVALID_XML) from None

    def _handle(self, event: psrpcore.PSRPEvent[object, object]) -> None:
        match event:
            case psrpcore.CreatePipelineEvent():
                if event.pipeline.no_input:
                    self._start(self._of(event.pipeline_id))
            case psrpcore.PipelineInputEvent():
                self._of(event.pipeline_id).input.append(records.to_plain(event.data))
            case psrpcore.EndOfPipelineInputEvent():
                self._start(self._of(event.pipeline_id))
            case psrpcore.GetCommandMetadataEvent():
                refusal = ErrorInfo("The lab keeps no command metadata.")
                self.end(self._of(event.pipeline_id), PipelineResult((), failed=refusal))
            case psrpcore.GetAvailableRunspacesEvent():
                self._pool.runspace_availability_response(event.ci, self._pool.max_runspaces)
            case psrpcore.SetMaxRunspacesEvent() | psrpcore.SetMinRunspacesEvent() | psrpcore.ResetRunspaceStateEvent():
                self._pool.runspace_availability_response(event.ci, response=True)
            case _:
                pass

    def _of(self, pipeline_id: uuid.UUID) -> Pipeline:
        return self.find(self._commands.get(pipeline_id, ""))

    def _start(self, pipeline: Pipeline) -> None:
        if not pipeline.started:
            pipeline.started = True
            commands = getattr(pipeline.server.metadata, "commands", ())
            self._launch(pipeline, tuple(records.to_command(command) for command in commands))

    def _collect(self) -> None:
        while (payload := self._pool.data_to_send(FRAGMENT_BYTES)) is not None:
            key = self._commands.get(payload.pipeline_id) if payload.pipeline_id else None
            self.outbox.put(key, payload.data)


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise WSManFault(envelope.INVALID_XML) from None
