"""Members and indexes of any value as a script reaches them: strict mode, enumeration over arrays, wrapped errors.

What an object of the world does not have is refused: it may be a real member that nobody modelled. What text, numbers,
hashtables and custom objects do not have is PowerShell's own error, or $null where strict mode is off.
"""

from __future__ import annotations

from collections.abc import Sequence

from provision.lab.powershell import members
from provision.lab.powershell.convert import type_name_of
from provision.lab.powershell.failures import Failure, fail, wrapped
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.values import NOTHING, Char, CustomObject, Hashtable
from provision.lab.powershell.world import NetObject, NoSuchMember, Record, ScriptError


def incoming(value: object) -> object:
    """A value that comes from the world."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict | set | frozenset):
        raise Refused(f"a {type(value).__name__} from the world")
    return value


def outgoing(value: object) -> object:
    """A value that goes into the world."""
    if value is NOTHING:
        return None
    return str(value) if isinstance(value, Char) else value


def _missing(name: str, line: int) -> Failure:
    return fail(ScriptError(
        f"The property '{name}' cannot be found on this object. Verify that the property exists.",
        exception_type="System.Management.Automation.PropertyNotFoundException", error_id="PropertyNotFoundStrict"), line)


def get_member(target: object, name: str, line: int, strict: bool) -> object:
    """`$target.name`."""
    if name.lower() == "psobject" and target is not None:
        return _ps_object(target)
    if isinstance(target, list) and name.lower() not in {"count", "length"}:
        return _each(target, name, line, strict)
    if target is None or target is NOTHING:
        return _absent(name, line, strict)
    try:
        return incoming(target.get(name) if isinstance(target, NetObject) else members.get_member(target, name))
    except NoSuchMember as missing:
        return _unknown(target, missing, line, strict)
    except ScriptError as error:
        raise wrapped(error, line, f'Exception getting "{name}": "{error.message}"',
                      "GetValueInvocationException") from None


def _absent(name: str, line: int, strict: bool) -> object:
    if strict:
        raise _missing(name, line)
    # Without strict mode $null has a Count of 0.
    return 0 if name.lower() in {"count", "length"} else None


def _unknown(target: object, missing: NoSuchMember, line: int, strict: bool) -> object:
    if not isinstance(target, Hashtable | CustomObject | str | int | float):
        raise Refused(f"the member {missing.member!r} of {missing.type_name}", line)
    if strict:
        raise _missing(missing.member, line)
    return 1 if missing.member.lower() in {"count", "length"} else None


def _each(items: list[object], name: str, line: int, strict: bool) -> object:
    found: list[object] = []
    for item in items:
        value = get_member(item, name, line, strict)
        found.extend(value if isinstance(value, list) else [value])
    if not found and strict:
        raise _missing(name, line)
    if not found:
        return None
    return found[0] if len(found) == 1 else found


def _ps_object(target: object) -> Record:
    names: list[str] | None = None
    if isinstance(target, CustomObject):
        names = [name for name, _ in target.properties()]

    def lookup(name: str) -> object:
        if isinstance(target, Hashtable):
            # A hashtable's keys are no properties.
            raise NoSuchMember(target.type_name, name)
        return target.get(name) if isinstance(target, NetObject) else members.get_member(target, name)
    properties = members.PropertySet(lookup, names)
    return Record("System.Management.Automation.PSObject", {"Properties": properties, "BaseObject": target})


def set_member(target: object, name: str, value: object, line: int) -> None:
    """`$target.name = value`."""
    if not isinstance(target, NetObject):
        raise fail(ScriptError(f"The property '{name}' cannot be found on this object. Verify that the property exists "
                               "and can be set.", error_id="PropertyAssignmentException",
                               category="InvalidOperation"), line)
    try:
        target.set(name, outgoing(value))
    except NoSuchMember as missing:
        if not isinstance(target, CustomObject):
            raise Refused(f"the member {missing.member!r} of {missing.type_name}", line) from None
        raise _missing(name, line) from None
    except ScriptError as error:
        raise wrapped(error, line, f'Exception setting "{name}": "{error.message}"',
                      "SetValueInvocationException") from None


def call_member(target: object, name: str, arguments: Sequence[object], line: int) -> object:
    """`$target.name(arguments)`."""
    if target is None or target is NOTHING:
        raise fail(ScriptError("You cannot call a method on a null-valued expression.", error_id="InvokeMethodOnNull",
                               category="InvalidOperation"), line)
    try:
        if isinstance(target, NetObject) and name.lower() != "gettype":
            value = incoming(target.call(name, arguments))
            # The world does not tell a void method from one that gives null: neither puts an object into a pipeline.
            return NOTHING if value is None else value
        return incoming(members.call_member(target, name, arguments))
    except NoSuchMember as missing:
        raise Refused(f"the method {missing.member!r} of {missing.type_name}", line) from None
    except ScriptError as error:
        raise members.invocation_failure(error, name, line, len(arguments)) from None


def get_index(target: object, key: object, line: int, strict: bool) -> object:
    """`$target[key]`."""
    if target is None or target is NOTHING:
        raise fail(ScriptError("Cannot index into a null array.", error_id="NullArray", category="InvalidOperation"), line)
    try:
        return incoming(members.get_index(target, outgoing(key)))
    except NoSuchMember as missing:
        raise Refused(f"the index {missing.member} of {type_name_of(target)}", line) from None
    except ScriptError as error:
        if isinstance(target, NetObject):
            raise wrapped(error, line, f'Exception getting "Item": "{error.message}"',
                          "GetValueInvocationException") from None
        if error.exception_type == "System.IndexOutOfRangeException" and not strict:
            return None
        raise fail(error, line) from None


def set_index(target: object, key: object, value: object, line: int) -> None:
    """`$target[key] = value`."""
    if target is None or target is NOTHING:
        raise fail(ScriptError("Cannot index into a null array.", error_id="NullArray", category="InvalidOperation"), line)
    try:
        members.set_index(target, outgoing(key), outgoing(value))
    except NoSuchMember as missing:
        raise Refused(f"the index {missing.member} of {type_name_of(target)}", line) from None
