"""A fresh Windows server of the lab for each test, on loopback addresses of this folder's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from powershell.labserver import SITE, Server

from provision.lab.windows.host import WindowsHost
from provision.lab.windows.settings import HostSettings, Login, SiteSettings, save_settings


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "win1"
    (folder / "C" / "inetpub" / "ftproot").mkdir(parents=True)
    (folder / "admin").write_text("Adm1n-secret\n")
    (folder / "user").write_text("Us3r-secret\n")
    save_settings(folder, HostSettings(
        "win1", "127.0.61.11", (Login("labadmin", Path("admin"), True), Login("ftpuser", Path("user"), False)),
        (SiteSettings(SITE, "*:2121:", "%SystemDrive%\\inetpub\\ftproot"),), passive_rule_open=True))
    host = WindowsHost(folder)
    host.services.boot()
    yield Server(host)
    host.services.shut_down()
