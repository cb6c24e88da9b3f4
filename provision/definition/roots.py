"""Whether a balancer's root can carry what is put below it. Looks at the file system, changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from provision.definition.build import real_root
from provision.definition.complaint import Complaint, shown
from provision.definition.draft import Draft

STATS_SOCKET = "/var/lib/haproxy/stats"
LONGEST_SOCKET = 97
"""Characters of a socket path: the kernel holds 107, and haproxy binds `PATH.PID.tmp` before it renames it."""


def check_roots(draft: Draft, folder: Path) -> Iterator[Complaint]:
    """Roots that are too long or hold characters that haproxy.cfg and shell words would stumble over.

    A relative root that is not there yet is passed over: the lab puts a short link in its place before it is used.
    """
    for balancer in draft.places("balancers"):
        text = draft.text(*balancer, "root")
        if text is None or not text.isprintable():
            continue
        root = real_root(text, folder)
        if not text.startswith(("/", "~")) and not Path(root).exists():
            continue
        place = (*balancer, "root")
        if len(root + STATS_SOCKET) > LONGEST_SOCKET:
            message = f"the root is {len(root)} characters long: {shown(root)}"
            yield Complaint("P119", place, message, f"at most {LONGEST_SOCKET - len(STATS_SOCKET)}: sockets lie below")
        elif not re.fullmatch(r"[A-Za-z0-9._/+@-]+", root):
            yield Complaint("P119", place, f"the root is {shown(root)}", "letters, digits and . _ / + @ - only")
