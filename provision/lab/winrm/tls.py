"""Certificates for the lab: one small CA, and server certificates for the addresses of its hosts.

It must not know who serves with them. Keys are P-256: made in a millisecond, and good enough for a lab.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=825)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the CA to trust, the server's certificate, and its private key (0600)."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class CaFiles:
    """PEM files of a CA: its certificate, and its private key (0600)."""

    certificate: Path
    key: Path


def make_ca(directory: Path) -> CaFiles:
    """The lab's CA in `directory` (`ca.pem`, `ca-key.pem`): made on the first call, reused afterwards."""
    files = CaFiles(directory / "ca.pem", directory / "ca-key.pem")
    if files.certificate.exists() and files.key.exists():
        return files
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("provision lab CA")
    builder = _builder(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    _write(files.key, _private_pem(key), 0o600)
    _write(files.certificate, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)
    return files


def make_tls(directory: Path, address: str, *, name: str | None = None, ca: CaFiles | None = None) -> TlsFiles:
    """A server certificate for `address` (and the DNS name `name`) in `directory`, signed by `ca`.

    Without `ca` the CA of the same directory is used, and made when it is missing. Writes `server.pem` and
    `server-key.pem`, replacing older ones. Raises ValueError when `address` is not an IP address.
    """
    authority = ca or make_ca(directory)
    issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    signer = serialization.load_pem_private_key(authority.key.read_bytes(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority.key} is not an elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address))]
    if name:
        names.append(x509.DNSName(name))
    builder = _builder(_name(name or address), issuer.subject, key.public_key())
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    files = TlsFiles(authority.certificate, directory / "server.pem", directory / "server-key.pem")
    _write(files.key, _private_pem(key), 0o600)
    _write(files.certificate, builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)
    return files


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
