"""The PKCS#15 directories of a card, from the layout and the description of its family: what clients need to find keys,
codes and objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from bifente.simulator.cards.cpx.description import CodeObject, ContactlessToken, Description, KeyFiles, description
from bifente.simulator.cards.cpx.pkcs15 import (
    AuthenticationObject,
    CertificateObject,
    DataObject,
    KeyObject,
    ObjectDirectory,
    StandardTokenInfo,
    TokenInfo,
    dump,
)
from bifente.simulator.cards.layout import AlgorithmRule, Layout
from bifente.simulator.iso7816.image import Interface

_FILES = {
    "authentication_objects": "EF.AODF",
    "private_keys": "EF.PrKDF",
    "public_keys": "EF.PuKDF",
    "certificates": "EF.CDF",
    "data_objects": "EF.DODF",
}
_TOKENS = {"explicit": TokenInfo, "implicit": StandardTokenInfo}

# (operation, digest) of the layout -> PKCS#11 mechanism, PKCS#15 operation, object identifier.
_MECHANISMS: Mapping[tuple[str, str | None], tuple[int, str, str]] = {
    ("hash", "sha1"): (0x220, "hash", "1.3.14.3.2.26"),
    ("hash", "sha256"): (0x250, "hash", "2.16.840.1.101.3.4.2.1"),
    ("sign", "sha1"): (0x06, "compute_signature", "1.2.840.113549.1.1.5"),
    ("sign", "sha256"): (0x40, "compute_signature", "1.2.840.113549.1.1.11"),
    ("authenticate", None): (0x01, "compute_signature", "1.2.840.113549.1.1.1"),
    ("decipher", None): (0x01, "decipher", "1.2.840.113549.1.1.1"),
}


class Directories:
    """The directory files of one token of a card: that of the contact, or the one it shows ``contactless``."""

    def __init__(self, layout: Layout, description: Description, contactless: ContactlessToken | None = None) -> None:
        self._layout = layout
        self._description = description
        token = contactless or description
        self._token, self._kinds, self._keys = token.token, token.directories, token.keys
        self._interface = Interface.CONTACTLESS if contactless else Interface.CONTACT
        self._suffix = contactless.suffix if contactless else ""

    def token_info(self, card_number: str, last_update: datetime | None) -> bytes:
        """EF.TokenInfo; the label may hold the ten digits of the card number (SEED-CPS-18)."""
        token = self._token
        algorithms = [
            _algorithm(number, rule)
            for number, rule in enumerate(self._layout.algorithms, start=1)
            if isinstance(token.algorithms, bool) or rule.operation in token.algorithms
        ]
        return dump(
            [
                _TOKENS[token.last_update](
                    {
                        "version": 0,
                        "manufacturer_id": token.manufacturer,
                        "label": token.label.format(number=card_number),
                        "token_flags": set(token.flags),
                        "supported_algorithms": algorithms if token.algorithms else None,
                        "last_update": last_update,
                    }
                )
            ]
        )

    def object_directory(self, *, with_public_keys: bool) -> bytes:
        """EF.ODF: where the directories lie."""
        kinds = [kind for kind in self._kinds if with_public_keys or kind != "public_keys"]
        return dump(
            ObjectDirectory(name=kind, value={"path": self._layout.path(_FILES[kind] + self._suffix)}) for kind in kinds
        )

    def authentication_objects(self) -> bytes:
        """EF.AODF: the PIN first, since a client looks at the first entry only; the PUK is the security officer's."""
        return dump(self._code(item) for item in self._description.codes)

    def private_keys(self, sizes: Mapping[str, int]) -> bytes:
        """EF.PrKDF. ``sizes`` are modulus lengths in bits by key name."""
        described = self._description
        return dump(
            KeyObject(
                {
                    "common": {
                        "label": files.private_label,
                        "flags": self._flags(files.private_flags),
                        "auth_id": None if files.free else described.user,
                        "access_control_rules": [
                            {"access_mode": {operation}, "security_condition": described.user}
                            for operation in files.operations
                        ]
                        or None,
                    },
                    "class_attributes": {
                        "id": self._key_id(files),
                        "usage": set(files.usage),
                        "native": True if described.private_key_native else None,
                        "access_flags": set(described.private_key_access),
                        "key_reference": self._layout.keys[files.key].mse,
                    },
                    "type_attributes": {
                        "value": {"path": self._layout.path(files.private_path) if files.private_path else b""},
                        "modulus_length": sizes[files.key],
                    },
                }
            )
            for files in self._keys
        )

    def public_keys(self, sizes: Mapping[str, int]) -> bytes:
        """EF.PuKDF, which a card may do without: clients then take public keys from the certificates."""
        referenced = self._description.public_key_reference
        return dump(
            KeyObject(
                {
                    "common": self._common(files.public_label),
                    "class_attributes": {
                        "id": self._key_id(files),
                        "usage": set(files.public_usage),
                        "key_reference": self._layout.keys[files.key].mse if referenced else None,
                    },
                    "type_attributes": {
                        "value": {"path": self._layout.path(files.public_file)},
                        "modulus_length": sizes[files.key],
                    },
                }
            )
            for files in self._keys
        )

    def certificates(self) -> bytes:
        """EF.CDF: the signature certificate, then the authentication one."""
        return dump(
            CertificateObject(
                {
                    "common": self._common(files.certificate_label),
                    "class_attributes": {"id": self._key_id(files)},
                    "type_attributes": {"value": {"path": self._layout.path(files.certificate_file)}},
                }
            )
            for files in self._keys
        )

    def data_objects(self, names: Iterable[str]) -> bytes:
        """EF.DODF naming these objects in this order; what the code opens or the holder rewrites is in the layout."""
        return dump(
            DataObject(
                {
                    "common": self._access(name),
                    "class_attributes": {"application_name": "CPS"},
                    "type_attributes": {"path": self._layout.path(name)},
                }
            )
            for name in names
        )

    def _common(self, label: str, *flags: str) -> dict[str, object]:
        """``flags`` are left out where there are none, unless cards of the family write them empty."""
        return {"label": label, "flags": self._flags(flags)}

    def _flags(self, flags: Iterable[str]) -> set[str] | None:
        given = set(flags)
        return given if given or self._description.empty_flags else None

    def _access(self, name: str) -> dict[str, object]:
        if not self._layout.is_free(name, self._interface):
            return {**self._common(name, "private"), "auth_id": self._description.user}
        return self._common(name, *(("modifiable",) if self._layout.is_modifiable(name, self._interface) else ()))

    def _key_id(self, files: KeyFiles) -> bytes:
        """CKA_ID: the application's AID and one byte."""
        return self._layout.aids[self._description.application] + bytes([files.id_suffix])

    def _code(self, item: CodeObject) -> AuthenticationObject:
        rule = self._layout.secrets[item.secret]
        return AuthenticationObject(
            {
                "common": {
                    "label": item.label,
                    "flags": set(item.flags) or None,
                    "auth_id": bytes([item.guardian]) if item.guardian else None,
                },
                "class_attributes": {"auth_id": bytes([item.id])},
                "type_attributes": {
                    "flags": set(item.pin_flags),
                    "type": "ascii_numeric",
                    "min_length": rule.min,
                    # Stored equal to maximum, and no padding flag: clients then send the code unpadded.
                    "stored_length": rule.max,
                    "max_length": rule.max,
                    "reference": rule.reference,
                    "pad_char": item.pad,
                },
            }
        )


