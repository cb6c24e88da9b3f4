"""How tests are dealt out to workers: a file is one group, and files whose hosts share addresses are one group."""

import pytest

SHARING_ADDRESSES = {"labbalancer", "windows"}
"""Folders of tests whose hosts all stand at the same loopback addresses."""


@pytest.hookimpl(tryfirst=True)  # before the workers read the groups
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.parent.name
        group = folder if folder in SHARING_ADDRESSES else f"{folder}/{item.path.stem}"
        item.add_marker(pytest.mark.xdist_group(group))
