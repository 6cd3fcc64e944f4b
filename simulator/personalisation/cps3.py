"""The PKCS#15 directories of a CPS3, from its layout: what real clients need to find keys, codes and objects.

Labels, flags, usages and references are those that unmodified clients accept (CARD-CPS3-15, -17, -18, -24); paths,
code lengths and references come from the layout, so that there is one place to change them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from simulator.cards.layout import AlgorithmRule, Layout
from simulator.personalisation import elementary
from simulator.personalisation.elementary import Application
from simulator.personalisation.pkcs15 import (
    AuthenticationObject,
    CertificateObject,
    DataObject,
    KeyObject,
    ObjectDirectory,
    TokenInfo,
    dump,
)

FAMILY = "cps3"

MANUFACTURER = "ASIP SANTE"
PIN_ID, PUK_ID = b"\x01", b"\x02"

#: Data objects a client reads without a code; the activities need one.
FREE_OBJECTS = ("CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS")

_PRIVATE = frozenset({"private"})
_MODIFIABLE = frozenset({"modifiable"})


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """What PKCS#15 says of one key pair, and the names of its files in the layout."""

    key: str
    id_suffix: int
    private_label: str
    private_flags: frozenset[str]
    usage: frozenset[str]
    operations: tuple[str, ...]
    public_label: str
    public_usage: frozenset[str]
    public_file: str
    certificate_label: str
    certificate_file: str


KEYS = (
    KeyFiles(
        key="signature",
        id_suffix=1,
        private_label="CPS_PRIV_SIG",
        private_flags=_PRIVATE,
        usage=frozenset({"non_repudiation"}),
        operations=("pso_cds",),
        public_label="CPS_PUB_SIG",
        public_usage=frozenset({"verify"}),
        public_file="EF.PUK.SIG",
        certificate_label="Certificat de Signature CPS",
        certificate_file="EF.C.SIG",
    ),
    KeyFiles(
        key="authentication",
        id_suffix=2,
        private_label="CPS_PRIV_AUT",
        private_flags=_PRIVATE | _MODIFIABLE,
        usage=frozenset({"decrypt", "sign"}),
        operations=("pso_decipher", "internal_authenticate"),
        public_label="CPS_PUB_AUT",
        public_usage=frozenset({"encrypt", "verify"}),
        public_file="EF.PUK.AUT",
        certificate_label="Certificat d'Authentification CPS",
        certificate_file="EF.C.AUT",
    ),
)

# (operation, digest) of the layout -> PKCS#11 mechanism, PKCS#15 operation, object identifier.
_MECHANISMS: Mapping[tuple[str, str | None], tuple[int, str, str]] = {
    ("hash", "sha1"): (0x220, "hash", "1.3.14.3.2.26"),
    ("hash", "sha256"): (0x250, "hash", "2.16.840.1.101.3.4.2.1"),
    ("sign", "sha1"): (0x06, "compute_signature", "1.2.840.113549.1.1.5"),
    ("sign", "sha256"): (0x40, "compute_signature", "1.2.840.113549.1.1.11"),
    ("authenticate", None): (0x01, "compute_signature", "1.2.840.113549.1.1.1"),
    ("decipher", None): (0x01, "decipher", "1.2.840.113549.1.1.1"),
}


def token_info(layout: Layout, card_number: str, last_update: datetime) -> bytes:
    """EF.TokenInfo: label ``CPS3v3-`` and the ten digits of the card number (SEED-CPS-18)."""
    return dump(
        [
            TokenInfo(
                {
                    "version": 0,
                    "manufacturer_id": MANUFACTURER,
                    "label": f"CPS3v3-{card_number}",
                    "token_flags": {"readonly", "login_required"},
                    "supported_algorithms": [
                        _algorithm(number, rule) for number, rule in enumerate(layout.algorithms, start=1)
                    ],
                    "last_update": last_update,
                }
            )
        ]
    )


def authentication_objects(layout: Layout) -> bytes:
    """EF.AODF: the PIN first, since a client looks at the first entry only; the PUK is the security officer's."""
    return dump(
        [
            _code(
                layout,
                "pin",
                label="Code porteur",
                flags={"private", "modifiable"},
                guardian=PUK_ID,
                identifier=PIN_ID,
                pin_flags={"case_sensitive", "initialized"},
            ),
            _code(
                layout,
                "puk",
                label="Code de deblocage",
                flags={"private"},
                guardian=None,
                identifier=PUK_ID,
                pin_flags={
                    "case_sensitive",
                    "change_disabled",
                    "unblock_disabled",
                    "initialized",
                    "unblocking_pin",
                    "so_pin",
                },
            ),
        ]
    )


