"""A Windows Server as it comes out of the box, with the FTP role and its sites: the first files of a host's folder.

It must not know the running host. The configuration is laid out as IIS writes it; the port range and the external
addresses are absent.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from xml.sax.saxutils import quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provision.lab.windows.apphost import replace_file
from provision.lab.windows.firewall import built_in_profiles, built_in_rules
from provision.lab.windows.settings import HostSettings, SiteSettings
from provision.lab.windows.state import EventRecord, Service, StateStore, Value, WindowsState

CONFIG_NAME = "applicationHost.config"
REDIRECTION_NAME = "redirection.config"
STATE_NAME = "windows.json"

_FTP_SECTIONS = """        <sectionGroup name="system.ftpServer">
            <section name="log" overrideModeDefault="Deny" allowDefinition="AppHostOnly" />
            <section name="firewallSupport" overrideModeDefault="Deny" allowDefinition="AppHostOnly" />
            <section name="caching" overrideModeDefault="Deny" allowDefinition="AppHostOnly" />
            <section name="serverRuntime" overrideModeDefault="Deny" allowDefinition="AppHostOnly" />
            <sectionGroup name="security">
                <section name="ipSecurity" overrideModeDefault="Deny" />
                <section name="requestFiltering" overrideModeDefault="Deny" />
                <section name="authorization" overrideModeDefault="Deny" />
                <section name="authentication" overrideModeDefault="Deny" />
            </sectionGroup>
        </sectionGroup>
"""

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!--

    IIS configuration sections of this server.

-->
<configuration>
    <configSections>
        <sectionGroup name="system.applicationHost">
            <section name="sites" allowDefinition="AppHostOnly" overrideModeDefault="Deny" />
        </sectionGroup>
{ftp_sections}    </configSections>
    <system.applicationHost>
        <sites>
"""

_FTP_DEFAULTS = """                <ftpServer>
                    <security>
                        <ssl serverCertHash="{hash}" controlChannelPolicy="SslAllow" dataChannelPolicy="SslAllow" />
                        <authentication>
                            <basicAuthentication enabled="true" />
                        </authentication>
                    </security>
                </ftpServer>
"""

_LOCATION = """    <location path={name}>
        <system.ftpServer>
            <security>
                <authorization>
                    <add accessType="Allow" users="*" permissions="Read, Write" />
                </authorization>
            </security>
        </system.ftpServer>
    </location>
"""

_REDIRECTION = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <configSections>
        <section name="configurationRedirection" />
    </configSections>
    <configurationRedirection />
</configuration>
"""


def write_fresh(directory: Path, settings: HostSettings) -> None:
    """Make the files of a fresh host in DIRECTORY; what is there is replaced."""
    replace_file(directory / CONFIG_NAME, fresh_configuration(settings, thumbprint(directory, settings)).encode())
    replace_file(directory / REDIRECTION_NAME, _REDIRECTION.encode())
    StateStore(directory / STATE_NAME).write(fresh_state(settings))


def thumbprint(directory: Path, settings: HostSettings) -> str:
    """The SHA-1 thumbprint of the host's certificate, as Windows shows it; "" where there is none."""
    if settings.certificate is None:
        return ""
    certificate = x509.load_pem_x509_certificate((directory / settings.certificate).read_bytes())
    return hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest().upper()


def fresh_configuration(settings: HostSettings, certificate_hash: str) -> str:
    """applicationHost.config of a fresh host."""
    ftp = "Web-Ftp-Server" in settings.features
    sites = settings.sites if ftp else ()
    return (
        _HEAD.format(ftp_sections=_FTP_SECTIONS if ftp else "")
        + _site("Default Web Site", 1, "http", "*:80:", "%SystemDrive%\\inetpub\\wwwroot", "")
        + "".join(_ftp_site(site, number) for number, site in enumerate(sites, 2))
        + "            <siteDefaults>\n"
        + (_FTP_DEFAULTS.format(hash=certificate_hash) if ftp else "")
        + "            </siteDefaults>\n        </sites>\n    </system.applicationHost>\n"
        + ("    <system.ftpServer>\n    </system.ftpServer>\n" if ftp else "")
        + "".join(_LOCATION.format(name=quoteattr(site.name)) for site in sites)
        + "</configuration>\n"
    )


def _ftp_site(site: SiteSettings, number: int) -> str:
    extra = ""
    if site.external_address:
        extra = ("                <ftpServer>\n                    <firewallSupport externalIp4Address="
                 f"{quoteattr(site.external_address)} />\n                </ftpServer>\n")
    return _site(site.name, number, "ftp", site.binding, site.physical_path, extra)


def _site(name: str, number: int, protocol: str, binding: str, path: str, extra: str) -> str:
    return f"""            <site name={quoteattr(name)} id="{number}">
                <application path="/">
                    <virtualDirectory path="/" physicalPath={quoteattr(path)} />
                </application>
                <bindings>
                    <binding protocol="{protocol}" bindingInformation={quoteattr(binding)} />
                </bindings>
{extra}            </site>
"""


def fresh_state(settings: HostSettings) -> WindowsState:
    """Everything apart from IIS's configuration; services are started by the boot."""
    ftp = "Web-Ftp-Server" in settings.features
    services = [
        Service("EventLog", "Windows Event Log"), Service("MpsSvc", "Windows Firewall"),
        Service("WinRM", "Windows Remote Management (WS-Management)"),
        Service("WAS", "Windows Process Activation Service", "Manual"),
        Service("W3SVC", "World Wide Web Publishing Service"),
    ]
    services += [Service("ftpsvc", "Microsoft FTP Service")] if ftp else []
    components: dict[str, Value] = {"ManagementConsole": 1, **({"FTPSvc": 1} if ftp else {})}
    return WindowsState(
        computer_name=settings.name.upper()[:15],
        address=settings.address,
        features=settings.features,
        services={each.name.lower(): each for each in services},
        rules=built_in_rules(passive_open=settings.passive_rule_open) if ftp else (),
        profiles=built_in_profiles(),
        registry={"HKLM:\\SOFTWARE\\Microsoft\\InetStp\\Components": components},
        events=(EventRecord("System", "EventLog", 6009, 4, 0.0, "Microsoft (R) Windows (R) 10.00. 14393."),),
    )
