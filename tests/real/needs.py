"""What a machine must have to run the real systems, and the one line that says what is missing."""

import os
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
UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]


def missing() -> str | None:
    """Why the real systems cannot run here, None when they can."""
    if os.geteuid() != 0:
        return "the real systems need root"
    packages = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    if packages:
        return f"the real systems need packages: {' '.join(packages)}"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the real systems need overlayfs"
    tried = subprocess.run([*UNSHARE, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        return f"the real systems need namespaces: {tried.stderr.strip()}"
    return None
