"""Cmdlets about the language itself: output and messages, strict mode, objects, time, evaluation of text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from provision.lab.powershell import dotnet, formatting
from provision.lab.powershell.cmdlet_base import INPUT, LanguageCall, LanguageCmdlet
from provision.lab.powershell.convert import to_array, to_number, to_text
from provision.lab.powershell.members import invocation_failure
from provision.lab.powershell.objects import set_member
from provision.lab.powershell.reader import SyntaxFault, read_script
from provision.lab.powershell.refusal import Refused
from provision.lab.powershell.textforms import time_text
from provision.lab.powershell.values import CustomObject, Hashtable
from provision.lab.powershell.world import Parameter, ScriptError


def _write_output(call: LanguageCall) -> Iterator[object]:
    if call.flag("noenumerate"):
        yield call.get("inputobject")
        return
    yield from call.objects()


def _write_error(call: LanguageCall) -> Iterator[object]:
    text = call.text("message")
    error = ScriptError(text, exception_type="Microsoft.PowerShell.Commands.WriteErrorException",
                        error_id="Microsoft.PowerShell.Commands.WriteErrorException")
    action = call.parameters.get("erroraction")
    call.machine.report(error, None if action is None else to_text(action), call.line)
    yield from ()


def _preference(call: LanguageCall, name: str) -> str:
    slot = call.machine.find(name)
    return to_text(slot.value if slot is not None else "").lower()


def _write_warning(call: LanguageCall) -> Iterator[object]:
    if _preference(call, "warningpreference") not in {"silentlycontinue", "ignore"}:
        call.machine.streams.warnings.append(call.text("message"))
    yield from ()


def _write_verbose(call: LanguageCall) -> Iterator[object]:
    if call.flag("verbose") or _preference(call, "verbosepreference") == "continue":
        call.machine.streams.verbose.append(call.text("message"))
    yield from ()


def _write_host(call: LanguageCall) -> Iterator[object]:
    call.machine.streams.host.append(" ".join(to_text(item) for item in call.objects("object")))
    yield from ()


def _write_progress(call: LanguageCall) -> Iterator[object]:
    if _preference(call, "progresspreference") != "silentlycontinue":
        call.machine.streams.progress.append(f"{call.text('activity')}: {call.text('status')}")
    yield from ()


def _out_string(call: LanguageCall) -> Iterator[object]:
    lines = formatting.format_lines(list(call.objects()))
    if call.flag("stream"):
        yield from lines
    else:
        yield "".join(f"{line}\r\n" for line in lines)


def _strict_mode(call: LanguageCall) -> Iterator[object]:
    version = call.text("version").lower()
    if not call.flag("off") and version not in {"latest", "2", "2.0", "3", "3.0"}:
        raise Refused(f"Set-StrictMode -Version {version}", call.line)
    call.machine.scope.strict = not call.flag("off")
    yield from ()


def _new_object(call: LanguageCall) -> Iterator[object]:
    arguments = to_array(call.get("argumentlist")) if "argumentlist" in call.parameters else []
    try:
        made = dotnet.construct(call.machine, call.text("typename"), arguments)
    except ScriptError as error:
        raise invocation_failure(error, ".ctor", call.line, len(arguments)) from None
    table = call.get("property")
    if isinstance(table, Hashtable) and isinstance(made, CustomObject):
        made = CustomObject((to_text(key), value) for key, value in table.items())
    elif isinstance(table, Hashtable):
        for key, value in table.items():
            set_member(made, to_text(key), value, call.line)
    # A collection that was just made is not taken apart.
    yield made


def _add_type(call: LanguageCall) -> Iterator[object]:
    for path in to_array(call.get("path")):
        call.machine.world.load_assembly(to_text(path))
    yield from ()


def _get_date(call: LanguageCall) -> Iterator[object]:
    now = datetime.now(UTC).replace(tzinfo=None)
    yield time_text(now, call.text("format")) if "format" in call.parameters else now


def _sleep(call: LanguageCall) -> Iterator[object]:
    seconds = float(to_number(call.get("seconds"))) if "seconds" in call.parameters else 0.0
    call.machine.sleep(seconds + (call.number("milliseconds") or 0) / 1000)
    yield from ()


def _invoke_expression(call: LanguageCall) -> Iterator[object]:
    out: list[object] = []
    for text in call.objects("command"):
        try:
            block = read_script(to_text(text))
        except SyntaxFault as fault:
            raise ScriptError(f"Unexpected text near {fault.near!r}.", category="ParserError", line=fault.line,
                              exception_type="System.Management.Automation.ParseException") from None
        call.machine.run(block.end, out)
    yield from out


_MESSAGE = Parameter("Message", 0, mandatory=True)

STANDARD_CMDLETS = {
    "write-output": LanguageCmdlet((Parameter("InputObject", 0, pipeline=True), Parameter("NoEnumerate", switch=True)),
                                   _write_output),
    "write-error": LanguageCmdlet((_MESSAGE,), _write_error),
    "write-warning": LanguageCmdlet((_MESSAGE,), _write_warning),
    "write-verbose": LanguageCmdlet((_MESSAGE,), _write_verbose),
    "write-host": LanguageCmdlet((Parameter("Object", 0, pipeline=True),), _write_host),
    "write-progress": LanguageCmdlet((Parameter("Activity", 0, mandatory=True), Parameter("Status", 1),
                                      Parameter("PercentComplete"), Parameter("Completed", switch=True)),
                                     _write_progress),
    "out-string": LanguageCmdlet((INPUT, Parameter("Stream", switch=True), Parameter("Width")), _out_string),
    "set-strictmode": LanguageCmdlet((Parameter("Version"), Parameter("Off", switch=True)), _strict_mode),
    "new-object": LanguageCmdlet((Parameter("TypeName", 0, mandatory=True), Parameter("ArgumentList", 1),
                                  Parameter("Property")), _new_object),
    "add-type": LanguageCmdlet((Parameter("Path", mandatory=True),), _add_type),
    "get-date": LanguageCmdlet((Parameter("Format"),), _get_date),
    "start-sleep": LanguageCmdlet((Parameter("Seconds", 0), Parameter("Milliseconds")), _sleep),
    "invoke-expression": LanguageCmdlet((Parameter("Command", 0, mandatory=True, pipeline=True),), _invoke_expression),
}
