"""PKCS#15 structures (v1.1, of which ISO/IEC 7816-15 keeps the shape), declared once: the same classes write and read.

A file of a directory (ODF, AODF, PrKDF, ...) is a concatenation of objects, without an outer SEQUENCE: ``dump`` and
``load`` go from a list of objects to the bytes of the file and back. Every object shows its content as plain Python
values by ``.native``.

The unusual points of real cards are in the declarations: the ``lastUpdate`` of a CPS3 is explicitly tagged (A5), a key
reference is a positive INTEGER (00 81), ``native`` may be written although it is TRUE.
"""

# mypy: disallow-subclassing-any=False
# ruff: noqa: RUF012
# asn1crypto has no type information (to mypy its classes are Any) and reads its declarations off class attributes.

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asn1crypto import core, parser

#: A directory file of a card is a few hundred bytes; anything beyond this is not one.
MAX_FILE = 16 * 1024


# What asn1crypto raises on bytes that are not what was declared (AttributeError: a type it has no class for).
_MALFORMED = (ValueError, TypeError, OverflowError, KeyError, IndexError, AttributeError, RecursionError)


class Pkcs15Error(ValueError):
    """The bytes are not the PKCS#15 structure asked for."""


class ObjectFlags(core.BitString):
    """CommonObjectFlags."""

    _map = {0: "private", 1: "modifiable"}


class AccessMode(core.BitString):
    """What an access control rule speaks of; bits 3 and up are the ISO/IEC 7816-15 additions."""

    _map = {
        0: "read",
        1: "update",
        2: "execute",
        3: "delete",
        4: "attribute",
        5: "pso_cds",
        6: "pso_verify",
        7: "pso_decipher",
        8: "pso_encipher",
        9: "internal_authenticate",
        10: "external_authenticate",
    }


class AccessControlRule(core.Sequence):
    """One operation and the identifier of the secret that opens it."""

    _fields = [("access_mode", AccessMode), ("security_condition", core.OctetString)]


class AccessControlRules(core.SequenceOf):
    """The rules of one object."""

    _child_spec = AccessControlRule


class CommonObjectAttributes(core.Sequence):
    """What every object begins with."""

    _fields = [
        ("label", core.UTF8String, {"optional": True}),
        ("flags", ObjectFlags, {"optional": True}),
        ("auth_id", core.OctetString, {"optional": True}),
        ("user_consent", core.Integer, {"optional": True}),
        ("access_control_rules", AccessControlRules, {"optional": True}),
    ]


class Path(core.Sequence):
    """Where a value lies: file identifiers from the MF (3F00), two bytes each. Empty for a value that has no file."""

    _fields = [
        ("path", core.OctetString),
        ("index", core.Integer, {"optional": True}),
        ("length", core.Integer, {"implicit": 0, "optional": True}),
    ]


class ObjectDirectory(core.Choice):
    """One entry of EF.ODF: which kind of directory lies where."""

    _alternatives = [
        ("private_keys", Path, {"explicit": 0}),
        ("public_keys", Path, {"explicit": 1}),
        ("trusted_public_keys", Path, {"explicit": 2}),
        ("secret_keys", Path, {"explicit": 3}),
        ("certificates", Path, {"explicit": 4}),
        ("trusted_certificates", Path, {"explicit": 5}),
        ("useful_certificates", Path, {"explicit": 6}),
        ("data_objects", Path, {"explicit": 7}),
        ("authentication_objects", Path, {"explicit": 8}),
    ]


class TokenFlags(core.BitString):
    """TokenFlags."""

    _map = {0: "readonly", 1: "login_required", 2: "prn_generation", 3: "eid_compliant"}


class Operations(core.BitString):
    """Operations of an algorithm."""

    _map = {
        0: "compute_checksum",
        1: "compute_signature",
        2: "verify_checksum",
        3: "verify_signature",
        4: "encipher",
        5: "decipher",
        6: "hash",
        7: "generate_key",
    }


class AlgorithmInfo(core.Sequence):
    """An algorithm of the card: ``algorithm`` is a PKCS#11 mechanism, ``algorithm_reference`` what MSE SET names."""

    _fields = [
        ("reference", core.Integer),
        ("algorithm", core.Integer),
        ("parameters", core.Null),
        ("supported_operations", Operations),
        ("algorithm_id", core.ObjectIdentifier, {"optional": True}),
        ("algorithm_reference", core.Integer, {"optional": True}),
    ]


class AlgorithmInfos(core.SequenceOf):
    """The algorithms of the card."""

    _child_spec = AlgorithmInfo


class TokenInfo(core.Sequence):
    """EF.TokenInfo. ``last_update`` is explicitly tagged: A5 11 18 0F, as a real card has it."""

    _fields = [
        ("version", core.Integer),
        ("serial_number", core.OctetString, {"optional": True}),
        ("manufacturer_id", core.UTF8String, {"optional": True}),
        ("label", core.UTF8String, {"implicit": 0, "optional": True}),
        ("token_flags", TokenFlags),
        ("supported_algorithms", AlgorithmInfos, {"implicit": 2, "optional": True}),
        ("last_update", core.GeneralizedTime, {"explicit": 5, "optional": True}),
    ]


