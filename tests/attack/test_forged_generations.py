"""Documents that somebody forged or damaged on a balancer, whole checksum and all, are not used, and nothing crashes."""

import hashlib
import json

import pytest

from provision.engine.documents import MANAGED, Generation, decode, encode
from provision.errors import SnapshotError
from provision.model.ports import PortRange
from provision.model.resources import KINDS, DataChannelPorts
from provision.model.state import Key, Scope, State

STATE = State({Key("win1", "data-channel-ports", "server"): DataChannelPorts(PortRange(10000, 10020))})
WHOLE = Generation(
    cluster="lab", number=3, when="2026-01-01T00:00:00Z", who="ops@desk", what="cluster", result="proven", state=STATE,
    before=State(), scope=Scope.of(STATE), definition="cluster: lab\n", key="00" * 32,
)


def forged(**fields):
    """The whole document with other fields, under a checksum that fits."""
    body = json.loads(encode(WHOLE)) | fields
    del body["sha256"]
    return json.dumps({**body, "sha256": hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()}).encode()


def with_resource(**resource):
    return {"format": 1, "resources": [{"host": "lb1", "name": "haproxy", **resource}], "unread": {}}


def opening(**fields):
    return with_resource(kind="firewall", **{"runtime": {"port-set": "21"}, "permanent": {"port-set": "21"}} | fields)


FILE = {"kind": "file", "name": "/etc/haproxy/haproxy.cfg", "mode": 0o640, "owner": "root:root"}
STRANGE = {
    "another cluster": {"cluster": "other"},
    "another number": {"number": 0},
    "a path for a number": {"number": "../../x"},
    "true for a number": {"number": True},
    "a negative number": {"number": -5},
    "another result": {"result": "great"},
    "a short key": {"key": "00"},
    "a key that is no hex": {"key": "zz" * 32},
    "a list for a text": {"who": ["x"]},
    "another format": {"format": 2},
    "an unknown field": {"extra": 1},
    "no state": {"state": None},
    "a list of states": {"state": [1, 2]},
    "a service of others": {"state": with_resource(kind="service", name="sshd", enabled=True, running=True, current=True)},
    "a text for a boolean": {"state": with_resource(kind="service", enabled="yes", running=True, current=True)},
    "a kernel setting of others": {"state": with_resource(kind="sysctl", name="kernel.core_pattern", current="|x", persistent=None)},
    "a path of others": {"state": with_resource(**FILE | {"name": "/etc/cron.d/x", "content": {"text": "x"}})},
    "a path with dots": {"before": with_resource(**FILE | {"name": "/etc/haproxy/../shadow", "content": {"text": "x"}})},
    "a path for a hash": {"state": with_resource(**FILE | {"content": {"sha256": "../../../../etc/shadow"}})},
    "a number for a content": {"state": with_resource(**FILE | {"content": 5})},
    "ports that are none": {"state": opening(runtime={"port-set": "99999"})},
    "a scope of others": {"scope": [{"host": "lb1", "kind": "file", "name": "/etc/passwd", "ports": None}]},
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_document_that_no_run_of_ours_wrote_is_refused(name):
    with pytest.raises(SnapshotError):
        decode(forged(**STRANGE[name]), "lb1", "lab", 3)


@pytest.mark.parametrize("data", [b"[" * 200_000, b"\xff\xfe{}", b'{"sha256": {}}', b"1e999", b'"\\ud800"'])
def test_nonsense_is_refused(data):
    with pytest.raises(SnapshotError):
        decode(data, "lb1", "lab", 3)


def test_the_same_forgery_without_a_lie_is_read():
    assert decode(forged(), "lb1", "lab", 3) == WHOLE


def test_every_kind_of_resource_says_which_names_are_managed():
    assert set(MANAGED) == set(KINDS)
