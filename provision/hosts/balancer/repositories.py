"""What yum and dnf say where no package can be had, and the way out of it. Pure.

The way out is for a human to go: which mirror a machine trusts is not ours to say, so no repository is ever changed.
"""

from __future__ import annotations

import re

LONGEST = 500
"""Characters of a tool's own words that an error shows."""

_TELLING = re.compile(
    r"""^\s*(?:
        \d+:\ curl\#\d+\ -\ "(?P<cause>[^"]*)"
      | (?P<line>(?:Error:|Cannot\ find\ a|This\ system\ is\ not|There\ are\ no\ enabled|No\ package|No\ match
                  |\S+:\ \[Errno).*)
    )""",
    re.VERBOSE | re.MULTILINE,
)
_DEAD = re.compile(r"mirror(list)?\.centos\.org|No URLs in mirrorlist")
_UNREGISTERED = re.compile(r"not registered|no enabled repo", re.IGNORECASE)
_UNKNOWN = re.compile(r"No matching Packages|No match for argument|Unable to find a match|Nothing to do|No package")
_UNREACHED = re.compile(r"resolve host|curl|timed? ?out|no more mirrors|failed to download", re.IGNORECASE)


def telling(said: str) -> str:
    """The lines that say what is wrong, of what may be a page of yum's advice. Empty when the tool said nothing."""
    found = dict.fromkeys((one["cause"] or one["line"]).strip() for one in _TELLING.finditer(said))
    return ("; ".join(found) or said.strip())[-LONGEST:]


def remedy(said: str) -> str:
    """What to do about it."""
    if _DEAD.search(said):
        return (
            "CentOS's mirrors are gone for good: in /etc/yum.repos.d comment out the mirrorlist lines and let baseurl "
            "point at vault.centos.org or at a mirror of your own, or install haproxy by hand; "
            "provision changes no repository"
        )
    if _UNREGISTERED.search(said):
        return "run 'subscription-manager register', or use a mirror of your own, or install haproxy by hand"
    if _UNKNOWN.search(said):
        return "enable the repository that has haproxy (EL7: base and updates; later: AppStream), or install it by hand"
    if _UNREACHED.search(said):
        return "see to the machine's DNS and to 'proxy' in yum.conf or dnf.conf, or install haproxy by hand"
    return "mend the repositories, or install haproxy by hand"
