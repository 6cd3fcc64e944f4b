"""External authentication: the condition byte, the certificates believed, the challenge and its one answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.iso7816.access import AccessRule, Condition, FileOperation
from bifente.simulator.iso7816.image import Anchor
from bifente.simulator.iso7816.trust import (
    ForgedCertificateError,
    MalformedCertificateError,
    Party,
    Trust,
    UnfitCertificateError,
    UnknownIssuerError,
    party_of,
)

KIND = x509.ObjectIdentifier("1.2.3.4")
AUTHORITY, OTHER, HOLDER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3))
SIGNING, SEALING = ({"digital_signature": one, "content_commitment": not one} for one in (True, False))


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    *,
    issuer: str = "anchor",
    signer: rsa.RSAPrivateKey = AUTHORITY,
    key: Any = HOLDER,
    kind: bytes | None = b"\x02\x01\x00",
    usage: dict[str, bool] | None = SIGNING,
    digest: hashes.HashAlgorithm | None = None,
) -> bytes:
    """A certificate that the anchor below believes, but for what is told otherwise."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("holder"))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2021, 1, 1, tzinfo=UTC))
        .serial_number(7)
    )
    if usage is not None:
        rest = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
        bits = {**dict.fromkeys((*rest, "encipher_only", "decipher_only"), False), **usage}
        builder = builder.add_extension(x509.KeyUsage(**bits), critical=True)
    if kind is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(KIND, kind), critical=False)
    return builder.sign(signer, digest or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


ANCHOR = Anchor(
    "anchor",
    name("anchor").public_bytes(),
    AUTHORITY.public_key(),
    "guest",
    {KIND.dotted_string: {b"\x02\x01\x00", b"\x02\x01\x01"}},
)
GOOD = certificate()
PARTY = party_of(GOOD, [ANCHOR])


# -- the condition byte ------------------------------------------------------------------------------------------------


@given(st.integers(0, 255), st.booleans(), st.booleans(), st.integers(1, 14))
def test_a_condition_holds_as_its_bits_say(byte: int, user: bool, party: bool, right: int) -> None:
    condition = Condition.parse(byte)
    means = [
        bit_set and done and condition.environment == right
        for bit_set, done in ((byte & 0x10, user), (byte & 0x20, party), (byte & 0x40, False))
        if bit_set
    ]
    expected = bool(means) and (all(means) if byte & 0x80 else any(means))
    assert condition.met(lambda number: user and number == right, lambda number: party and number == right) is expected


@pytest.mark.parametrize(
    ("byte", "code", "party", "both"),
    [
        (0x21, False, True, True),  # external authentication
        (0x22, False, False, False),  # of another environment
        (0x31, True, True, True),  # either
        (0xB1, False, False, True),  # both
        (0x61, False, True, True),  # secure messaging is never there
        (0xE1, False, False, False),
        (0xFF, False, False, False),
    ],
)
def test_conditions_that_want_an_outside_party(byte: int, code: bool, party: bool, both: bool) -> None:
    rule = AccessRule.parse(bytes((0x01, byte)))

    def first(number: int) -> bool:
        return number == 1

    def never(number: int) -> bool:
        return False

    assert rule.allows(FileOperation.READ, first, never) is code
    assert rule.allows(FileOperation.READ, never, first) is party
    assert rule.allows(FileOperation.READ, first, first) is both
    assert not rule.allows(FileOperation.READ, never)


# -- certificates ------------------------------------------------------------------------------------------------------


def test_a_certificate_of_the_anchor_tells_a_party() -> None:
    assert (PARTY.role, PARTY.name) == ("guest", "CN=holder")
    assert PARTY.public_key.public_numbers() == HOLDER.public_key().public_numbers()


def test_a_card_has_no_clock() -> None:
    # It ended in 2021; nothing on a card knows what day it is.
    assert party_of(GOOD, [ANCHOR]).role == "guest"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (lambda: certificate(issuer="nobody"), UnknownIssuerError),
        (lambda: certificate(signer=OTHER), ForgedCertificateError),
        (lambda: certificate(digest=hashes.SHA512()), ForgedCertificateError),
        (lambda: GOOD[:-1] + bytes((GOOD[-1] ^ 1,)), ForgedCertificateError),
        (lambda: certificate(kind=b"\x02\x01\x02"), UnfitCertificateError),
        (lambda: certificate(kind=None), UnfitCertificateError),
        (lambda: certificate(usage=SEALING), UnfitCertificateError),
        (lambda: certificate(usage=None), UnfitCertificateError),
        (lambda: certificate(key=ec.generate_private_key(ec.SECP256R1())), MalformedCertificateError),
        (lambda: GOOD[:-1], MalformedCertificateError),
        (lambda: GOOD + b"\0", MalformedCertificateError),
        (lambda: b"", MalformedCertificateError),
        (lambda: bytes(5000), MalformedCertificateError),
    ],
)
def test_what_is_no_certificate_of_a_guest_is_refused(raw: Callable[[], bytes], error: type[Exception]) -> None:
    with pytest.raises(error):
        party_of(raw(), [ANCHOR])


