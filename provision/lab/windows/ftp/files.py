"""Who may log in to a site, with which rights, and how its folder looks in a listing.

It must not know sockets or the protocol. Listings are in the MS-DOS style that IIS uses unless the site's
`directoryBrowse` asks for the Unix style.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from pyftpdlib.authorizers import AuthenticationFailed
from pyftpdlib.filesystems import AbstractedFS, FilesystemError

from provision.lab.windows.ftp.settings import FtpSite

READ_RIGHTS = frozenset("elr")
WRITE_RIGHTS = frozenset("adfmwMT")
ANONYMOUS = ("anonymous", "ftp")


class SiteAuthorizer:
    """Logins and rights at one site, in the shape that pyftpdlib asks for.

    ACCOUNTS gives the accounts of the machine, lower-case name -> password, and is asked at each login.
    """

    def __init__(self, site: FtpSite, accounts: Callable[[], Mapping[str, str]]) -> None:
        self._site = site
        self._accounts = accounts

    def validate_authentication(self, username: str, password: str, _handler: object) -> None:
        """Raises AuthenticationFailed with the reply text of IIS."""
        known = self._anonymous(username) or (
            self._site.basic and self._accounts().get(_plain(username)) == password)
        if not known:
            raise AuthenticationFailed("User cannot log in.")
        if not self._site.root.is_dir():
            raise AuthenticationFailed("User cannot log in, home directory inaccessible.")
        if not self._rights(username):
            raise AuthenticationFailed("User cannot log in, authorization rules deny access.")

    def get_home_dir(self, _username: str) -> str:
        return str(self._site.root)

    def get_msg_login(self, _username: str) -> str:
        return "User logged in."

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."

    def has_perm(self, username: str, perm: str, _path: str | None = None) -> bool:
        return perm in self._rights(username)

    def get_perms(self, username: str) -> str:
        return "".join(sorted(self._rights(username)))

    def impersonate_user(self, username: str, password: str) -> None:
        """Files belong to the lab's own user, whoever logs in."""

    def terminate_impersonation(self, username: str) -> None:
        """Nothing was impersonated."""

    def _anonymous(self, username: str) -> bool:
        return self._site.anonymous and username.lower() in ANONYMOUS

    def _rights(self, username: str) -> frozenset[str]:
        """What the authorization rules allow; a deny rule wins."""
        own = {"?", "*"} if username.lower() in ANONYMOUS else {"*", _plain(username)}
        given: set[str] = set()
        taken: set[str] = set()
        for grant in self._site.grants:
            if own & set(grant.users):
                rights = (READ_RIGHTS if grant.read else frozenset()) | (WRITE_RIGHTS if grant.write else frozenset())
                (given if grant.allow else taken).update(rights)
        return frozenset(given - taken)


def _plain(username: str) -> str:
    """The account's name: case does not matter, and the machine's own name may stand before it."""
    return username.rpartition("\\")[2].lower()


class SiteFiles(AbstractedFS):  # type: ignore[misc]  # pyftpdlib ships no types
    """The folder of a site."""

    def rename(self, src: str, dst: str) -> None:
        """As on Windows, a name that is taken stays taken, unless the site allows to replace it."""
        if os.path.lexists(dst) and not self.cmd_channel.site.replace_on_rename:
            raise FilesystemError("Cannot create a file when that file already exists")
        super().rename(src, dst)

    def format_list(self, basedir: str, listing: Iterable[str], ignore_err: bool = True) -> Iterator[bytes]:
        """Lines of LIST, with CR and LF."""
        if self.cmd_channel.site.unix_listing:
            yield from super().format_list(basedir, listing, ignore_err)
            return
        for name in listing:
            try:
                status = os.stat(os.path.join(basedir, name))
            except OSError:
                if not ignore_err:
                    raise
                continue
            yield dos_line(name, status).encode("utf-8")


def dos_line(name: str, status: os.stat_result) -> str:
    """One entry as IIS writes it: date, time, <DIR> or the size in bytes, name."""
    when = time.strftime("%m-%d-%y  %I:%M%p", time.gmtime(status.st_mtime))
    kind = f"{'<DIR>':>12}         " if stat.S_ISDIR(status.st_mode) else f"{status.st_size:>21}"
    return f"{when}{kind} {name}\r\n"
