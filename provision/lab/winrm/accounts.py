"""Who may log in at the lab's WinRM endpoint, and the file that pyspnego's NTLM acceptor reads.

It must not know HTTP. The NTLM acceptor finds its accounts only through the environment variable
NTLM_USER_FILE, which belongs to the whole process: one Windows host per process.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

NTLM_USER_FILE = "NTLM_USER_FILE"
_NO_LM_HASH = "0" * 32


@dataclass(frozen=True, slots=True)
class Account:
    """One local account. `domain` is also accepted before a backslash; `may_connect` is membership in
    Administrators or Remote Management Users: without it the login works and every request is denied.
    """

    user: str
    password: str = field(repr=False)
    domain: str = ""
    may_connect: bool = True

    def is_named(self, name: str) -> bool:
        """Whether `name`, with or without a domain, means this account; case does not matter."""
        return name.rpartition("\\")[2].casefold() == self.user.casefold()


def find_account(accounts: Sequence[Account], name: str) -> Account | None:
    """The account that `name` (USER or DOMAIN\\USER) means."""
    return next((account for account in accounts if account.is_named(name)), None)


def check_password(accounts: Sequence[Account], name: str, password: str) -> Account | None:
    """The account, when the password is right; compared in constant time."""
    account = find_account(accounts, name)
    if account and hmac.compare_digest(account.password.encode(), password.encode()):
        return account
    return None


def publish_ntlm_accounts(accounts: Sequence[Account], file: Path) -> None:
    """Write the accounts' NT hashes to `file` (0600) and point this process's NTLM acceptor at it.

    The smbpasswd form is used because it holds hashes: a colon in a password cannot break it.
    """
    names = [(name, account) for account in accounts for name in _login_names(account)]
    lines = [
        f"{name}:{index}:{_NO_LM_HASH}:{ntowfv1(account.password).hex().upper()}:[U]:LCT-0"
        for index, (name, account) in enumerate(names)
    ]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    os.environ[NTLM_USER_FILE] = str(file)


def _login_names(account: Account) -> tuple[str, ...]:
    return (account.user, f"{account.domain}\\{account.user}") if account.domain else (account.user,)
