"""WSMan on paper: requests read from SOAP, answers and faults written as SOAP. No I/O, no state.

It must not know what a shell does with a request, nor how the bytes travelled. Shapes follow recordings of a
Windows Server 2016; fault codes are those of wsmerror.h in the Windows SDK.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
X = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
PWSH = "http://schemas.microsoft.com/powershell"

SHELL_CMD = f"{RSP}/cmd"
SHELL_POWERSHELL = f"{PWSH}/Microsoft.PowerShell"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
FAULT_ACTION = f"{W.removesuffix('.xsd')}/fault"
ANONYMOUS = f"{A}/role/anonymous"

MAX_ENVELOPE_BYTES = 500 * 1024
"""MaxEnvelopeSizekb of a stock Windows Server 2012 and later."""

DEFAULT_OPERATION_TIMEOUT = 60.0
"""Seconds an operation may take when the request does not say (MaxTimeoutms of a stock server)."""

ACTIONS = {
    f"{X}/Create": "Create",
    f"{X}/Delete": "Delete",
    f"{X}/Get": "Get",
    f"{RSP}/Command": "Command",
    f"{RSP}/Send": "Send",
    f"{RSP}/Receive": "Receive",
    f"{RSP}/Signal": "Signal",
}

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_PREFIXES = (
    f'xmlns:s="{S}" xmlns:a="{A}" xmlns:x="{X}" xmlns:w="{W}" xmlns:rsp="{RSP}"'
    ' xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
)


@dataclass(frozen=True, slots=True)
class Request:
    """One WSMan request. `action` is the short name; ids are upper case; times are seconds, sizes bytes."""

    action: str
    message_id: str
    to: str
    resource_uri: str
    shell_id: str | None
    operation_timeout: float
    max_envelope: int
    options: Mapping[str, str]
    body: ET.Element


@dataclass(frozen=True, slots=True)
class Fault:
    """What a WSManFault says. `code` is the number Windows gives it; `subcode` the WS-Management word."""

    code: int
    subcode: str
    text: str
    sender: bool = False


class WSManFault(Exception):
    """Raised to answer a request with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


TIMED_OUT = Fault(
    2150858793,
    "w:TimedOut",
    "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.  ",
)
ACCESS_DENIED = Fault(5, "w:AccessDenied", "Access is denied. ", sender=True)
INVALID_XML = Fault(2150858819, "w:SchemaValidationError", "The request is not a valid WS-Management envelope. ", True)
INVALID_ACTION = Fault(
    2150858753,
    "a:ActionNotSupported",
    "The WS-Management service cannot process the request. The WS-Addressing action URI is invalid. ",
    sender=True,
)
INVALID_RESOURCE = Fault(
    2150858811,
    "a:DestinationUnreachable",
    "The WS-Management service cannot process the request. The resource URI is missing or has a wrong format. ",
    sender=True,
)
TOO_LARGE = Fault(
    2150858805,
    "w:EncodingLimit",
    "The WS-Management service cannot process the request because the encoding of the request exceeds an "
    "internal encoding limit. ",
    sender=True,
)


def shell_not_found(shell_id: str | None) -> Fault:
    """No shell of this user has the id: it never existed, was deleted, or timed out."""
    text = (
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the shell was not found "
        "on the server. Possible causes are: the specified ShellId is incorrect or the shell no longer exists. "
    )
    return Fault(2150858843, "w:InvalidSelectors", text, sender=True)


def command_not_found(command_id: str | None) -> Fault:
    """The shell has no command of that id."""
    text = f"The Windows Remote Shell received a request for CommandId {command_id}, which it does not have. "
    return Fault(2150858810, "w:InvalidParameter", text, sender=True)


def too_many_shells(limit: int) -> Fault:
    """MaxShellsPerUser is reached."""
    text = (
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded. Close existing shells or raise the quota. "
    )
    return Fault(2150859173, "w:QuotaLimit", text)


def too_many_commands(limit: int) -> Fault:
    """MaxConcurrentCommandsPerShell is reached: commands count until they are signalled."""
    text = (
        "The WS-Management service cannot process the request. The maximum number of concurrent commands per "
        f"shell ({limit}) has been exceeded. Retry the request later or raise the quota. "
    )
    return Fault(2150859241, "w:InternalError", text)


def parse_request(data: bytes) -> Request:
    """Read one SOAP envelope. Raises WSManFault for what is not XML, not an envelope, or not a known action."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise WSManFault(TOO_LARGE)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise WSManFault(INVALID_XML)
    try:
        root = ET.fromstring(data)
    except ET.ParseError:
        raise WSManFault(INVALID_XML) from None
    header, body = root.find(f"{{{S}}}Header"), root.find(f"{{{S}}}Body")
    if header is None or body is None:
        raise WSManFault(INVALID_XML)
    action = ACTIONS.get(_text(header, f"{{{A}}}Action"))
    if action is None:
        raise WSManFault(INVALID_ACTION)
    selectors = {e.get("Name"): (e.text or "").strip() for e in header.iter(f"{{{W}}}Selector")}
    shell_id = selectors.get("ShellId")
    return Request(
        action=action,
        message_id=_text(header, f"{{{A}}}MessageID"),
        to=_text(header, f"{{{A}}}To"),
        resource_uri=_text(header, f"{{{W}}}ResourceURI"),
        shell_id=shell_id.upper() if shell_id else None,
        operation_timeout=_seconds(_text(header, f"{{{W}}}OperationTimeout")),
        max_envelope=min(int(_text(header, f"{{{W}}}MaxEnvelopeSize") or MAX_ENVELOPE_BYTES), MAX_ENVELOPE_BYTES),
        options={e.get("Name") or "": (e.text or "").strip() for e in header.iter(f"{{{W}}}Option")},
        body=body,
    )


def message_id_of(data: bytes) -> str:
    """The MessageID of an envelope that may not be understood otherwise; empty when there is none."""
    found = re.search(rb"MessageID[^>]*>\s*([^<\s]+)\s*<", data)
    return found.group(1).decode("ascii", "replace") if found else ""


def response(action: str, relates_to: str, body: str) -> bytes:
    """An answer envelope. `action` is a full URI; `body` is XML that uses the prefixes s, a, x, w, rsp."""
    return (
        f'<s:Envelope xml:lang="en-US" {_PREFIXES}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<p:ActivityId>{str(uuid.uuid4()).upper()}</p:ActivityId>"
        f"<a:To>{ANONYMOUS}</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault_response(fault: Fault, relates_to: str, machine: str) -> bytes:
    """A fault envelope as Windows writes it; it travels with HTTP status 500."""
    text = escape(fault.text)
    return response(
        FAULT_ACTION,
        relates_to,
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if fault.sender else 'Receiver'}</s:Value><s:Subcode><s:Value>"
        f'{fault.subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        '<s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
        f'Code="{fault.code}" Machine={quoteattr(machine)}><f:Message>{text}</f:Message></f:WSManFault>'
        "</s:Detail></s:Fault>",
    )


def _text(header: ET.Element, tag: str) -> str:
    element = header.find(tag)
    return (element.text or "").strip() if element is not None else ""


def _seconds(duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    if not duration or found is None:
        return DEFAULT_OPERATION_TIMEOUT
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
