"""Every exception class of the libraries on the wire has a place in our table."""

from __future__ import annotations

import inspect
import socket
import ssl

import psrpcore
import pypsrp.exceptions
import pytest
import requests.exceptions
import spnego.exceptions
import urllib3.exceptions
import winrm.exceptions

from provision.errors import ConnectionFailed, HostError, ReadFailed
from provision.model.secret import Secret
from provision.remote.session import WinRMTarget
from provision.remote.winrm_errors import FOREIGN, explain

TARGET = WinRMTarget("win1", "192.0.2.1", 5986, "https", "ntlm", "Administrator", Secret("pw"))
MODULES = (pypsrp.exceptions, winrm.exceptions, requests.exceptions, urllib3.exceptions, spnego.exceptions, ssl, socket)


def exception_classes() -> list[type[Exception]]:
    classes = {
        kind
        for module in MODULES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, Warning)
        if kind is not Exception and not kind.__name__.startswith("_")
    }
    return sorted(classes, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}")


def without_arguments(kind: type[Exception]) -> Exception:
    """An instance as bare as Python allows: mapping must not trip over what is missing in it."""
    return kind.__new__(kind)


@pytest.mark.parametrize("kind", exception_classes(), ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_every_foreign_exception_is_caught_and_explained(kind):
    assert issubclass(kind, FOREIGN), f"{kind} has no place in winrm_errors"
    failure = explain(without_arguments(kind), TARGET)
    assert isinstance(failure, ConnectionFailed | ReadFailed)
    assert failure.host == "win1"
    assert failure.why
    assert failure.next


def test_the_walk_sees_all_the_libraries():
    assert len(exception_classes()) > 70
    assert not issubclass(psrpcore.PSRPCoreError, FOREIGN), "psrpcore is the lab's; the product does not import it"


def test_our_own_mistakes_are_not_hidden():
    assert not issubclass(TypeError, FOREIGN)
    assert not issubclass(AttributeError, FOREIGN)


def test_an_error_of_ours_passes_unchanged():
    ours = HostError("P999", "x", host="win1")
    assert explain(ours, TARGET) is ours


def wrapped(inner: BaseException) -> requests.ConnectionError:
    """As requests and urllib3 wrap what the system said."""
    reason = urllib3.exceptions.NewConnectionError(None, "text")
    reason.__cause__ = inner
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/wsman", reason))


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "text")
    error.verify_code, error.verify_message = code, "in OpenSSL's words"
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (wrapped(ConnectionRefusedError()), "P203"),
        (wrapped(OSError(113, "No route to host")), "P202"),
        (wrapped(TimeoutError()), "P202"),
        (wrapped(socket.gaierror(-2, "unknown")), "P201"),
        (wrapped(ConnectionResetError()), "P215"),
        (requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", certificate_error(62))), "P207"),
        (requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", certificate_error(64))), "P207"),
        (requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "/", certificate_error(19))), "P206"),
        (requests.exceptions.ProxyError("x"), "P205"),
        (pypsrp.exceptions.AuthenticationError("x"), "P209"),
        (winrm.exceptions.InvalidCredentialsError("x"), "P209"),
        (pypsrp.exceptions.WSManFaultError(5, "m", "Access is denied.", None, None, None), "P211"),
        (pypsrp.exceptions.WSManFaultError(2150859173, "m", "too many shells", None, None, None), "P213"),
        (pypsrp.exceptions.WSManFaultError(2150858843, "m", "no shell", None, None, None), "P215"),
        (pypsrp.exceptions.WSManFaultError("w:InternalError", "m", "odd", None, None, None), "P218"),
        (winrm.exceptions.WSManFaultError(500, "m", "", "denied", wsman_fault_code=5), "P211"),
        (winrm.exceptions.WinRMTransportError("http", 404, ""), "P204"),
        (pypsrp.exceptions.WinRMTransportError("http", 407, ""), "P205"),
        (spnego.exceptions.BadMICError(), "P215"),
    ],
)
def test_the_likely_cause_is_found_by_class_and_code(error, code):
    assert explain(error, TARGET).code == code


def test_the_words_of_a_fault_are_passed_on_and_a_body_is_not():
    fault = pypsrp.exceptions.WSManFaultError(87, "m", "The  parameter\n is {odd}.", None, None, None)
    assert explain(fault, TARGET).why == "87: The parameter is {odd}."
    body = pypsrp.exceptions.WinRMTransportError("http", 418, "<secret>body</secret>")
    assert "secret" not in str(explain(body, TARGET))


def test_what_a_fault_was_made_from_does_not_hide_it():
    """pypsrp raises the fault while it handles the HTTP 500 that carried it."""
    fault = pypsrp.exceptions.WSManFaultError(5, "m", "Access is denied.", None, None, None)
    fault.__context__ = pypsrp.exceptions.WinRMTransportError("http", 500, "")
    assert explain(fault, TARGET).code == "P211"


def test_every_code_is_explained_to_the_user():
    tomllib = pytest.importorskip("tomllib")
    from provision.remote import winrm_causes

    text = (__import__("pathlib").Path(winrm_causes.__file__).parent.parent / "error_codes.toml").read_text()
    known = tomllib.loads(text)
    causes = [value for value in vars(winrm_causes).values() if isinstance(value, winrm_causes.Cause)]
    assert {cause.code for cause in causes} | {"P216"} <= set(known)
