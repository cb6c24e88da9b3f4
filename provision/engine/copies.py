"""Copies of generations on the balancers, so that any operator can go back. One exec a balancer."""

from __future__ import annotations

from collections.abc import Iterable

from provision.engine.generations import Generation, decode, encode
from provision.engine.prepare import Workplace
from provision.engine.read import ClusterReading
from provision.errors import ProvisionError, SnapshotError
from provision.hosts.balancer.generations import fetch_script, parse_fetch, record_script


def copy_to_balancers(work: Workplace, reading: ClusterReading, generations: Iterable[Generation]) -> None:
    """Write the documents to every balancer that was read; each script reads back what it wrote. Raises SnapshotError."""
    documents = {one.number: encode(one) for one in generations}
    for name in reading.balancers:
        balancer = work.cluster.balancer(name)
        script = record_script(work.cluster, balancer, documents)
        result = work.sessions.run_shell(balancer, script, work.context.limits.read)
        if result.status != 0:
            why = result.stderr.decode(errors="replace").strip()
            raise SnapshotError("P706", "the snapshot cannot be kept on the balancer", where=name, why=why)


def fetch_generation(work: Workplace, number: int) -> Generation | None:
    """Generation `number` from the first balancer that has it whole, or None."""
    for balancer in work.cluster.balancers:
        try:
            result = work.sessions.run_shell(balancer, fetch_script(work.cluster, balancer), work.context.limits.read)
            documents = parse_fetch(result.stdout)
            if number in documents:
                return decode(documents[number], balancer.name)
        except ProvisionError:
            continue
    return None
