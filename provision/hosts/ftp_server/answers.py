"""Opens the envelope in which both scripts answer: the data, checked against its shape, or one of our errors.

Knows the error codes of `powershell/` and what a person does about each; knows nothing of what the data means.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from provision.errors import HostError
from provision.hosts.ftp_server.wire import Strict
from provision.model.cluster import Server

S = TypeVar("S", bound=Strict)

INSTALL_COMMAND = "Install-WindowsFeature -Name Web-Ftp-Server -IncludeManagementTools"
"""Installs the FTP service on Windows Server 2012 and later; it needs no restart of Windows as a rule."""


class ErrorAnswer(Strict):
    """A script's error: its own code, the exception's message and type, the script's line, and what explains it."""

    code: str
    message: str
    type: str
    line: int
    data: Any = None


class Envelope(Strict):
    """What both scripts print, whatever happened."""

    format: Literal[1]
    ok: bool
    data: Any = None
    error: ErrorAnswer | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """How we tell an error of a script. `{words}` in `next` is filled with the words of the error's data."""

    code: str
    what: str
    next: str


REMEDIES = {
    "FtpFeatureMissing": Remedy("P401", "the FTP service of IIS is not installed", "Run there: {words}"),
    "NoSuchSite": Remedy("P402", "an FTP site that the cluster file names does not exist", "FTP sites there: {words}"),
    "NotElevated": Remedy(
        "P403",
        "the account is not an elevated administrator",
        "Use a member of the local group Administrators.",
    ),
    "Not64Bit": Remedy(
        "P404",
        "the session runs 32-bit PowerShell",
        "Use the endpoint Microsoft.PowerShell, not microsoft.powershell32.",
    ),
    "NotWindowsPowerShell51": Remedy(
        "P405",
        "the session does not run Windows PowerShell 5.1",
        "Use the endpoint Microsoft.PowerShell (WMF 5.1).",
    ),
    "CommitConflict": Remedy(
        "P406",
        "the IIS configuration was changed by something else during each of three attempts",
        "Close IIS Manager and other scripts on that server, then run again.",
    ),
    "ServiceFailed": Remedy("P407", "the FTP service did not do what it was told", "Its event log says: {words}"),
    "BadInput": Remedy(
        "P408",
        "the script refused its input",
        "Tool and scripts may be of different versions: install provision again.",
    ),
}

UNEXPECTED = Remedy("P409", "the script failed", "Run the script by hand on that server: see `provision render`.")


def open_answer(text: str, shape: type[S], server: Server, failure: type[HostError]) -> S:
    """The data of an answer, as `shape`. Raises `failure`: an error answer's with its remedy, or P410."""
    return check_data(open_envelope(text, server, failure), shape, server, failure)


def open_envelope(text: str, server: Server, failure: type[HostError]) -> Any:
    """The still unchecked data of an answer. Raises `failure` like `open_answer`."""
    try:
        envelope = Envelope.model_validate_json(text.strip().removeprefix("\ufeff"))
    except ValidationError as error:
        raise not_understood(error, server, failure, text) from error
    if envelope.error is not None:
        raise told(envelope.error, server, failure)
    if not envelope.ok:
        raise failure(
            "P409",
            UNEXPECTED.what,
            host=server.name,
            why="it says neither ok nor why not",
            next=UNEXPECTED.next,
        )
    return envelope.data


def check_data(data: Any, shape: type[S], server: Server, failure: type[HostError]) -> S:
    """`data` as `shape`. Raises `failure` P410 that names the first field that does not fit."""
    text = json.dumps(data)
    try:
        return shape.model_validate_json(text)
    except ValidationError as error:
        raise not_understood(error, server, failure, text) from error


def not_understood(error: ValidationError, server: Server, failure: type[HostError], text: str = "") -> HostError:
    """P410: which field is wrong and how; for something that is no JSON at all, how it begins."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    why = f"{place}: {first['msg']}" if place else f"{first['msg']}: it begins with {text[:80]!r}"
    more = error.error_count() - 1
    why += f", and {more} more" if more else ""
    return failure("P410", "the script's answer is not understood", host=server.name, why=why, next=UNEXPECTED.next)


def told(error: ErrorAnswer, server: Server, failure: type[HostError]) -> HostError:
    """A script's error as one of ours."""
    remedy = REMEDIES.get(error.code, UNEXPECTED)
    words = ", ".join(_words(error.data)) or "(nothing)"
    if error.code == "FtpFeatureMissing" and words == "(nothing)":
        words = INSTALL_COMMAND
    place = f", line {error.line} of the script, {error.type}" if remedy is UNEXPECTED else ""
    why = error.message.strip() + place
    return failure(remedy.code, remedy.what, host=server.name, why=why, next=remedy.next.format(words=words))


def _words(data: Any) -> list[str]:
    """The texts in an error's data, in order, whatever its shape: a text, a list, or an object with a list in it."""
    match data:
        case str():
            return [data]
        case list():
            return [word for one in data for word in _words(one)]
        case dict():
            return [word for one in data.values() for word in _words(one)]
    return []
