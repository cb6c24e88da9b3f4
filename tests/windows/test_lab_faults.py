"""The table of faults, and what is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from windows.labcluster import write_cluster

from provision.errors import LabError
from provision.lab import orchestra
from provision.lab.faults import break_lab, list_breaks, mend_lab
from provision.lab.hostplan import write_plans
from provision.lab.places import Places
from provision.model.cluster import Cluster

ASKED_FOR = {
    "external-address", "range-without-restart", "service-stopped", "firewall-rule-disabled", "haproxy-edited",
    "port-closed-runtime", "port-closed-permanent", "selinux-boolean-off", "winrm-closed", "winrm-slow",
    "wrong-password", "host-key-changed",
}


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return write_cluster(tmp_path / "clusters")


def test_every_break_that_the_lab_promises_is_there_once() -> None:
    names = [fault.name for fault in list_breaks()]
    assert set(names) >= ASKED_FOR
    assert len(names) == len(set(names))


def test_the_list_says_who_mends_what() -> None:
    mended = {fault.name: fault.mended_by for fault in list_breaks()}
    assert {mended[name] for name in ("winrm-closed", "winrm-slow", "wrong-password", "host-key-changed")} == {"lab mend"}
    assert {mended[name] for name in ("external-address", "service-stopped", "haproxy-edited")} == {"provision cluster"}


@pytest.mark.parametrize(("name", "host", "reason"), [
    ("external-adress", None, "there is no fault 'external-adress'"),
    ("service-stopped", "lb1", "lb1: 'service-stopped' is a fault of a server"),
    ("service-stopped", None, "win1: the lab was never started"),
])
def test_a_fault_that_cannot_be_is_refused_with_the_reason(
    cluster: Cluster, name: str, host: str | None, reason: str
) -> None:
    with pytest.raises(LabError) as caught:
        break_lab(cluster, cluster.file, name, host)
    assert str(caught.value).startswith(reason)


def test_a_host_that_is_down_cannot_be_broken_through_its_socket(cluster: Cluster) -> None:
    places = Places.of(cluster.file)
    places.make()
    write_plans(cluster, places)
    with pytest.raises(LabError, match="could not be injected"):
        break_lab(cluster, cluster.file, "service-stopped", "win2")
    orchestra.forget(cluster.file)


def test_what_provision_mends_is_not_the_labs_to_mend(cluster: Cluster) -> None:
    with pytest.raises(LabError) as caught:
        mend_lab(cluster, cluster.file, "external-address", None)
    assert caught.value.next.startswith("provision cluster ")
