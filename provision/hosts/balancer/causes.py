"""What a machine's own words for a failed step mean, and what to do about it: data first. Pure.

The words are HAProxy's (`haproxy -c` and the start of its listeners), as they stand in the unit's journal.
"""

from __future__ import annotations

import re
from itertools import groupby

_SELINUX = "ausearch -m avc -ts recent -c haproxy shows what SELinux denied"

_CAUSES = (
    (
        r"cannot bind socket \(Permission denied\)",
        f"say 'selinux: boolean' for {{balancer}}: SELinux does not let HAProxy use these ports ({_SELINUX})",
    ),
    (
        r"UNIX socket \(Permission denied\) \[/var/lib/haproxy/",
        "chown root:root /var/lib/haproxy on {balancer}: SELinux lets HAProxy write there only as the owner (P533)",
    ),
    (
        r"UNIX socket \(Permission denied\)",
        f"see to the owner and the label (ls -Z) of the socket's folder on {{balancer}}: {_SELINUX}",
    ),
    (
        r"jit compilation failed",
        f"SELinux denies this haproxy the memory for compiled regular expressions ({_SELINUX})",
    ),
    (
        r"(?:cannot bind socket|Starting \S+ \S+:) .*\(?Address already in use",
        "find who has the port on {balancer} (ss -ltnp) and move it",
    ),
    (
        r"cannot bind socket \[",  # 1.5 and 1.8 keep the reason to themselves
        "see on {balancer} if SELinux denies it (getenforce), somebody has the port (ss -ltnp), or the VIP is missing",
    ),
    (
        r"\(Cannot assign requested address\)",
        "give {balancer} the VIP, or say 'vip_owner: static' or 'transparent: true'",
    ),
)
"""Pattern in the words, and the way out; the first that fits counts. `{balancer}` is the host's name."""


def way_out(said: str, balancer: str) -> str:
    """What to do about `said`, the output of a failed step; empty where nothing is known of it."""
    fits = (fix for pattern, fix in _CAUSES if re.search(pattern, said))
    return next(fits, "").format(balancer=balancer)


def condensed(said: str) -> str:
    """The words without the repetitions: of lines in a row that differ in their numbers only, the first and a count.

    HAProxy says once for each port of a range that it could not bind it.
    """
    lines: list[str] = []
    for _, group in groupby(said.splitlines(), key=lambda line: re.sub(r"\d+", "#", line)):
        first, *rest = group
        lines += [first, f"... and {len(rest)} lines like it"] if len(rest) > 2 else [first, *rest]
    return "\n".join(lines)
