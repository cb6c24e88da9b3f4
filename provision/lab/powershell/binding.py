"""Gives arguments to parameters: by name, by an unambiguous beginning of a name, by position.

The same rules for cmdlets and for functions. Must not know what is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from provision.lab.powershell.convert import to_bool, to_text
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import CustomObject, Hashtable
from provision.lab.powershell.world import Parameter, ScriptError

COMMON = (Parameter("ErrorAction", aliases=("ea",)), Parameter("WarningAction", aliases=("wa",)),
          Parameter("InformationAction"), Parameter("Verbose", switch=True), Parameter("Debug", switch=True))
"""The common parameters that are understood; -ErrorVariable, -OutVariable and the rest are refused."""

_BINDING = "System.Management.Automation.ParameterBindingException"


@dataclass(frozen=True, slots=True)
class Given:
    """One argument as written, evaluated. `name` is None for a positional one; `has_value` tells -Name from -Name:x."""

    name: str | None
    value: object = None
    has_value: bool = True
    line: int | None = None


@dataclass(slots=True)
class Bound:
    """What came of it: values by lower-case parameter name, and the arguments that found no parameter."""

    values: dict[str, object] = field(default_factory=dict)
    rest: list[object] = field(default_factory=list)

    def common(self, name: str) -> str | None:
        """A common parameter as text."""
        return to_text(self.values[name]) if name in self.values else None


def find_parameter(parameters: Sequence[Parameter], name: str, command: str, line: int | None) -> Parameter:
    """The parameter that a name means. Refuses an unknown one, and one that could be several."""
    wanted = name.lower()
    everything = [*parameters, *COMMON]
    for parameter in everything:
        if wanted == parameter.name.lower() or wanted in (alias.lower() for alias in parameter.aliases):
            return parameter
    starts = [parameter for parameter in everything if parameter.name.lower().startswith(wanted)]
    if len(starts) == 1:
        return starts[0]
    if starts:
        raise ScriptError(f"Parameter cannot be processed because the parameter name '{name}' is ambiguous.",
                          exception_type=_BINDING, error_id="AmbiguousParameter", category="InvalidArgument", line=line)
    raise Refused(f"the parameter -{name} of {command}", line)


def bind(parameters: Sequence[Parameter], given: Sequence[Given], command: str) -> Bound:
    """Bind arguments. Positional ones go to what is left, in the order of the positions."""
    bound = Bound()
    loose: list[Given] = []
    position = 0
    while position < len(given):
        item = given[position]
        position += 1
        if item.name is None:
            loose.append(item)
            continue
        parameter = find_parameter(parameters, item.name, command, item.line)
        if parameter.switch:
            # A client that adds a switch sends no value, which arrives as $null.
            _put(bound, parameter, to_bool(item.value) if item.has_value and item.value is not None else True, item.line)
        elif item.has_value:
            _put(bound, parameter, item.value, item.line)
        elif position < len(given) and given[position].name is None:
            _put(bound, parameter, given[position].value, item.line)
            position += 1
        else:
            raise ScriptError(f"Missing an argument for parameter '{parameter.name}'. Specify a parameter and try again.",
                              exception_type=_BINDING, error_id="MissingArgument", category="InvalidArgument",
                              line=item.line)
    _place(bound, parameters, loose)
    return bound


def _put(bound: Bound, parameter: Parameter, value: object, line: int | None) -> None:
    key = parameter.name.lower()
    if key in bound.values:
        raise ScriptError(f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once.",
                          exception_type=_BINDING, error_id="ParameterAlreadyBound", category="InvalidArgument", line=line)
    words = [word.lower() for word in parameter.values]
    if words and to_text(value).lower() not in words:
        raise ScriptError(
            f"Cannot validate argument on parameter '{parameter.name}'. The argument \"{to_text(value)}\" does not belong "
            f"to the set \"{','.join(parameter.values)}\".", exception_type=_BINDING, category="InvalidData",
            error_id="ParameterArgumentValidationError", line=line)
    bound.values[key] = value


def _place(bound: Bound, parameters: Sequence[Parameter], loose: Sequence[Given]) -> None:
    free = sorted((parameter for parameter in parameters
                   if parameter.position is not None and parameter.name.lower() not in bound.values),
                  key=lambda parameter: parameter.position or 0)
    for item, parameter in zip(loose, free, strict=False):
        _put(bound, parameter, item.value, item.line)
    bound.rest = [item.value for item in loose[len(free):]]


def require(bound: Bound, parameters: Sequence[Parameter], fed: bool) -> None:
    """Mandatory parameters are there, or come through the pipeline. Windows would ask; a remote session cannot."""
    for parameter in parameters:
        if parameter.mandatory and parameter.name.lower() not in bound.values and not (fed and parameter.pipeline):
            raise ScriptError(
                f"Cannot process command because of one or more missing mandatory parameters: {parameter.name}.",
                exception_type=_BINDING, error_id="MissingMandatoryParameter", category="InvalidArgument")


def no_surplus(bound: Bound) -> None:
    """Every argument found a parameter."""
    if bound.rest:
        raise ScriptError(f"A positional parameter cannot be found that accepts argument '{to_text(bound.rest[0])}'.",
                          exception_type=_BINDING, error_id="PositionalParameterNotFound", category="InvalidArgument")


def splatted(value: object, line: int) -> list[Given]:
    """`@value`: a hashtable gives named arguments, an array positional ones."""
    if isinstance(value, Hashtable):
        return [Given(to_text(key), item, line=line) for key, item in value.items()]
    if isinstance(value, CustomObject) or value is None:
        raise Refused("a splat of this", line)
    return [Given(None, item, line=line) for item in (value if isinstance(value, list) else [value])]
