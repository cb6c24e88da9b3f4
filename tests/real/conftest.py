"""The real systems: built once, booted for each module that asks, never left behind."""

import pytest
from real.house import house
from real.image import CONTAINER, image_of
from real.needs import missing

PATIENCE = 900  # seconds for one test; the first of a machine builds its image


LONGEST = ("test_real_selinux.py", "test_real_releases.py")
"""They begin, side by side where there are two workers: most of the time is theirs, and both build images."""


def pytest_collection_modifyitems(items):
    for item in items:
        if "/real/" in str(item.path):
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.timeout(PATIENCE))
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def image():
    """The balancer's disk."""
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    with image_of(CONTAINER) as folder:
        yield folder


@pytest.fixture(scope="module")
def lab(image):
    """The article's machines, as they were before the first run."""
    with house(image) as one:
        yield one


@pytest.fixture(scope="module")
def built(lab):
    """The same, with the article's cluster applied."""
    lab.desk.provision("cluster", "article", "--yes", code=0)
    return lab
