"""Turns what the WinRM libraries, requests, urllib3, spnego, ssl and sockets raise into our errors.

It must not know what was being done. It decides by classes and codes, never by the text of an exception; and
it quotes no body, because a body may hold what nobody should see.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping

import pypsrp.exceptions
import requests
import spnego.exceptions
import urllib3.exceptions
import winrm.exceptions

from provision.errors import HostError
from provision.remote.deadline import DeadlinePassed
from provision.remote.negotiate import MethodNotOffered
from provision.remote.session import WinRMTarget
from provision.remote.winrm_causes import (
    BROKEN,
    FAULT,
    LOGIN_REFUSED,
    NO_ANSWER,
    NO_NAME,
    NOT_ALLOWED,
    NOT_OFFERED,
    NOT_UNDERSTOOD,
    NOT_WINRM,
    PORT_CLOSED,
    PROXY,
    QUOTA,
    SETTINGS,
    TLS_FAILED,
    TOO_LATE,
    UNENCRYPTED,
    UNTRUSTED,
    WRONG_NAME,
    Cause,
)

ACCESS_DENIED = 5
LOGON_FAILURE = 1326
SHELL_NOT_FOUND = 2150858843
OPERATION_TIMED_OUT = 2150858793
QUOTAS = frozenset({2150858815, *range(2150859173, 2150859181), *range(2150859236, 2150859243)})
"""Codes of wsmerror.h: ERROR_WSMAN_QUOTA_LIMIT, ..._MAX_SHELLS and following, and the quotas of plugins."""

MISMATCHES = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and ..._IP_ADDRESS_MISMATCH of OpenSSL, as verify_code carries them."""

PLAIN_HTTP = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""OpenSSL's reasons when the other side answers without TLS; they differ by version."""

UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ETIMEDOUT})

_BY_STATUS: Mapping[object, tuple[Cause, str]] = {
    400: (BROKEN, "the server could not read the message; a new connection took the place of the old one"),
    401: (LOGIN_REFUSED, ""),
    403: (NOT_ALLOWED, ""),
    407: (PROXY, "it asks for a login of its own"),
    500: (UNENCRYPTED, ""),
    502: (PROXY, "it answers with HTTP 502"),
    504: (PROXY, "it answers with HTTP 504"),
}

_BY_CLASS: tuple[tuple[tuple[type[Exception], ...], Cause], ...] = (
    ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError), PROXY),
    ((urllib3.exceptions.ProxySchemeUnknown, urllib3.exceptions.ProxySchemeUnsupported), PROXY),
    ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), TLS_FAILED),
    ((requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError), NO_ANSWER),
    ((requests.exceptions.Timeout, urllib3.exceptions.TimeoutError), TOO_LATE),
    ((requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema), SETTINGS),
    ((requests.exceptions.URLRequired, urllib3.exceptions.LocationValueError), SETTINGS),
    ((requests.exceptions.TooManyRedirects, urllib3.exceptions.HostChangedError), NOT_WINRM),
    ((requests.exceptions.ConnectionError, requests.exceptions.RetryError), BROKEN),
    ((requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError), BROKEN),
    ((http.client.HTTPException,), BROKEN),
    ((spnego.exceptions.InvalidCredentialError, spnego.exceptions.CredentialsExpiredError), LOGIN_REFUSED),
    ((spnego.exceptions.NoCredentialError, spnego.exceptions.FeatureMissingError), SETTINGS),
    ((spnego.exceptions.BadMechanismError, spnego.exceptions.BadNameError), NOT_OFFERED),
    ((spnego.exceptions.SpnegoError, spnego.exceptions.NativeError), BROKEN),
    ((pypsrp.exceptions.WinRMError, winrm.exceptions.WinRMError), NOT_UNDERSTOOD),
    ((winrm.exceptions.WinRMTransportError, winrm.exceptions.WinRMOperationTimeoutError), NOT_UNDERSTOOD),
    ((MethodNotOffered,), NOT_OFFERED),
    ((DeadlinePassed,), TOO_LATE),
    ((ImportError,), SETTINGS),
    ((requests.exceptions.RequestException, urllib3.exceptions.HTTPError), NOT_UNDERSTOOD),
    ((OSError,), BROKEN),
    ((ET.ParseError, ValueError, LookupError, AssertionError, struct.error, StopIteration), NOT_UNDERSTOOD),
)

FOREIGN: tuple[type[Exception], ...] = tuple(kind for kinds, _ in _BY_CLASS for kind in kinds)
"""Everything that is caught at the wire. What is not in here is our own mistake and is not hidden."""


