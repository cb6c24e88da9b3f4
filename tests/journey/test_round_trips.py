"""How little goes over the wire: counted by the lab's hosts themselves."""

import json


def counts(lab):
    """HTTP requests of each Windows host, execs of the balancer, so far."""
    status = json.loads(lab.provision("lab", "status", str(lab.file), "--json", code=0).stdout)
    return {host["name"]: host["requests"] for host in status["hosts"]}


def spent(lab, *words):
    before = counts(lab)
    lab.on_cluster(*words)
    return {name: count - before[name] for name, count in counts(lab).items()}


def test_reading_is_one_exec_and_seven_requests_over_https(built):
    used = spent(built, "drift")
    assert used["lb1"] == 1
    assert used["win1"] <= 7
    assert used["win2"] <= 7


def test_a_change_of_the_balancer_is_three_more_execs(built):
    built.break_it("haproxy-edited")
    used = spent(built, "cluster", "--yes")
    # Two readings; then snapshot, change with its reading, record; verification asks HAProxy who serves it.
    assert used["lb1"] <= 2 + 3 + 1


def test_a_change_of_a_server_is_three_requests_a_pipeline(built):
    built.break_it("firewall-rule-disabled", "--host", "win1")
    used = spent(built, "cluster", "--yes")
    assert used["win1"] <= 7 + 3 + 3 + 3  # two readings, the change, the reading after it
    assert used["win2"] <= 7 + 3