def test_nobody_is_believed_without_anchors() -> None:
    with pytest.raises(UnknownIssuerError):
        party_of(GOOD, [])


def test_of_two_anchors_of_one_name_the_one_that_signed_counts() -> None:
    twin = Anchor("twin", ANCHOR.issuer, OTHER.public_key(), "twin")
    assert party_of(GOOD, [twin, ANCHOR]).role == "guest"
    assert party_of(certificate(signer=OTHER, kind=None), [ANCHOR, twin]).role == "twin"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_byte_changed_anywhere_makes_no_other_party(position: int, change: int) -> None:
    raw = GOOD[:position] + bytes((GOOD[position] ^ change,)) + GOOD[position + 1 :]
    with pytest.raises((MalformedCertificateError, UnknownIssuerError, ForgedCertificateError, UnfitCertificateError)):
        party_of(raw, [ANCHOR])


def test_the_count_of_unused_bits_of_a_signature_is_no_place_to_hide() -> None:
    # Parsers take it for granted when the last bits are zero, which happens every other time.
    at = len(GOOD) - HOLDER.key_size // 8 - 1
    with pytest.raises(MalformedCertificateError):
        party_of(GOOD[:at] + b"\1" + GOOD[at + 1 :], [ANCHOR])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_an_orderly_way(raw: bytes) -> None:
    with pytest.raises(MalformedCertificateError):
        party_of(raw, [ANCHOR])


# -- the proof ---------------------------------------------------------------------------------------------------------


def signed(data: bytes, key: rsa.RSAPrivateKey = HOLDER) -> bytes:
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def test_a_signed_challenge_proves_the_role() -> None:
    trust = Trust(PARTY, b"challenge")
    assert trust.settle(signed(b"challenge"))
    assert trust.proved == {"guest": "CN=holder"}
    assert trust.has_proved({"other", "guest"})
    assert not trust.has_proved({"other"})
    assert not trust.has_proved(())


@pytest.mark.parametrize(
    "signature", [b"", b"\0" * 256, signed(b"other"), signed(b"challenge", OTHER), signed(b"challenge")[:-1]]
)
def test_a_wrong_answer_uses_the_challenge_up_and_takes_back_what_was_proved(signature: bytes) -> None:
    trust = Trust(PARTY, b"challenge", {"guest": "CN=before"})
    assert not trust.settle(signature)
    assert trust.proved == {}
    with pytest.raises(LookupError):
        trust.settle(signed(b"challenge"))


def test_an_answer_serves_once() -> None:
    trust = Trust(PARTY, b"challenge")
    trust.settle(signed(b"challenge"))
    with pytest.raises(LookupError):
        trust.settle(signed(b"challenge"))
    assert trust.proved


@pytest.mark.parametrize(("party", "challenge"), [(None, b"challenge"), (PARTY, None), (None, None)])
def test_nothing_is_proved_without_certificate_or_challenge(party: Party | None, challenge: bytes | None) -> None:
    with pytest.raises(LookupError):
        Trust(party, challenge).settle(signed(b"challenge"))
