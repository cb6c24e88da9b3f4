"""The encrypted HTTP body: what is sealed can be opened, and nothing else can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.lab.winrm.sealing import BadSeal, is_sealed, open_body, seal_body


class Rot:
    """A context that adds one to every byte and signs with their sum."""

    def seal(self, data: bytes) -> tuple[bytes, bytes]:
        return sum(data).to_bytes(8, "little"), bytes((byte + 1) % 256 for byte in data)

    def open(self, header: bytes, data: bytes) -> bytes:
        plain = bytes((byte - 1) % 256 for byte in data)
        if header != sum(plain).to_bytes(8, "little"):
            raise BadSeal("signature")
        return plain


@given(st.binary(max_size=300))
def test_what_is_sealed_can_be_opened(body):
    assert open_body(seal_body(body, Rot()), Rot()) == body


def test_a_body_that_holds_the_boundary_itself_survives():
    body = b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n--Encrypted Boundary--\r\n"
    assert open_body(seal_body(body, Rot()), Rot()) == body


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: b"",
        lambda sealed: b"<s:Envelope/>",
        lambda sealed: sealed.replace(b"Length=5", b"Length=6"),
        lambda sealed: sealed.replace(b"octet-stream\r\n\x08", b"octet-stream\r\n\xff"),
        lambda sealed: sealed.replace(b"ifmmp", b"ifmmq"),
    ],
)
def test_a_spoiled_body_is_refused(spoil):
    sealed = seal_body(b"hello", Rot())
    assert spoil(sealed) != sealed
    with pytest.raises(BadSeal):
        open_body(spoil(sealed), Rot())


def test_the_content_type_tells():
    assert is_sealed('multipart/encrypted;protocol="x"')
    assert not is_sealed("application/soap+xml;charset=UTF-8")
