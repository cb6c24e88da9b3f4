"""What the WinRM endpoint asks of the host behind it: run a pipeline, run a process.

Plain values and one protocol. This module must not know how a pipeline travels (PSRP, WSMan, HTTP) nor how it
is evaluated; it is the seam between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PipelineCommand:
    """One command of a pipeline, as the client built it.

    `text` is script text, or a command name when `is_script` is false. A parameter's name is None when the
    argument is positional; values are plain Python (str, int, float, bool, None, bytes, list, dict).
    """

    text: str
    is_script: bool
    parameters: tuple[tuple[str | None, object], ...]
    end_of_statement: bool = False


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """What becomes an ErrorRecord on the wire.

    `category` is the number of an ErrorCategory (0 is NotSpecified, 6 is ObjectNotFound...);
    `script_line` counts from 1.
    """

    message: str
    exception_type: str = "System.Management.Automation.RuntimeException"
    fully_qualified_error_id: str = "RuntimeException"
    category: int = 0
    script_line: int | None = None


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """Everything one pipeline wrote. `failed` is the terminating error: the pipeline's state is then Failed."""

    output: tuple[object, ...]
    errors: tuple[ErrorInfo, ...] = ()
    failed: ErrorInfo | None = None
    warnings: tuple[str, ...] = ()
    verbose: tuple[str, ...] = ()
    progress: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What a process wrote, and its exit code (0 to 2**32-1, as Windows has it)."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class ScriptHost(Protocol):
    """The machine behind the endpoint. Both calls come from threads of the endpoint, possibly at once."""

    def run_pipeline(self, commands: Sequence[PipelineCommand], input: Sequence[object]) -> PipelineResult:
        """Run one PowerShell pipeline with `input` as its pipeline input."""

    def run_process(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        """Run one command line as WinRS does (through cmd.exe); `stdin` is complete."""
