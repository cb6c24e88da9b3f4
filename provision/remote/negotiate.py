"""NTLM and SPNEGO over HTTP for requests, with the first token sent at once.

The libraries' own helpers first send an anonymous request to be told what they know already; this saves it.
It must not know WSMan. A password is tried once: a refused login is returned as it is, with its 401.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from requests import PreparedRequest, Response
from requests.auth import AuthBase
from spnego.channel_bindings import GssChannelBindings

_TOKEN = re.compile(r"\bNegotiate\s+([A-Za-z0-9+/=]+)", re.IGNORECASE)
_NTLM_SIGNATURE = b"NTLMSSP\0"


class MethodNotOffered(Exception):
    """The server does not offer Negotiate. `offered` is its WWW-Authenticate header."""

    def __init__(self, offered: str) -> None:
        super().__init__(offered)
        self.offered = offered


class NegotiateAuth(AuthBase):
    """Logs one requests session in with `protocol`, "ntlm" or "negotiate".

    `contexts` holds the security context of each host name after its login; message encryption uses it.
    """

    def __init__(self, user: str, password: str, protocol: str, *, seals: bool) -> None:
        self._user = user
        self._password = password
        self._protocol = protocol
        self._seals = seals
        self._offered: dict[str, spnego.ContextProxy] = {}
        self.contexts: dict[str, spnego.ContextProxy] = {}

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the first token when the host was never logged in to, and wait for a 401."""
        request.headers["Connection"] = "Keep-Alive"
        request.hooks.setdefault("response", []).append(self._on_response)
        host = _host(request)
        if host not in self.contexts:
            context = self._new_context(host)
            token = context.step() or b""
            # A Kerberos ticket must carry the channel binding, which is known only after the TLS handshake:
            # it waits for the 401. NTLM puts the binding into its last token.
            if _NTLM_SIGNATURE in token:
                self._offered[host] = context
                _authorize(request, token)
        return request

    def _on_response(self, response: Response, **options: Any) -> Response:
        if response.status_code != 401:
            return response
        if "negotiate" not in response.headers.get("WWW-Authenticate", "").lower():
            raise MethodNotOffered(response.headers.get("WWW-Authenticate", ""))
        return self._log_in(response, options)

    def _log_in(self, response: Response, options: dict[str, Any]) -> Response:
        """Exchange tokens on the connection of `response` until one side has nothing more to say."""
        host = _host(response.request)
        answer = _token(response)
        context = self._offered.pop(host, None)
        if context is None or answer is None:
            context, answer = self._new_context(host), None
        token = context.step(answer, channel_bindings=_channel_bindings(response))
        while token is not None:
            response = _send_again(response, token, options)
            answer = _token(response)
            if answer is None:
                break
            token = context.step(answer)
        # pypsrp chooses the MIME type of encrypted messages by this attribute.
        setattr(context, "response_auth_header", "negotiate")  # noqa: B010 - the class does not declare it
        self.contexts[host] = context
        return response

    def _new_context(self, host: str) -> spnego.ContextProxy:
        options = spnego.NegotiateOptions.wrapping_winrm if self._seals else spnego.NegotiateOptions.none
        return spnego.client(
            self._user, self._password, hostname=host, service="host", protocol=self._protocol, options=options
        )


def _host(request: PreparedRequest) -> str:
    """The host name by which pypsrp looks contexts up: that of the URL, in lower case."""
    return urlsplit(request.url or "").hostname or ""


def _authorize(request: PreparedRequest, token: bytes) -> None:
    request.headers["Authorization"] = "Negotiate " + base64.b64encode(token).decode()


def _token(response: Response) -> bytes | None:
    found = _TOKEN.search(response.headers.get("WWW-Authenticate", ""))
    if found is None:
        return None
    try:
        return base64.b64decode(found.group(1), validate=True)
    except binascii.Error:
        return None


def _send_again(response: Response, token: bytes, options: dict[str, Any]) -> Response:
    """The same request with `token`, on the same connection: the old answer is read to its end first."""
    _ = response.content
    response.raw.release_conn()
    request = response.request.copy()
    _authorize(request, token)
    adapter = getattr(response, "connection")  # noqa: B009 - requests sets it, its types do not say so
    answer: Response = adapter.send(request, **options)
    return answer


def _channel_bindings(response: Response) -> GssChannelBindings | None:
    """RFC 5929 tls-server-end-point of the connection that `response` came on; None without TLS."""
    certificate = next(_peer_certificates(response), None)
    if certificate is None:
        return None
    parsed = x509.load_der_x509_certificate(certificate)
    try:
        algorithm = parsed.signature_hash_algorithm
    except UnsupportedAlgorithm:
        algorithm = None
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + parsed.fingerprint(algorithm))


def _peer_certificates(response: Response) -> Iterator[bytes]:
    """The DER certificate of the peer, found on the way that urllib3 keeps to the socket of an answer."""
    place: object = response.raw
    for name in ("_fp", "fp", "raw", "_sock"):
        place = getattr(place, name, None)
    get_certificate = getattr(place, "getpeercert", None)
    if get_certificate is not None:
        certificate = get_certificate(True)
        if certificate:
            yield certificate
