"""What a cmdlet of the language is: declared parameters and a generator over the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from provision.lab.powershell.convert import to_bool, to_integer, to_text
from provision.lab.powershell.machine import Machine, emit
from provision.lab.powershell.world import Parameter


@dataclass(frozen=True, slots=True)
class LanguageCall:
    """One call: the machine, the bound parameters by lower-case name, the incoming objects (None: first in line)."""

    machine: Machine
    parameters: Mapping[str, object]
    feed: Iterator[object] | None
    line: int

    def get(self, name: str) -> object:
        """A parameter's value, None when it was not given."""
        return self.parameters.get(name)

    def text(self, name: str, default: str = "") -> str:
        """A parameter as text."""
        return to_text(self.parameters[name]) if name in self.parameters else default

    def number(self, name: str) -> int | None:
        """A parameter as a whole number, None when it was not given."""
        return to_integer(self.parameters[name]) if name in self.parameters else None

    def flag(self, name: str) -> bool:
        """A switch."""
        return to_bool(self.parameters.get(name))

    def objects(self, name: str = "inputobject") -> Iterable[object]:
        """The incoming objects, or the given one taken apart."""
        if self.feed is not None:
            return self.feed
        out: list[object] = []
        emit(self.parameters.get(name), out)
        return out


@dataclass(frozen=True, slots=True)
class LanguageCmdlet:
    """A cmdlet: what it takes, and the generator that is its work."""

    parameters: tuple[Parameter, ...]
    run: Callable[[LanguageCall], Iterable[object]]


INPUT = Parameter("InputObject", pipeline=True)
