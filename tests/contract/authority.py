"""A certificate authority of our own, for the TLS cases."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST: Final = "localhost"
"""The one name that the server's certificate is for."""

_DAY: Final = datetime.timedelta(days=1)


class Authority:
    """Files (PEM) of an authority, of a server's certificate that it signed, and of another authority that signed nothing."""

    def __init__(self, directory: Path) -> None:
        self.ca = directory / "ca.pem"
        self.other_ca = directory / "other-ca.pem"
        self.certificate = directory / "server.pem"
        self.key = directory / "server.key"
        ca_key, ca = _authority("contract tests")
        _, other = _authority("somebody else")
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = (
            _unsigned(HOST, server_key.public_key(), ca.subject)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        for path, certificate in ((self.ca, ca), (self.other_ca, other), (self.certificate, server)):
            path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            server_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(text: str, key: ec.EllipticCurvePublicKey, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(text))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority(text: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _unsigned(text, key.public_key(), _name(text))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate
