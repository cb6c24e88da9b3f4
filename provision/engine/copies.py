"""Copies of generations on the balancers, so that any operator can go back. One exec a balancer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from provision.engine.context import Event
from provision.engine.documents import Generation, decode, encode
from provision.engine.prepare import Workplace
from provision.engine.read import ClusterReading
from provision.errors import ProvisionError, SnapshotError
from provision.hosts.balancer.generations import fetch_script, parse_fetch, record_script


def copy_to_balancers(work: Workplace, reading: ClusterReading, generations: Iterable[Generation]) -> None:
    """Write the documents to every balancer that was read, and read them back. Raises SnapshotError."""
    documents = {one.number: encode(one) for one in generations}
    for name in reading.balancers:
        balancer = work.cluster.balancer(name)
        script = record_script(work.cluster, balancer, documents)
        result = work.sessions.run_shell(balancer, script, work.context.limits.read)
        if result.status != 0:
            why = result.stderr.decode(errors="replace").strip()
            raise SnapshotError("P706", "the snapshot cannot be kept on the balancer", where=name, why=why)


def catch_up(work: Workplace) -> None:
    """Take over the generations that balancers keep and this machine lacks: made by others, or lost here.

    A balancer that does not answer is passed over; a document that is damaged there is left out.
    """
    for balancer in work.cluster.balancers:
        with suppress(ProvisionError):
            result = work.sessions.run_shell(balancer, fetch_script(work.cluster, balancer), work.context.limits.read)
            _take_over(work, balancer.name, parse_fetch(result.stdout))


def _take_over(work: Workplace, balancer: str, documents: Mapping[int, bytes]) -> None:
    for number in sorted(set(documents) - set(work.store.whole_numbers())):
        with suppress(SnapshotError):
            work.store.write(decode(documents[number], balancer, work.cluster.name, number))
            work.context.say(Event("note", balancer, f"generation {number} was taken over from this balancer"))
