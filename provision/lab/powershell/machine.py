"""The state of one runspace: scopes, streams, strict mode, the world; and the few steps that everything shares.

It must not know any statement, operator or cmdlet. How statements run comes in as a function, so that expressions,
commands and statements can call each other without a circle of imports.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from provision.lab.powershell.convert import cast, to_text
from provision.lab.powershell.failures import ErrorRecordValue, Failure, fail
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.syntax import Block, Statement, TypeRef, Variable
from provision.lab.powershell.values import NOTHING, BlockValue, CustomObject, Hashtable
from provision.lab.powershell.world import NetObject, ScriptError, World

MAX_STATEMENTS = 300_000
"""Statements of one run; a script of the lab that wants more does not end."""

MAX_DEPTH = 100
"""Calls inside calls; Windows PowerShell gives up somewhere above a hundred frames of script."""


class ReturnSignal(Exception):
    """`return`: the value is already in the output."""


class BreakSignal(Exception):
    """`break`, on its way to the nearest loop or switch."""


class ContinueSignal(Exception):
    """`continue`, on its way to the nearest loop or switch."""


class ExitSignal(Exception):
    """`exit N`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit {code}")
        self.code = code


@dataclass(slots=True)
class Slot:
    """A variable: its value, and the type that `[type]$x = ...` gave it for good."""

    value: object
    type: TypeRef | None = None


@dataclass(slots=True)
class Scope:
    parent: Scope | None
    variables: dict[str, Slot] = field(default_factory=dict)
    functions: dict[str, Block] = field(default_factory=dict)
    strict: bool | None = None


@dataclass(slots=True)
class Streams:
    """Everything a run writes beside its output. `console` is what [Console]::Out received."""

    errors: list[ErrorRecordValue] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    verbose: list[str] = field(default_factory=list)
    progress: list[str] = field(default_factory=list)
    host: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    console_error: list[str] = field(default_factory=list)


_DEFAULTS: dict[str, object] = {
    "erroractionpreference": "Continue", "warningpreference": "Continue", "verbosepreference": "SilentlyContinue",
    "progresspreference": "Continue", "debugpreference": "SilentlyContinue",
}
Runner = Callable[["Machine", Sequence[Statement], list[object]], None]


