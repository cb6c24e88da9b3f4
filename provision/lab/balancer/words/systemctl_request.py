"""A command line of `systemctl`, taken apart, and what its verbs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from provision.lab.balancer.call import Reply, complain
from provision.lab.balancer.machine import Machine
from provision.lab.balancer.units import NoSuchUnit

_FLAGS = (
    "--no-pager",
    "--quiet",
    "-q",
    "--full",
    "-l",
    "--now",
    "--value",
    "--no-legend",
    "--plain",
    "--system",
    "--all",
    "-a",
    "--no-block",
    "--force",
    "-f",
    "--runtime",
    "--no-ask-password",
    "--failed",
)
_VALUED = ("-p", "--property", "-n", "--lines", "-t", "--type", "-o", "--output", "--state")


@dataclass(frozen=True, slots=True)
class Request:
    """A command line, taken apart."""

    verb: str
    units: tuple[str, ...]
    flags: frozenset[str]
    values: Mapping[str, tuple[str, ...]]

    @property
    def quiet(self) -> bool:
        """Say nothing."""
        return bool(self.flags & {"-q", "--quiet"})


def parse(words: tuple[str, ...]) -> Request | str:
    """The request, or the option that systemctl does not know."""
    flags: set[str] = set()
    values: dict[str, tuple[str, ...]] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if key in _VALUED:
            values[key] = (*values.get(key, ()), value if equals else next(rest, ""))
        elif word.startswith("-p") and len(word) > 2:
            values["-p"] = (*values.get("-p", ()), word[2:])
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("-"):
            return word
        else:
            plain.append(word)
    units = tuple(name if "." in name else f"{name}.service" for name in plain[1:])
    return Request(plain[0] if plain else "list-units", units, frozenset(flags), values)


def merge(replies: list[Reply]) -> Reply:
    """One answer from several: the first failure's code, all that was said."""
    code = next((reply.code for reply in replies if reply.code), 0)
    return Reply(code, "".join(reply.out for reply in replies), "".join(reply.err for reply in replies))


def each(one: Callable[[Machine, Request, str], Reply]) -> Callable[[Machine, Request], Reply]:
    """A verb that is done for each unit in turn."""

    def run(machine: Machine, request: Request) -> Reply:
        if not request.units:
            return complain("Too few arguments.")
        return merge([one(machine, request, unit) for unit in request.units])

    return run


def known(machine: Machine, unit: str) -> bool:
    """Is there such a unit?"""
    try:
        machine.units.unit(unit)
    except NoSuchUnit:
        return False
    return True
