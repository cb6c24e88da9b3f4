"""Commands as values: what to run on a host. Building them is pure (`hosts`), running them is `remote`'s job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class ShellScript:
    """One exec on a balancer: `sh -s -- ARGUMENTS`, with `script` and then `payload` on its standard input.

    The script is a constant of ours; what differs from run to run comes as arguments (quoted by `remote`, and
    visible in the process list: never a secret) or in the payload (never visible there).
    """

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    payload: bytes = b""

    def __repr__(self) -> str:
        return f"ShellScript({self.name} {' '.join(self.arguments)})"


@dataclass(frozen=True, slots=True)
class ShellResult:
    """What an exec left: its exit status and both streams, undecoded."""

    status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class PowerShellCall:
    """One pipeline on a Windows server: a script of `powershell/` by file name, and its one JSON document."""

    script: str
    json: str
