"""Labs for the journeys: one a layout, started once a module, always taken down."""

import contextlib

import pytest
from journey.labhouse import LabHouse, write_cluster


@contextlib.contextmanager
def house(folder, name, net, **shape):
    lab = LabHouse(write_cluster(folder, name, net, **shape), folder / "home", net)
    lab.provision("lab", "up", str(lab.file), code=0)
    try:
        yield lab
    finally:
        lab.provision("lab", "down", str(lab.file), code=0)


NETS = {"test_main_road": "127.0.31", "test_round_trips": "127.0.38"}
"""Modules may run side by side: each has a lab at addresses of its own."""


@pytest.fixture(scope="module")
def lab(request, tmp_path_factory):
    with house(tmp_path_factory.mktemp("sliced"), "sliced", NETS[request.module.__name__.rpartition(".")[2]]) as one:
        yield one


@pytest.fixture(scope="module")
def built(lab):
    """The same lab with the cluster applied."""
    lab.on_cluster("cluster", "--yes", code=0)
    return lab


@pytest.fixture(scope="module", params=["sliced", "shared"])
def either(request, tmp_path_factory):
    """A built cluster of three servers in each layout, logins spread freely."""
    net = {"sliced": "127.0.32", "shared": "127.0.33"}[request.param]
    shape = {"layout": request.param, "servers": 3, "affinity": "none" if request.param == "sliced" else "source"}
    with house(tmp_path_factory.mktemp(request.param), request.param, net, **shape) as one:
        one.on_cluster("cluster", "--yes", code=0)
        yield one
