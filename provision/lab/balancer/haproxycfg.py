"""haproxy.cfg, as far as the lab must understand it to run a copy. Pure: text in, text out.

An ordinary user cannot do everything that a configuration asks for, so the real haproxy is started on a copy:

- `user`, `group`, `uid`, `gid`, `chroot`, `daemon`, `ulimit-n`, and the owners of a stats socket, are commented out;
- log targets are sent to the sockets of the lab's rsyslogd (nobody may bind port 514 as a user);
- `*` means the addresses of this balancer, and 127.0.0.1 a loopback of its own (unix sockets below lab/lo), so that
  two balancers on one machine, or the machine's own services, never meet;
- the copy that runs gets a gate at the top of each section that listens: what firewalld or SELinux forbids is refused there.

A copy for `haproxy -c` has the same lines at the same numbers (but for bind addresses in a section's header, as 1.5's
stock file has them), so that messages point into the original.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_ROOT_ONLY = ("user", "group", "uid", "gid", "chroot", "daemon", "ulimit-n")
_SECTIONS = (
    "global",
    "defaults",
    "listen",
    "frontend",
    "backend",
    "peers",
    "userlist",
    "resolvers",
    "mailers",
    "cache",
    "program",
    "ring",
    "log-forward",
    "http-errors",
    "crt-store",
    "fcgi-app",
)
_EVERYWHERE = ("*", "", "0.0.0.0", "[::]", "::", "ipv4@", "ipv4@*")
_LOOPBACK = ("127.0.0.1", "localhost", "ipv4@127.0.0.1")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a copy lives: the balancer's root, its addresses, and the folder of its private sockets."""

    root: Path
    addresses: tuple[str, ...]

    @property
    def loopback(self) -> Path:
        """One unix socket for each port that is bound on 127.0.0.1."""
        return self.root / "lab" / "lo"

    @property
    def syslog(self) -> Path:
        """The sockets on which the lab's rsyslogd listens."""
        return self.root / "lab" / "syslog"


@dataclass(frozen=True, slots=True)
class Bind:
    """One address and port range that a section binds. `address` is as written; '*' for all.

    `place` is file and line; where a bind stands makes it no other.
    """

    section: str
    address: str
    low: int
    high: int
    transparent: bool
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One line with what is needed to judge it: the section it stands in and its words."""

    text: str
    kind: str
    section: str
    words: tuple[str, ...]

    @property
    def opens_section(self) -> bool:
        """Is it the header of a section?"""
        return bool(self.words) and self.words[0] in _SECTIONS


def lines(text: str) -> Iterator[Line]:
    """The lines of a configuration, each with its section."""
    kind = section = ""
    for raw in text.splitlines():
        words = _words(raw)
        if words and words[0] in _SECTIONS:
            kind, section = words[0], words[1] if len(words) > 1 else ""
        yield Line(raw, kind, section, words)


def _words(raw: str) -> tuple[str, ...]:
    lexer = shlex.shlex(raw, posix=True, punctuation_chars="")
    lexer.whitespace_split = True
    try:
        return tuple(lexer)
    except ValueError:
        return tuple(raw.split("#", 1)[0].split())


def _header_bind(line: Line) -> str | None:
    """The address in `frontend main *:5000`, as versions before 2.0 took it."""
    if line.opens_section and line.kind in ("listen", "frontend") and len(line.words) > 2 and ":" in line.words[2]:
        return line.words[2]
    return None


def binds(text: str, file: str = "") -> tuple[Bind, ...]:
    """Every TCP address that the configuration binds; unix sockets are left out."""
    found: list[Bind] = []
    for number, line in enumerate(lines(text), 1):
        header = _header_bind(line)
        place = f"{file}:{number}"
        if header is not None:
            found += _addresses(line.section, header, place, transparent=False)
        elif line.words[:1] == ("bind",) and len(line.words) > 1:
            found += _addresses(line.section, line.words[1], place, transparent="transparent" in line.words[2:])
    return tuple(found)


def _addresses(section: str, text: str, place: str, *, transparent: bool) -> Iterator[Bind]:
    for part in text.split(","):
        address, colon, ports = part.rpartition(":")
        low, _, high = ports.partition("-")
        if colon and low.isdigit() and not part.startswith(("/", "unix@", "abns@", "fd@")):
            yield Bind(
                section, "*" if address in _EVERYWHERE else address, int(low), int(high or low), transparent, place
            )


def check_copy(text: str, around: Surroundings) -> str:
    """The copy that `haproxy -c` judges."""
    return "".join(f"{_mapped(line, around)}\n" for line in lines(text))


def running_copy(text: str, around: Surroundings, gate: Iterable[str], connect_gate: Iterable[str]) -> str:
    """The copy that runs: `gate` stands in each section that listens, `connect_gate` in those that also reach servers."""
    all_lines = list(lines(text))
    reach = {line.section for line in all_lines if line.words[:1] in (("server",), ("server-template",))}
    gate, connect_gate = tuple(gate), tuple(connect_gate)
    made: list[str] = []
    for line in all_lines:
        made.append(_mapped(line, around))
        if line.opens_section and line.kind in ("listen", "frontend"):
            reaches = line.kind == "frontend" or line.section in reach
            made += [f"    {rule}" for rule in (*gate, *(connect_gate if reaches else ()))]
    return "".join(f"{line}\n" for line in made)


def _mapped(line: Line, around: Surroundings) -> str:
    header = _header_bind(line)
    if header is not None:
        return f"{line.kind} {line.section}\n    bind {_mapped_bind(header, around)}"
    match line.kind, line.words:
        case "global", (word, *_) if word in _ROOT_ONLY:
            return f"# kept from an ordinary user: {line.text.strip()}"
        case "global", ("stats", "socket", *rest):
            return f"    stats socket {_quoted(_without_owner(rest))}"
        case _, ("log", target, *rest) if target != "global" and line.kind != "ring":
            return f"    log {_quoted([_log_target(target, around), *rest])}"
        case (("listen" | "frontend"), ("bind", address, *rest)):
            return f"    bind {_mapped_bind(address, around)} {_quoted(rest)}".rstrip()
    return line.text


def _quoted(words: Iterable[str]) -> str:
    return " ".join(word if word and not set(word) & set(" \t#\"'\\") else f'"{_escaped(word)}"' for word in words)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


def _without_owner(words: list[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("user", "group", "uid", "gid"):
            skip = True
        else:
            kept.append(word)
    return kept


def _log_target(target: str, around: Surroundings) -> str:
    if target in ("stdout", "stderr") or target.startswith(("fd@", "ring@", "backend@")):
        return target
    if target.startswith("/"):
        return str(around.syslog / "dev-log.sock")
    _, colon, port = target.rpartition(":")
    return str(around.syslog / f"udp-{port if colon and port.isdigit() else 514}.sock")


def _mapped_bind(text: str, around: Surroundings) -> str:
    return ",".join(mapped for part in text.split(",") for mapped in _mapped_address(part, around))


def _mapped_address(part: str, around: Surroundings) -> list[str]:
    address, colon, ports = part.rpartition(":")
    if not colon or part.startswith(("/", "unix@", "abns@", "fd@")):
        return [part]
    if address in _LOOPBACK and ports.isdigit():
        return [str(around.loopback / f"{ports}.sock")]
    if address in _EVERYWHERE:
        loopback = [str(around.loopback / f"{ports}.sock")] if ports.isdigit() else []
        return [*(f"{own}:{ports}" for own in dict.fromkeys(around.addresses)), *loopback]
    return [part]
