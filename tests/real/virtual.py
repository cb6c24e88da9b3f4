"""A balancer in a virtual machine of its own kernel: SELinux enforces there. Emulated, so that any machine can run it.

Asked over ssh with a key of the image, not the operator's. It must not know the product.
"""

import contextlib
import shlex
import subprocess
import time

from real.balancer import ADDRESS, ByHand

PLUG = "vnet0"
BOOT_SECONDS = 300  # emulated: half a minute alone, more beside other work
PATIENCE = 300
MEMORY_MIB = 1024


class VirtualBalancer(ByHand):
    """One machine in a world. `folder` is this run's: the console's text, the sockets of ssh. Changes of the disk go with it."""

    def __init__(self, world, image, folder, authorized_key):
        self._world, self._image, self._folder = world, image, folder
        folder.mkdir()
        world.add_plug(PLUG)
        self._machine = world.start(*self._command(), stdout=subprocess.DEVNULL, stderr=(folder / "qemu").open("ab"))
        self._wait_up()
        self.write("/root/.ssh/authorized_keys", self.shell("cat /root/.ssh/authorized_keys") + "\n" + authorized_key)

    def _command(self):
        words = "root=/dev/vda rw console=ttyS0 net.ifnames=0 lsm=landlock,lockdown,yama,integrity,selinux,bpf"
        disk = f"file={self._image / 'disk'},format=raw,if=virtio,cache=unsafe,snapshot=on"
        return [
            "env", f"TMPDIR={self._folder}",  # where changes of the disk go
            "qemu-system-x86_64", "-machine", "pc", "-accel", "tcg,thread=multi", "-smp", "2", "-m", str(MEMORY_MIB),
            "-display", "none", "-monitor", "none", "-nodefaults", "-serial", f"file:{self._folder / 'console'}",
            "-kernel", self._image / "vmlinuz", "-initrd", self._image / "initrd.img", "-append", words,
            "-drive", disk, "-device", "virtio-rng-pci",
            "-netdev", f"tap,id=net,ifname={PLUG},script=no,downscript=no", "-device", "virtio-net-pci,netdev=net",
        ]  # fmt: skip

    def _wait_up(self):
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            assert self._machine.poll() is None, self._last_words()
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self.shell("systemctl is-system-running", check=False, timeout=20) in ("running", "degraded"):
                    return
            time.sleep(0.5)
        raise AssertionError(self._last_words())

    def reboot(self):
        """As `systemctl reboot` does it: the same machine, the same disk."""
        before = self._boot_id()
        self.run("systemctl", "reboot", check=False)
        deadline = time.monotonic() + BOOT_SECONDS
        while self._boot_id() in (before, ""):
            assert time.monotonic() < deadline, self._last_words()
            time.sleep(0.5)
        self._wait_up()

    def _boot_id(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.shell("cat /proc/sys/kernel/random/boot_id", check=False, timeout=20)
        return ""

    def run(self, *command, check=True, timeout=PATIENCE, **how):
        """As root, from the operator's place; each word arrives as it is."""
        options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                   "ConnectTimeout=5", "ServerAliveInterval=5", "ControlMaster=no")  # fmt: skip
        ssh = ("ssh", "-F", "none", "-i", self._image / "console_key", *(f"-o{one}" for one in options))
        return self._world.run(*ssh, f"root@{ADDRESS}", shlex.join(map(str, command)), check=check, timeout=timeout, **how)

    def _last_words(self):
        files = (self._folder / name for name in ("qemu", "console"))
        return "\n".join(one.read_text(errors="replace")[-2000:] for one in files if one.exists())
