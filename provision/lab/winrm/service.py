"""The WSMan service: finds the shell a request is for, lets it act, writes the answer.

It must not know HTTP, logins or encryption; it takes an envelope and the caller's account, and returns a
status (200, or 500 with a fault) and an envelope. Shells belong to the user who opened them.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from xml.sax.saxutils import escape

from provision.lab.winrm import envelope
from provision.lab.winrm.accounts import Account
from provision.lab.winrm.cmd_shell import CommandShell
from provision.lab.winrm.envelope import RSP, Request, WSManFault
from provision.lab.winrm.psrp_shell import PowerShellShell
from provision.lab.winrm.scripthost import ScriptHost
from provision.lab.winrm.shells import Owner, Quotas, Received, Shell, ShellRegistry, StreamPart

_ENVELOPE_OVERHEAD = 4096
"""Bytes of an answer that are not payload: headers, tags, room to spare."""

_STATE = f"{RSP}/CommandState"


class WSManService:
    """All shells of one host. Thread-safe. `clock` gives monotonic seconds."""

    def __init__(self, host: ScriptHost, *, machine: str, quotas: Quotas, clock: Callable[[], float]) -> None:
        self._host = host
        self._machine = machine
        self._quotas = quotas
        self._clock = clock
        self._shells = ShellRegistry(quotas, clock)

    def answer(self, data: bytes, account: Account, client_address: str) -> tuple[int, bytes]:
        """HTTP status and envelope for one request envelope."""
        try:
            if not account.may_connect:
                raise WSManFault(envelope.ACCESS_DENIED)
            request = envelope.parse_request(data)
            return 200, self._dispatch(request, Owner(account.user, client_address))
        except WSManFault as error:
            relates_to = envelope.message_id_of(data)
            return 500, envelope.fault_response(error.fault, relates_to, self._machine)

    def close(self) -> None:
        """Close every shell; waiting Receives end."""
        self._shells.close_all()

    @property
    def open_shells(self) -> int:
        """How many shells are open now."""
        return len(self._shells)

    def _dispatch(self, request: Request, owner: Owner) -> bytes:
        match request.action:
            case "Create":
                return self._create(request, owner)
            case "Get":
                return self._get(request, owner)
            case "Delete":
                return self._delete(request, owner)
            case "Command":
                return self._command(request, owner)
            case "Send":
                return self._send(request, owner)
            case "Receive":
                return self._receive(request, owner)
            case _:
                return self._signal(request, owner)

    def _create(self, request: Request, owner: Owner) -> bytes:
        element = request.body.find(f"{{{RSP}}}Shell")
        if element is None:
            raise WSManFault(envelope.INVALID_XML)
        shell_id = (element.get("ShellId") or str(uuid.uuid4())).upper()
        shell: Shell
        match request.resource_uri:
            case envelope.SHELL_POWERSHELL:
                pool = PowerShellShell(shell_id, owner, self._host, self._quotas, self._clock())
                pool.open(element.findtext(f"{{{envelope.PWSH}}}creationXml") or "")
                shell = pool
            case envelope.SHELL_CMD:
                shell = CommandShell(shell_id, owner, self._host, self._quotas, self._clock())
            case _:
                raise WSManFault(envelope.INVALID_RESOURCE)
        self._shells.add(shell)
        body = (
            f"<x:ResourceCreated><a:Address>{escape(request.to)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{shell.resource_uri}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{escape(shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{_describe(shell)}"
        )
        return envelope.response(f"{envelope.X}/CreateResponse", request.message_id, body)

    def _get(self, request: Request, owner: Owner) -> bytes:
        action = f"{envelope.X}/GetResponse"
        if request.resource_uri == envelope.CONFIG:
            kilobytes = envelope.MAX_ENVELOPE_BYTES // 1024
            config = (
                f'<cfg:Config xmlns:cfg="{envelope.CONFIG}"><cfg:MaxEnvelopeSizekb>{kilobytes}</cfg:MaxEnvelopeSizekb>'
                "<cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms><cfg:MaxBatchItems>32000</cfg:MaxBatchItems></cfg:Config>"
            )
            return envelope.response(action, request.message_id, config)
        if request.resource_uri == RSP:
            return envelope.response(
                action, request.message_id, _describe(self._shells.find(request.shell_id, owner.user))
            )
        raise WSManFault(envelope.INVALID_RESOURCE)

    def _delete(self, request: Request, owner: Owner) -> bytes:
        shell = self._shells.find(request.shell_id, owner.user)
        self._shells.remove(shell)
        return envelope.response(f"{envelope.X}/DeleteResponse", request.message_id, "")

    def _command(self, request: Request, owner: Owner) -> bytes:
        shell = self._shells.find(request.shell_id, owner.user)
        line = request.body.find(f"{{{RSP}}}CommandLine")
        if line is None:
            raise WSManFault(envelope.INVALID_XML)
        command_id = shell.command(line, request.options)
        body = f"<rsp:CommandResponse><rsp:CommandId>{escape(command_id)}</rsp:CommandId></rsp:CommandResponse>"
        return envelope.response(f"{RSP}/CommandResponse", request.message_id, body)

    def _send(self, request: Request, owner: Owner) -> bytes:
        shell = self._shells.find(request.shell_id, owner.user)
        for stream in request.body.iterfind(f"{{{RSP}}}Send/{{{RSP}}}Stream"):
            shell.send(stream)
        return envelope.response(f"{RSP}/SendResponse", request.message_id, "<rsp:SendResponse/>")

    def _receive(self, request: Request, owner: Owner) -> bytes:
        shell = self._shells.find(request.shell_id, owner.user)
        desired = request.body.find(f"{{{RSP}}}Receive/{{{RSP}}}DesiredStream")
        if desired is None:
            raise WSManFault(envelope.INVALID_XML)
        command_id = desired.get("CommandId")
        budget = max(1024, (request.max_envelope - _ENVELOPE_OVERHEAD) * 3 // 4)
        received = shell.receive(command_id.upper() if command_id else None, request.operation_timeout, budget)
        return envelope.response(f"{RSP}/ReceiveResponse", request.message_id, _received_xml(received))

    def _signal(self, request: Request, owner: Owner) -> bytes:
        shell = self._shells.find(request.shell_id, owner.user)
        signal = request.body.find(f"{{{RSP}}}Signal")
        if signal is None:
            raise WSManFault(envelope.INVALID_XML)
        shell.signal((signal.get("CommandId") or "").upper(), signal.findtext(f"{{{RSP}}}Code") or "")
        return envelope.response(f"{RSP}/SignalResponse", request.message_id, "<rsp:SignalResponse/>")


def _describe(shell: Shell) -> str:
    return (
        f'<rsp:Shell xmlns:rsp="{RSP}"><rsp:ShellId>{escape(shell.shell_id)}</rsp:ShellId>'
        f"<rsp:ResourceUri>{shell.resource_uri}</rsp:ResourceUri><rsp:Owner>{escape(shell.owner.user)}</rsp:Owner>"
        f"<rsp:ClientIP>{escape(shell.owner.client_address)}</rsp:ClientIP>{shell.describe()}</rsp:Shell>"
    )


def _received_xml(received: Received) -> str:
    attribute = f' CommandId="{escape(received.command_id)}"' if received.command_id else ""
    streams = "".join(_stream_xml(part, attribute) for part in received.parts)
    return f"<rsp:ReceiveResponse>{streams}{_state_xml(received, attribute)}</rsp:ReceiveResponse>"


def _stream_xml(part: StreamPart, attribute: str) -> str:
    end = ' End="true"' if part.end else ""
    data = base64.b64encode(part.data).decode()
    return f'<rsp:Stream Name="{part.name}"{attribute}{end}>{data}</rsp:Stream>'


def _state_xml(received: Received, attribute: str) -> str:
    """No state for the shell itself; Running while there is more; Done with the exit code."""
    if received.command_id is None:
        return ""
    if not received.done:
        return f'<rsp:CommandState{attribute} State="{_STATE}/Running"></rsp:CommandState>'
    exit_code = f"<rsp:ExitCode>{received.exit_code}</rsp:ExitCode>"
    return f'<rsp:CommandState{attribute} State="{_STATE}/Done">{exit_code}</rsp:CommandState>'
