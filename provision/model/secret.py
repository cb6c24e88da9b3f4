"""Secrets as a type that does not show itself, references to them, and the redactor of the one output door.

Knows nothing of where secrets come from (`provision.definition.secrets` resolves references).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST_REDACTED = 4
"""Secrets shorter than this many characters are not searched in output: they would blank out ordinary words."""


XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
XML_ATTRIBUTE = XML | str.maketrans({'"': "&quot;", "'": "&apos;"})
"""What XML writes for five characters. (The standard library's own words for it load half a web client.)"""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A resolved secret. It shows as `***`; `reveal()` is the only way to the value."""

    value: str

    def reveal(self) -> str:
        """The value itself, for the last moment before it goes over an encrypted wire."""
        return self.value

    def fingerprint(self, key: bytes) -> str:
        """Twelve hex digits of HMAC-SHA256 under `key`: equal secrets are recognised, none can be read back."""
        return hmac.new(key, self.value.encode(), hashlib.sha256).hexdigest()[:12]

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is: `scheme` is env, file, keyring, cmd or ask. `key` is the place in the cluster file."""

    scheme: str
    target: str
    key: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.scheme}:{self.target}" if self.target else self.scheme


def spellings(value: str) -> set[str]:
    """Every form in which `value` may turn up in text: plain, base64, UTF-16LE base64, URL, XML, JSON, repr."""
    raw, wide = value.encode(), value.encode("utf-16-le")
    forms = {value, quote(value, safe=""), quote_plus(value), value.translate(XML), value.translate(XML_ATTRIBUTE)}
    forms |= {json.dumps(value)[1:-1], repr(value)[1:-1], raw.hex(), wide.hex()}
    forms |= {inner for data in (raw, wide) for inner in _base64_forms(data)}
    return forms


def _base64_forms(data: bytes) -> Iterable[str]:
    """Base64 of `data` at each of the three alignments it can have inside a longer text, edges cut off."""
    yield base64.b64encode(data).decode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
        first = (shift * 8 + 5) // 6
        last = (shift + len(data)) * 8 // 6
        yield encoded[first:last]


class Redactor:
    """Replaces every secret it was told of, in every spelling, by `***`. One for a run; the output door uses it."""

    def __init__(self) -> None:
        self._forms: set[str] = set()

    def add(self, secret: Secret) -> None:
        """Remember `secret`; values shorter than SHORTEST_REDACTED characters are left alone."""
        if len(secret.reveal()) >= SHORTEST_REDACTED:
            self._forms |= {form for form in spellings(secret.reveal()) if len(form) >= SHORTEST_REDACTED}

    def redact(self, text: str) -> str:
        """`text` with every known secret blanked, longest spelling first."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text
