"""What genuine EL 7 to 10 machines print, parser by parser, and what is made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from balancer_clusters import MASKS, cluster
from recorded import cases, reading

from provision.errors import ReadFailed
from provision.hosts.balancer.reading import parse_reading
from provision.model.codec import decode_resource
from provision.model.state import Key

FACTS = {
    "os": lambda facts: facts.os,
    "major": lambda facts: facts.major,
    "installed": lambda facts: facts.haproxy.installed,
    "version": lambda facts: facts.haproxy.version and "{}.{}".format(*facts.haproxy.version),
    "release": lambda facts: facts.haproxy.release,
    "trouble": lambda facts: facts.haproxy.trouble,
    "main": lambda facts: facts.haproxy.main,
    "conf_d": lambda facts: facts.haproxy.conf_d,
    "served": lambda facts: sorted(facts.haproxy.served or ()),
    "vip_held": lambda facts: facts.address.vip_held,
    "device": lambda facts: facts.address.device,
    "prefix": lambda facts: facts.address.prefix,
    "sources": lambda facts: dict(facts.address.sources),
    "selinux": lambda facts: facts.selinux,
    "ephemeral": lambda facts: list(facts.ephemeral or ()),
    "reserved": lambda facts: facts.reserved,
    "default": lambda facts: facts.firewall.default,
    "zones": lambda facts: sorted(facts.firewall.zones),
    "zone of eth0": lambda facts: facts.firewall.zone_of("eth0"),
    "sources of zones": lambda facts: {name: list(one.sources) for name, one in facts.firewall.zones.items() if one.sources},
    "imudp loaded": lambda facts: facts.log.imudp_elsewhere,
    "udp listens": lambda facts: facts.log.listens_elsewhere,
    "old syntax": lambda facts: facts.log.old_syntax,
}


def meant(case):
    one = cluster()
    return replace(one, **case.get("cluster", {}), balancers=(replace(one.balancers[0], **case.get("balancer", {})),))


def read(case):
    one = meant(case)
    return parse_reading(reading(case), one, one.balancers[0], MASKS)


def shown(result, name):
    """One expectation's other side: a fact, a resource (`kind name`), or a finding (its level and all its words)."""
    if name in FACTS:
        return FACTS[name](result.facts)
    kind, _, rest = name.partition(" ")
    if kind == "finding":
        return [[one.level, one.message + "; " + one.fix] for one in result.findings if one.code == rest]
    return result.resources.get(Key("lb1", kind, rest))


def check(result, name, wanted):
    found = shown(result, name)
    if name.startswith("finding "):
        (one,) = found if wanted else [None, *found]
        words = wanted if isinstance(wanted, list) else [wanted]
        assert one is None or all(word in " ".join(one) for word in words), one
    elif isinstance(wanted, dict) and name not in FACTS:
        assert found == decode_resource({"kind": name.split()[0], **wanted})
    else:
        assert found == wanted, name


@pytest.mark.parametrize("case", [one for one in cases("answers") if "refused" not in one.values[0]])
def test_a_genuine_answer_is_read_as_what_it_means(case):
    result = read(case)
    for name, wanted in case["expected"].items():
        check(result, name, wanted)


@pytest.mark.parametrize("case", [one for one in cases("answers") if "refused" in one.values[0]])
def test_a_genuine_answer_that_says_nothing_certain_is_refused(case):
    with pytest.raises(ReadFailed) as caught:
        read(case)
    assert case["refused"] in caught.value.why