class StandardTokenInfo(TokenInfo):
    """The same with ``last_update`` tagged as PKCS#15 says, implicitly (85): the only form a real client dates by."""

    _fields = [*TokenInfo._fields[:-1], ("last_update", core.GeneralizedTime, {"implicit": 5, "optional": True})]


class AuthenticationClass(core.Sequence):
    """CommonAuthenticationObjectAttributes: the identifier other objects name this secret by."""

    _fields = [("auth_id", core.OctetString, {"optional": True})]


class PinFlags(core.BitString):
    """PinFlags."""

    _map = {
        0: "case_sensitive",
        1: "local",
        2: "change_disabled",
        3: "unblock_disabled",
        4: "initialized",
        5: "needs_padding",
        6: "unblocking_pin",
        7: "so_pin",
    }


class PinType(core.Enumerated):
    """How the digits of a PIN are written."""

    _map = {0: "bcd", 1: "ascii_numeric", 2: "utf8"}


class PinAttributes(core.Sequence):
    """What a secret looks like: lengths in bytes, ``reference`` is P2 of VERIFY."""

    _fields = [
        ("flags", PinFlags),
        ("type", PinType),
        ("min_length", core.Integer),
        ("stored_length", core.Integer),
        ("max_length", core.Integer, {"optional": True}),
        ("reference", core.Integer, {"implicit": 0, "default": 0}),
        ("pad_char", core.OctetString, {"optional": True}),
    ]


class AuthenticationObject(core.Sequence):
    """An entry of EF.AODF."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("class_attributes", AuthenticationClass),
        ("type_attributes", PinAttributes, {"explicit": 1}),
    ]


class KeyUsage(core.BitString):
    """KeyUsageFlags."""

    _map = {
        0: "encrypt",
        1: "decrypt",
        2: "sign",
        3: "sign_recover",
        4: "wrap",
        5: "unwrap",
        6: "verify",
        7: "verify_recover",
        8: "derive",
        9: "non_repudiation",
    }


class KeyAccess(core.BitString):
    """KeyAccessFlags."""

    _map = {0: "sensitive", 1: "extractable", 2: "always_sensitive", 3: "never_extractable", 4: "local"}


class KeyClass(core.Sequence):
    """CommonKeyAttributes. ``id`` is CKA_ID; ``key_reference`` is what MSE SET names, a positive INTEGER (00 81).

    ``native`` absent means TRUE; it is not declared as a default because some cards write it all the same.
    """

    _fields = [
        ("id", core.OctetString),
        ("usage", KeyUsage),
        ("native", core.Boolean, {"optional": True}),
        ("access_flags", KeyAccess, {"optional": True}),
        ("key_reference", core.Integer, {"optional": True}),
    ]


class RsaKeyAttributes(core.Sequence):
    """Where an RSA key lies and its modulus length in bits."""

    _fields = [("value", Path), ("modulus_length", core.Integer)]


class KeyObject(core.Sequence):
    """An entry of EF.PrKDF or EF.PuKDF (RSA keys: the only ones these cards have)."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("class_attributes", KeyClass),
        ("type_attributes", RsaKeyAttributes, {"explicit": 1}),
    ]


class CertificateClass(core.Sequence):
    """CommonCertificateAttributes."""

    _fields = [("id", core.OctetString), ("authority", core.Boolean, {"default": False})]


class X509CertificateAttributes(core.Sequence):
    """Where an X.509 certificate lies."""

    _fields = [("value", Path)]


class CertificateObject(core.Sequence):
    """An entry of EF.CDF."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("class_attributes", CertificateClass),
        ("type_attributes", X509CertificateAttributes, {"explicit": 1}),
    ]


class DataClass(core.Sequence):
    """CommonDataObjectAttributes."""

    _fields = [
        ("application_name", core.UTF8String, {"optional": True}),
        ("application_oid", core.ObjectIdentifier, {"optional": True}),
    ]


class DataObject(core.Sequence):
    """An entry of EF.DODF (opaque data objects)."""

    _fields = [
        ("common", CommonObjectAttributes),
        ("class_attributes", DataClass),
        ("type_attributes", Path, {"explicit": 1}),
    ]


def dump(objects: Iterable[Any]) -> bytes:
    """The bytes of a directory file holding ``objects`` in this order."""
    return b"".join(item.dump() for item in objects)


def load(kind: type[Any], data: bytes) -> tuple[Any, ...]:
    """The objects of a directory file; padding of 00 or FF after the last one is skipped, as clients do.

    Raises Pkcs15Error if the bytes are anything but a sequence of ``kind``.
    """
    if len(data) > MAX_FILE:
        raise Pkcs15Error(f"{len(data)} bytes are too many for a PKCS#15 file (at most {MAX_FILE})")
    objects = []
    offset = 0
    while offset < len(data) and data[offset] not in (0x00, 0xFF):
        try:
            length = parser.peek(data[offset:])
            item = kind.load(data[offset : offset + length], strict=True)
            item.native  # noqa: B018 - asn1crypto parses lazily: this reads every field now
        except _MALFORMED as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise Pkcs15Error(f"no {kind.__name__} at byte {offset}: {reason}") from error
        objects.append(item)
        offset += length
    return tuple(objects)
