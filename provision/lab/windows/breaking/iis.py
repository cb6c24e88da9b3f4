"""Breaks of IIS and its FTP service: addresses, ranges, policies, content, the service itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from provision.lab.windows.apphost import Document
from provision.lab.windows.breaking.common import edit, ftp_sites, restart_ftp, store_of, tell
from provision.lab.windows.paths import WindowsPaths
from provision.lab.windows.sectionreader import open_section
from provision.lab.windows.seed import fresh_state
from provision.lab.windows.settings import load_settings
from provision.lab.windows.state import WindowsState

WRONG_ADDRESS = "10.0.0.9"
OTHER_RANGE = (40000, 40019)
OTHER_CONTENT = "C:\\inetpub\\other"
FTP_FEATURE = "Web-Ftp-"
MARKER_ROOT = "hklm:\\software\\provision\\"


def external_address(folder: Path) -> str:
    def change(document: Document) -> None:
        ftp_sites(document)[0].child("ftpServer").child("firewallSupport").write("externalIp4Address", WRONG_ADDRESS)

    edit(folder, change)
    restart_ftp(folder)
    return f"somebody set the external address of the first FTP site to {WRONG_ADDRESS} and restarted the service"


def external_address_removed(folder: Path) -> str:
    def change(document: Document) -> None:
        for site in ftp_sites(document):
            site.child("ftpServer").child("firewallSupport").clear("externalIp4Address")

    edit(folder, change)
    restart_ftp(folder)
    return "somebody removed the external address of every FTP site and restarted the service"


def range_without_restart(folder: Path) -> str:
    low, high = OTHER_RANGE

    def change(document: Document) -> None:
        section = open_section(document, "system.ftpServer/firewallSupport", ftp=True)
        section.write("lowDataChannelPort", low)
        section.write("highDataChannelPort", high)

    edit(folder, change)
    return f"somebody changed the data channel port range to {low}-{high} and did not restart the service"


def restart_forgotten(folder: Path) -> str:
    """The marker says that the range was written just now; the service is older than that."""
    store = store_of(folder)
    keys = [key for key in store.read().registry if key.lower().startswith(MARKER_ROOT)]
    if not keys:
        raise LookupError("provision never wrote a port range on this server")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def marked(state: WindowsState) -> WindowsState:
        return replace(state, registry={key: {**values, "ChangedAt": now} if key in keys else values
                                        for key, values in state.registry.items()})

    store.change(marked)
    return "the port range was written again, and the restart that should follow never came"


def service_stopped(folder: Path) -> str:
    tell(folder, do="service", name="ftpsvc", action="stop")
    return "somebody stopped the FTP service"


def service_disabled(folder: Path) -> str:
    tell(folder, do="service", name="ftpsvc", action="stop")

    def disabled(state: WindowsState) -> WindowsState:
        return state.with_service(replace(state.services["ftpsvc"], start_type="Disabled"))

    store_of(folder).change(disabled)
    return "somebody stopped the FTP service and disabled it"


def feature_removed(folder: Path) -> str:
    """Uninstall-WindowsFeature Web-Ftp-Server: the service is gone, its configuration stays and cannot be read."""
    tell(folder, do="service", name="ftpsvc", action="stop")

    def removed(state: WindowsState) -> WindowsState:
        kept = {key: service for key, service in state.services.items() if key != "ftpsvc"}
        return replace(state, services=kept, features=tuple(
            each for each in state.features if not each.startswith(FTP_FEATURE)))

    store_of(folder).change(removed)
    return "somebody removed the FTP server from the server's features"


def feature_installed(folder: Path) -> str:
    """Install-WindowsFeature Web-Ftp-Server; the service starts by itself afterwards."""
    fresh = fresh_state(load_settings(folder))
    store_of(folder).change(lambda state: replace(
        state.with_service(fresh.services["ftpsvc"]), features=fresh.features))
    tell(folder, do="service", name="ftpsvc", action="start")
    return "the FTP server is installed again"


def ssl_required(folder: Path) -> str:
    """The policy that New-WebFtpSite sets by default."""
    def change(document: Document) -> None:
        ftp_sites(document)[0].child("ftpServer").child("security").child("ssl").write(
            "controlChannelPolicy", "SslRequire")

    edit(folder, change)
    restart_ftp(folder)
    return "somebody let the first FTP site require SSL"


def ssl_allowed(folder: Path) -> str:
    """Back to what the site defaults say."""
    def change(document: Document) -> None:
        ftp_sites(document)[0].child("ftpServer").child("security").child("ssl").clear("controlChannelPolicy")

    edit(folder, change)
    restart_ftp(folder)
    return "the first FTP site follows the site defaults again"


def content_differs(folder: Path) -> str:
    """The site shows a folder of this server alone, with the same folders in it and none of the files."""
    settings = load_settings(folder)
    paths = WindowsPaths(folder, settings.shares)
    shared, other = paths.local(settings.sites[0].physical_path), paths.local(OTHER_CONTENT)
    for name in (".", *(each.name for each in shared.iterdir() if each.is_dir())):
        (other / name).mkdir(parents=True, exist_ok=True)
    _show(folder, OTHER_CONTENT)
    return f"somebody let the first FTP site show {OTHER_CONTENT}, which the other servers do not have"


def content_shared(folder: Path) -> str:
    """The site shows what it was made to show."""
    _show(folder, load_settings(folder).sites[0].physical_path)
    return "the first FTP site shows the shared content again"


def _show(folder: Path, path: str) -> None:
    def change(document: Document) -> None:
        application = ftp_sites(document)[0].entries()[0]
        application.entries()[0].write("physicalPath", path)

    edit(folder, change)
    restart_ftp(folder)
