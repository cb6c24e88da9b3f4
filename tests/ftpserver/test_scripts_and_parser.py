"""The shipped scripts, evaluated on a modelled Windows, against the calls and parsers of the product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ftpserver.windows_answers import SITE, cluster, server
from windows.iishost import edit_range

from provision.errors import ChangeFailed, ReadFailed
from provision.hosts.ftp_server.change import ChangeReport, change_call, parse_change
from provision.hosts.ftp_server.desired import desired
from provision.hosts.ftp_server.reading import ServerReading, parse_reading, read_call
from provision.lab.powershell.runspace import Runspace
from provision.lab.windows.host import WindowsHost
from provision.lab.windows.settings import HostSettings, Login, SiteSettings, save_settings
from provision.lab.windows.world import make_world
from provision.model.change import Change
from provision.model.cluster import Cluster, Server
from provision.model.command import PowerShellCall
from provision.model.ports import PortRange
from provision.model.resources import DataChannelPorts, FtpService, Resource
from provision.model.state import Key, State
from provision.planning.diff import diff

SCRIPTS = Path(__file__).resolve().parents[2] / "powershell"
ADDRESS, PORT = "127.0.47.11", 2121
SERVICE_KEY = Key("win1", "ftp-service", "ftpsvc")


@dataclass(frozen=True)
class Windows:
    """A modelled Windows server, spoken to with the product's own calls."""

    host: WindowsHost
    server: Server
    cluster: Cluster

    def answer(self, call: PowerShellCall) -> str:
        text = (SCRIPTS / call.script).read_text(encoding="utf-8")
        (said,) = Runspace(make_world(self.host)).run(text, {"Json": call.json}).output
        assert isinstance(said, str)
        return said

    def read(self) -> ServerReading:
        return parse_reading(self.answer(read_call(self.cluster, self.server)), self.cluster, self.server)

    def change(self, changes: Sequence[Change]) -> ChangeReport:
        return parse_change(self.answer(change_call(self.cluster, self.server, changes)), self.server)

    def lacks(self) -> tuple[Change, ...]:
        """What stands between the server as it is and as it should be."""
        reading = self.read()
        wanted: dict[Key, Resource] = desired(self.cluster, self.server, reading.facts, ["127.0.47.1"])
        return diff(State(reading.resources), State(wanted))


@pytest.fixture
def windows(tmp_path: Path) -> Iterator[Windows]:
    folder = tmp_path / "win1"
    (folder / "C" / "inetpub" / "ftproot").mkdir(parents=True)
    (folder / "admin").write_text("Adm1n-secret\n")
    site = SiteSettings(SITE, f"*:{PORT}:", "%SystemDrive%\\inetpub\\ftproot")
    settings = HostSettings("win1", ADDRESS, (Login("labadmin", Path("admin"), True),), (site,), passive_rule_open=True)
    save_settings(folder, settings)
    one = replace(server(), address=ADDRESS, ftp_address=ADDRESS, ftp_port=PORT)
    host = WindowsHost(folder)
    host.services.boot()
    yield Windows(host, one, cluster(servers=(one,)))
    host.services.shut_down()


def test_a_fresh_server_is_brought_to_what_is_desired_in_one_call(windows: Windows) -> None:
    assert windows.change(windows.lacks()).restarted
    assert windows.lacks() == ()


def test_what_was_absent_is_absent_again_after_the_way_back(windows: Windows) -> None:
    before = windows.read().resources
    changes = windows.lacks()
    windows.change(changes)
    windows.change([one.inverse() for one in changes])
    assert windows.read().resources == before
    assert set(before) == {SERVICE_KEY}


def test_a_range_changed_by_hand_shows_as_another_range_and_as_a_stale_service(windows: Windows) -> None:
    windows.change(windows.lacks())
    edit_range(windows.host, 30000, 30009)
    found = windows.read().resources
    assert found[Key("win1", "data-channel-ports", "server")] == DataChannelPorts(PortRange(30000, 30009))
    assert found[SERVICE_KEY] == FtpService("Automatic", True, False)
    windows.change(windows.lacks())
    assert windows.lacks() == ()


def test_a_stopped_service_is_started_again(windows: Windows) -> None:
    windows.change(windows.lacks())
    windows.host.services.stop("ftpsvc")
    (change,) = windows.lacks()
    assert change.before == FtpService("Automatic", False, False)
    windows.change([change])
    assert windows.lacks() == ()


def test_an_order_for_a_site_that_is_not_there_lists_those_that_are(windows: Windows) -> None:
    gone = replace(windows.server, sites=("Shop",))
    with pytest.raises(ReadFailed) as caught:
        replace(windows, server=gone).read()
    assert (caught.value.code, caught.value.next) == ("P402", f"FTP sites there: {SITE}")


def test_without_named_sites_the_site_on_the_address_is_ours(windows: Windows) -> None:
    unnamed = replace(windows, server=replace(windows.server, sites=None))
    assert unnamed.read().facts.managed_sites == (SITE,)


def test_an_order_that_the_script_does_not_take_is_an_error_of_ours(windows: Windows) -> None:
    odd = PowerShellCall("Set-FtpServerState.ps1", '{"cluster": "shop", "ruleName": "r", "surprise": 1}')
    with pytest.raises(ChangeFailed, match="surprise"):
        parse_change(windows.answer(odd), windows.server)
