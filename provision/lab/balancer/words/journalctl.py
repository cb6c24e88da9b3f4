"""`journalctl`: what the services of the host said."""

from __future__ import annotations

from provision.lab.balancer.call import Call, Reply, say
from provision.lab.balancer.machine import Machine


def journalctl(machine: Machine, call: Call) -> Reply:
    """The journal: -u UNIT, -n COUNT, -o cat, -k (nothing); other options are taken and change nothing."""
    unit: str | None = None
    count, bare = 1000, False
    words = list(call.arguments)
    while words:
        word = words.pop(0)
        key, equals, value = word.partition("=")
        if key in ("-u", "--unit", "-n", "--lines", "-o", "--output", "--since", "-p") or word in ("-xeu", "-t"):
            value = value if equals else (words.pop(0) if words else "")
        if key in ("-u", "--unit", "-xeu"):
            unit = value if "." in value else f"{value}.service"
        elif key in ("-n", "--lines"):
            count = int(value) if value.isdigit() else count
        elif key in ("-o", "--output"):
            bare = value == "cat"
    entries = machine.journal.tail(unit, count)
    if not entries:
        return Reply() if bare else say("-- No entries --")
    return say(*(entry.text if bare else entry.render(machine.settings.name) for entry in entries))