def explain(error: BaseException, target: WinRMTarget) -> HostError:
    """Our error for a foreign one. An error of ours comes back as it is."""
    if isinstance(error, HostError):
        return error
    chain = tuple(_chain(error))
    found = _first(_verdict, chain) or _first(_root, reversed(chain)) or _by_class(error)
    cause, detail = found
    words = {
        "address": target.address,
        "port": target.port,
        "user": target.user,
        "auth": target.auth,
        "scheme": target.scheme,
        "detail": detail,
    }
    what, why, advice = (text.format(**words) for text in (cause.what, cause.why, cause.next))
    return cause.kind(cause.code, what, host=target.host, why=why, next=advice)


_Found = tuple[Cause, str]


def _first(judge: Callable[[BaseException], _Found | None], errors: Iterable[BaseException]) -> _Found | None:
    return next((found for error in errors if (found := judge(error))), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was made of, outermost first: causes, contexts, `reason`, exceptions among the args."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        related = (current.__cause__, current.__context__, vars(current).get("reason"), *current.args)
        waiting += [item for item in related if isinstance(item, BaseException)]


def _verdict(error: BaseException) -> _Found | None:
    """What a WinRM library or we have decided already; it is better than what lies beneath."""
    found: _Found | None = None
    match error:
        case DeadlinePassed() | winrm.exceptions.WinRMOperationTimeoutError():
            found = TOO_LATE, ""
        case MethodNotOffered():
            found = NOT_OFFERED, f"it offers {error.offered or 'nothing'}"
        case pypsrp.exceptions.AuthenticationError() | winrm.exceptions.AuthenticationError():
            found = LOGIN_REFUSED, ""
        case pypsrp.exceptions.WSManFaultError(args=[code, _, reason, *_]):
            found = _fault(code, reason)
        case winrm.exceptions.WSManFaultError():
            found = _fault(getattr(error, "wsman_fault_code", None), getattr(error, "reason", None))
        case pypsrp.exceptions.WinRMTransportError(args=[_, status, *_]):
            found = _status(status)
        case winrm.exceptions.WinRMTransportError(args=[_, status, *_]):
            found = _status(status)
    return found


def _fault(code: object, reason: object) -> _Found:
    """A WSManFault by its code; unknown ones are told as they are."""
    words = " ".join(str(reason or "no reason given").split())
    found = FAULT, f"{code}: {words}"
    if code in (ACCESS_DENIED, LOGON_FAILURE):
        found = NOT_ALLOWED, words
    elif code in QUOTAS:
        found = QUOTA, words
    elif code == SHELL_NOT_FOUND:
        found = BROKEN, "the session is gone on the server: it idled too long, or WinRM was restarted"
    elif code == OPERATION_TIMED_OUT:
        found = TOO_LATE, words
    return found


def _status(status: object) -> _Found:
    """An HTTP status without a fault in its body."""
    return _BY_STATUS.get(status, (NOT_WINRM, f"it answers with HTTP {status}"))


def _root(error: BaseException) -> _Found | None:
    """What the operating system or OpenSSL said; asked from the innermost error outwards."""
    found: _Found | None = None
    match error:
        case ssl.SSLError():
            found = _tls(error)
        case socket.gaierror() | urllib3.exceptions.NameResolutionError():
            found = NO_NAME, ""
        case ConnectionRefusedError():
            found = PORT_CLOSED, ""
        case ConnectionError() if not isinstance(error, requests.RequestException):
            found = BROKEN, "the server or something on the way closed it"
        case TimeoutError():
            found = NO_ANSWER, ""
        case OSError() if error.errno in UNREACHABLE:
            found = NO_ANSWER, ""
    return found


def _tls(error: ssl.SSLError) -> _Found:
    """An OpenSSL error by its code; a certificate error says in OpenSSL's words what is wrong with it."""
    reason = getattr(error, "reason", None) or "no reason given"
    if isinstance(error, ssl.SSLCertVerificationError):
        code, words = getattr(error, "verify_code", 0), getattr(error, "verify_message", "") or reason
        return (WRONG_NAME if code in MISMATCHES else UNTRUSTED), words
    if reason in PLAIN_HTTP:
        return TLS_FAILED, f"it does not speak TLS there ({reason})"
    return TLS_FAILED, f"the handshake failed ({reason})"


def _by_class(error: BaseException) -> _Found:
    """The table's word for the class; NOT_UNDERSTOOD for a class that is not in it."""
    cause = next((cause for kinds, cause in _BY_CLASS if isinstance(error, kinds)), NOT_UNDERSTOOD)
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    words = " ".join(str(item) for item in error.args) if cause is SETTINGS else ""
    return cause, words or name
