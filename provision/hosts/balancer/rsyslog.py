"""What rsyslog's files say of UDP on loopback, from the lines that read.sh greps. Pure; knows both of its syntaxes.

An `input(...)` over several lines shows only its first: a port or address that is not on it counts as HAProxy's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from provision.hosts.balancer.facts import LogFacts

PORT = "514"
"""Where HAProxy's `log 127.0.0.1` goes."""

_LOADS = re.compile(r"(?:\$ModLoad\s+|load\s*=\s*\")(?:\S*/)?imudp\b", re.IGNORECASE)
_INCLUDE = re.compile(r"(?:\$IncludeConfig\s+|\binclude\(\s*file\s*=\s*\")\S*/rsyslog\.d/", re.IGNORECASE)
_OLD = re.compile(r"\$UDPServer(?P<what>Run|Address)\s+(?P<value>\S+)", re.IGNORECASE)
_INPUT = re.compile(r"type\s*=\s*\"imudp\"", re.IGNORECASE)
_PORT = re.compile(r"\bport\s*=\s*(\[[^]]*\]|\"[^\"]*\")", re.IGNORECASE)
_ADDRESS = re.compile(r"\baddress\s*=\s*\"([^\"]*)\"", re.IGNORECASE)
_PLAIN = re.compile(r"[\w.:*-]+")
_EVERYWHERE = ("", "*", "0.0.0.0", "127.0.0.1", "localhost")  # noqa: S104  # their words, nothing is bound here


def read_log(lines: Sequence[tuple[str, str]] | None, ours: str, *, old_syntax: bool) -> LogFacts:
    """`lines`: file and line of each, the main file's first; None: it is not installed. `ours`: our own file."""
    if lines is None:
        return LogFacts(False, old_syntax, False, False)
    active = [(path, line.strip()) for path, line in lines if path != ours and not line.strip().startswith("#")]
    loaders = [(path, before) for path, line, before in _placed(active, ours) if _LOADS.search(line)]
    listens = any(_listening([line for _, line in active]))
    late = bool(loaders) and not listens and not any(before for _, before in loaders)
    return LogFacts(True, old_syntax, bool(loaders), listens, loaders[0][0] if late else "", _in_force(active, ours))


def _placed(lines: Sequence[tuple[str, str]], ours: str) -> Iterator[tuple[str, str, bool]]:
    """Each file and line, and whether rsyslog reads it before our file.

    The folder goes by name; the main file includes it somewhere in its middle.
    """
    included = False
    for path, line in lines:
        beside = path.rpartition("/")[0] == ours.rpartition("/")[0]
        yield path, line, path < ours if beside else not included
        included = included or (not beside and _INCLUDE.search(line) is not None)


def _in_force(lines: Sequence[tuple[str, str]], ours: str) -> str:
    """The address that the old syntax holds where our file is read."""
    kept = "*"
    for _, line, before in _placed(lines, ours):
        old = _OLD.search(line)
        if before and old is not None and old["what"].lower() == "address" and _PLAIN.fullmatch(old["value"]):
            kept = old["value"]
    return kept


def _listening(lines: Sequence[str]) -> Iterator[bool]:
    """For each input, whether HAProxy reaches it. In the old syntax an address holds for every input that follows."""
    kept = ""
    for line in lines:
        old = _OLD.search(line)
        if old is not None and old["what"].lower() == "address":
            kept = old["value"]
        elif old is not None:
            yield old["value"] == PORT and kept in _EVERYWHERE
        elif _INPUT.search(line):
            port, address = _PORT.search(line), _ADDRESS.search(line)
            here = address is None or address[1] in _EVERYWHERE
            yield here and (port is None or PORT in re.findall(r"\d+", port[1]))
