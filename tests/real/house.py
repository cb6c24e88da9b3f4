"""A whole lab of real systems in a world of its own: balancer, Windows hosts, clients, operator."""

import contextlib
import secrets
import sys

from real.balancer import Balancer
from real.desk import Desk
from real.windows import FTP_USER, WindowsHost
from real.world import sealed

VIP = "192.168.1.123"
ARTICLE = {"WinFTPServer2016FTP1": "192.168.1.110", "WinFTPServer2016FTP2": "192.168.1.111"}
CLIENT = "client"
CLIENTS = tuple(f"192.168.1.{last}" for last in range(50, 71))


class House:
    """Everything of one run, below one short folder (socket paths hold 97 characters)."""

    def __init__(self, world, image, folder, servers, make_balancer):
        self.world, self.folder = world, folder
        self.passwords = {name: secrets.token_urlsafe(12) for name in ("administrator", "ftp", "stats")}
        self.share = folder / "share"
        known = {"WINRM_PASSWORD": "administrator", "HAPROXY_STATS_PASSWORD": "stats", "FTP_PROBE_PASSWORD": "ftp"}
        self.desk = Desk(self.world, folder / "home", {key: self.passwords[name] for key, name in known.items()})
        self.servers = {name: self.add_server(name, address) for name, address in servers.items()}
        self.balancer = make_balancer(self.world, image, folder / "balancer", self.desk.public_key)
        self.desk.trust(self.balancer.host_key())
        self.world.add_machine(CLIENT, *CLIENTS)

    def add_server(self, name, address, **how):
        return WindowsHost(self.world, name, address, self.folder, self.share, self.passwords, **how)

    def reaches(self, port, address=VIP):
        """Whether the client can connect to the port: open, closed (refused) and filtered are told apart."""
        probe = (
            "import socket, sys\n"
            "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close(); print('open')\n"
            "except ConnectionRefusedError: print('closed')\n"
            "except OSError as problem: print('filtered')"
        )
        return self.world.run(sys.executable, "-c", probe, address, port, at=CLIENT).stdout.strip()

    def client(self, *command, **how):
        """Run a client program on the client's machine."""
        return self.world.run(*command, at=CLIENT, **how)

    def ftp_url(self, path="", vip=VIP):
        return f"ftp://{FTP_USER}:{self.passwords['ftp']}@{vip}/{path}"


@contextlib.contextmanager
def house(image, servers=ARTICLE, make_balancer=Balancer):
    """A house that is gone afterwards, whatever happened."""
    with sealed() as (world, folder):
        yield House(world, image, folder, servers, make_balancer)
