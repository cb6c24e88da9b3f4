"""A passive range that moves, and back again: balancers accept first, logins keep working on the way."""

import threading

import pytest
from journey.conftest import house
from journey.labhouse import download, upload


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    with house(tmp_path_factory.mktemp("moving"), "moving", "127.0.37") as one:
        one.on_cluster("cluster", "--yes", code=0)
        yield one


class Prober:
    """Logs in through the VIP and moves a small file, again and again, until told to stop."""

    def __init__(self, lab):
        self.lab, self.done, self.failures, self.rounds = lab, threading.Event(), [], 0
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def _run(self):
        while not self.done.is_set():
            try:
                client = self.lab.client(220)
                upload(client, "probe-file", b"x")
                assert download(client, "probe-file") == b"x"
                client.close()
            except (OSError, EOFError, AssertionError) as error:
                self.failures.append(repr(error))
            self.rounds += 1


def order(lab, verb, *words):
    report = lab.json(verb, *words, "--yes", code=0)
    return [step["host"] for step in report["plan"]["steps"]]


def test_1_the_balancer_accepts_then_servers_follow_then_it_closes(moving):
    moving.file.write_text(moving.file.read_text().replace("10000-10059", "11000-11059"))
    with Prober(moving) as prober:
        assert order(moving, "cluster") == ["lb1", "win1", "win2", "lb1"]
    assert prober.rounds > 0
    moving.json("drift", code=0)


def test_2_the_way_back_goes_the_same_road(moving):
    assert order(moving, "rollback") == ["lb1", "win1", "win2", "lb1"]
    moving.file.write_text(moving.file.read_text().replace("11000-11059", "10000-10059"))
    moving.json("drift", code=0)
    moving.on_cluster("verify", code=0)


def test_3_no_port_of_the_old_range_stays_open(moving):
    text = (moving.folder.resolve() / "lb1/etc/haproxy/haproxy.cfg").read_text()
    assert "11000" not in text
    assert "10000-10029" in text
