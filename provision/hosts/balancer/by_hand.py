"""The same change for a person on the balancer, when the tool is not at hand. Pure.

Written for `render`, which knows the cluster file only: nothing here depends on what a machine answered.
"""

from __future__ import annotations

from collections.abc import Iterator

from provision.hosts.balancer.desired import log_snippet, render_cfg
from provision.hosts.balancer.facts import MAIN
from provision.hosts.balancer.findings import page_is_reachable, wanted_ports
from provision.hosts.balancer.found import BOOLEAN, DOMAIN, NONLOCAL
from provision.hosts.balancer.haproxy_cfg import Version
from provision.hosts.balancer.masks import Masks
from provision.hosts.balancer.scripts import fragment_path
from provision.model.cluster import Balancer, Cluster

_CONF_D: Version = (1, 8)


def by_hand(cluster: Cluster, balancer: Balancer, version: Version) -> list[str]:
    """The steps for `balancer` as lines of Markdown, for a machine that runs (or will run) that HAProxy."""
    return [
        *_package(balancer),
        *_selinux(balancer),
        *_kernel(cluster),
        *_firewall(cluster, balancer),
        *_logs(cluster, balancer, version),
        *_configuration(cluster, balancer, version),
        *_check(cluster, balancer),
        *_back(cluster, balancer, version),
    ]


def _block(*commands: str, language: str = "sh") -> Iterator[str]:
    yield from ("", f"```{language}", *commands, "```", "")


def _package(balancer: Balancer) -> Iterator[str]:
    yield f"### {balancer.name} ({balancer.address})"
    yield ""
    yield "As root. First note what is there, for the way back:"
    yield from _block(
        "rpm -q haproxy; systemctl is-enabled haproxy; systemctl is-active haproxy",
        "mkdir -m 700 -p /root/before && cp -a /etc/haproxy /root/before/",
        "firewall-cmd --get-active-zones; firewall-cmd --list-all; firewall-cmd --permanent --list-all",
        f"getenforce; getsebool {BOOLEAN}",
    )
    yield "The package (`yum` on EL7):"
    yield from _block("rpm -q haproxy || dnf install haproxy")


def _selinux(balancer: Balancer) -> Iterator[str]:
    commands = {
        "boolean": f"setsebool -P {BOOLEAN} 1",
        "permissive-domain": f"semanage permissive -a {DOMAIN}",
        "permissive": "setenforce 0 && sed -i s/^SELINUX=.*/SELINUX=permissive/ /etc/selinux/config",
    }
    if balancer.selinux in commands:
        yield "SELinux, before HAProxy starts (nothing to do where `getenforce` says Disabled):"
        yield from _block(commands[balancer.selinux])
    if balancer.selinux in ("boolean", "permissive-domain"):
        yield "It goes on enforcing. Where `getenforce` says Permissive and /etc/selinux/config enforcing, afterwards:"
        yield from _block("setenforce 1")


def _kernel(cluster: Cluster) -> Iterator[str]:
    ports = wanted_ports(cluster, cluster.ownership)
    yield f"None of {ports} may lie in the kernel's own range, unless it is reserved:"
    yield from _block("sysctl net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports")
    if cluster.vip_owner == "external" and len(cluster.balancers) > 1 and not cluster.ftp.transparent:
        yield "The balancer that does not hold the VIP now must be able to bind it too:"
        conf = f"/etc/sysctl.d/60-provision-{cluster.name}.conf"
        yield from _block(f"echo '{NONLOCAL} = 1' > {conf}", f"sysctl -w {NONLOCAL}=1")
    if cluster.vip_owner == "static":
        yield "The VIP, without an interruption (DEV and NAME as `nmcli device` shows them, PREFIX of the network):"
        add = f"nmcli connection modify NAME +ipv4.addresses {cluster.vip}/PREFIX"
        yield from _block(add, "nmcli device reapply DEV")


def _firewall(cluster: Cluster, balancer: Balancer) -> Iterator[str]:
    ports, stats = wanted_ports(cluster, cluster.ownership), cluster.stats
    options = [f"--add-port={one}/tcp" for one in ports]
    if stats is not None and page_is_reachable(cluster, balancer):
        options += (
            [f"--add-port={stats.port}/tcp"]
            if stats.allow == "any"
            else [
                f"--add-rich-rule='rule family=\"ipv4\" source address=\"{one}\" port port=\"{stats.port}\" "
                "protocol=\"tcp\" accept'"
                for one in stats.allow
            ]
        )
    zone = f"--zone={balancer.firewall_zone or 'ZONE'}"
    yield "firewalld, now and at boot, without `--reload` (it turns new connections away while it works)."
    if balancer.firewall_zone is None:
        yield "ZONE is the zone of the interface that holds the VIP: `firewall-cmd --get-zone-of-interface=DEV`."
    words = " ".join((zone, *options))
    yield from _block(f"firewall-cmd {words}", f"firewall-cmd --permanent {words}")


def _logs(cluster: Cluster, balancer: Balancer, version: Version) -> Iterator[str]:
    yield f"/etc/rsyslog.d/provision-{cluster.name}.conf (leave out what another file there loads or opens already):"
    text = log_snippet(cluster, balancer, old_syntax=version < _CONF_D, load=True, listen=True)
    yield from _block(*text.splitlines(), language="text")
    yield from _block("rsyslogd -N1 && systemctl enable rsyslog && systemctl restart rsyslog")


def _target(cluster: Cluster, balancer: Balancer, version: Version) -> str:
    return MAIN if balancer.haproxy != "fragment" else fragment_path(cluster, conf_d=version >= _CONF_D)


def _configuration(cluster: Cluster, balancer: Balancer, version: Version) -> Iterator[str]:
    path = _target(cluster, balancer, version)
    yield f"{path}, mode 0640, the password in place of what stands between `<` and `>`:"
    yield from _block(*render_cfg(cluster, balancer, version, Masks(b"")).splitlines(), language="text")
    if balancer.haproxy == "fragment" and version < _CONF_D:
        yield f'On EL7 the unit loads it through /etc/sysconfig/haproxy: `OPTIONS="-f {path}"`, then restart.'
    yield "Check it with the unit's own arguments (`systemctl cat haproxy` shows them), then start or reload:"
    others = "" if path == MAIN else f" -f {path}"
    yield from _block(
        f"haproxy -c -f {MAIN}{others}",
        "systemctl enable haproxy",
        "systemctl is-active haproxy && systemctl reload haproxy || systemctl start haproxy",
    )


def _check(cluster: Cluster, balancer: Balancer) -> Iterator[str]:
    yield "See that it serves:"
    yield from _block(
        f"ip -4 addr show | grep -F {cluster.vip}/",
        "ss -ltn | grep -F " + f"{cluster.vip}:{cluster.ftp.port}",
        f"echo 'show stat' | socat - UNIX-CONNECT:{balancer.path('/var/lib/haproxy/stats')} | cut -d, -f1,2,18",
    )


def _back(cluster: Cluster, balancer: Balancer, version: Version) -> Iterator[str]:
    yield "The way back: first HAProxy, then what it needed."
    yield from _block(
        f"rm {_target(cluster, balancer, version)} && cp -a /root/before/haproxy /etc/",
        "systemctl reload haproxy    # or: systemctl disable --now haproxy, when it was not used before",
        f"rm /etc/rsyslog.d/provision-{cluster.name}.conf && systemctl restart rsyslog",
        "# the firewall-cmd lines above with --remove-port and --remove-rich-rule",
    )
