"""The steps for a person say the same as the tool does."""

from __future__ import annotations

from ftpserver.windows_answers import RULE, VIP, cluster, server

from provision.hosts.ftp_server.by_hand import by_hand


def test_the_steps_set_range_address_rule_and_restart_the_service() -> None:
    text = "\n".join(by_hand(cluster(), server(), ["10.0.0.2", "10.0.0.3"]))
    assert "/lowDataChannelPort:10000 /highDataChannelPort:10009 /commit:apphost" in text
    assert rf"'IIS:\Sites\Default FTP Site' -Name ftpServer.firewallSupport.externalIp4Address -Value '{VIP}'" in text
    assert "-LocalPort 21,10000-10009 -RemoteAddress 10.0.0.2,10.0.0.3 -Service ftpsvc" in text
    assert f"-Name '{RULE}'" in text
    assert text.index("New-NetFirewallRule") < text.index("Restart-Service ftpsvc")


def test_the_steps_come_in_blocks_that_are_closed_again() -> None:
    lines = by_hand(cluster(), server(), ["10.0.0.2"])
    assert lines[0] == "### win1 (10.0.0.11)"
    fences = [line for line in lines if line.startswith("```")]
    assert fences == ["```powershell", "```"] * (len(fences) // 2)


def test_a_site_with_an_apostrophe_cannot_leave_its_quotes() -> None:
    text = "\n".join(by_hand(cluster(), server(sites=("Bob's $(1)",)), []))
    assert r"'IIS:\Sites\Bob''s $(1)'" in text
    assert "ADDRESSES-OF-THE-BALANCERS" in text


def test_without_named_sites_the_text_says_which_are_meant() -> None:
    text = "\n".join(by_hand(cluster(), server(sites=None), []))
    assert "bound to 10.0.0.11:21 or *:21" in text


def test_the_way_back_makes_values_absent_instead_of_empty() -> None:
    lines = by_hand(cluster(), server(), [])
    back = "\n".join(lines[lines.index("The way back, where nothing was set before; else set what was noted:") :])
    assert "clear config -section:system.ftpServer/firewallSupport" in back
    assert "Clear-WebConfiguration" in back
    assert "@externalIp4Address" in back
    assert '-Value ""' not in back
