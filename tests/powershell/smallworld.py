"""A world of two cmdlets, one program and one broken object, for tests of the language alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from provision.lab.powershell.world import (
    Cmdlet,
    CmdletCall,
    NativeCommand,
    NetType,
    NoSuchMember,
    Parameter,
    Record,
    ScriptError,
    Version,
    record,
)


@dataclass(frozen=True)
class FakeCmdlet:
    parameters: Sequence[Parameter]
    run: Callable[[CmdletCall], Iterable[object]]


class Thing(Record):
    """Has a Name, a property that throws, and a method that throws what a held file throws."""

    def __init__(self) -> None:
        super().__init__("Lab.Thing", {"Name": "thing", "Faulty": self._fault})

    def _fault(self) -> object:
        raise ScriptError("not now", exception_type="System.Runtime.InteropServices.COMException")

    def call(self, name: str, arguments: Sequence[object]) -> object:
        if name.lower() == "broken":
            raise ScriptError("on disk", exception_type="System.IO.FileLoadException", hresult=-2147024864)
        raise NoSuchMember("Lab.Thing", name)


def _missing(call: CmdletCall) -> Iterable[object]:
    call.error(ScriptError(f"no {call.get('Name')}", category="ObjectNotFound"))
    return ()


def _netsh(argv: Sequence[str]) -> tuple[list[str], int]:
    return ([], 1) if argv == ["bad"] else ([" ".join(argv)], 0)


class SmallWorld:
    cmdlets: Mapping[str, Cmdlet] = {
        "get-thing": FakeCmdlet((Parameter("Name", 0),), lambda _call: [Thing()]),
        "get-missing": FakeCmdlet((Parameter("Name", 0),), _missing),
    }
    types: Mapping[str, NetType] = {}
    native: Mapping[str, NativeCommand] = {"netsh": _netsh}
    variables: Mapping[str, object] = {
        "psversiontable": record("System.Collections.Hashtable", PSVersion=Version(5, 1, 14393, 0)),
        "env:windir": "C:\\Windows",
    }

    def load_assembly(self, path: str) -> None:
        raise ScriptError(f"Cannot find path '{path}'.")
