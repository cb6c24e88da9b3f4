"""Disks of machines that boot: each is made once, kept in a cache, and keyed by what it is made of."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BOOTING = tuple(
    "systemd systemd-sysv dbus libpam-systemd openssh-server firewalld nftables netbase iproute2 rsyslog logrotate "
    "procps tzdata selinux-utils dnf rpm createrepo-c ca-certificates".split()
)


@dataclass(frozen=True)
class Recipe:
    """A tree of Debian. `folder` lies in it as /build while its build.sh runs inside; `base` is what it starts from."""

    folder: Path
    packages: tuple[str, ...]
    suite: str = "bookworm"
    base: "Recipe | None" = None

    def key(self):
        """Changes with the recipe, never with the day: the packages' versions stay those of the first build."""
        start = self.base.key() if self.base else self.suite
        digest = hashlib.sha256("\n".join([start, *self.packages]).encode())
        for path in sorted(self.folder.iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        digest.update(Path(__file__).read_bytes() if self.base else b"")  # here it becomes a disk
        return digest.hexdigest()[:16]


CONTAINER = Recipe(HERE / "image", BOOTING)
OLDER = Recipe(HERE / "image", BOOTING, "bullseye")
NEWER = Recipe(HERE / "image", BOOTING, "trixie")
VIRTUAL = Recipe(
    HERE / "selinux",
    tuple(
        "linux-image-cloud-amd64 initramfs-tools selinux-policy-default selinux-policy-dev policycoreutils "
        "policycoreutils-python-utils checkpolicy semodule-utils m4 make".split()
    ),
    base=CONTAINER,
)
RECIPES = (CONTAINER, OLDER, NEWER, VIRTUAL)
DISK_SIZE = "2G"


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "provision-real"


def mirror():
    """Where this machine has its Debian packages from, of whatever suite; Debian's own place otherwise."""
    given = os.environ.get("PROVISION_REAL_MIRROR")
    if given:
        return given
    asked = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    if shutil.which("apt-get"):
        for line in subprocess.run(asked, check=False, capture_output=True, text=True).stdout.splitlines():
            *origin, codename, place = line.split()
            if origin == ["Debian"] and "-" not in codename:  # not security, not updates
                return place
    return "http://deb.debian.org/debian"


@contextlib.contextmanager
def image_of(recipe):
    """The folder of the image; built when the cache has none. Nobody drops it while it is used."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    image, lock = cache / recipe.key(), cache / f"{recipe.key()}.lock"
    with contextlib.ExitStack() as in_use:
        below = in_use.enter_context(image_of(recipe.base)) if recipe.base else None
        file = in_use.enter_context(lock.open("w"))
        for _ in range(3):
            fcntl.flock(file, fcntl.LOCK_EX)
            if not image.is_dir():
                make(recipe, image, below)
            fcntl.flock(file, fcntl.LOCK_SH)  # gives way for a moment: a checkout that knows it not may drop it then
            if image.is_dir():
                break
        else:
            raise RuntimeError(f"somebody drops {image} as often as it is made")
        yield image


def make(recipe, image, below):
    """Beside, and then renamed: what has an image's name is whole."""
    drop_others(image.parent)
    new = image.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    build_disk(recipe, new, below) if below else build_tree(recipe, new)
    new.rename(image)


@contextlib.contextmanager
def locked(path, how):
    """The kernel frees the lock when its holder dies."""
    with path.open("w") as file:
        fcntl.flock(file, how)
        yield


def drop_others(cache):
    """Images of other recipes, and halves of any; not those in use."""
    known = {one.key() for one in RECIPES}
    for old in [each for each in cache.iterdir() if each.is_dir() and each.name not in known]:
        with contextlib.suppress(BlockingIOError), locked(cache / f"{old.stem}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(old)


def build_tree(recipe, tree):
    """debootstrap, then the recipe's build.sh inside."""
    quick = tree / "etc/dpkg/dpkg.cfg.d/quick"
    quick.parent.mkdir(parents=True)
    quick.write_text("force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n")
    run("debootstrap", "--variant=minbase", f"--include={','.join(recipe.packages)}", recipe.suite, str(tree), mirror())
    finish(recipe, tree)


def build_disk(recipe, folder, below):
    """More packages in a copy of the base, its build.sh; then a labelled ext4 disk, with kernel and console key beside."""
    tree, key = folder / "tree", folder / "console_key"
    folder.mkdir()
    run("cp", "-a", below, tree)
    inside(tree, "apt-get update -qq && DEBIAN_FRONTEND=noninteractive exec apt-get install -y -qq --no-install-recommends "
           + " ".join(recipe.packages))  # fmt: skip
    finish(recipe, tree)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    (tree / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(folder / "console_key.pub", tree / "root/.ssh/authorized_keys")
    label(tree)
    run("mkfs.ext4", "-q", "-F", "-d", tree, folder / "disk", DISK_SIZE)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(next((tree / "boot").glob(f"{name}-*")), folder / name)
    shutil.rmtree(tree)


def finish(recipe, tree):
    shutil.copytree(recipe.folder, tree / "build")
    inside(tree, "exec sh /build/build.sh")


def label(tree):
    """Every file gets its SELinux context, as a relabelling boot would give it; this kernel need not have SELinux.

    setfiles goes through /proc; it lies in a mount namespace that ends with it.
    """
    contexts = "/etc/selinux/default/contexts/files/file_contexts"
    text = f'mount -t proc none "$1/proc" && exec chroot "$1" setfiles -F -e /proc {contexts} /'
    run("unshare", "--mount", "sh", "-c", text, "sh", tree)


def inside(tree, text):
    run("chroot", tree, "sh", "-c", text)


def run(*command):
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run([str(word) for word in command], check=False, text=True, **streams)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    for each in RECIPES:
        with image_of(each) as ready:
            print(ready)
