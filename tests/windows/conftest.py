"""A Windows host of the lab inside the test's own process, and FTP clients with addresses of their own."""

from __future__ import annotations

import ftplib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from windows.iishost import ADDRESS, CLIENT, PORT, SITE, Connect, MakeHost

from provision.lab.windows.host import WindowsHost
from provision.lab.windows.settings import HostSettings, Login, SiteSettings, save_settings
from provision.lab.winrm.tls import make_tls


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[MakeHost]:
    made: list[WindowsHost] = []

    def make(*, boot: bool = True, tls: bool = False, **changes: object) -> WindowsHost:
        folder = tmp_path / f"win{len(made)}"
        (folder / "C" / "inetpub" / "ftproot").mkdir(parents=True)
        (folder / "admin").write_text("Adm1n-secret\n")
        (folder / "user").write_text("Us3r-secret\n")
        files = make_tls(folder, ADDRESS) if tls else None
        settings = HostSettings(
            "win1", ADDRESS,
            (Login("labadmin", Path("admin"), True), Login("ftpuser", Path("user"), False)),
            (SiteSettings(SITE, f"*:{PORT}:", "%SystemDrive%\\inetpub\\ftproot"),), passive_rule_open=True)
        if files:
            settings = replace(settings, ca=files.ca, certificate=files.certificate, certificate_key=files.key)
        save_settings(folder, replace(settings, **changes))  # type: ignore[arg-type]  # fields by name, as the test says
        host = WindowsHost(folder)
        made.append(host)
        if boot:
            host.services.boot()
        return host

    yield make
    for host in made:
        host.services.shut_down()


@pytest.fixture
def host(make_host: MakeHost) -> WindowsHost:
    return make_host()


@pytest.fixture
def connect() -> Iterator[Connect]:
    clients: list[ftplib.FTP] = []

    def make(client: str = CLIENT, login: bool = True, kind: type[ftplib.FTP] = ftplib.FTP) -> ftplib.FTP:
        ftp = kind()
        clients.append(ftp)
        ftp.connect(ADDRESS, PORT, timeout=5, source_address=(client, 0))
        if login:
            ftp.login("ftpuser", "Us3r-secret")
        return ftp

    yield make
    for ftp in clients:
        ftp.close()
