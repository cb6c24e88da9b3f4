"""What the tests of the cluster file share: the base file, and a watch over everything that could open a connection."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WIRE_EVENTS = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "ftplib.", "http.client.")


class Watch:
    """An audit hook cannot be taken away again; this one listens only while a test asks it to."""

    def __init__(self) -> None:
        self.listening = False
        self.events: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _arguments: object) -> None:
        if self.listening and event.startswith(WIRE_EVENTS):
            self.events.append(event)


@pytest.fixture(scope="session")
def watch() -> Watch:
    return Watch()


@pytest.fixture
def wire(watch: Watch) -> Iterator[list[str]]:
    """Every socket, look-up and process that the test's code opens, by name."""
    watch.events.clear()
    watch.listening = True
    yield watch.events
    watch.listening = False


@pytest.fixture(scope="session")
def base() -> str:
    return (HERE / "cases" / "base.yml").read_text(encoding="utf-8")
