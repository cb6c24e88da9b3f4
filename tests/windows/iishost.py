"""Names, addresses and hand edits that the tests of the Windows host share."""

from __future__ import annotations

import ftplib
import re
from collections.abc import Callable

from provision.lab.windows.apphost import Document
from provision.lab.windows.elements import ConfigElement
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.sectionreader import open_section

ADDRESS = "127.0.46.11"
CLIENT = "127.0.46.1"
PORT = 2121
SITE = "Default FTP Site"

MakeHost = Callable[..., WindowsHost]
Connect = Callable[..., ftplib.FTP]


def edit_ftp(host: WindowsHost, change: Callable[[ConfigElement], None]) -> None:
    """A hand edit of the site's ftpServer element, on disk."""
    document = Document.load(host.config_path)
    sites = open_section(document, "system.applicationHost/sites", ftp=True).entries()
    change(next(site for site in sites if site.value("name") == SITE).child("ftpServer"))
    document.save(host.config_path)


def edit_range(host: WindowsHost, low: int, high: int) -> None:
    """A hand edit of the port range, on disk."""
    document = Document.load(host.config_path)
    section = open_section(document, "system.ftpServer/firewallSupport", ftp=True)
    section.write("lowDataChannelPort", low)
    section.write("highDataChannelPort", high)
    document.save(host.config_path)


def restart(host: WindowsHost) -> None:
    """Restart-Service ftpsvc."""
    host.services.stop("ftpsvc")
    host.services.start("ftpsvc")


def passive(ftp: ftplib.FTP) -> tuple[str, int]:
    """Address and port of a PASV answer."""
    found = re.search(r"\((\d+),(\d+),(\d+),(\d+),(\d+),(\d+)\)", ftp.sendcmd("PASV"))
    assert found
    numbers = found.groups()
    return ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])
