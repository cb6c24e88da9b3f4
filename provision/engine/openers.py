"""Makes real sessions from the cluster file's words and the resolved secrets. Contacts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from provision.model.cluster import Balancer, Server
from provision.model.secret import Secret, SecretRef
from provision.remote.session import PowerShellSession, WinRMTarget
from provision.remote.ssh import ShellSession, open_ssh
from provision.remote.ssh_target import SshTarget


class WireOpener:
    """The opener of real runs: Fabric to balancers, pypsrp or pywinrm to servers."""

    def __init__(self, secrets: Mapping[SecretRef, Secret], connect_timeout: float = 10.0) -> None:
        self._secrets = secrets
        self._connect_timeout = connect_timeout

    def shell(self, balancer: Balancer) -> ShellSession:
        """A session to a balancer; it connects on first use."""
        ssh = balancer.ssh
        target = SshTarget(
            host=balancer.name,
            address=balancer.address,
            port=ssh.port,
            user=ssh.user,
            key_file=ssh.key_file,
            password=self._secret(ssh.password),
            sudo_password=self._secret(ssh.sudo_password),
            known_hosts=ssh.known_hosts,
            connect_timeout=self._connect_timeout,
        )
        return open_ssh(target)

    def powershell(self, server: Server) -> PowerShellSession:
        """A session to a Windows server; it connects on first use."""
        winrm = server.winrm
        target = WinRMTarget(
            host=server.name,
            address=server.address,
            port=winrm.port,
            scheme=winrm.scheme,
            auth=winrm.auth,
            user=winrm.user,
            password=self._secret(winrm.password) or Secret(""),
            ca_file=winrm.ca_file,
            verify=winrm.verify,
            connect_timeout=self._connect_timeout,
        )
        # Each library costs up to a fifth of a second to load, and a run needs one of them, or none.
        if winrm.transport == "winrs":
            from provision.remote.winrs import open_winrs  # noqa: PLC0415  # see above

            return open_winrs(target)
        from provision.remote.psrp import open_psrp  # noqa: PLC0415  # see above

        return open_psrp(target)

    def _secret(self, ref: SecretRef | None) -> Secret | None:
        return self._secrets[ref] if ref is not None else None
