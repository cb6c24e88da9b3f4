"""The FTP server takes configuration when the service starts, and speaks as IIS does."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
import time
from contextlib import nullcontext

import pytest
from windows.iishost import ADDRESS, PORT, Connect, MakeHost, edit_ftp, edit_range, passive, restart

from provision.lab.windows.host import WindowsHost
from provision.lab.windows.services import ServiceFailed


def test_the_banner_is_that_of_iis(host: WindowsHost, connect: Connect) -> None:
    assert connect(login=False).getwelcome() == "220 Microsoft FTP Service"


def test_a_fresh_server_has_no_range_and_answers_with_an_ephemeral_port(host: WindowsHost, connect: Connect) -> None:
    address, port = passive(connect())
    assert address == ADDRESS
    assert port > 10100


def test_a_changed_range_means_nothing_until_the_service_restarts(host: WindowsHost, connect: Connect) -> None:
    edit_range(host, 10040, 10041)
    assert passive(connect())[1] not in (10040, 10041)
    restart(host)
    assert passive(connect())[1] in (10040, 10041)


def test_a_changed_external_address_means_nothing_until_the_service_restarts(
    host: WindowsHost, connect: Connect
) -> None:
    edit_ftp(host, lambda ftp: ftp.child("firewallSupport").write("externalIp4Address", "127.0.46.100"))
    assert passive(connect())[0] == ADDRESS
    restart(host)
    assert passive(connect())[0] == "127.0.46.100"


def test_epsv_carries_no_address_and_hides_a_wrong_one(host: WindowsHost, connect: Connect) -> None:
    edit_ftp(host, lambda ftp: ftp.child("firewallSupport").write("externalIp4Address", "10.9.9.9"))
    restart(host)
    assert connect().sendcmd("EPSV").startswith("229 Entering Extended Passive Mode (|||")


def test_a_reversed_range_keeps_the_service_from_starting_and_is_in_the_event_log(host: WindowsHost) -> None:
    edit_range(host, 10050, 10040)
    host.services.stop("ftpsvc")
    with pytest.raises(ServiceFailed, match="10050-10040"):
        host.services.start("ftpsvc")
    assert "10050-10040" in host.state.events[-1].message
    assert host.state.services["ftpsvc"].status == "Stopped"


def test_a_stopped_service_has_closed_its_port_and_dropped_its_sessions(host: WindowsHost, connect: Connect) -> None:
    ftp = connect()
    host.services.stop("ftpsvc")
    with pytest.raises((EOFError, OSError)):
        ftp.voidcmd("NOOP")
    with pytest.raises(ConnectionRefusedError):
        connect()


def test_pasv_before_login_is_refused_in_the_words_of_iis(host: WindowsHost, connect: Connect) -> None:
    with pytest.raises(ftplib.error_perm, match="530 Please login with USER and PASS"):
        connect(login=False).sendcmd("PASV")


def test_a_wrong_password_is_refused_at_once(host: WindowsHost, connect: Connect) -> None:
    with pytest.raises(ftplib.error_perm, match="530 User cannot log in"):
        connect(login=False).login("ftpuser", "not-it")


def test_the_user_may_stand_behind_the_machines_name_in_any_case(host: WindowsHost, connect: Connect) -> None:
    assert connect(login=False).login("WIN1\\FtpUser", "Us3r-secret") == "230 User logged in."


def test_a_changed_password_counts_at_the_next_login(host: WindowsHost, connect: Connect) -> None:
    (host.directory / "user").write_text("another\n")
    with pytest.raises(ftplib.error_perm):
        connect()
    assert connect(login=False).login("ftpuser", "another").startswith("230")


def test_iis_knows_no_mlsd(host: WindowsHost, connect: Connect) -> None:
    ftp = connect()
    assert "MLS" not in ftp.sendcmd("FEAT")
    with pytest.raises(ftplib.error_perm, match="500"):
        ftp.sendcmd("MLSD")


def test_a_listing_has_the_ms_dos_style(host: WindowsHost, connect: Connect) -> None:
    ftp, lines = connect(), list[str]()
    ftp.mkd("folder")
    ftp.storbinary("STOR a file.txt", io.BytesIO(b"12345"))
    ftp.retrlines("LIST", lines.append)
    assert [line[17:] for line in sorted(lines, key=lambda each: each[39:])] == [
        "                    5 a file.txt", "       <DIR>          folder"]


def test_a_missing_folder_keeps_users_out(host: WindowsHost, connect: Connect) -> None:
    host.paths.local("C:\\inetpub\\ftproot").rmdir()
    with pytest.raises(ftplib.error_perm, match="home directory inaccessible"):
        connect()


def test_ssl_required_refuses_a_plain_login_with_534(host: WindowsHost, connect: Connect) -> None:
    edit_ftp(host, lambda ftp: ftp.child("security").child("ssl").write("controlChannelPolicy", "SslRequire"))
    restart(host)
    with pytest.raises(ftplib.error_perm, match="534 Policy requires SSL"):
        connect()


def test_without_a_certificate_auth_tls_is_refused_with_534(host: WindowsHost, connect: Connect) -> None:
    with pytest.raises(ftplib.error_perm, match="534 Local policy"):
        connect(login=False).sendcmd("AUTH TLS")


def test_explicit_tls_protects_login_and_transfer(make_host: MakeHost) -> None:
    host = make_host(tls=True)
    edit_ftp(host, lambda ftp: ftp.child("security").child("ssl").write("dataChannelPolicy", "SslRequire"))
    restart(host)
    context = ssl.create_default_context(cafile=host.directory / "ca.pem")
    received = list[bytes]()
    with ftplib.FTP_TLS(context=context, timeout=5) as ftp:
        ftp.connect(ADDRESS, PORT)
        ftp.login("ftpuser", "Us3r-secret")
        with pytest.raises(ftplib.error_perm, match="534"):
            ftp.retrlines("LIST")
        ftp.prot_p()
        ftp.storbinary("STOR x", io.BytesIO(b"z" * 300_000))
        ftp.retrbinary("RETR x", received.append)
    assert b"".join(received) == b"z" * 300_000


def test_a_silent_session_ends_after_the_control_channel_timeout(host: WindowsHost, connect: Connect) -> None:
    edit_ftp(host, lambda ftp: ftp.child("connections").write("controlChannelTimeout", 1))
    restart(host)
    ftp = connect()
    with pytest.raises(ftplib.error_temp, match="421 Timeout"):
        ftp.getresp()


def test_sessions_tell_who_is_connected_from_where(host: WindowsHost, connect: Connect) -> None:
    connect(client="127.0.46.7").voidcmd("NOOP")
    (session,) = host.ftp.sessions()
    assert (session.client, session.user, session.site) == ("127.0.46.7", "ftpuser", "Default FTP Site")


def test_too_many_sessions_get_421(host: WindowsHost, connect: Connect) -> None:
    edit_ftp(host, lambda ftp: ftp.child("connections").write("maxConnections", 1))
    restart(host)
    connect()
    with pytest.raises(ftplib.error_temp, match="421"):
        connect()


def test_a_port_that_is_taken_leaves_the_site_stopped_and_the_service_running(host: WindowsHost) -> None:
    host.services.stop("ftpsvc")
    with socket.create_server((ADDRESS, PORT)):
        host.services.start("ftpsvc")
    assert not host.ftp.site_started("Default FTP Site")
    assert any("could not bind" in event.message for event in host.state.events)


def test_every_feature_that_is_advertised_is_there(make_host: MakeHost, connect: Connect) -> None:
    make_host(tls=True)
    ftp = connect(login=False)
    words = [line.split()[0] for line in ftp.sendcmd("FEAT").splitlines()[1:-1]]
    for word in set(words) - {"UTF8", "REST", "TVFS"}:
        with pytest.raises(ftplib.Error) as caught:
            raise ftplib.error_perm(ftp.sendcmd(f"{word} x"))
        assert not str(caught.value).startswith("500")


def test_an_upload_that_breaks_off_is_not_kept(host: WindowsHost, connect: Connect) -> None:
    ftp = connect()
    data = ftp.transfercmd("STOR half")
    data.sendall(b"x" * 1000)
    ftp.sendcmd("NOOP")
    ftp.close()
    while host.ftp.sessions():      # the end of the data connection alone would mean the end of the file
        time.sleep(0.01)
    data.close()
    assert connect().nlst() == []


def test_a_missing_file_is_said_in_the_words_of_windows(host: WindowsHost, connect: Connect) -> None:
    ftp = connect()
    ftp.voidcmd("TYPE I")
    ftp.sendcmd("PASV")
    for command in ("SIZE nope", "RETR nope"):
        with pytest.raises(ftplib.error_perm, match="550 The system cannot find the file specified"):
            ftp.sendcmd(command)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_name_that_is_taken_is_replaced_only_where_the_site_allows_it(
    host: WindowsHost, connect: Connect, allowed: bool
) -> None:
    edit_ftp(host, lambda ftp: ftp.child("fileHandling").write("allowReplaceOnRename", allowed))
    restart(host)
    ftp = connect()
    for name in ("a", "b"):
        ftp.storbinary(f"STOR {name}", io.BytesIO(name.encode()))
    with nullcontext() if allowed else pytest.raises(ftplib.error_perm, match="already exists"):
        ftp.rename("a", "b")
    assert sorted(ftp.nlst()) == (["b"] if allowed else ["a", "b"])
