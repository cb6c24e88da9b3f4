"""Passive ports: who gets one, when there is none, and whom the firewall lets in."""

from __future__ import annotations

import ftplib
import io
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from windows.iishost import ADDRESS, Connect, MakeHost, edit_ftp, edit_range, passive, restart

from provision.lab.windows.host import WindowsHost
from provision.lab.windows.state import ExcludedPorts, FirewallRule

OWN_RULE = FirewallRule("provision-x", "x", local_ports=("2121", "10040-10049"), remote_addresses=("127.0.46.1",),
                        service="ftpsvc")


def with_range(host: WindowsHost, low: int, high: int) -> None:
    edit_range(host, low, high)
    restart(host)


def hardened(make_host: MakeHost, *rules: FirewallRule) -> WindowsHost:
    """A host whose firewall admits what RULES say and nothing else."""
    host = make_host(passive_rule_open=False)
    host.store.change(lambda state: replace(state, rules=(*state.rules, *rules)))
    with_range(host, 10040, 10049)
    return host


def test_a_used_up_range_gives_425_and_a_freed_port_serves_again(host: WindowsHost, connect: Connect) -> None:
    with_range(host, 10040, 10041)
    first, second, third = connect(), connect(), connect()
    assert {passive(first)[1], passive(second)[1]} == {10040, 10041}
    with pytest.raises(ftplib.error_temp, match="425 Cannot open data connection"):
        third.sendcmd("PASV")
    first.quit()
    assert passive(third)[1] in (10040, 10041)


def test_asking_pasv_again_does_not_hold_two_ports(host: WindowsHost, connect: Connect) -> None:
    with_range(host, 10040, 10041)
    ftp = connect()
    assert len([passive(ftp) for _ in range(5)]) == 5


def test_a_port_that_windows_reserved_gives_425_and_the_next_one_serves(host: WindowsHost, connect: Connect) -> None:
    host.store.change(lambda state: replace(state, excluded_ports=(ExcludedPorts(10040, 10040),)))
    with_range(host, 10040, 10041)
    ftp = connect()
    with pytest.raises(ftplib.error_temp, match="425"):
        ftp.sendcmd("PASV")
    assert passive(ftp)[1] == 10041


def test_an_administered_exclusion_can_still_be_bound(host: WindowsHost, connect: Connect) -> None:
    host.store.change(lambda state: replace(state, excluded_ports=(ExcludedPorts(10040, 10041, administered=True),)))
    with_range(host, 10040, 10041)
    assert passive(connect())[1] == 10040


def test_a_port_that_another_program_holds_gives_425(host: WindowsHost, connect: Connect) -> None:
    with_range(host, 10040, 10041)
    with socket.create_server((ADDRESS, 10040)), pytest.raises(ftplib.error_temp, match="425"):
        connect().sendcmd("PASV")


def test_who_is_not_admitted_sees_no_banner(make_host: MakeHost, connect: Connect) -> None:
    hardened(make_host, OWN_RULE)
    assert connect(client="127.0.46.1").getwelcome().startswith("220")
    with pytest.raises((EOFError, OSError)):
        connect(client="127.0.46.2")


def test_a_disabled_rule_admits_nobody_from_that_moment_on(make_host: MakeHost, connect: Connect) -> None:
    host = hardened(make_host, OWN_RULE)
    host.store.change(lambda state: replace(state, rules=tuple(
        replace(rule, enabled=False) if rule.name == OWN_RULE.name else rule for rule in state.rules)))
    with pytest.raises((EOFError, OSError)):
        connect()


def test_a_passive_port_that_the_firewall_does_not_open_carries_nothing(make_host: MakeHost, connect: Connect) -> None:
    hardened(make_host, replace(OWN_RULE, local_ports=("2121",)))
    ftp = connect()
    with pytest.raises((EOFError, OSError)):
        ftp.retrlines("LIST")


def test_a_block_rule_beats_ours(make_host: MakeHost, connect: Connect) -> None:
    hardened(make_host, OWN_RULE, replace(OWN_RULE, name="b", action="Block", remote_addresses=("127.0.46.0/24",)))
    with pytest.raises((EOFError, OSError)):
        connect()


def listing_from(ftp: ftplib.FTP, client: str) -> bytes:
    """LIST whose data connection comes from another address than the session."""
    address, port = passive(ftp)
    with socket.create_connection((address, port), timeout=5, source_address=(client, 0)) as data:
        ftp.sendcmd("LIST")
        received = data.recv(1000)
    ftp.voidresp()
    return received


def test_a_data_connection_from_another_address_is_refused(host: WindowsHost, connect: Connect) -> None:
    ftp = connect()
    ftp.storbinary("STOR x", io.BytesIO(b"1"))
    with pytest.raises(ftplib.error_temp, match="425"):
        listing_from(ftp, "127.0.46.9")
    assert ftp.nlst() == ["x"]


def test_it_is_served_when_the_site_does_not_match_addresses(host: WindowsHost, connect: Connect) -> None:
    edit_ftp(host, lambda ftp: ftp.child("security").child("dataChannelSecurity").write(
        "matchClientAddressForPasv", False))
    restart(host)
    ftp = connect()
    ftp.storbinary("STOR x", io.BytesIO(b"1"))
    assert b" x\r\n" in listing_from(ftp, "127.0.46.9")


def test_denied_after_too_many_wrong_passwords_from_one_address(host: WindowsHost, connect: Connect) -> None:
    text = host.config_path.read_text()
    host.config_path.write_text(text.replace("<system.ftpServer>\n    </system.ftpServer>", (
        '<system.ftpServer><security><authentication><denyByFailure enabled="true" maxFailure="2" />'
        "</authentication></security></system.ftpServer>")))
    restart(host)
    for _ in range(2):
        with pytest.raises(ftplib.error_perm):
            connect(login=False).login("ftpuser", "wrong")
    with pytest.raises((EOFError, OSError)):
        connect()
    assert connect(client="127.0.46.2").getwelcome().startswith("220")


def test_an_address_that_ip_security_denies_is_turned_away(host: WindowsHost, connect: Connect) -> None:
    text = host.config_path.read_text()
    host.config_path.write_text(text.replace("<system.ftpServer>\n    </system.ftpServer>", (
        '<system.ftpServer><security><ipSecurity><add ipAddress="127.0.46.64" subnetMask="255.255.255.192" '
        'allowed="false" /></ipSecurity></security></system.ftpServer>')))
    restart(host)
    assert connect(client="127.0.46.63").getwelcome().startswith("220")
    with pytest.raises((EOFError, OSError)):
        connect(client="127.0.46.65")


def test_the_server_may_always_speak_to_itself(make_host: MakeHost, connect: Connect) -> None:
    hardened(make_host)
    assert connect(client=ADDRESS).nlst() == []


def test_eight_clients_at_once_get_every_byte(host: WindowsHost, connect: Connect) -> None:
    with_range(host, 10040, 10049)

    def there_and_back(number: int) -> bool:
        content, received = os.urandom(300_000 + number), list[bytes]()
        ftp = connect(client=f"127.0.46.{20 + number}")
        for _ in range(5):
            ftp.storbinary(f"STOR f{number}", io.BytesIO(content))
        ftp.retrbinary(f"RETR f{number}", received.append)
        return b"".join(received) == content

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(8)))