def private_keys(layout: Layout, sizes: Mapping[str, int]) -> bytes:
    """EF.PrKDF. ``sizes`` are modulus lengths in bits by key name."""
    return dump(
        KeyObject(
            {
                "common": {
                    "label": files.private_label,
                    "flags": set(files.private_flags),
                    "auth_id": PIN_ID,
                    "access_control_rules": [
                        {"access_mode": {operation}, "security_condition": PIN_ID} for operation in files.operations
                    ],
                },
                "class_attributes": {
                    "id": _key_id(layout, files),
                    "usage": set(files.usage),
                    "access_flags": {"sensitive", "always_sensitive", "never_extractable"},
                    "key_reference": layout.keys[files.key].mse,
                },
                "type_attributes": {"value": {"path": b""}, "modulus_length": sizes[files.key]},
            }
        )
        for files in KEYS
    )


def public_keys(layout: Layout, sizes: Mapping[str, int]) -> bytes:
    """EF.PuKDF, which a card may do without: clients then take public keys from the certificates."""
    return dump(
        KeyObject(
            {
                "common": {"label": files.public_label, "flags": set()},
                "class_attributes": {
                    "id": _key_id(layout, files),
                    "usage": set(files.public_usage),
                    "key_reference": layout.keys[files.key].mse,
                },
                "type_attributes": {
                    "value": {"path": layout.path(files.public_file)},
                    "modulus_length": sizes[files.key],
                },
            }
        )
        for files in KEYS
    )


def certificates(layout: Layout) -> bytes:
    """EF.CDF: the signature certificate, then the authentication one."""
    return dump(
        CertificateObject(
            {
                "common": {"label": files.certificate_label, "flags": set()},
                "class_attributes": {"id": _key_id(layout, files)},
                "type_attributes": {"value": {"path": layout.path(files.certificate_file)}},
            }
        )
        for files in KEYS
    )


def data_objects(layout: Layout, names: Iterable[str]) -> bytes:
    """EF.DODF naming these objects in this order. CPS_DATA alone is modifiable; activities need the code."""
    return dump(
        DataObject(
            {
                "common": _access(name),
                "class_attributes": {"application_name": "CPS"},
                "type_attributes": {"path": layout.path(name)},
            }
        )
        for name in names
    )


def object_directory(layout: Layout, *, with_public_keys: bool) -> bytes:
    """EF.ODF: where the directories lie."""
    kinds = [("authentication_objects", "EF.AODF"), ("private_keys", "EF.PrKDF")]
    kinds += [("public_keys", "EF.PuKDF")] if with_public_keys else []
    kinds += [("certificates", "EF.CDF"), ("data_objects", "EF.DODF")]
    return dump(ObjectDirectory(name=kind, value={"path": layout.path(file)}) for kind, file in kinds)


def application_directory(layout: Layout) -> bytes:
    """EF.DIR: the contactless application first, both described by the contact one (CARD-CPS3-09)."""
    contact, contactless = layout.aids["cpx-ias"], layout.aids["cpx-ias-cl"]
    return elementary.directory(
        [
            Application(contactless, "CPX IAS CL", layout.path("ADF.CPX-IAS-CL")),
            Application(contact, "CPX IAS", layout.path("ADF.CPX-IAS")),
        ],
        described=contact,
    )


def _algorithm(number: int, rule: AlgorithmRule) -> dict[str, object]:
    mechanism, operation, identifier = _MECHANISMS[rule.operation, rule.digest]
    return {
        "reference": number,
        "algorithm": mechanism,
        "parameters": None,
        "supported_operations": {operation},
        "algorithm_id": identifier,
        "algorithm_reference": rule.reference,
    }


def _code(
    layout: Layout,
    secret: str,
    *,
    label: str,
    flags: set[str],
    guardian: bytes | None,
    identifier: bytes,
    pin_flags: set[str],
) -> AuthenticationObject:
    rule = layout.secrets[secret]
    return AuthenticationObject(
        {
            "common": {"label": label, "flags": flags, "auth_id": guardian},
            "class_attributes": {"auth_id": identifier},
            "type_attributes": {
                "flags": pin_flags,
                "type": "ascii_numeric",
                "min_length": rule.min,
                # Stored equal to maximum, and no padding flag: clients then send the code unpadded.
                "stored_length": rule.max,
                "max_length": rule.max,
                "reference": rule.reference,
                "pad_char": b"\x00",
            },
        }
    )


def _access(name: str) -> dict[str, object]:
    if name not in FREE_OBJECTS:
        return {"label": name, "flags": set(_PRIVATE), "auth_id": PIN_ID}
    return {"label": name, "flags": set(_MODIFIABLE) if name == "CPS_DATA" else set()}


def _key_id(layout: Layout, files: KeyFiles) -> bytes:
    """CKA_ID: the contact application's AID and one byte."""
    return layout.aids["cpx-ias"] + bytes([files.id_suffix])
