"""FTP servers on loopback for the tests: real ones (pyftpdlib) in a thread, and scripted ones that answer wrongly."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "probe", "s3cret-probe"


@contextmanager
def ftp_server(
    address: str,
    home: Path,
    ports: range,
    external: str | None = None,
    tls: Path | None = None,
    **settings: Any,
) -> Iterator[int]:
    """A real FTP server; gives its port. `external` is what it names in the 227 (default: its own address)."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(home), perm=settings.pop("perm", "elradfmw"))
    own = {
        "authorizer": authorizer,
        "passive_ports": list(ports),
        "masquerade_address": external,
        "certfile": str(tls),
    }
    own |= {"banner": "Microsoft FTP Service", "log_prefix": "", "auth_failed_timeout": 0.1, **settings}
    # pyftpdlib keeps its settings on classes: each server gets one of its own.
    handler = type("Handler", (TLS_FTPHandler if tls else FTPHandler,), own)
    server = FTPServer((address, 0), handler, ioloop=IOLoop())
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)
        server.close_all()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        stop.set()
        thread.join(5)


@contextmanager
def scripted_server(address: str, replies: Mapping[str, str]) -> Iterator[int]:
    """A server that answers each verb with the text given for it ("" for: closes), and knows `CONNECT` as a verb.

    "hang" means no answer at all, "drip" one that never ends. What is not named is answered with 200.
    """
    listener = socket.create_server((address, 0))
    stop = threading.Event()

    def session(client: socket.socket) -> None:
        with client, suppress(OSError), client.makefile("r", newline="\n") as lines:
            if not answer(client, "CONNECT"):
                return
            for line in lines:
                if not answer(client, line.split()[0]):
                    return

    def answer(client: socket.socket, verb: str) -> bool:
        text = replies.get(verb, "220 ready" if verb == "CONNECT" else "200 fine")
        if text == "hang":
            stop.wait(10)
        while text == "drip" and not stop.wait(0.05):
            client.sendall(b"220-still\r\n")
        if text in ("", "hang", "drip"):
            return False
        client.sendall(text.encode() + b"\r\n")
        return True

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=session, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def silent_listener(address: str) -> Iterator[int]:
    """A port that accepts connections and says nothing: what a balancer looks like whose server does not answer."""
    with socket.create_server((address, 0)) as listener:
        yield listener.getsockname()[1]


def closed_port(address: str) -> int:
    """A port on which nobody listens."""
    with socket.create_server((address, 0)) as listener:
        return int(listener.getsockname()[1])


def certificate(folder: Path) -> Path:
    """A self-signed certificate with its key in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ftp.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "ftp.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
