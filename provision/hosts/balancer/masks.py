"""Secrets in our own files: a keyed placeholder where the value stands, and back again.

Only one place of our files holds a secret: the password of `stats auth`. It is found by its place, not by its value,
so that a password that somebody changed by hand is masked as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from provision.hosts.balancer.tokens import Token
from provision.model.secret import Secret, SecretRef

_AUTH = re.compile(r"^(\s*stats\s+auth\s+[^\s:]+:)(\S[^\n]*?)[ \t\r]*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<secret [^<>\n]+>")


@dataclass(frozen=True, slots=True, repr=False)
class Masks:
    """Turns secret values in our texts into `<secret FINGERPRINT>` and back. `key` makes the fingerprints keyed.

    Every operator of a cluster must use the same `key`: the fingerprint is part of the text that is compared.
    """

    key: bytes
    secrets: Mapping[SecretRef, Secret] = field(default_factory=dict)

    def placeholder(self, ref: SecretRef | None) -> str | None:
        """What stands in a masked text for `ref`: its fingerprint, or where it comes from while it is unresolved."""
        if ref is None:
            return None
        secret = self.secrets.get(ref)
        return f"<secret {ref}>" if secret is None else self._of(secret)

    def mask(self, text: str) -> str:
        """`text` (ours, as it lies on a balancer) with placeholders. A text that is masked already stays as it is."""
        return _AUTH.sub(self._hide, text)

    def reveal(self, masked: str) -> bytes:
        """The file's real bytes.

        Raises KeyError when a placeholder's secret is not at hand, ValueError when a secret cannot be one word.
        """
        values = {self._of(secret): secret.reveal() for secret in self.secrets.values()}
        text = _PLACEHOLDER.sub(lambda match: Token(values[match[0]]).text, masked)
        return text.encode()

    def _hide(self, match: re.Match[str]) -> str:
        hidden = match[2] if _PLACEHOLDER.fullmatch(match[2]) else self._of(Secret(match[2]))
        return match[1] + hidden

    def _of(self, secret: Secret) -> str:
        return f"<secret {secret.fingerprint(self.key)}>"
