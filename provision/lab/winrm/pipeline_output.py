"""Writes a PipelineResult onto psrpcore's server pipeline, stream by stream, and closes it with its state.

It must not know shells, threads or WSMan.
"""

from __future__ import annotations

import psrpcore
from psrpcore.types import PipelineState, PSInt, PSInvocationState, PSRPMessageType, VerboseRecord, WarningRecord

from provision.lab.winrm import records
from provision.lab.winrm.scripthost import ErrorInfo, PipelineResult


def begin(pipeline: psrpcore.ServerPipeline) -> None:
    """Mark the pipeline as running, without a message: a recorded host sends only the final state."""
    pipeline.state = PSInvocationState.Running


def write_result(pipeline: psrpcore.ServerPipeline, result: PipelineResult) -> None:
    """Queue everything `result` holds and the final state, Completed or Failed."""
    for index, activity in enumerate(result.progress):
        pipeline.write_progress(activity, index, " ")
    for text in result.verbose:
        pipeline.prepare_message(_record(VerboseRecord, text), message_type=PSRPMessageType.VerboseRecord)
    for text in result.warnings:
        pipeline.prepare_message(_record(WarningRecord, text), message_type=PSRPMessageType.WarningRecord)
    for value in result.output:
        pipeline.write_output(records.from_plain(value))
    for error in result.errors:
        _write_error(pipeline, error)
    if result.failed is None:
        pipeline.complete()
    else:
        _fail(pipeline, result.failed)


def _record(kind: type[VerboseRecord | WarningRecord], text: str) -> VerboseRecord | WarningRecord:
    """A record with its ToString, which psrpcore's own calls leave out and a recorded host sends."""
    record = kind(Message=text, InvocationInfo=None, PipelineIterationInfo=None)
    record.serialize_extended_info = False
    record.PSObject.to_string = text
    return record


def _write_error(pipeline: psrpcore.ServerPipeline, error: ErrorInfo) -> None:
    pipeline.write_error(
        exception=records.exception_of(error),
        category_info=records.category_of(error),
        fully_qualified_error_id=error.fully_qualified_error_id,
        script_stack_trace=records.stack_trace_of(error),
    )


def _fail(pipeline: psrpcore.ServerPipeline, error: ErrorInfo) -> None:
    """psrpcore has no call for a pipeline that fails by itself, so its state message is made here."""
    state = PipelineState(PipelineState=PSInt(int(PSInvocationState.Failed)))
    state.ExceptionAsErrorRecord = records.error_record_of(error)
    pipeline.prepare_message(state)
    pipeline.state = PSInvocationState.Failed
