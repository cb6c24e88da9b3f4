"""What marks a text as ours, and the digest by which a running HAProxy shows which text it runs.

One rule: the digest is that of the masked text without the line that carries the digest. A main file carries it as
`description` in `global` (read back with `show info`); a fragment has no `global`, so it carries it in the name of an
empty backend (read back with `show stat`): see docs/decisions/0002.
"""

from __future__ import annotations

import hashlib
import re

from provision.hosts.balancer.tokens import Token

LENGTH = 16
"""Hex digits of a digest: 64 bits tell generations apart, nothing more is asked of them."""

_CARRIER = re.compile(
    rf"^(?: +description provision |backend provision_)([A-Za-z0-9-]+)[ _]([0-9a-f]{{{LENGTH}}})$", re.MULTILINE
)
_OURS = re.compile(r"# Managed by provision, cluster ([a-z0-9-]{1,40})\.")


def first_line(cluster: str) -> str:
    """The first line of every file that is ours."""
    return f"# Managed by provision, cluster {Token(cluster).text}. Changes made here are drift and will be replaced."


def owner_of(text: str) -> str | None:
    """The cluster whose file this is, by its first line; None for a file that is not ours."""
    match = _OURS.match(text)
    return match[1] if match else None


def digest_of(masked: str) -> str:
    """The digest of a masked text. The line that carries a digest, if there is one, does not count."""
    kept = [one for one in masked.split("\n") if not _CARRIER.match(one)]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()[:LENGTH]


def carried(text: str) -> str | None:
    """The digest that a configuration's text carries; None when it carries none."""
    match = _CARRIER.search(text)
    return match[2] if match else None


def main_carrier(cluster: str, digest: str) -> str:
    """The line of `global` that carries `digest`."""
    return f"    description provision {Token(cluster).text} {Token(digest).text}"


def fragment_carrier(cluster: str, digest: str) -> str:
    """The section line of the empty backend that carries `digest`."""
    return f"backend provision_{Token(cluster).text}_{Token(digest).text}"


def served(answer: str, cluster: str) -> frozenset[str]:
    """The digests for `cluster` in what the admin socket answered to `show info` and `show stat`."""
    name = re.escape(cluster)
    found = re.findall(rf"^description: provision {name} ([0-9a-f]{{{LENGTH}}})$", answer, re.MULTILINE)
    found += re.findall(rf"^provision_{name}_([0-9a-f]{{{LENGTH}}}),BACKEND,", answer, re.MULTILINE)
    return frozenset(found)


def sha256(text: str) -> str:
    """The hex SHA-256 of a text as it lies on a disk; bytes that are no UTF-8 are kept as surrogates."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
