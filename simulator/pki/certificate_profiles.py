"""What an IGC-Santé end certificate says beyond its name: uses of its key, private extensions, policy.

Source: decoded official sample certificates (requirements PKI-02, PKI-03, PKI-04, PKI-08), fidelity "documented"
unless a docstring says otherwise.
"""

# mypy: disallow-subclassing-any=False
# asn1crypto has no type information: to mypy its classes are Any.

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import IntEnum, StrEnum

from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

#: Policy of test certificates of persons; organisations use the same one here (modelled).
TEST_POLICY = x509.ObjectIdentifier("1.2.250.1.213.1.7.2.1.1.1.1")

PRODUCT_CATEGORY = x509.ObjectIdentifier("1.2.250.1.71.1.2.5")
PROFESSION = x509.ObjectIdentifier("1.2.250.1.71.1.2.7")
SPECIALITY = x509.ObjectIdentifier("1.2.250.1.71.4.2.5")
CARD_TYPE = x509.ObjectIdentifier("1.2.250.1.71.1.2.2")
CARD_ID = x509.ObjectIdentifier("1.2.250.1.71.1.2.3")
PRIVATE_KEY_USAGE_PERIOD = x509.ObjectIdentifier("2.5.29.16")


class ProductCategory(IntEnum):
    """What carries the key. The laboratory makes test products only: the real values 00 and 03 are not here."""

    TEST_CARD = 0x80
    TEST_SOFTWARE = 0x83


class KeyUsageBit(StrEnum):
    """Bits of keyUsage a certificate of the field may have."""

    DIGITAL_SIGNATURE = "digital_signature"
    NON_REPUDIATION = "non_repudiation"
    KEY_ENCIPHERMENT = "key_encipherment"


@dataclass(frozen=True, slots=True)
class Validity:
    """First and last day of validity, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a validity from {self.start} to {self.end} ends before it starts")

    @property
    def not_before(self) -> datetime:
        """The first second."""
        return datetime.combine(self.start, time(), UTC)

    @property
    def not_after(self) -> datetime:
        """The last second."""
        return datetime.combine(self.end, time(23, 59, 59), UTC)


@dataclass(frozen=True, slots=True)
class Profile:
    """The uses of a key; ``key_usage_period`` adds a privateKeyUsagePeriod equal to the validity."""

    key_uses: frozenset[KeyUsageBit]
    extended: tuple[x509.ObjectIdentifier, ...]
    key_usage_period: bool = False

    def with_key_uses(self, uses: Iterable[KeyUsageBit]) -> Profile:
        """The same profile with other keyUsage bits: sources disagree about them, so they are a parameter (PKI-02)."""
        return Profile(frozenset(uses), self.extended, self.key_usage_period)


#: keyUsage nonRepudiation alone (PKI-02).
SIGNATURE = Profile(
    frozenset({KeyUsageBit.NON_REPUDIATION}), (ExtendedKeyUsageOID.EMAIL_PROTECTION,), key_usage_period=True
)
#: No official authentication certificate was read: fidelity "observed" (what real clients accept for TLS).
AUTHENTICATION = Profile(frozenset({KeyUsageBit.DIGITAL_SIGNATURE}), (ExtendedKeyUsageOID.CLIENT_AUTH,))
#: AUTH_CLI of a structure (PKI-08).
ORGANISATION_AUTHENTICATION = AUTHENTICATION
#: CACHET of a structure (PKI-08).
ORGANISATION_SEAL = Profile(
    frozenset({KeyUsageBit.DIGITAL_SIGNATURE, KeyUsageBit.NON_REPUDIATION}), (ExtendedKeyUsageOID.EMAIL_PROTECTION,)
)


def key_usage(uses: Iterable[KeyUsageBit]) -> x509.KeyUsage:
    """The keyUsage extension with these bits."""
    given = frozenset(uses)
    return x509.KeyUsage(
        digital_signature=KeyUsageBit.DIGITAL_SIGNATURE in given,
        content_commitment=KeyUsageBit.NON_REPUDIATION in given,
        key_encipherment=KeyUsageBit.KEY_ENCIPHERMENT in given,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def key_usage_period(validity: Validity) -> x509.UnrecognizedExtension:
    """The privateKeyUsagePeriod extension (RFC 3280, section 4.2.1.4)."""
    value = asn1_x509.PrivateKeyUsagePeriod({"not_before": validity.not_before, "not_after": validity.not_after})
    return x509.UnrecognizedExtension(PRIVATE_KEY_USAGE_PERIOD, value.dump())


class _Specialities(core.SequenceOf):
    _child_spec = core.UTF8String


def product_category(category: ProductCategory) -> x509.UnrecognizedExtension:
    """Test card or test software (PKI-03): an OCTET STRING of one octet (that it is one octet is documented, its
    ASN.1 type is modelled).
    """
    return x509.UnrecognizedExtension(PRODUCT_CATEGORY, core.OctetString(bytes([category])).dump())


def profession(code: int) -> x509.UnrecognizedExtension:
    """Profession (10 = physician), an INTEGER."""
    return x509.UnrecognizedExtension(PROFESSION, core.Integer(code).dump())


def specialities(codes: Iterable[str]) -> x509.UnrecognizedExtension:
    """Specialities (SM26, ...), a SEQUENCE of UTF8String."""
    return x509.UnrecognizedExtension(SPECIALITY, _Specialities(list(codes)).dump())


def card_type(code: int) -> x509.UnrecognizedExtension:
    """Type of the card (0 = CPS), an INTEGER."""
    return x509.UnrecognizedExtension(CARD_TYPE, core.Integer(code).dump())


def card_id(issuer: str, number: str) -> x509.UnrecognizedExtension:
    """Issuer and number of the card, a PrintableString ``issuer/number``."""
    return x509.UnrecognizedExtension(CARD_ID, core.PrintableString(f"{issuer}/{number}").dump())
