"""`faults.json`: what is wrong with one Windows host's WinRM at the moment, set from outside, re-read when it changed.

It must not know WinRM. A file that is not there means that nothing is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from provision.lab.windows.apphost import Stamp, replace_file

FILE_NAME = "faults.json"


@dataclass(frozen=True, slots=True)
class HostFaults:
    """LATENCY_SECONDS pass before each answer; REJECT_LOGINS refuses every password; CLOSED closes both ports."""

    latency_seconds: float = 0.0
    reject_logins: bool = False
    closed: bool = False


_CODEC: TypeAdapter[HostFaults] = TypeAdapter(HostFaults)


def read_faults(directory: Path) -> HostFaults:
    """The faults of the host in DIRECTORY. Raises pydantic.ValidationError for a file that says something else."""
    path = directory / FILE_NAME
    return _CODEC.validate_json(path.read_bytes()) if path.exists() else HostFaults()


def write_faults(directory: Path, faults: HostFaults) -> None:
    """Set the faults; the host sees them at its next request, a closed port after `reload`."""
    replace_file(directory / FILE_NAME, _CODEC.dump_json(faults) + b"\n")


class FaultFile:
    """The faults of one host, parsed only when the file changed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamp: Stamp | None = None
        self._faults = HostFaults()

    def read(self) -> HostFaults:
        """The faults now."""
        try:
            stamp = Stamp.of(self._directory / FILE_NAME)
        except FileNotFoundError:
            self._stamp, self._faults = None, HostFaults()
            return self._faults
        if stamp != self._stamp:
            self._stamp, self._faults = stamp, read_faults(self._directory)
        return self._faults
