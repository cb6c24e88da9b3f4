"""Generations as documents: written by any operator, kept here and on balancers, and believed only as far as checked.

A document may have been damaged, or forged on a balancer that somebody took over: everything in it is checked, its
types, whose it is, and that it names nothing but what this product manages. Reads and writes no file itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from provision.errors import SnapshotError
from provision.model.codec import decode_scope, decode_state, encode_scope, encode_state
from provision.model.state import Key, Scope, State

FORMAT = 1
Result = Literal["found", "started", "proven", "undone", "failed", "interrupted"]

MANAGED: dict[str, str] = {
    "package": "haproxy",
    "file": r"/etc/haproxy/(haproxy|(conf\.d/)?provision-[a-z0-9-]+)\.cfg|/etc/sysconfig/haproxy"
    r"|/etc/rsyslog\.d/provision-[a-z0-9-]+\.conf",
    "firewall": r"[A-Za-z0-9_-]{1,40}( from [0-9./]+)?",
    "selinux-boolean": "haproxy_connect_any",
    "selinux-mode": "mode",
    "selinux-permissive-domain": "haproxy_t",
    "sysctl": r"net\.ipv4\.ip_nonlocal_bind",
    "vip": "[0-9.]+",
    "service": "haproxy|rsyslog",
    "data-channel-ports": "server",
    "external-address": "(?s:.{1,300})",
    "firewall-rule": "provision-[a-z0-9-]+",
    "ftp-service": "ftpsvc",
}
"""For each kind the names that we ever manage. A document that names anything else is not one of ours."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One document. `state` is what was proven (for 0: found); `before` what was found when the run began.

    `when` is UTC, ISO 8601. `definition` is the text of the cluster file of that run, `key` the hex key of the
    fingerprints that stand for secrets, so that another operator's masks agree.
    """

    cluster: str
    number: int
    when: str
    who: str
    what: str
    result: Result
    state: State
    before: State
    scope: Scope
    definition: str
    key: str

    @property
    def usable(self) -> bool:
        """Whether a rollback may lead here: its state was found or proven, not only aimed at."""
        return self.result in ("found", "proven")


def encode(generation: Generation) -> bytes:
    """The document, with a checksum over all the rest."""
    body: dict[str, Any] = {
        "format": FORMAT,
        "cluster": generation.cluster,
        "number": generation.number,
        "when": generation.when,
        "who": generation.who,
        "what": generation.what,
        "result": generation.result,
        "state": encode_state(generation.state),
        "before": encode_state(generation.before),
        "scope": encode_scope(generation.scope),
        "definition": generation.definition,
        "key": generation.key,
    }
    return (json.dumps({**body, "sha256": _checksum(body)}, indent=1, sort_keys=True) + "\n").encode()


def decode(data: bytes, place: str, cluster: str, number: int | None = None) -> Generation:
    """The generation in `data`, which should be one of `cluster`, and `number` where that is known.

    Raises SnapshotError (P701) when it is damaged, of another format, somebody else's, or no document of ours at all.
    """
    try:
        body = json.loads(data)
        _check_whole(body)
        state, before = decode_state(body.pop("state")), decode_state(body.pop("before"))
        generation = Generation(state=state, before=before, scope=decode_scope(body.pop("scope")), **body)
        _check(generation, cluster, number)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise SnapshotError(
            "P701", "this generation is damaged and is not used", where=place, why=why
        ) from error
    return generation


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _check_whole(body: dict[str, Any]) -> None:
    """Takes checksum and format off. Raises ValueError when they do not fit."""
    checksum = body.pop("sha256")
    if checksum != _checksum(body) or body.pop("format") != FORMAT:
        raise ValueError("the checksum does not fit")


def _check(generation: Generation, cluster: str, number: int | None) -> None:
    """Raises ValueError or TypeError for what no run of ours ever wrote."""
    one = generation
    if not all(isinstance(text, str) for text in (one.cluster, one.when, one.who, one.what, one.definition, one.key)):
        raise TypeError("a text is of another type")
    if type(one.number) is not int or one.number < 0 or one.number != (one.number if number is None else number):
        raise ValueError(f"it says that it is number {one.number!r}")
    if one.cluster != cluster:
        raise ValueError(f"it belongs to cluster {one.cluster!r}")
    if one.result not in get_args(Result) or re.fullmatch("[0-9a-f]{64}", one.key) is None:
        raise ValueError("its result or its key is none")
    _refuse_strange([*one.state.resources, *one.before.resources, *one.scope.keys])


def _refuse_strange(keys: Iterable[Key]) -> None:
    for key in keys:
        if re.fullmatch(MANAGED.get(key.kind, "(?!)"), key.name) is None:
            raise ValueError(f"nobody manages {key}")
