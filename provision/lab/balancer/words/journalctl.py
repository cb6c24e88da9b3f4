"""`journalctl`: what the services of the host said."""

from __future__ import annotations

import re

from provision.lab.balancer.call import Call, Reply, complain, say
from provision.lab.balancer.machine import Machine


def journalctl(machine: Machine, call: Call) -> Reply:
    """The journal: --sync (there is nothing to wait for), -u UNIT, -n COUNT, --since @SECONDS, -o cat; other options are taken and change nothing."""
    if "--sync" in call.arguments:  # from systemd 228 on
        old = machine.settings.shape.major == 7
        return complain("journalctl: unrecognized option '--sync'") if old else Reply()
    unit: str | None = None
    count, bare, since = 1000, False, 0.0
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
        elif key == "--since":
            if not re.fullmatch(r"@\d+(\.\d+)?", value):
                return complain(f"Failed to parse timestamp: {value}")  # the real one knows more forms
            since = float(value[1:])
    entries = machine.journal.tail(unit, count, since)
    if not entries:
        return Reply() if bare else say("-- No entries --")
    return say(*(entry.text if bare else entry.render(machine.settings.name) for entry in entries))
