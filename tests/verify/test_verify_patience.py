"""How long verification waits for refused ports, on a clock of its own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from verify.verify_cases import make_cluster

from provision.cli.reading import PATIENCE
from provision.engine.context import Context
from provision.engine.ftp_verify import AFTER_CHANGE, verify_cluster


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Refused:
    """A balancer through which nothing can be reached."""

    def shell(self, _balancer: object) -> Refused:
        return self

    def open_channel(self, address: str, port: int) -> None:
        raise ConnectionRefusedError(f"{address}:{port}")


@pytest.mark.parametrize("patience", [PATIENCE, AFTER_CHANGE])
def test_refused_ports_are_waited_for_as_long_as_the_verb_says_and_no_longer(patience: float) -> None:
    watch, events = Watch(), []
    context = Context(opener=None, secrets={}, say=events.append, clock=watch.now, sleep=watch.sleep)
    work = SimpleNamespace(cluster=make_cluster([9], probe=False), context=context, sessions=Refused())
    report = verify_cluster(work, patience)
    assert not report.ok
    assert patience <= watch.time <= patience + 2.0
    assert "failed" in [one.level for one in events]


def test_a_verification_by_itself_is_patient_for_seconds_only() -> None:
    assert PATIENCE < AFTER_CHANGE / 3
