"""How tests are dealt out to workers: a file stays together, and so do files whose hosts share addresses."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

SHARING_ADDRESSES = {"labbalancer", "powershell", "windows"}
"""Folders of tests whose hosts all stand at the same loopback addresses."""


class ByAddress(LoadScopeScheduling):
    """One scope a file, or a folder where hosts share addresses."""

    def _split_scope(self, nodeid):
        file = PurePosixPath(nodeid.split("::", 1)[0])
        return str(file.parent) if file.parent.name in SHARING_ADDRESSES else str(file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByAddress(config, log)
