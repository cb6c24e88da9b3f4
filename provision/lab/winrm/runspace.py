"""A runspace pool on psrpcore's server side: messages in, fragments out, pipelines kept by their ids.

It must not know threads, waiting or WSMan elements: the shell that owns it holds the lock and starts what
`launch` names. Ids are upper-case GUIDs.
"""

from __future__ import annotations

import base64
import binascii
import uuid
import xml.etree.ElementTree as ET
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import psrpcore

from provision.lab.winrm import envelope, pipeline_output, records
from provision.lab.winrm.envelope import WSManFault
from provision.lab.winrm.fragments import RUNSPACE_POOL_STATE, message_type_of, split_fragments
from provision.lab.winrm.scripthost import ErrorInfo, PipelineCommand, PipelineResult

FRAGMENT_BYTES = 32 * 1024
"""Size of the fragments that Windows PowerShell sends."""


@dataclass(slots=True)
class Pipeline:
    """One command of the pool. `finished` is set with its last message: it ran to its end, failed or was stopped."""

    server: psrpcore.ServerPipeline
    input: list[object] = field(default_factory=list)
    started: bool = False
    finished: bool = False


Launch = Callable[[Pipeline, tuple[PipelineCommand, ...]], None]


class Runspace:
    """The pool. Not thread-safe: its owner holds a lock around every call."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._pool = psrpcore.ServerRunspacePool({"PSVersionTable": records.powershell_51()})
        self._pipelines: dict[str, Pipeline] = {}
        self._waiting: defaultdict[str | None, deque[bytes]] = defaultdict(deque)

    def __len__(self) -> int:
        return len(self._pipelines)

    def create(self, command_id: str, first_fragment: str) -> None:
        """Make room for a pipeline and feed the fragment that came with the Command."""
        self._pipelines[command_id] = Pipeline(psrpcore.ServerPipeline(self._pool, uuid.UUID(command_id)))
        self.feed(first_fragment)

    def find(self, command_id: str) -> Pipeline:
        """The pipeline of that id. Raises WSManFault."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is None:
            raise WSManFault(envelope.command_not_found(command_id))
        return pipeline

    def feed(self, encoded: str) -> None:
        """Take fragments (base64) from the client and act on the messages they complete. Raises WSManFault."""
        try:
            data = base64.b64decode(encoded, validate=True)
            self._pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, None))
            while (event := self._pool.next_event()) is not None:
                self._handle(event)
                self._collect()
        except (binascii.Error, ValueError, ET.ParseError, psrpcore.PSRPCoreError):
            raise WSManFault(envelope.INVALID_XML) from None

    def finish(self, pipeline: Pipeline, result: PipelineResult) -> None:
        """Write the result and the final state."""
        pipeline_output.begin(pipeline.server)
        pipeline_output.write_result(pipeline.server, result)
        pipeline.started = pipeline.finished = True
        self._collect()

    def stop(self, pipeline: Pipeline) -> None:
        """Write the state Stopped; what the pipeline still yields is thrown away by its owner."""
        pipeline_output.begin(pipeline.server)
        pipeline.server.stop()
        pipeline.started = pipeline.finished = True
        self._collect()

    def forget(self, command_id: str) -> None:
        """Drop a finished pipeline and what it has not delivered."""
        self._pipelines.pop(command_id).server.close()
        self._waiting.pop(command_id, None)

    def has_output(self, command_id: str | None) -> bool:
        """Whether fragments wait for the pool (None) or a pipeline."""
        return bool(self._waiting[command_id])

    def take(self, command_id: str | None, budget: int) -> list[bytes]:
        """The next fragments that fit into `budget` bytes; at least one. The pool's state travels alone,
        as on a recorded host.
        """
        queue, taken, size = self._waiting[command_id], list[bytes](), 0
        while queue:
            alone = command_id is None and message_type_of(queue[0]) == RUNSPACE_POOL_STATE
            if taken and (alone or size + len(queue[0]) > budget):
                break
            taken.append(queue.popleft())
            size += len(taken[-1])
        return taken

    def _handle(self, event: psrpcore.PSRPEvent[object, object]) -> None:
        match event:
            case psrpcore.CreatePipelineEvent():
                if event.pipeline.no_input:
                    self._start(_key(event.pipeline_id))
            case psrpcore.PipelineInputEvent():
                self.find(_key(event.pipeline_id)).input.append(records.to_plain(event.data))
            case psrpcore.EndOfPipelineInputEvent():
                self._start(_key(event.pipeline_id))
            case psrpcore.GetCommandMetadataEvent():
                refusal = ErrorInfo("The lab keeps no command metadata.")
                self.finish(self.find(_key(event.pipeline_id)), PipelineResult((), failed=refusal))
            case psrpcore.GetAvailableRunspacesEvent():
                self._pool.runspace_availability_response(event.ci, self._pool.max_runspaces)
            case psrpcore.SetMaxRunspacesEvent() | psrpcore.SetMinRunspacesEvent() | psrpcore.ResetRunspaceStateEvent():
                self._pool.runspace_availability_response(event.ci, response=True)
            case _:
                pass

    def _start(self, command_id: str) -> None:
        pipeline = self.find(command_id)
        if not pipeline.started:
            pipeline.started = True
            commands = getattr(pipeline.server.metadata, "commands", ())
            self._launch(pipeline, tuple(records.to_command(command) for command in commands))

    def _collect(self) -> None:
        while (payload := self._pool.data_to_send(FRAGMENT_BYTES)) is not None:
            key = _key(payload.pipeline_id) if payload.pipeline_id else None
            self._waiting[key].extend(split_fragments(payload.data))


def _key(pipeline_id: uuid.UUID) -> str:
    return str(pipeline_id).upper()
