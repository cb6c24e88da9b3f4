"""The sections of applicationHost.config that the lab knows, written in the words of `schema`.

It must not know files or values. Source of names, types and defaults: the IIS configuration reference,
pages system.applicationHost/sites/site/ftpServer/* and system.ftpServer/*.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from provision.lab.windows.schema import (
    UINT_MAX,
    AttributeSchema,
    CollectionSchema,
    ElementSchema,
    choice,
    element,
    entries,
    flag,
    number,
    text,
)

SSL_CONTROL = {"SslAllow": 0, "SslRequire": 1, "SslRequireCredentialsOnly": 2}
SSL_DATA = {"SslAllow": 0, "SslRequire": 1, "SslDeny": 2}
SITE_STATES = {"Starting": 0, "Started": 1, "Stopping": 2, "Stopped": 3, "Unknown": 4}
PERMISSIONS = {"Read": 1, "Write": 2}
LOG_FIELDS = {"LogSuccessful": 1, "LogError": 2, "LogInfrastructure": 4}
LISTING = {"None": 0, "StyleUnix": 1, "LongDate": 2, "DisplayAvailableBytes": 4, "DisplayVirtualDirectories": 8}
LOGON_METHODS = {"Interactive": 0, "Batch": 1, "Network": 2, "ClearText": 3}
ISOLATION = {"None": 0, "StartInUsersDirectory": 1, "IsolateRootDirectoryOnly": 2, "ActiveDirectory": 3,
             "IsolateAllDirectories": 4, "Custom": 5}

CONNECTIONS = element(
    "connections",
    number("unauthenticatedTimeout", 30, 1), number("controlChannelTimeout", 120, 1),
    number("dataChannelTimeout", 30, 1), flag("disableSocketPooling", False),
    number("serverListenBacklog", 60, 1, 2500), number("minBytesPerSecond", 240),
    number("maxConnections", UINT_MAX, 0, UINT_MAX), flag("resetOnMaxConnections", False),
    number("maxBandwidth", UINT_MAX, 0, UINT_MAX),
)

SITE_SECURITY = element(
    "security",
    element("dataChannelSecurity", flag("matchClientAddressForPort", True), flag("matchClientAddressForPasv", True)),
    element("ssl", text("serverCertHash"), text("serverCertStoreName", "MY"), flag("ssl128", False),
            choice("controlChannelPolicy", 1, SSL_CONTROL), choice("dataChannelPolicy", 1, SSL_DATA)),
    element(
        "authentication",
        element("anonymousAuthentication", flag("enabled", False), text("userName", "IUSR"), text("password"),
                text("defaultLogonDomain", "NT AUTHORITY"), choice("logonMethod", 3, LOGON_METHODS)),
        element("basicAuthentication", flag("enabled", False), text("defaultLogonDomain"),
                choice("logonMethod", 3, LOGON_METHODS)),
    ),
)

FTP_SESSIONS = element("sessions", collection=entries(
    "session", "sessionId", text("sessionId", None), text("userName"), text("clientIp"), text("sessionStartTime"),
    text("currentCommand"), number("bytesSent", 0), number("bytesReceived", 0)))

FTP_SERVER = element(
    "ftpServer",
    flag("allowUTF8", True), flag("serverAutoStart", True),
    choice("state", 4, SITE_STATES, runtime=True),
    CONNECTIONS, SITE_SECURITY, FTP_SESSIONS,
    element("firewallSupport", text("externalIp4Address")),
    element("fileHandling", flag("keepPartialUploads", False), flag("allowReplaceOnRename", False),
            flag("allowReadUploadsInProgress", False)),
    element("messages", text("greetingMessage"), text("exitMessage"), text("bannerMessage"),
            text("maxClientsMessage"), flag("suppressDefaultBanner", False), flag("allowLocalDetailedErrors", True),
            flag("expandVariables", False)),
    element("directoryBrowse", choice("showFlags", 0, LISTING, several=True)),
    element("userIsolation", choice("mode", 0, ISOLATION)),
    element("logFile", flag("enabled", True), text("directory", "%SystemDrive%\\inetpub\\logs\\LogFiles"),
            choice("selectiveLogging", 7, LOG_FIELDS, several=True)),
)

VIRTUAL_DIRECTORIES = entries("virtualDirectory", "path", text("path", None), text("physicalPath"),
                              text("userName"), text("password"))
APPLICATION = ElementSchema(
    "application",
    MappingProxyType({part.name: part for part in (text("path", None), text("applicationPool"),
                                                   text("enabledProtocols", "http"))}),
    collection=VIRTUAL_DIRECTORIES,
)
BINDINGS = element("bindings", collection=entries(
    "binding", "protocol,bindingInformation", text("protocol", None), text("bindingInformation", None),
    number("sslFlags", 0)))


def sites_schema(*, ftp: bool) -> ElementSchema:
    """The section system.applicationHost/sites. FTP: whether the feature brought its schema; without it a site has
    no child `ftpServer`, and asking for one is an error."""
    own = (BINDINGS, FTP_SERVER) if ftp else (BINDINGS,)
    site = element("site", text("name", None), number("id", None, 1, UINT_MAX), flag("serverAutoStart", True), *own,
                   collection=CollectionSchema(APPLICATION, ("path",)))
    defaults = element("siteDefaults", flag("serverAutoStart", True), *own)
    return element("sites", defaults, collection=CollectionSchema(site, ("name",)))


FTP_SECTIONS: Mapping[str, ElementSchema] = MappingProxyType({
    "system.ftpServer/firewallSupport": element(
        "firewallSupport", number("lowDataChannelPort", 0, 0, 65535), number("highDataChannelPort", 0, 0, 65535)),
    "system.ftpServer/log": element("log", choice("centralLogFileMode", 0, {"Site": 0, "Central": 1}),
                                    flag("logInUTF8", True)),
    "system.ftpServer/caching": element(
        "caching", element("credentialsCaching", flag("enabled", True), number("flushInterval", 900, 5, 604_800))),
    "system.ftpServer/serverRuntime": element(
        "serverRuntime", element("hostNameSupport", flag("useDomainNameAsHostName", False))),
    "system.ftpServer/security/authentication": element(
        "authentication",
        element("denyByFailure", flag("enabled", False), number("maxFailure", 4, 1),
                AttributeSchema("entryExpiration", "timeSpan", "00:00:30"), flag("loggingOnlyMode", False))),
    "system.ftpServer/security/authorization": element("authorization", collection=entries(
        "add", "users,roles,permissions", choice("accessType", 0, {"Allow": 0, "Deny": 1}), text("users"),
        text("roles"), choice("permissions", 0, PERMISSIONS, several=True))),
    "system.ftpServer/security/ipSecurity": element(
        "ipSecurity", flag("allowUnlisted", True), flag("enableReverseDns", False),
        collection=entries("add", "ipAddress,subnetMask,domainName", text("ipAddress"),
                           text("subnetMask", "255.255.255.255"), text("domainName"), flag("allowed", False))),
    "system.ftpServer/security/requestFiltering": element(
        "requestFiltering", flag("allowHighBitCharacters", True), flag("allowDoubleEscaping", True)),
})

APPHOST_ONLY = frozenset({"system.applicationHost/sites", "system.ftpServer/firewallSupport", "system.ftpServer/log",
                          "system.ftpServer/caching", "system.ftpServer/serverRuntime"})


REDIRECTION = element("configurationRedirection", flag("enabled", False), text("path"), text("userName"), text("password"))


def schema_of(path: str, *, ftp: bool) -> ElementSchema | None:
    """The schema of a section by its path, which is case sensitive; None where the lab's IIS has none."""
    if path == "system.applicationHost/sites":
        return sites_schema(ftp=ftp)
    if path == "configurationRedirection":
        return REDIRECTION
    return FTP_SECTIONS.get(path) if ftp else None
