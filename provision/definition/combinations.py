"""Settings that exclude or need each other, beyond names, addresses, ports and slices. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from provision.definition import values
from provision.definition.complaint import Complaint, Place
from provision.definition.draft import Draft, winrm_key, winrm_scheme

PASSWORDLESS = ("kerberos", "certificate")
"""Ways to log in to WinRM that can do without a password: a ticket, a client certificate."""


def check_combinations(draft: Draft) -> Iterator[Complaint]:
    """Everything of this kind that is wrong with the file."""
    yield from _vip_owner(draft)
    yield from _affinity(draft)
    yield from _stats(draft)
    yield from _winrm_blocks(draft)
    said: set[tuple[str, Place]] = set()
    for server in draft.places("servers"):
        for complaint in _winrm_of(draft, server):
            if (complaint.code, complaint.place) not in said:  # what the top-level winrm lacks is said once
                said.add((complaint.code, complaint.place))
                yield complaint


def _vip_owner(draft: Draft) -> Iterator[Complaint]:
    balancers = len(list(draft.places("balancers")))
    if draft.text("vip_owner") == "static" and balancers > 1:
        message = f"a static VIP cannot move between {balancers} balancers"
        yield Complaint("P117", ("vip_owner",), message, "one balancer, or vip_owner: external with keepalived")


def _affinity(draft: Draft) -> Iterator[Complaint]:
    if draft.text("ftp", "passive_layout") == "shared" and draft.text("ftp", "affinity") == "none":
        message = "without affinity the shared layout sends data connections to other servers than their logins"
        yield Complaint("P117", ("ftp", "affinity"), message, "affinity: source, or passive_layout: sliced")


def _stats(draft: Draft) -> Iterator[Complaint]:
    """A page that others can see, or that can take servers out, needs a login; half a login is none."""
    if not isinstance(draft.raw("stats"), dict):
        return
    user, password = draft.has("stats", "user"), draft.has("stats", "password")
    if user != password:
        given, lacking = ("user", "password") if user else ("password", "user")
        yield Complaint("P117", ("stats", given), f"stats has a {given} and no {lacking}", "both or none", at_key=True)
        return
    bind = draft.text("stats", "bind") or "127.0.0.1"
    seen = draft.value(values.bind_address, "stats", "bind") is not None and not bind.startswith("127.")
    if not user and (seen or draft.raw("stats", "admin") is True):
        place: Place = ("stats", "bind") if seen else ("stats", "admin")
        what = "may be seen from outside" if seen else "may take servers out"
        yield Complaint("P117", place, f"the statistics page {what} and asks for no login", "add user and password")


def _winrm_blocks(draft: Draft) -> Iterator[Complaint]:
    """Within one block: a certificate authority is no use where nothing is verified."""
    for block in (("winrm",), *((*server, "winrm") for server in draft.places("servers"))):
        if draft.raw(*block, "verify") is False and draft.has(*block, "ca_file"):
            message = "ca_file is not looked at when verify is false"
            yield Complaint("P117", (*block, "ca_file"), message, "leave out one of both", at_key=True)


def _winrm_of(draft: Draft, server: Place) -> Iterator[Complaint]:
    """What counts for one server, after its own keys replaced the top-level ones."""
    name, auth = draft.name_of(server), winrm_key(draft, server, "auth")
    if auth in ("basic", "certificate") and winrm_scheme(draft, server) == "http":
        why = "sends the password in the clear" if auth == "basic" else "does not exist"
        message = f"{auth} over http {why} ({name})"
        yield Complaint("P117", _winrm_place(draft, server, "auth"), message, f"scheme: https with auth: {auth}")
    needed = ("user",) if auth in PASSWORDLESS else ("user", "password")
    lacking = [key for key in needed if winrm_key(draft, server, key) is None]
    if lacking:
        message = f"{name} has no winrm.{' and no winrm.'.join(lacking)}"
        yield Complaint("P106", _lacking(draft, server), message, "give them in winrm, or in the server's own winrm")


def _winrm_place(draft: Draft, server: Place, key: str) -> Place:
    """Where the key that counts for `server` stands."""
    return (*server, "winrm", key) if draft.has(*server, "winrm", key) else ("winrm", key)


def _lacking(draft: Draft, server: Place) -> Place:
    """Where a key of WinRM would be added: the server's own block, the top-level one, or the server."""
    own: Place = (*server, "winrm")
    return own if draft.has(*own) else (("winrm",) if draft.has("winrm") else server)
