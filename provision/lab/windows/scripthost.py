"""What stands behind WinRM on a host of the lab: pipelines go to the evaluator, command lines to cmd.

It must not know the wire. Each call gets a runspace and a world of its own; what they share is the host.
"""

from __future__ import annotations

from collections.abc import Sequence

from provision.lab.powershell.executable import run_powershell_exe
from provision.lab.powershell.runspace import Runspace
from provision.lab.windows.commandline import run_command_line
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.world import make_world
from provision.lab.winrm.scripthost import PipelineCommand, PipelineResult, ProcessResult


class LabScriptHost:
    """The ScriptHost of HOST."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def run_pipeline(self, commands: Sequence[PipelineCommand], input: Sequence[object]) -> PipelineResult:
        """One pipeline of PSRP."""
        return Runspace(make_world(self._host)).run_commands(commands, input).plain()

    def run_process(self, command: str, arguments: Sequence[str], stdin: bytes) -> ProcessResult:
        """One command line of WinRS."""
        world = make_world(self._host)
        return run_command_line(command, arguments, stdin, world.native,
                                lambda words, given: run_powershell_exe(make_world(self._host), words, given),
                                self._host.state.os_version)
