"""A WinRM server that answers as it likes: each answer is a failure with a code, soon, and never a crash of ours."""

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provision.errors import ProvisionError
from provision.lab.winrm.tls import make_tls
from provision.model.secret import Secret
from provision.remote.psrp import open_psrp
from provision.remote.session import WinRMTarget
from provision.remote.winrs import open_winrs

ADDRESS = "127.0.52.1"
SOAP = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>%s</s:Body></s:Envelope>'
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">%s]><l>&z;</l>' % b"".join(
    b'<!ENTITY %c "%s">' % (n + 98, b"&%c;" % (n + 97) * 20) for n in range(25)
)


class Endless:
    """A body that never ends."""


ANSWERS = {
    "nothing": (200, {}, b""),
    "bytes": (200, {}, bytes(range(256)) * 40),
    "html": (200, {"Content-Type": "text/html"}, b"<html><b>[bold]hello[/bold]</b>"),
    "xml that is no soap": (200, {}, b"<a/>"),
    "soap without a word": (200, {}, SOAP % b""),
    "deep xml": (200, {}, b"<a>" * 200_000),
    "entities": (200, {}, LAUGHS),
    "escapes": (500, {}, SOAP % b"\x1b[2J\x1b]0;owned\x07[red]"),
    "an odd fault": (500, {}, SOAP % b'<s:Fault><f:WSManFault xmlns:f="x" Code="zz"/></s:Fault>'),
    "a shell without a name": (200, {}, SOAP % b'<r:Shell xmlns:r="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"/>'),
    "a login that is nonsense": (401, {"WWW-Authenticate": "Negotiate !!!!"}, b""),
    "a login without a way": (401, {"WWW-Authenticate": "Bearer realm=x"}, b""),
    "another place": (307, {"Location": "http://127.0.52.2:9/"}, b""),
    "itself again": (307, {"Location": "/wsman"}, b""),
    "a length that is a lie": (200, {"Content-Length": "999999"}, b"short"),
    "compressed nonsense": (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b nonsense"),
    "a multipart of nothing": (200, {"Content-Type": 'multipart/encrypted;protocol="x";boundary="Encrypted Boundary"'}, b"--"),
    "without end": (200, {}, Endless),
}


class Liar(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body is Endless:
            return self.pour()
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True
        return None

    def pour(self):
        self.end_headers()
        try:
            while not self.server.over.is_set():
                self.wfile.write(b"<a>" * 100_000)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return make_tls(tmp_path_factory.mktemp("tls"), ADDRESS)


@pytest.fixture
def liar(tls):
    server = ThreadingHTTPServer((ADDRESS, 0), Liar)
    server.asked, server.over = 0, threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("opener", [open_psrp, open_winrs])
@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_it_answers_is_a_failure_with_a_code(liar, tls, opener, name):
    liar.answer = ANSWERS[name]
    target = WinRMTarget(
        host="win1", address=ADDRESS, port=liar.server_port, scheme="https", auth="basic", user="ops",
        password=Secret("canary pass word"), ca_file=tls.ca, connect_timeout=2.0,
    )
    session, begun = opener(target), time.monotonic()
    with pytest.raises(ProvisionError) as caught:
        session.run("script", "{}", 4.0)
    session.close()
    assert caught.value.code.startswith("P2")
    assert time.monotonic() - begun < 12
    assert liar.asked <= 3
    assert "canary" not in str(caught.value)
