"""The balancer's disk: made once by debootstrap, kept in a cache, keyed by what it is made of."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

RECIPE = Path(__file__).with_name("image")
SUITE = "bookworm"
PACKAGES = (
    "systemd systemd-sysv dbus libpam-systemd openssh-server firewalld nftables netbase iproute2 rsyslog logrotate "
    "procps tzdata selinux-utils dnf rpm createrepo-c liblua5.3-0 libopentracing-c-wrapper0 ca-certificates"
).split()


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "provision-real"


def image_key():
    """Changes with the recipe, never with the day: the packages' versions stay those of the first build."""
    digest = hashlib.sha256("\n".join([SUITE, *PACKAGES]).encode())
    for path in sorted(RECIPE.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def mirror():
    """Where this machine has its Debian packages from, Debian's own place otherwise."""
    given = os.environ.get("PROVISION_REAL_MIRROR")
    if given:
        return given
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    if shutil.which("apt-get"):
        for line in subprocess.run(asked, check=False, capture_output=True, text=True).stdout.splitlines():
            if line.startswith(f"Debian {SUITE} "):
                return line.split()[2]
    return "http://deb.debian.org/debian"


@contextlib.contextmanager
def balancer_image():
    """The folder of the image; built when the cache has none. Nobody drops it while it is used."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    image = cache / image_key()
    with contextlib.ExitStack() as in_use:
        with locked(cache / "building.lock", fcntl.LOCK_EX):
            if not image.is_dir():
                drop_others(cache)
                build(image.with_suffix(".new"))
                image.with_suffix(".new").rename(image)
            in_use.enter_context(locked(cache / f"{image.name}.lock", fcntl.LOCK_SH))
        yield image


@contextlib.contextmanager
def locked(path, how):
    """The kernel frees the lock when its holder dies."""
    with path.open("w") as file:
        fcntl.flock(file, how)
        yield


def drop_others(cache):
    """Images of other recipes, and halves of them; not those in use."""
    for old in [each for each in cache.iterdir() if each.is_dir()]:
        with contextlib.suppress(BlockingIOError), locked(cache / f"{old.stem}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(old)


def build(folder):
    """debootstrap, then the recipe's build.sh inside."""
    quick = folder / "etc/dpkg/dpkg.cfg.d/quick"
    quick.parent.mkdir(parents=True)
    quick.write_text("force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n")
    run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(folder), mirror())
    shutil.copytree(RECIPE, folder / "build")
    run("chroot", str(folder), "sh", "/build/build.sh")


def run(*command):
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, check=False, text=True, **streams)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    with balancer_image() as ready:
        print(ready)