@lru_cache(maxsize=64)
def common_files(
    layout: Layout, sizes: tuple[tuple[str, int], ...], *, contactless: bool, with_public_keys: bool
) -> Mapping[str, bytes]:
    """Return the directories that are alike on all cards of a layout whose keys have these sizes, by file.

    They say nothing of one card: its number is in EF.TokenInfo, what it holds in EF.DODF.
    """
    described = description(layout.family)
    token = described.contactless if contactless else None
    directories, suffix = Directories(layout, described, token), token.suffix if token else ""
    files = {
        f"EF.ODF{suffix}": directories.object_directory(with_public_keys=with_public_keys),
        f"EF.PrKDF{suffix}": directories.private_keys(dict(sizes)),
        f"EF.CDF{suffix}": directories.certificates(),
    }
    if with_public_keys:
        files[f"EF.PuKDF{suffix}"] = directories.public_keys(dict(sizes))
    return files if contactless else {**files, "EF.AODF": directories.authentication_objects()}


@lru_cache(maxsize=64)
def object_file(layout: Layout, names: tuple[str, ...], *, contactless: bool) -> bytes:
    """Return EF.DODF of a card that holds these objects."""
    described = description(layout.family)
    return Directories(layout, described, described.contactless if contactless else None).data_objects(names)


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
