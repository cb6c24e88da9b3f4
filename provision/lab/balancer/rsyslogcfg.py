"""The part of rsyslog's configuration language that log files of services need. Pure but for reading the files.

Both syntaxes: module() and input() as well as $ModLoad and $UDPServerRun, selectors, property filters, `if` on one property,
`& stop` and `& ~`, include() and $IncludeConfig. Anything else is an error with file and line, as `rsyslogd -N1` reports it.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FACILITIES = (
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "audit",
    "alert",
    "clock",
    *(f"local{number}" for number in range(8)),
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_ALIASES = {"panic": "emerg", "error": "err", "warn": "warning"}
_QUIET = re.compile(
    r"(global|module|timezone|\$WorkDirectory|\$ActionFileDefaultTemplate|\$FileOwner|\$FileGroup|"
    r"\$FileCreateMode|\$DirCreateMode|\$Umask|\$OmitLocalLogging|\$IMJournalStateFile|"
    r"\$SystemLogRateLimit\w+|\$imjournalRatelimit\w+|\$ActionQueue\w+|\$MaxMessageSize)\b"
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: facility and severity by name, the program that said it, and the line to be written."""

    facility: str
    severity: str
    program: str
    line: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Which messages, and what is done with them: paths of files, or 'stop'."""

    test: str
    actions: tuple[str, ...]

    def matches(self, message: Message) -> bool:
        """Does the rule take this message?"""
        if self.test.startswith("program "):
            _, kind, value = self.test.split(" ", 2)
            return message.program.startswith(value) if kind == "startswith" else message.program == value
        return _selects(self.test, message)


@dataclass(slots=True)
class Rsyslog:
    """What a set of files says. `udp` holds (address, port); errors are whole sentences."""

    udp: list[tuple[str, int]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    modules: set[str] = field(default_factory=set)
    address: str = "*"


def _selects(selector: str, message: Message) -> bool:
    chosen = False
    for part in selector.split(";"):
        names, _, priority = part.partition(".")
        if names != "*" and message.facility not in names.split(","):
            continue
        chosen = _reaches(priority, message.severity)
    return chosen


def _reaches(priority: str, severity: str) -> bool:
    if priority in ("*", "none"):
        return priority == "*"
    only, name = priority.startswith("="), priority.lstrip("=")
    limit = SEVERITIES.index(_ALIASES.get(name, name))
    rank = SEVERITIES.index(severity)
    return rank == limit if only else rank <= limit


def _is_selector(text: str) -> bool:
    for part in text.split(";"):
        names, dot, priority = part.partition(".")
        name = priority.lstrip("=")
        known = name in ("*", "none") or _ALIASES.get(name, name) in SEVERITIES
        if not dot or not known or not all(entry == "*" or entry in FACILITIES for entry in names.split(",")):
            return False
    return True


def read(main: Path) -> Rsyslog:
    """Read the main file and all that it includes."""
    found = Rsyslog()
    if not main.exists():
        found.errors.append(f"rsyslogd: could not open config file '{main}': No such file or directory")
        return found
    _read_file(main, found)
    if "imudp" in found.modules and not found.udp:
        found.errors.append(
            "rsyslogd: imudp: module loaded, but no listeners defined - no input will be gathered [v8.2310.0 try "
            "https://www.rsyslog.com/e/2212 ]"
        )
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        if not line:
            continue
        start = start or number
        pending = f"{pending} {line}".strip()
        if pending.count("(") <= pending.count(")") and not pending.endswith("\\"):
            yield start, pending
            pending, start = "", 0
    if pending:
        yield start, pending


def _read_file(path: Path, found: Rsyslog) -> None:
    for number, statement in _statements(path.read_text(encoding="utf-8")):
        included = re.match(r'(?:\$IncludeConfig\s+|include\(.*?file=")([^"\s]+)', statement)
        if included:
            for name in sorted(glob.glob(included.group(1))):
                _read_file(Path(name), found)
        elif not _take(statement, found):
            found.errors.append(
                f"rsyslogd: error during parsing file {path}, on or before line {number}: warnings "
                f"occurred in file '{path}' around line {number} [v8.2310.0 try https://www.rsyslog.com/e/2207 ]"
            )


def _take(statement: str, found: Rsyslog) -> bool:
    loaded = re.match(r'(?:\$ModLoad\s+|module\(.*?load=")(\w+)', statement)
    if loaded:
        _load(loaded.group(1), found)
        return True
    if statement.startswith(("$UDPServer", "input(")):
        return _take_input(statement, found)
    if statement.startswith("&"):
        return _take_more(statement[1:].strip(), found)
    return bool(_QUIET.match(statement)) or _take_rule(statement, found)


def _load(module: str, found: Rsyslog) -> None:
    """A second time is refused: the daemon goes on without it, `rsyslogd -N1` ends with 1 (seen on 8.2302)."""
    if module in found.modules:
        found.errors.append(
            f"rsyslogd: module '{module}' already in this config, cannot be added  [v8.2310.0 try "
            "https://www.rsyslog.com/e/2221 ]"
        )
    found.modules.add(module)


def _take_input(statement: str, found: Rsyslog) -> bool:
    old = re.fullmatch(r"\$UDPServer(Address|Run)\s+(\S+)", statement)
    if old and old.group(1) == "Address":
        found.address = old.group(2)
        return True
    values = dict(re.findall(r'(\w+)="([^"]*)"', statement))
    port = old.group(2) if old else values.get("port", "")
    if not old and values.get("type") != "imudp":
        return values.get("type") in found.modules
    if "imudp" not in found.modules:
        found.errors.append(
            "rsyslogd: input module name 'imudp' is unknown [v8.2310.0 try https://www.rsyslog.com/e/2209 ]"
        )
        return False
    if not port.isdigit():
        return False
    found.udp.append((found.address if old else values.get("address", "*"), int(port)))
    return True


def _action(text: str) -> str | None:
    if text in ("stop", "~"):
        return "stop"
    path = re.fullmatch(r'(?:action\(.*?type="omfile".*?file="([^"]+)".*\)|-?(/[^\s;]+)(?:;\w+)?)', text)
    if path:
        return path.group(1) or path.group(2)
    return "" if text.startswith((":omusrmsg:", 'action(type="omusrmsg"')) else None


def _take_more(text: str, found: Rsyslog) -> bool:
    action = _action(text)
    if action is None or not found.rules:
        return False
    last = found.rules.pop()
    found.rules.append(Rule(last.test, (*last.actions, action)))
    return True


def _take_rule(statement: str, found: Rsyslog) -> bool:
    program = re.match(
        r"(?::programname,\s*(isequal|startswith),\s*|if\s+\$programname\s+(==|startswith)\s+)"
        r"[\"'](\S+?)[\"'](?:\s+then)?\s+(.+)$",
        statement,
    )
    facility = re.match(r"if\s+\$syslogfacility-text\s+==\s+[\"'](\w+)[\"']\s+then\s+(.+)$", statement)
    if program:
        kind = "startswith" if "startswith" in (program.group(1), program.group(2)) else "equals"
        test, rest = f"program {kind} {program.group(3)}", program.group(4)
    elif facility and facility.group(1) in FACILITIES:
        test, rest = f"{facility.group(1)}.*", facility.group(2)
    else:
        test, _, rest = statement.partition(" ")
        if "\t" in test:
            test, _, rest = statement.partition("\t")
        if not _is_selector(test):
            return False
    actions = [_action(part.strip()) for part in rest.strip().strip("{}").split("\n")]
    if any(action is None for action in actions):
        return False
    found.rules.append(Rule(test, tuple(action for action in actions if action is not None)))
    return True
