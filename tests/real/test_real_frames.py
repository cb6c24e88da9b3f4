"""What the product's scripts bring home from a balancer that really booted and from the lab's, in the same situation.

The same frames in the same order, with the same statuses, and texts of the same shape: numbers, times and places are
blanked out. Where a text may differ, it is named here with the reason.
"""

import hashlib
import re
from difflib import unified_diff
from pathlib import Path

import pytest
from labbalancer.balancers import words_of
from labbalancer.conversations import fill, words_in
from real.console import console_of
from ruamel.yaml import YAML

from provision.hosts.balancer.frames import frames
from provision.hosts.balancer.scripts import script

SITUATIONS = YAML(typ="safe").load(Path(__file__).with_name("situations.yaml"))
CHANGE = 'script=$1; shift; printf %s "$1" | { shift; eval "$script"; }'
BLANKS = {
    "→": "->",  # a stand-in does not see that its caller wants LC_ALL=C
    r"\w+\.service - ": "",  # systemd may be built to say a unit's name before its description
    r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+": "TIME",
    r"[0-9a-f]{64}": "HASH",
    r"(/usr)?/lib/systemd/system": "UNITS",
    r"0x[0-9a-f]+|\b[0-9a-f]+h\b|\d+": "N",
    r" +": " ",
}
# Frames whose texts are only as alike as the pattern says, and why.
ALLOWED = {
    "os": (r"(\w+=.*\n)+", "Debian is not Rocky Linux"),
    "processes": (r"( ?N N N \S.*\n)+", "the lab's ps lists the whole machine that the lab runs on"),
    "candidate": (r"Available Packages\nhaproxy.xN_N N.N.N-N.elN \w+\n", "the repository's name"),
    "log-rules": (r"(/etc/rsyslog\S+:N:.*\n)+", "Debian's rsyslog.conf has other lines"),
    "file:/etc/haproxy/haproxy.cfg": (r"(?s)#-+\n# The file as .* package leaves it.*", "the example is the packager's"),
    "file:/etc/sysconfig/haproxy": (r"(#.*\n)+OPTIONS=\"\"\n(# mine\n)?", "the comments are the packager's"),
    "sessions": (r"(N: proto=.*\n)+\n+", "who asks is met a moment earlier or later"),
    "done:rsyslog yes no": (
        r'(?s).*Removed "/etc/systemd/system/multi-user.target.wants/rsyslog.service".\n?(Removed "/etc/systemd/system/syslog.service".)?',
        "Debian's rsyslog.service has another name besides",
    ),
    "failed:haproxy yes yes": (
        (
            r"(?s)Configuration file is valid\nJob for haproxy.service failed because the control process exited with error code.\n"
            r".*\nStarting HAProxy Load Balancer\.\.\.\n.*cannot bind socket \(Cannot assign requested address\).*\n"
            r"haproxy.service: Main process exited, code=exited, status=N/FAILURE\nhaproxy.service: Failed with result 'exit-code'.\n"
            r"Failed to start HAProxy Load Balancer.\nthe old configuration is back"
        ),
        "the journal of the real one has more to tell, of earlier starts too",
    ),
    "failed:rsyslog yes yes": (
        (
            r"(?s)rsyslogd: version [^\n]*\n(rsyslogd: error during parsing file /etc/rsyslog.d/provision-demo.conf, on or "
            r"before line N: warnings occurred in file '/etc/rsyslog.d/provision-demo.conf' around line N [^\n]*\n)+.*"
        ),
        "the real one says it three times, and its journal has more to tell",
    ),
}


@pytest.fixture(scope="module")
def console(image):
    with console_of(image) as one:
        yield one


def lines(situation, known):
    """What is typed, then change.sh where there are steps, read.sh and live.sh."""
    common = (known["root"], "demo", known["vip"], "external", "-", "boolean", "/etc/haproxy/conf.d/provision-demo.cfg")
    reading = (*common, f"{known['net']}.110", "10.9.9.9")
    steps = "".join(step_text(step, known) for step in flat(situation.get("steps", [])))
    change = [["sh", "-c", CHANGE, "provision", script("change"), steps, *reading]] if steps else []
    read = ["sh", "-c", script("read"), "provision", *reading]
    live = ["sh", "-c", script("live"), "provision", known["root"], "demo", "none"]
    return [*(words_in(line, known) for line in situation.get("typed", [])), *change, read, live]


def flat(steps):
    for step in steps:
        yield from flat(step) if isinstance(step, list) else [step]


def step_text(step, known):
    """As change.sh reads it: words with tabs between, a file's bytes after the step that stages it."""
    if isinstance(step, str):
        return "\t".join(step.split(" ")) + "\n"
    text = fill(step["text"], known)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return "\t".join(["stage", step["stage"], "644", "root:root", str(len(text)), digest]) + f"\n{text}"


def of_lab(situation):
    """SELinux is off in the real one, so it is here."""
    given = ("selinux-off", *situation.get("given", ()))
    with words_of(given=given, address="127.0.93.1", vip="127.0.93.100") as words:
        return shapes([words.type_in(line) for line in lines(situation, words.values)], words.values)


def of_machine(console, situation):
    return shapes(console.answers(lines(situation, console.values), situation.get("given", ())), console.values)


def shapes(answers, known):
    """Of the frames of all scripts: name, status, text with what differs from place to place and day to day blanked out."""
    assert [answer for answer in answers if answer.code] == []
    scripts = [answer for answer in answers if answer.out.startswith("provision-frame")]
    assert [answer.err for answer in scripts if answer.err] == []
    found = [frame for answer in scripts for frame in frames(answer.out.encode())]
    return [(blank(frame.name, known), frame.status, blank(frame.text, known)) for frame in found]


def blank(text, known):
    text = text.replace(f"{known['root']}/", "/").replace(f"{known['net']}.", "192.0.2.").replace("192.0.2.1/", "192.0.2.123/")
    for pattern, name in BLANKS.items():
        text = re.sub(pattern, name, text)
    return text


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one["situation"])
def test_the_lab_and_a_real_balancer_tell_the_same(console, situation):
    real, lab = of_machine(console, situation), of_lab(situation)
    assert [frame[:2] for frame in lab] == [frame[:2] for frame in real]
    pairs = [(name, said, wanted) for (name, _, said), (_, _, wanted) in zip(lab, real, strict=True)]
    wrong = [(name, *unified_diff(wanted.split("\n"), said.split("\n"), "real", "lab")) for name, said, wanted in pairs if not alike(name, said, wanted)]
    assert not wrong, "\n".join(line for one in wrong for line in one)


def alike(name, said, wanted):
    pattern, _ = ALLOWED.get(name, (re.escape(wanted), ""))
    return said == wanted or bool(re.fullmatch(pattern, said) and re.fullmatch(pattern, wanted))
