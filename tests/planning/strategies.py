"""Hypothesis strategies for the model: ports, resources, states."""

from hypothesis import strategies as st

from provision.model.ports import PortRange, PortSet
from provision.model.resources import (
    DataChannelPorts,
    ExternalAddress,
    File,
    FirewallPorts,
    FirewallRule,
    ForeignContent,
    FtpService,
    OurText,
    Package,
    SelinuxBoolean,
    SelinuxMode,
    SelinuxPermissiveDomain,
    Service,
    Sysctl,
    VipAddress,
)
from provision.model.state import Key, State

ports = st.integers(1, 65535)
ranges = st.tuples(ports, ports).map(lambda pair: PortRange(min(pair), max(pair)))
port_sets = st.lists(ranges, max_size=4).map(lambda many: PortSet.of(*many))
addresses = st.ip_addresses(v=4).map(str)
words = st.text(alphabet="abcdefgh-", min_size=1, max_size=8)
contents = st.one_of(
    st.builds(OurText, st.text(max_size=40)),
    st.builds(ForeignContent, st.text(alphabet="0123456789abcdef", min_size=64, max_size=64)),
)
resources = st.one_of(
    st.just(Package()),
    st.builds(File, contents, st.integers(0, 0o777), words),
    st.builds(FirewallPorts, port_sets, port_sets),
    st.builds(SelinuxBoolean, st.booleans(), st.booleans()),
    st.builds(SelinuxMode, st.sampled_from(["enforcing", "permissive"]), st.sampled_from(["enforcing", "disabled"])),
    st.just(SelinuxPermissiveDomain()),
    st.builds(Sysctl, words, st.none() | words),
    st.builds(VipAddress, words, st.integers(0, 32)),
    st.builds(Service, st.booleans(), st.booleans(), st.booleans()),
    st.builds(DataChannelPorts, ranges),
    st.builds(ExternalAddress, addresses, st.booleans()),
    st.builds(FirewallRule, st.booleans(), port_sets, st.lists(addresses, max_size=3).map(tuple)),
    st.builds(FtpService, st.sampled_from(["Automatic", "Manual", "Disabled"]), st.booleans(), st.booleans()),
)
hosts = st.sampled_from(["lb1", "lb2", "win1", "win2"])
entries = st.builds(lambda host, one, name: (Key(host, one.kind, name), one), hosts, resources, words)
states = st.lists(entries, max_size=12).map(lambda pairs: State(dict(pairs)))
