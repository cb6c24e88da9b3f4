"""What both WinRM libraries send their requests through: one adapter that keeps deadlines and shares TLS contexts.

It must not know WSMan or PowerShell. The libraries' loggers are closed here: at DEBUG they write whole messages.
"""

from __future__ import annotations

import logging
import ssl
from functools import cache
from pathlib import Path
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool

from provision.remote.deadline import Deadline, DeadlinePassed
from provision.remote.session import WinRMTarget

LOGGERS = ("pypsrp", "psrpcore", "winrm", "requests", "requests_ntlm", "requests_credssp", "urllib3", "spnego")

ANSWER_LIMIT = 8 * 1024 * 1024
"""Bytes of one answer, unpacked. A whole reading is some ten kilobytes, an envelope at most half a megabyte."""

PART = 65536
UNAUTHORIZED = 401

READ_MARGIN = 10.0
"""Seconds that an answer may take beyond the operation timeout before the server counts as silent."""

IDLE_LIMIT = 60.0
"""Seconds after which a connection is not used again: http.sys closes it at about 120, and a message that was
sealed for the old connection cannot be read on a new one."""


def close_loggers() -> None:
    """Let nothing of the libraries reach a log: bodies, tokens and arguments stand in their messages."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def tls_context(target: WinRMTarget) -> ssl.SSLContext:
    """The TLS settings for `target`; targets with the same CA share one context, which costs 25 ms to make.

    Raises ssl.SSLError or OSError when the CA file cannot be used.
    """
    if not target.verify:
        return _unverified()
    if target.ca_file is None:
        return _verified(None, 0)
    return _verified(target.ca_file.resolve(), target.ca_file.stat().st_mtime_ns)


@cache
def _verified(ca_file: Path | None, _modified: int) -> ssl.SSLContext:
    """The time of the file is part of the key, so that a CA file that was written again is read again."""
    return ssl.create_default_context(cafile=ca_file)


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire(HTTPAdapter):
    """Sends the requests of one session, each within the deadline of the call it belongs to.

    No proxy, no retries, one TLS context. `deadline` is set for each call; what is sent after it has passed is
    not sent. A server that is silent too long is DeadlinePassed, never an exception that a library would retry.
    """

    def __init__(self, target: WinRMTarget) -> None:
        self._target = target
        self._tls = self._own_tls(target)
        self.deadline: Deadline | None = None
        super().__init__(max_retries=0)

    @staticmethod
    def _own_tls(target: WinRMTarget) -> ssl.SSLContext | None:
        if target.scheme == "http":
            return None
        if target.auth == "certificate" and target.client_certificate:
            own = ssl.create_default_context(cafile=target.ca_file)
            own.load_cert_chain(target.client_certificate, target.client_key)
            own.check_hostname = target.verify
            own.verify_mode = ssl.CERT_REQUIRED if target.verify else ssl.CERT_NONE
            return own
        return tls_context(target)

    def get_connection_with_tls_context(self, request: PreparedRequest, *_: Any, **__: Any) -> HTTPConnectionPool:
        """Our context instead of what requests would build from its `verify` and `cert`; never a proxy."""
        options = {} if self._tls is None else {"ssl_context": self._tls}
        pool: HTTPConnectionPool = self.poolmanager.connection_from_url(request.url or "", pool_kwargs=options)
        return pool

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Nothing: the context verifies; loading a bundle again would cost its time for each session."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """One request, with our own timeouts. Raises DeadlinePassed when there is not enough time left."""
        left = self.deadline.left if self.deadline else float("inf")
        if left <= 0:
            raise DeadlinePassed
        connect = min(self._target.connect_timeout, left)
        read = min(self._target.operation_timeout + READ_MARGIN, left)
        try:
            response = super().send(request, timeout=(connect, read))
            return self._checked(response)
        except requests.ReadTimeout as error:
            raise DeadlinePassed from error

    def _checked(self, response: Response) -> Response:
        """The answer with its whole body, as far as a WinRM server ever sends it.

        Raises what the libraries raise for an answer that is none: another place to go to, a body sealed for a
        connection that seals nothing, a body without end. A 401 is left as it is: requests_ntlm looks at its socket.
        """
        if response.is_redirect:
            response.close()
            raise requests.TooManyRedirects("a WinRM server never sends its client elsewhere")
        sealed = response.headers.get("Content-Type", "").startswith("multipart/encrypted")
        if sealed and self._target.scheme == "https":
            response.close()
            raise requests.RequestException("it sealed a message on a connection that seals none")
        if response.status_code != UNAUTHORIZED:
            self._take_in(response)
        return response

    def _take_in(self, response: Response) -> None:
        """Read the body, within the limit and the deadline."""
        body = bytearray()
        for part in response.iter_content(PART):
            body += part
            if len(body) > ANSWER_LIMIT:
                response.close()
                raise requests.RequestException(f"its answer is longer than {ANSWER_LIMIT} bytes")
            if self.deadline is not None and self.deadline.passed:
                response.close()
                raise DeadlinePassed
        response._content = bytes(body)  # noqa: SLF001  # requests has no other way to give back what was read in parts


def prepare(session: requests.Session, wire: Wire) -> None:
    """Let `session` send through `wire`, and take nothing from the environment: no proxy, no netrc, no CA path."""
    session.trust_env = False
    session.proxies = {}
    session.mount("http://", wire)
    session.mount("https://", wire)
