"""A lab that is attacked: the journeys' lab, with passwords and machines as an attack needs them."""

import contextlib
import json
import os

from journey.labhouse import LabHouse, write_cluster

from provision.lab.places import Places


def planted(folder, name, net, secrets, change=lambda text: text):
    """A lab that is not up yet, in which `secrets` (file name in .lab -> value) already lie."""
    lab = LabHouse(write_cluster(folder, name, net), folder / "home", net)
    lab.file.write_text(change(lab.file.read_text()))
    places = Places.of(lab.file)
    places.folder.mkdir(mode=0o700)
    for name_, value in secrets.items():
        write_private(places.folder / name_, value + "\n")
    return lab, places


def write_private(path, text):
    path.touch(0o600)
    path.write_text(text)


def balancer(places, net, **more):
    """The balancer's own settings, before the lab writes its."""
    folder = places.folder / "lb1"
    folder.mkdir(mode=0o700)
    made = {"name": "lb1", "address": f"{net}.1", "port": 2222, "source": f"{net}.1", "vip": f"{net}.100", "user": "labadmin"}
    write_private(folder / "host.json", json.dumps(made | more))


@contextlib.contextmanager
def up(lab):
    """The lab, running; always taken down, and its folder with it."""
    try:
        lab.provision("lab", "up", str(lab.file), code=0)
        yield lab
    finally:
        lab.provision("lab", "down", str(lab.file), code=0)
        remove(Places.of(lab.file))


def remove(places):
    for path in sorted(places.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    places.folder.rmdir()
    places.link.unlink(missing_ok=True)


def root(lab):
    """The balancer's root folder."""
    return lab.folder.resolve() / "lb1"


def everything_of_others(lab):
    """A digestible view of all that is not ours on every host: other firewall ports, files, sites, services."""
    skip = ("/var/lib/provision", "/var/log", "/run", "/proc", "/tmp")  # noqa: S108
    files = {}
    for path in root(lab).rglob("*"):
        place = "/" + os.path.relpath(path, root(lab))
        if path.is_file() and not path.is_symlink() and not place.startswith(skip):
            files[place] = path.read_bytes()
    return files
