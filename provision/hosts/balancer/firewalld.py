"""What firewalld says, over D-Bus (`busctl`'s text) or through firewall-cmd: zones, ports, rich rules, services.

Ports are intervals; strings are never compared. It knows nothing of which ports are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from provision.hosts.balancer.frames import Frame, starting
from provision.model.ports import PortRange, PortSet

_BUS_WORD = re.compile(r'"(?:\\.|[^"\\])*"|\S+')
_RICH = re.compile(
    r'rule family="ipv4" source address="(?P<network>[0-9./]+)" port port="(?P<ports>[0-9-]+)" protocol="tcp" accept'
)
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_ZONE_LINE = re.compile(r"^(\S+)(?: \(([a-z, ]*)\))?$")
_DEADLINE_PASSED = 124
"""The status with which timeout(1) ends a command."""


class FirewalldSilent(Exception):
    """firewalld runs and answers nobody within the read script's deadlines: 10 s over D-Bus, 20 s for firewall-cmd."""


@dataclass(frozen=True, slots=True)
class Openings:
    """TCP ports that one zone admits: `ports` to everyone, as written; `rules` by source network."""

    ports: tuple[PortRange, ...] = ()
    rules: tuple[tuple[str, PortRange], ...] = ()

    def of(self, network: str | None) -> tuple[PortRange, ...]:
        """The entries for one source network, or for everyone (None)."""
        return self.ports if network is None else tuple(ports for one, ports in self.rules if one == network)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of firewalld, now and at boot."""

    name: str
    interfaces: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    runtime: Openings = Openings()
    permanent: Openings = Openings()


@dataclass(frozen=True, slots=True)
class Firewall:
    """firewalld as it was found. Not running: no zones, and nothing is known of what is admitted."""

    running: bool = False
    default: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    services: Mapping[str, PortSet] = field(default_factory=dict)

    def zone_of(self, device: str | None) -> str:
        """The zone that an interface belongs to: its own, else the default one."""
        bound = (zone.name for zone in self.zones.values() if device is not None and device in zone.interfaces)
        return next(bound, self.default)


def read_firewall(found: tuple[Frame, ...], *, running: bool) -> Firewall:
    """Firewalld from the frames of a reading. Raises FirewalldSilent; ValueError when an answer is not understood."""
    if not running:
        return Firewall()
    answers = starting(found, "fw:")
    if "cmd-default" in answers:
        return _from_command(answers)
    return _from_bus(answers)


# --- D-Bus --------------------------------------------------------------------------------------------------------


def bus_value(text: str) -> object:
    """What `busctl call` printed, as a value: str, int, list, or dict. Raises ValueError for anything unexpected.

    The text form starts with the type's signature; it is the same from systemd 219 (EL7) on.
    """
    words = iter(_BUS_WORD.findall(text))
    signature = next(words, "")
    value, rest = _take(signature, words)
    if rest or next(words, None) is not None:
        raise ValueError(f"not an answer of busctl: {text[:80]!r}")
    return value


def _take(signature: str, words: Iterator[str]) -> tuple[object, str]:
    """The first complete type of `signature` read from `words`, and the rest of the signature."""
    head, rest = signature[:1], signature[1:]
    if head in ("s", "o"):
        return _string(_next(words)), rest
    if head in tuple("ybnqiuxtd"):
        word = _next(words)
        return (word == "true" if head == "b" else int(word)), rest
    if head == "(":
        return _take_struct(rest, words)
    if head == "a":
        return _take_array(rest, words)
    raise ValueError(f"not a D-Bus type: {signature!r}")


def _take_struct(signature: str, words: Iterator[str]) -> tuple[object, str]:
    values: list[object] = []
    while not signature.startswith(")"):
        value, signature = _take(signature, words)
        values.append(value)
    return values, signature[1:]


def _take_array(signature: str, words: Iterator[str]) -> tuple[object, str]:
    count = int(_next(words))
    length = _length(signature)
    inner, rest = signature[:length], signature[length:]
    if inner.startswith("{"):
        pairs = [(_take(inner[1], words)[0], _take(inner[2:-1], words)[0]) for _ in range(count)]
        return dict(pairs), rest
    return [_take(inner, words)[0] for _ in range(count)], rest


def _length(signature: str) -> int:
    """The length of the first complete type."""
    if signature[:1] == "a":
        return 1 + _length(signature[1:])
    depth = 0
    for at, char in enumerate(signature, 1):
        depth += (char in "({") - (char in ")}")
        if depth == 0:
            return at
    raise ValueError(f"not a D-Bus signature: {signature!r}")


def _next(words: Iterator[str]) -> str:
    word = next(words, None)
    if word is None:
        raise ValueError("an answer of busctl ended early")
    return word


def _string(word: str) -> str:
    if len(word) < 2 or word[0] != '"':
        raise ValueError(f"not a string of busctl: {word!r}")
    return re.sub(r"\\(.)", r"\1", word[1:-1])


def _from_bus(answers: Mapping[str, Frame]) -> Firewall:
    default = _texts([_ask(answers, "default")])[0]
    active = _ask(answers, "active")
    if not isinstance(active, dict):
        raise unexpected(active)
    zones = {}
    for name in (key.removeprefix("ports:") for key in answers if key.startswith("ports:")):
        bound = active.get(name, {})
        zones[name] = Zone(
            name,
            interfaces=_texts(bound.get("interfaces", [])),
            sources=_texts(bound.get("sources", [])),
            services=_texts(_ask(answers, f"services:{name}")),
            runtime=_openings(_ask(answers, f"ports:{name}"), _ask(answers, f"rules:{name}")),
            permanent=_openings(_ask(answers, f"permanent-ports:{name}"), _ask(answers, f"permanent-rules:{name}")),
        )
    services = {key: _ports_of(one) for key, one in starting(tuple(answers.values()), "fw:service:").items()}
    return Firewall(True, default, zones, services)


def _ports_of(frame: Frame) -> PortSet:
    return PortSet.of(*_openings(bus_value(frame.text), []).ports) if frame.ok else PortSet()


def _ask(answers: Mapping[str, Frame], name: str) -> object:
    frame = answers.get(name)
    if frame is None or not frame.ok:
        raise ValueError(f"firewalld did not answer {name}: {frame.first if frame else 'nothing'}")
    return bus_value(frame.text)


def unexpected(value: object) -> ValueError:
    """An answer of another shape than its method has."""
    return ValueError(f"firewalld answered {str(value)[:80]!r}")


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise unexpected(values)
    return tuple(str(one) for one in values)


def _openings(ports: object, rules: object) -> Openings:
    if not isinstance(ports, list):
        raise unexpected(ports)
    tcp = (pair[0] for pair in ports if isinstance(pair, list) and len(pair) == 2 and pair[1] == "tcp")
    rich = (_RICH.fullmatch(rule.strip()) for rule in _texts(rules))
    found = tuple((match["network"], _range(match["ports"])) for match in rich if match is not None)
    return Openings(tuple(_range(str(text)) for text in tcp), found)


def _range(text: str) -> PortRange:
    match = _PORT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a port of firewalld: {text!r}")
    low, high = int(match[1]), int(match[2] or match[1])
    return PortRange(min(low, high), max(low, high))  # it takes 20-10 for 10-20


# --- firewall-cmd -------------------------------------------------------------------------------------------------


def _from_command(answers: Mapping[str, Frame]) -> Firewall:
    if answers["cmd-default"].status == _DEADLINE_PASSED:
        raise FirewalldSilent
    for name in ("cmd-default", "cmd-runtime", "cmd-permanent"):
        if not answers[name].ok:
            raise ValueError(f"firewall-cmd failed: {answers[name].first}")
    runtime, permanent = (_listed(answers[name].text) for name in ("cmd-runtime", "cmd-permanent"))
    zones = {}
    for name, lines in runtime.items():
        later = permanent.get(name, {})
        zones[name] = Zone(
            name,
            interfaces=tuple(" ".join(lines.get("interfaces", ())).split()),
            sources=tuple(" ".join(lines.get("sources", ())).split()),
            services=tuple(" ".join(lines.get("services", ())).split()),
            runtime=_listed_openings(lines),
            permanent=_listed_openings(later),
        )
    return Firewall(True, answers["cmd-default"].first, zones)


def _listed(text: str) -> dict[str, dict[str, list[str]]]:
    """The zones of `--list-all-zones`: by name, and in each its lines by what stands before the colon."""
    zones: dict[str, dict[str, list[str]]] = {}
    lines: dict[str, list[str]] = {}
    values: list[str] = []
    for line in text.splitlines():
        head = _ZONE_LINE.match(line)
        if head is not None:
            lines = zones.setdefault(head[1], {})
        elif line.startswith("  ") and ":" in line:
            name, _, value = line.strip().partition(":")
            values = lines.setdefault(name, [])
            values += [value.strip()] if value.strip() else []
        elif line.startswith("\t"):
            values.append(line.strip())
    return zones


def _listed_openings(lines: Mapping[str, list[str]]) -> Openings:
    words = [word.split("/") for word in " ".join(lines.get("ports", ())).split()]
    return _openings(words, lines.get("rich rules", []))
