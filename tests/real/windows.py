"""The lab's Windows hosts, each on a machine of its own in a world: FTP on port 21, WinRM on 5985 and 5986."""

import sys
import time

from provision.lab.windows.control import ask
from provision.lab.windows.settings import HostSettings, Login, SiteSettings, save_settings
from provision.lab.winrm.tls import make_ca, make_tls

FTP_USER = "ftpuser"
READY_SECONDS = 30


class WindowsHost:
    """One server with one site; `share` is the content that it shares with the others."""

    def __init__(self, world, name, address, folder, share, passwords, sites=("Default FTP Site",)):
        self.name, self.address, self.folder = name, address, folder / name
        self._world = world
        self.folder.mkdir()
        world.add_machine(name, address)
        administrator, user = self._password("administrator", passwords), self._password("ftp", passwords)
        tls = make_tls(self.folder, address, name=name, ca=make_ca(folder))
        for number, _ in enumerate(sites, 1):
            (share / "files" / f"site{number}").mkdir(parents=True, exist_ok=True)
        save_settings(
            self.folder,
            HostSettings(
                name=name, address=address, shares=share,
                logins=(Login("Administrator", administrator, administrator=True), Login(FTP_USER, user, administrator=False)),
                sites=tuple(SiteSettings(each, f"*:{20 + n}:", rf"\\files\site{n}") for n, each in enumerate(sites, 1)),
                ca=tls.ca, certificate=tls.certificate, certificate_key=tls.key,
            ),
        )  # fmt: skip
        self.boot()

    def boot(self):
        command = [sys.executable, "-m", "provision.lab.windows.process", "--directory", self.folder]
        with (self.folder / "host.log").open("ab") as log:
            self._process = self._world.start(*command, at=self.name, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            alive = self._process.poll() is None and time.monotonic() < deadline
            assert alive, (self.folder / "host.log").read_text()
            time.sleep(0.05)

    def is_ready(self):
        try:
            return bool(self.ask(do="status").get("ready"))
        except (OSError, ValueError):
            return False

    def ask(self, **question):
        """A question to the machine's control socket: status, service, reboot."""
        return ask(self.folder, question, 15)

    def _password(self, name, passwords):
        path = self.folder / f"{name}-password"
        path.write_text(passwords[name] + "\n")
        return path
