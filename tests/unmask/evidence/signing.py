"""Pictures signed with certificates that the test makes."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MIME_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}


@dataclass(frozen=True)
class Authority:
    """A root certificate of the test's own and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The root, as a trust list holds it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@cache
def authority(name: str = "Test Root") -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(subject, subject, key, key, 86_400 * 365)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


@cache
def signer(
    organisation: str, root: Authority, seconds: float = 86_400, asks: str = ""
) -> c2pa.Signer:
    """A signer whose certificate names the organisation, is valid for so long, and names an address
    that ``asks`` whether it was revoked."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{organisation} signer"),
        ]
    )
    builder = _builder(subject, root.certificate.subject, key, root.key, seconds)
    if asks:
        place = x509.UniformResourceIdentifier(asks)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
    )
    leaf = builder.sign(root.key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = leaf.public_bytes(serialization.Encoding.PEM) + root.pem
    info = c2pa.C2paSignerInfo(b"es256", chain, secret, None)
    return c2pa.Signer.from_info(info)


def signed(
    data: bytes,
    kind: str,
    signer: c2pa.Signer,
    source_type: str = "trainedAlgorithmicMedia",
    action: str = "c2pa.created",
    agent: str = "Test Generator",
    ingredient: bytes | None = None,
    relationship: str = "parentOf",
    remote: str | None = None,
) -> bytes:
    """The file with a note that says how it was made; with ``remote``, one that lies there."""
    first: dict[str, Any] = {"action": action, "softwareAgent": agent}
    if ingredient is not None and action == "c2pa.opened":
        first["parameters"] = {"ingredientIds": ["part"]}
    if source_type:
        first["digitalSourceType"] = SOURCE_TYPES + source_type
    manifest = {
        "claim_generator_info": [{"name": "Test Program", "version": "1"}],
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [first]}}],
    }
    # an expired certificate or a broken ingredient would not pass the library's own check
    settings = {"version": 1, "verify": {"verify_after_sign": False}}
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    builder = c2pa.Builder(json.dumps(manifest), context=context)
    if ingredient is not None:
        entry = json.dumps({"title": "part", "label": "part", "relationship": relationship})
        builder.add_ingredient(entry, MIME_TYPES[kind], io.BytesIO(ingredient))
    if remote:
        builder.set_remote_url(remote)
        builder.set_no_embed()
    out = io.BytesIO()
    builder.sign(signer, MIME_TYPES[kind], io.BytesIO(data), out)
    return out.getvalue()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    seconds: float,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(seconds=seconds))
        .add_extension(identifier, critical=False)
        .add_extension(above, critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
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
