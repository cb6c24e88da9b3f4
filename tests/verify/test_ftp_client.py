"""The FTP client against real servers, in the clear and over TLS, over sockets and over something that is none."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from verify.ftp_servers import (
    PASSWORD,
    USER,
    certificate,
    closed_port,
    ftp_server,
    scripted_server,
    silent_listener,
)

from provision.engine.ftp_client import FtpSession, Passive
from provision.engine.ftp_control import FtpFailure
from provision.engine.ftp_stream import Stream, TlsStream, socket_dial
from provision.model.secret import Secret

HOST = "127.0.31.1"
PORTS = range(10000, 10010)
EVERY_BYTE = bytes(range(256)) * 1000 + b"\r\n\n\r"


class Channel:
    """Looks like an SSH channel: it has the five operations and nothing else of a socket."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner

    def recv(self, count: int, /) -> bytes:
        return self._inner.recv(count)

    def sendall(self, data: bytes, /) -> None:
        self._inner.sendall(data)

    def settimeout(self, seconds: float, /) -> None:
        self._inner.settimeout(seconds)

    def shutdown(self, how: int, /) -> None:
        self._inner.shutdown(how)

    def close(self) -> None:
        self._inner.close()


def channel_dial(address: str, port: int, seconds: float) -> Stream:
    return Channel(socket.create_connection((address, port), seconds))


def data_of(passive: Passive) -> Callable[[float], Stream]:
    return lambda seconds: socket.create_connection((HOST, passive.port), seconds)


def round_trip(session: FtpSession) -> tuple[bytes, bytes]:
    """Log in, store a file, list it, read it back, delete it."""
    session.login(USER, Secret(PASSWORD))
    session.store("every.bin", EVERY_BYTE, data_of(session.passive()))
    listing = session.list(data_of(session.passive()))
    content = session.retrieve("every.bin", data_of(session.passive()))
    session.delete("every.bin")
    session.close()
    return listing, content


@pytest.mark.parametrize("dial", [socket_dial(), channel_dial], ids=["socket", "channel"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_file_goes_up_and_comes_back_byte_for_byte(dial: object, secure: bool, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    strict: dict[str, Any] = {"tls_control_required": True, "tls_data_required": True} if secure else {}
    with ftp_server(HOST, home, PORTS, tls=certificate(tmp_path) if secure else None, **strict) as port:
        session = FtpSession(dial, HOST, port)  # type: ignore[arg-type]  # parametrize knows no protocol types
        if secure:
            session.secure()
        listing, content = round_trip(session)
    assert b"every.bin" in listing
    assert content == EVERY_BYTE
    assert list(home.iterdir()) == []


def test_the_227_is_read_as_it_is_and_not_replaced_by_the_servers_address(tmp_path: Path) -> None:
    with ftp_server(HOST, tmp_path, PORTS, external="203.0.113.7") as port:
        session = FtpSession(socket_dial(), HOST, port)
        session.login(USER, Secret(PASSWORD))
        passive = session.passive()
        session.close()
    assert passive.address == "203.0.113.7"
    assert passive.port in PORTS


def test_a_tls_data_channel_offers_the_session_of_the_control_channel(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    reused = []

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            raw, _ = listener.accept()
            with context.wrap_socket(raw, server_side=True) as tls:
                reused.append(tls.session_reused)
                tls.sendall(b"hello")

    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    with socket.create_server((HOST, 0)) as listener:
        thread = _started(serve, listener)
        first = TlsStream(socket.create_connection(listener.getsockname(), 5), client)
        assert first.recv(5) == b"hello"
        second = TlsStream(socket.create_connection(listener.getsockname(), 5), client, first.session)
        assert second.recv(5) == b"hello"
        first.close()
        second.close()
        thread.join(5)
    assert reused == [False, True]


def _started(work: Callable[[socket.socket], None], listener: socket.socket) -> threading.Thread:
    thread = threading.Thread(target=work, args=(listener,), daemon=True)
    thread.start()
    return thread


def test_a_source_address_can_be_chosen(tmp_path: Path) -> None:
    with ftp_server(HOST, tmp_path, PORTS) as port:
        session = FtpSession(socket_dial("127.0.31.99"), HOST, port)
        assert isinstance(session.raw, socket.socket)
        assert session.raw.getsockname()[0] == "127.0.31.99"
        session.close()


def failure_of(replies: dict[str, str], do: Callable[[FtpSession], object]) -> FtpFailure:
    """How `do` fails on a server that answers like this."""
    with scripted_server(HOST, replies) as port, pytest.raises(FtpFailure) as caught:
        do(FtpSession(socket_dial(), HOST, port, step=0.3))
    return caught.value


@pytest.mark.parametrize(
    ("replies", "do", "step", "way", "reply"),
    [
        ({"CONNECT": "421 too many"}, lambda s: s, "greeting", "reply", 421),
        ({"CONNECT": ""}, lambda s: s, "greeting", "closed", 0),
        ({"CONNECT": "hang"}, lambda s: s, "greeting", "timeout", 0),
        ({"AUTH": "534 no"}, lambda s: s.secure(), "tls", "reply", 534),
        ({"AUTH": "234 go\r\nmore"}, lambda s: s.secure(), "tls", "tls", 0),
        ({"USER": "331 go", "PASS": "530 no"}, lambda s: s.login("u", Secret("p")), "login", "reply", 530),
        ({"CWD": "550 no"}, lambda s: s.enter("d"), "directory", "reply", 550),
        ({"PASV": "425 no"}, lambda s: s.passive(), "pasv", "reply", 425),
        ({"PASV": "227 what"}, lambda s: s.passive(), "pasv", "reply", 227),
        ({"PASV": "hang"}, lambda s: s.passive(), "pasv", "timeout", 0),
        ({"DELE": ""}, lambda s: s.delete("f"), "delete", "closed", 0),
    ],
)
def test_every_failure_names_its_step_and_its_way(
    replies: dict[str, str], do: Callable[[FtpSession], object], step: str, way: str, reply: int
) -> None:
    failure = failure_of(replies, do)
    assert (failure.step, failure.way, failure.reply) == (step, way, reply)


def test_a_closed_port_is_refused_and_not_a_timeout() -> None:
    with pytest.raises(FtpFailure) as caught:
        FtpSession(socket_dial(), HOST, closed_port(HOST))
    assert (caught.value.step, caught.value.way) == ("connect", "refused")


def test_a_server_that_drips_cannot_outlive_the_deadline() -> None:
    assert failure_of({"CONNECT": "drip"}, lambda s: s).way == "timeout"


def test_all_steps_together_keep_the_deadline_of_the_session() -> None:
    with silent_listener(HOST) as port, pytest.raises(FtpFailure) as caught:
        FtpSession(socket_dial(), HOST, port, step=30, whole=0.2)
    assert caught.value.way == "timeout"


@pytest.mark.parametrize("word", ["a\r\nDELE x", "a\nb"])
def test_no_second_command_hides_in_a_name(word: str) -> None:
    assert "newline" in failure_of({}, lambda s: s.enter(word)).text


def test_the_password_is_in_no_failure() -> None:
    failure = failure_of({"USER": "331 go", "PASS": "530 no"}, lambda s: s.login("u", Secret("canary-41")))
    assert "canary" not in f"{failure} {failure!r} {failure.args}"
