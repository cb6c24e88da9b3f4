"""One HTTP connection's login: NTLM and Negotiate step by step, Basic at once. No sockets.

It must not know WSMan. NTLM authenticates a connection, not a request, so every connection has a `Login` of
its own, and the same security context later seals the messages.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from provision.lab.winrm.accounts import Account, check_password, find_account
from provision.lab.winrm.sealing import BadSeal

_NTLM_SIGNATURE = b"NTLMSSP\0"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The connection (or, with Basic, the request) belongs to `account`; `token` is a last word to the client."""

    account: Account
    token: bytes = b""


@dataclass(frozen=True, slots=True)
class Challenge:
    """401 with a token: the client has to answer it."""

    token: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """401 without a token: wrong password, unknown account, a method that is not on, or no login at all."""


Outcome = Accepted | Challenge | Refused


class ContextSealer:
    """Seals messages with an authenticated SPNEGO or NTLM context."""

    def __init__(self, context: spnego.ContextProxy) -> None:
        self._context = context

    def seal(self, data: bytes) -> tuple[bytes, bytes]:
        """Encrypt and sign; the header is the signature."""
        sealed = self._context.wrap_winrm(data)
        return sealed.header, sealed.data

    def open(self, header: bytes, data: bytes) -> bytes:
        """Verify and decrypt. Raises BadSeal, also for what was sealed on an older connection."""
        try:
            return self._context.unwrap_winrm(header, data)
        except (SpnegoError, ValueError) as error:
            raise BadSeal(str(error)) from error


class Login:
    """The login state of one connection. `reject` refuses every password, as if all had been changed."""

    def __init__(
        self, accounts: Sequence[Account], *, encrypted: bool, bindings: GssChannelBindings | None = None
    ) -> None:
        self._accounts = accounts
        self._encrypted = encrypted
        self._bindings = bindings
        self._context: spnego.ContextProxy | None = None
        self.account: Account | None = None
        self.sealer: ContextSealer | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """What WWW-Authenticate offers: Basic only inside TLS, as with AllowUnencrypted=false."""
        return ("Negotiate", 'Basic realm="WSMAN"') if self._encrypted else ("Negotiate",)

    def step(self, authorization: str | None, *, reject: bool = False) -> Outcome:
        """Judge one request's Authorization header; without one, the connection's earlier login counts."""
        if authorization is None:
            return Accepted(self.account) if self.account else Refused()
        scheme, _, encoded = authorization.partition(" ")
        try:
            token = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            return Refused()
        match scheme.lower():
            case "basic" if self._encrypted:
                return self._basic(token, reject)
            case "negotiate" | "ntlm":
                return self._negotiate(token, reject)
            case _:
                return Refused()

    def _basic(self, token: bytes, reject: bool) -> Outcome:
        name, _, password = _text(token).partition(":")
        account = None if reject else check_password(self._accounts, name, password)
        return Accepted(account) if account else Refused()

    def _negotiate(self, token: bytes, reject: bool) -> Outcome:
        context = self._context or self._new_context(token)
        try:
            answer = context.step(token) or b""
        except (SpnegoError, ValueError, KeyError):
            return self._forget()
        if not context.complete:
            self._context = context
            return Challenge(answer)
        account = find_account(self._accounts, context.client_principal or "")
        if reject or account is None:
            return self._forget()
        self._context = None
        self.account, self.sealer = account, ContextSealer(context)
        return Accepted(account, answer)

    def _new_context(self, token: bytes) -> spnego.ContextProxy:
        """Raw NTLM and SPNEGO-wrapped tokens both come under the name Negotiate; the first bytes tell them apart."""
        if token.startswith(_NTLM_SIGNATURE):
            return spnego.server(protocol="ntlm", channel_bindings=self._bindings)
        return spnego.server(
            protocol="negotiate",
            options=spnego.NegotiateOptions.use_negotiate,
            channel_bindings=self._bindings,
        )

    def _forget(self) -> Refused:
        self._context = self.account = self.sealer = None
        return Refused()


def _text(credentials: bytes) -> str:
    """RFC 7617 leaves the character set open: browsers send UTF-8, requests Latin-1."""
    try:
        return credentials.decode()
    except UnicodeDecodeError:
        return credentials.decode("latin-1")
