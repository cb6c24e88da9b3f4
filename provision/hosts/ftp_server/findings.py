"""What an FTP cluster behind a proxy must be told about one Windows server: settings that are not ours and that hurt.

Pure: one small function a topic, from what was read to findings. Nothing here is ever changed by us; the `fix` says
who changes it and how. IIS sees every client as the balancer: most of what follows comes from that.
"""

from __future__ import annotations

from collections.abc import Iterator

from provision.hosts.ftp_server import findings_network
from provision.hosts.ftp_server.view import View
from provision.model.change import Finding


def find(view: View) -> Iterator[Finding]:
    """All findings about one server, by topic."""
    for topic in (_logins, _sites, _data_channel, _timeouts, _encryption, _shared):
        yield from topic(view)
    yield from findings_network.find(view)


def _listed(names: Iterator[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _logins(view: View) -> Iterator[Finding]:
    if any(site.deny_by_failure for site in view.managed):
        yield view.say(
            "P420",
            "warn",
            "FTP Logon Attempt Restrictions are on: IIS sees every client as the balancer, so a few wrong passwords of"
            " one client lock out all of them",
            "Turn them off in IIS Manager (server, FTP Logon Attempt Restrictions), or enable 'log only'.",
        )
    ruled = _listed(site.name for site in view.managed if site.ip_security_entries)
    if ruled:
        yield view.say(
            "P421",
            "warn",
            f"IP address restrictions on {ruled}: IIS sees only the balancer, so they admit all clients or none",
            "Move them to the balancer's firewall, and let IIS admit the balancer.",
        )


def _sites(view: View) -> Iterator[Finding]:
    ours = {site.name for site in view.managed}
    others = _listed(site.name for site in view.answer.sites if site.name not in ours)
    if others:
        yield view.say(
            "P422",
            "note",
            f"other FTP sites on this server are left alone: {others}. They share its data channel port range and its"
            " service, whose restart ends their sessions too",
            "",
        )
    stopped = _listed(site.name for site in view.managed if site.state in ("Stopped", "Stopping"))
    if stopped and view.answer.service.status == "Running":
        yield view.say(
            "P435",
            "warn",
            f"stopped FTP site: {stopped}",
            "Start it in IIS Manager, or with appcmd start site.",
        )
    target = f"{view.server.ftp_address}:{view.server.ftp_port}"
    elsewhere = [site for site in view.managed if site.name not in view.answering]
    if elsewhere:
        bound = ", ".join(f"'{site.name}' on {' '.join(site.bindings)}" for site in elsewhere)
        alone = len(elsewhere) == len(view.managed)
        yield view.say(
            "P436",
            "refuse" if alone else "warn",
            f"not bound to {target}, where the balancer sends clients: {bound}",
            "Change the site's binding, or ftp_address and ftp_port of the server in the cluster file.",
        )
    yield from _direct_clients(view)


def _direct_clients(view: View) -> Iterator[Finding]:
    vip = view.cluster.ftp.external_address
    moving = _listed(site.name for site in view.managed if site.external_address.value != vip)
    if moving:
        yield view.say(
            "P437",
            "note",
            f"{moving} will answer PASV with {vip}: clients that use this server directly lose their data channels",
            "Let every client connect to the VIP.",
        )


def _data_channel(view: View) -> Iterator[Finding]:
    loose = _listed(site.name for site in view.managed if not site.match_client_address_for_pasv)
    if loose:
        yield view.say(
            "P423",
            "warn",
            f"matchClientAddressForPasv is off on {loose}: any address may take over a data channel. Behind a balancer"
            " with one outgoing address it can stay on",
            "Set ftpServer/security/dataChannelSecurity/@matchClientAddressForPasv to true, its default.",
        )
    elif len(view.cluster.balancers) > 1:
        yield view.say(
            "P424",
            "note",
            "matchClientAddressForPasv is on and there are several balancers: control and data channel of a session"
            " must come through the same one. Sessions that are open when the VIP moves have to log in again",
            "",
        )


def _timeouts(view: View) -> Iterator[Finding]:
    limit = view.cluster.ftp.session_timeout
    seconds = sorted({site.control_channel_timeout for site in view.managed})
    for timeout in seconds:
        if timeout > limit:
            yield view.say(
                "P425",
                "warn",
                f"the balancer cuts a silent session after {limit} s, IIS would keep it for {timeout} s",
                "Raise ftp.session_timeout in the cluster file, or lower the site's controlChannelTimeout.",
            )
        elif timeout < limit:
            yield view.say(
                "P425",
                "note",
                f"IIS cuts a silent session after {timeout} s, before the balancer does (session_timeout: {limit} s)",
                "Raise controlChannelTimeout of the site where transfers last longer.",
            )


def _encryption(view: View) -> Iterator[Finding]:
    probe = view.cluster.probe
    if probe is None:
        return
    for site in view.managed:
        policies = (site.ssl.control_channel_policy, site.ssl.data_channel_policy)
        if probe.tls == "none" and any(policy.startswith("SslRequire") for policy in policies):
            yield view.say(
                "P426",
                "warn",
                f"'{site.name}' requires TLS, verification would log in without: IIS answers 534",
                "Write `tls: explicit` under probe in the cluster file.",
            )
        if probe.tls == "explicit" and site.ssl.data_channel_policy == "SslDeny":
            yield view.say(
                "P426",
                "warn",
                f"'{site.name}' refuses TLS on data channels, verification would ask for it",
                "Set the site's dataChannelPolicy to SslAllow, or write `tls: none` under probe.",
            )


def _shared(view: View) -> Iterator[Finding]:
    if not view.answer.shared_config:
        return
    sliced = view.cluster.ftp.layout == "sliced" and len(view.cluster.servers) > 1
    yield view.say(
        "P434",
        "refuse" if sliced else "warn",
        "the server uses a shared IIS configuration: one data channel port range for all servers"
        + (", so no server can have a slice of its own" if sliced else ", and a change here is a change on all"),
        "Write `passive_layout: shared` in the cluster file, or turn shared configuration off." if sliced else "",
    )