class Machine:
    """One runspace while it runs."""

    def __init__(self, world: World, run: Runner, stdin: Callable[[], str] | None = None,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        self.world = world
        self.streams = Streams()
        self.scope = Scope(None, {name: Slot(value) for name, value in _DEFAULTS.items()})
        self.root = self.scope
        self.stdin = stdin
        self.sleep = sleep
        self.file: str | None = None
        self.depth = 0
        self.left = MAX_STATEMENTS
        self.guards = 0            # how many try bodies we are in
        self.last_ok = True
        self.handled: list[ErrorRecordValue] = []     # the errors that catch clauses work on, innermost last
        self._run = run

    def run(self, statements: Sequence[Statement], out: list[object]) -> None:
        """Run statements in the current scope; their output is appended to `out`."""
        self.left -= len(statements)
        if self.left < 0:
            raise Refused(f"the end of a script after {MAX_STATEMENTS} statements")
        self._run(self, statements, out)

    # Scopes and variables

    @contextmanager
    def new_scope(self) -> Iterator[Scope]:
        """A child of the current scope, for the time of a call."""
        if self.depth >= MAX_DEPTH:
            raise depth_overflow()
        before = self.scope
        self.scope = Scope(before)
        self.depth += 1
        try:
            yield self.scope
        finally:
            self.scope = before
            self.depth -= 1

    def scopes(self) -> Iterator[Scope]:
        """From the current scope outwards."""
        scope: Scope | None = self.scope
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def strict(self) -> bool:
        """Whether Set-StrictMode is in force here."""
        return next((scope.strict for scope in self.scopes() if scope.strict is not None), False)

    def find(self, name: str) -> Slot | None:
        """The nearest variable of that (lower-case) name."""
        return next((scope.variables[name] for scope in self.scopes() if name in scope.variables), None)

    def read(self, variable: Variable) -> object:
        """A variable's value. An unknown one is an error under strict mode, else $null."""
        if variable.scope == "env":
            if f"env:{variable.name}" not in self.world.variables:
                raise Refused(f"the environment variable {variable.name}", variable.line)
            return self.world.variables[f"env:{variable.name}"]
        owner = self.scope if variable.scope == "local" else self.root
        slot = owner.variables.get(variable.name) if variable.scope else self.find(variable.name)
        if slot is not None:
            return slot.value
        if not variable.scope and variable.name in self.world.variables:
            return self.world.variables[variable.name]
        if not self.strict:
            return None
        raise ScriptError(f"The variable '${variable.name}' cannot be retrieved because it has not been set.",
                          category="InvalidOperation", error_id="VariableIsUndefined")

    def write(self, variable: Variable, value: object, reference: TypeRef | None = None) -> None:
        """Assign in the current scope, or in the one that is named. A typed variable converts for good."""
        if variable.scope == "env":
            raise Refused(f"a change of the environment variable {variable.name}", variable.line)
        if not variable.scope and variable.name in self.world.variables:
            raise ScriptError(f"Cannot overwrite variable {variable.name} because it is read-only or constant.",
                              error_id="VariableNotWritable", category="WriteError")
        owner = self.scope if variable.scope in ("", "local") else self.root
        slot = owner.variables.get(variable.name)
        kind = reference or (slot.type if slot is not None else None)
        owner.variables[variable.name] = Slot(value if kind is None else cast(value, kind), kind)

    def set(self, name: str, value: object) -> None:
        """Set an automatic variable in the current scope."""
        self.scope.variables[name] = Slot(value)

    def function(self, name: str) -> Block | None:
        """The nearest function of that name."""
        return next((scope.functions[name] for scope in self.scopes() if name in scope.functions), None)

    # Errors

    def report(self, error: ScriptError, action: str | None, line: int) -> None:
        """A non-terminating error: -ErrorAction or $ErrorActionPreference decides what becomes of it."""
        slot = self.find("erroractionpreference")
        chosen = (action or to_text(slot.value if slot is not None else "Continue")).lower()
        if chosen == "stop":
            raise fail(error, line)
        if chosen in ("silentlycontinue", "ignore", "0"):
            return
        if chosen not in ("continue", "2"):
            raise Refused(f"the error action {chosen}", line)
        self.last_ok = False
        self.streams.errors.append(fail(error, line).record)

    def survives(self, failure: Failure) -> bool:
        """Whether the next statement runs after this failure: as PowerShell, when it is no throw, nobody guards it,
        and $ErrorActionPreference is not Stop. It is then in the error stream."""
        slot = self.find("erroractionpreference")
        preference = to_text(slot.value if slot is not None else "").lower()
        if failure.is_throw or self.guards or preference == "stop":
            return False
        if preference != "silentlycontinue":
            self.streams.errors.append(failure.record)
        self.last_ok = False
        return True


def invoke_block(machine: Machine, block: BlockValue, arguments: Sequence[object]) -> object:
    """A block called by .NET with arguments (a delegate): a new scope, the value of its output."""
    out: list[object] = []
    with machine.new_scope():
        for position, declaration in enumerate(block.block.parameters):
            machine.set(declaration.name, arguments[position] if position < len(arguments) else None)
        try:
            machine.run(block.block.end, out)
        except ReturnSignal:
            pass
    return collect(out)


def depth_overflow() -> ScriptError:
    """What a script gets that calls itself without end."""
    return ScriptError("The script failed due to call depth overflow.", error_id="CallDepthOverflow",
                       category="InvalidOperation")


def emit(value: object, out: list[object]) -> None:
    """Put a value into a pipeline: arrays and .NET collections are taken apart, hashtables are not."""
    if value is NOTHING:
        return
    if isinstance(value, list | bytes):
        out.extend(value)
        return
    parts: Iterable[object] | None = None
    if isinstance(value, NetObject) and not isinstance(value, Hashtable | CustomObject):
        parts = value.enumerate()
    if parts is None:
        out.append(value)
    else:
        out.extend(parts)


def collect(out: list[object]) -> object:
    """What a pipeline's output is as a value: nothing, the one object, or an array."""
    if not out:
        return NOTHING
    return out[0] if len(out) == 1 else out


def items_of(value: object) -> list[object]:
    """What foreach walks over: nothing for $null, the elements of a collection, else the value itself."""
    if value is None:
        return []
    out: list[object] = []
    emit(value, out)
    return out
