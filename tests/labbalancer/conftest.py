"""One running balancer for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from labbalancer.balancers import Balancer, balancer_of


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    with balancer_of(source="127.0.92.2", password="by word of mouth") as running:
        yield running
