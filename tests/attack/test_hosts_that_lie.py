"""Answers of real machines with something in them turned into nonsense: read, or refused with a sentence; never a crash.

What is still read must still lead to a plan. The nonsense is drawn with a fixed seed.
"""

import contextlib
import copy
import random
from dataclasses import replace

import pytest
import test_live
import test_recorded_readings as recorded
import windows_answers
from balancer_clusters import MASKS, cluster
from printing import frame

from provision.errors import ProvisionError
from provision.hosts.balancer.changing import change_steps
from provision.hosts.balancer.desired import desired
from provision.hosts.balancer.frames import Frame, frames
from provision.hosts.balancer.live import parse_live
from provision.hosts.balancer.reading import parse_reading
from provision.hosts.ftp_server.desired import desired as desired_server
from provision.model.state import State
from provision.planning.diff import diff

NONSENSE = [
    "", "\n", "0", "-1", "9" * 5000, "no", "[bold red]x[/]", "\x1b[2J\x1b]0;x\x07", "\x00", "é😀\u202e", "a b c d e f g h", "\udc80",
    "provision-frame end 0 0\n", "{" * 3000, "Id=haproxy.service\nActiveState=\n", ",,,,,\n,,\n", "65536-1\n", "1.2.3.4.5",
    "as 99999999 \"x\"", "a(ss) 3 \"21-\" \"tcp\" \"x\"", "* --> on", "%s %n {0}", "../../etc/passwd", "00:00:00", "1e999",
]
ROUNDS = 250


def twisted(text, chance):
    """`text` with a piece of it replaced."""
    if not text or chance.random() < 0.4:
        return chance.choice(NONSENSE)
    start = chance.randrange(len(text))
    return text[:start] + chance.choice(NONSENSE) + text[chance.randrange(start, len(text) + 1) :]


def printed(found):
    return b"".join(frame(one) for one in (*found, Frame("end", 0, "")))


def twisted_frames(found, chance):
    changed = list(found)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                del changed[at]
            case 1:
                changed[at] = replace(changed[at], status=chance.choice([0, 1, 127, 255]))
            case _:
                changed[at] = replace(changed[at], text=twisted(changed[at].text, chance))
    return changed


@pytest.mark.parametrize("path", recorded.MACHINES, ids=lambda path: path.stem)
def test_a_balancer_that_prints_nonsense_is_read_or_refused(path):
    chance, one = random.Random(path.stem), recorded.CLUSTER
    found, balancer = frames(recorded.printed(recorded.load(path))), one.balancers[0]
    for _ in range(ROUNDS):
        data = printed(twisted_frames(found, chance))
        try:
            reading = parse_reading(data, one, balancer, MASKS)
            wanted = desired(one, balancer, reading.facts, one.ownership, MASKS)
        except ProvisionError:
            continue
        for step in change_steps(reading.facts, diff(State(reading.resources), State(wanted.resources)), wanted.texts):
            with contextlib.suppress(ValueError):  # words that would break out of their line are refused
                assert step.encoded().split(b"\n", 1)[0].decode() == "\t".join(step.words)


def test_haproxy_s_socket_that_prints_nonsense_is_read_or_refused():
    chance, one = random.Random(1), cluster()
    texts = {"info": test_live.INFO, "stat": test_live.STAT, "sessions": test_live.SESSIONS, "table:FTPVIP": test_live.TABLE,
             "units": "MainPID=70\nId=haproxy.service\n", "processes": test_live.PROCESSES}
    found = [Frame(name, 0, text) for name, text in texts.items()]
    for _ in range(4 * ROUNDS):
        with contextlib.suppress(ProvisionError):
            parse_live(printed(twisted_frames(found, chance)), one, one.balancers[0])


VALUES = [None, True, False, 0, -1, 10**30, 1.5, "", "x", "\x1b[31m", "[bold]", "é😀", [], {}, ["x"], [[]], "9" * 5000, "1.2.3.4",
          "2026-03-01T10:00:00.000Z", "Any", "1-65535", "65535-1", "*:21:", "absent", "explicit", "C:\\x"]


def twist(value, chance):
    """Replace one leaf somewhere below."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = chance.choice(list(keys))
    if isinstance(value[key], dict | list) and value[key] and chance.random() < 0.8:
        twist(value[key], chance)
    else:
        value[key] = chance.choice(VALUES)


def test_a_windows_server_that_answers_nonsense_is_read_or_refused():
    chance = random.Random(2)
    whole = windows_answers.data(
        firewallOpen=[windows_answers.rule()], firewallBlocked=[windows_answers.rule("b")], reservedPorts=["50000-50059*"],
        listeners=[{"port": 10003, "processId": 7}], sites=[windows_answers.site(), windows_answers.site("Other", id=2)],
    )
    one = windows_answers.cluster()
    server, read = one.servers[0], 0
    for _ in range(8 * ROUNDS):
        answer = copy.deepcopy(whole)
        twist(answer, chance)
        try:
            reading = windows_answers.parse_reading(windows_answers.answered(answer), one, server)
        except ProvisionError:
            continue
        read += 1
        diff(State(reading.resources), State(desired_server(one, server, reading.facts, ["10.0.0.2"])))
    assert read > 100
