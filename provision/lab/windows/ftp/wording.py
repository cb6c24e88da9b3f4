"""The words of IIS's FTP service: replies, features, and the commands that it does not have.

It must not know policy or connections. pyftpdlib speaks; this class changes what is heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pyftpdlib.handlers import TLS_FTPHandler

MISSING = frozenset({"MLSD", "MLST", "MFMT", "SITE CHMOD"})
FEATURES = ("LANG EN*", "UTF8", "AUTH TLS;TLS-C;SSL;TLS-P;", "PBSZ", "PROT C;P;", "HOST", "SIZE", "MDTM",
            "REST STREAM")
NOT_RETRIEVABLE = "is not retrievable."
BY_CODE: Mapping[str, str] = MappingProxyType({
    "125": "Data connection already open; Transfer starting.",
    "150": "Opening BINARY mode data connection.",
    "215": "Windows_NT",
    "331": "Password required",
})
BY_TEXT: Mapping[str, str] = MappingProxyType({
    "Log in with USER and PASS first.": "Please login with USER and PASS.",
    "No such file or directory.": "The system cannot find the file specified.",
    "Permission denied.": "Access is denied.",
    "Not enough privileges.": "Access is denied.",
    "File exists.": "Cannot create a file when that file already exists.",
    "Directory not empty.": "The directory is not empty.",
})


EXTRA: Mapping[str, Mapping[str, object]] = MappingProxyType({
    "HOST": {"perm": None, "auth": False, "arg": True, "help": "Syntax: HOST <SP> host-name."},
    "LANG": {"perm": None, "auth": False, "arg": None, "help": "Syntax: LANG [<SP> language-tag]."},
})


class IisWording(TLS_FTPHandler):  # type: ignore[misc]  # pyftpdlib ships no types
    """A control connection that sounds like IIS 10."""

    proto_cmds = {**{name: rule for name, rule in TLS_FTPHandler.proto_cmds.items() if name not in MISSING}, **EXTRA}
    encoding = "utf-8"

    @classmethod
    def get_ssl_context(cls) -> None:
        """Contexts belong to sites, not to the class: pyftpdlib must not make one."""
        return

    def respond(self, resp: str, logfun: Any = None) -> None:
        """Reply in the words of IIS."""
        code, text = resp[:3], resp[4:]
        text = "No such file or directory." if text.endswith(NOT_RETRIEVABLE) else text
        worded = BY_CODE.get(code) or BY_TEXT.get(text, text)
        arguments = (f"{code} {worded}",) if logfun is None else (f"{code} {worded}", logfun)
        super().respond(*arguments)

    def ftp_FEAT(self, _line: str) -> None:
        """The features of IIS 10."""
        self.push("211-Extended features supported:\r\n" + "".join(f" {each}\r\n" for each in FEATURES))
        super().respond("211 END")

    def ftp_HOST(self, _name: str) -> None:
        """No binding of the lab has a host name: every name is the site's."""
        self.respond("220 Host accepted.")

    def ftp_LANG(self, tag: str) -> None:
        """English is the only language."""
        known = not tag or tag.lower().startswith("en")
        self.respond("200 Language is now English." if known else "504 Language not supported.")
