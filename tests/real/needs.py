"""What a machine must have to run the real systems, and the one line that says what is missing."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

PROGRAMS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "curl": "curl",
    "lftp": "lftp",
    "ftp": "tnftp",
}
VIRTUAL = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mkfs.ext4": "e2fsprogs",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]


def missing(*, virtual: bool = False) -> str | None:
    """Why the real systems cannot run here, None when they can. `virtual`: also those with a kernel of their own."""
    if os.geteuid() != 0:
        return "the real systems need root"
    if virtual and platform.machine() != "x86_64":
        return "the virtual machine needs an x86_64 machine to build its disk on"
    if virtual and not Path("/dev/net/tun").exists():
        return "the virtual machine needs /dev/net/tun"
    programs = PROGRAMS | (VIRTUAL if virtual else {})
    packages = sorted({package for program, package in programs.items() if shutil.which(program) is None})
    if packages:
        return f"the real systems need packages: {' '.join(packages)}"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the real systems need overlayfs"
    tried = subprocess.run([*UNSHARE, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        return f"the real systems need namespaces: {tried.stderr.strip()}"
    return None
