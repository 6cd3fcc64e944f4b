"""The signature of a return: by the body, over every byte before it, in records of its own (996) after the seal.

Modelled: RSA PKCS#1 v1.5 with SHA-256 under a key of 2048 bits, told in hexadecimal. Whether returns are signed is
agreed between a body and a practice: ``decode_return`` reads them with and without, who wants one checks it here.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bifente.simulator.formats.fse.entities import Entity, read, record_width, write
from bifente.simulator.formats.fse.errors import FseError

SIGNATURE = "996"
_DIGITS = 128
_RECORDS = 4
_BITS = 2048
_CURE = "lay it aside and ask the body for what it sent"


def sign_return(data: bytes, key: RSAPrivateKey) -> bytes:
    """Return the bytes of a return with its signature after them. Raises ValueError for a key of another size."""
    if key.key_size != _BITS:
        raise ValueError(f"returns are signed with {_BITS} bits, not {key.key_size}")
    value = key.sign(data, PKCS1v15(), SHA256()).hex()
    parts = [value[at : at + _DIGITS] for at in range(0, len(value), _DIGITS)]
    return data + write(Entity(SIGNATURE, 0, {"rank": rank, "value": part}) for rank, part in enumerate(parts, 1))


def parted(data: bytes) -> tuple[bytes, bytes | None]:
    """Return what is signed and the signature, None for a return without one. Raises FseError for one in pieces."""
    size = _RECORDS * record_width()
    told = data[-size:] if len(data) > size else b""
    if not told.startswith(SIGNATURE.encode()):
        return data, None
    entities = list(read(told))
    if [(one.code, one.values.get("rank")) for one in entities] != [(SIGNATURE, rank + 1) for rank in range(_RECORDS)]:
        raise FseError("signature", "its records are not those of one", _CURE)
    return data[:-size], bytes.fromhex("".join(one.text("value") for one in entities))


def check_signed(data: bytes, certificate: x509.Certificate) -> None:
    """Raise FseError unless a return is signed by the body of this certificate."""
    told, signature = parted(data)
    if signature is None:
        raise FseError("signature", "the return is not signed, and this body signs its returns", _CURE)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise FseError("signature", "the body's certificate is of no RSA key", "take the one that is")
    try:
        key.verify(signature, told, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise FseError("signature", "the return is not signed by the body that it names", _CURE) from None
