"""The balancer: a machine that boots. systemd, sshd, firewalld over nftables, rsyslog and dnf are the real ones.

Its disk is the cached image below a layer of this run's own. It must not know the product: what is asked of it here is
asked at its console, past ssh and firewall.
"""

import contextlib
import time

NAME = "lb1"
ADDRESS = "192.168.1.123"
BOOT_SECONDS = 60
UNITS = ("ssh", "firewalld", "rsyslog")


class ByHand:
    """What is asked of a machine by hand, by whatever way `run` takes to it."""

    def shell(self, text, check=True, **how):
        """A line of sh, its output without the last newline."""
        return self.run("sh", "-c", text, check=check, **how).stdout.rstrip("\n")

    def write(self, path, text):
        """A file, by hand."""
        self.run("sh", "-c", 'mkdir -p "$(dirname "$0")"; cat >"$0"', path, input=text)

    def host_key(self):
        """The line for known_hosts."""
        kind, key = self.shell("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        return f"{ADDRESS} {kind} {key}\n"


class Balancer(ByHand):
    """One machine in a world. `folder` is this run's: the layer over the image, the console's text."""

    def __init__(self, world, image, folder, authorized_key):
        self._world, self._folder = world, folder
        self._root = folder / "root"
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        world.add_machine(NAME, ADDRESS)
        layers = f"lowerdir={image},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        world.run("mount", "-t", "overlay", "overlay", "-o", layers, self._root)
        keys = f"umask 077; mkdir -p {self._root}/root/.ssh; cat >{self._root}/root/.ssh/authorized_keys"
        world.run("sh", "-c", keys, input=authorized_key)
        self._machine = None
        self.boot()

    def boot(self):
        """Power on, and wait until its services run."""
        command = [
            "env", "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network",
            "systemd-nspawn", "--quiet", "--boot", "--keep-unit", "--register=no", f"--machine={NAME}",
            f"--directory={self._root}", f"--network-namespace-path=/run/netns/{NAME}", "--capability=CAP_NET_ADMIN",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=read-only",
        ]  # fmt: skip
        with (self._folder / "console").open("ab") as console:
            self._machine = self._world.start(*command, stdout=console, stderr=console)
        self._wait_up()

    def _wait_up(self):
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            assert self._machine.poll() is None, self._last_words()
            with contextlib.suppress(LookupError):
                if self.shell("systemctl is-system-running", check=False) in ("running", "degraded"):
                    self.run("systemctl", "is-active", *UNITS)
                    return
            time.sleep(0.2)
        raise AssertionError(self._last_words())

    def reboot(self):
        """As `systemctl reboot` does it; the container ends with it and is started again from the same disk."""
        self.run("systemctl", "reboot", check=False)
        self._machine.wait(BOOT_SECONDS)
        self.boot()

    def run(self, *command, check=True, **how):
        """At the console, as root."""
        leader = self._leader()
        inside = ("nsenter", f"--target={leader}", "--all", "--wdns=/", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
        return self._world.run(*inside, *command, check=check, **how)

    def _leader(self):
        """The machine's first process, by the number that the world gives it. Raises LookupError while there is none."""
        text = self._world.run("sh", "-c", f"cat /proc/{self._nspawn()}/task/*/children", check=False).stdout.split()
        for one in text:
            if self._is(one):
                return one
        raise LookupError(NAME)

    def _is(self, pid):
        """Whether that process is systemd, not the stub that starts it."""
        name = self._world.run("sh", "-c", f"cat /proc/{pid}/comm", check=False).stdout.strip()
        return name == "systemd"

    def _nspawn(self):
        found = self._world.run("pgrep", "-x", "systemd-nspawn", check=False).stdout.split()
        if not found:
            raise LookupError("systemd-nspawn")
        return found[0]

    def _last_words(self):
        return (self._folder / "console").read_text(errors="replace")[-2000:]
