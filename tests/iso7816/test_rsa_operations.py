from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.iso7816.image import Digest, Scheme
from bifente.simulator.iso7816.rsa import RsaError, RsaKey

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
PUBLIC = PRIVATE.public_key()
KEY = RsaKey(PRIVATE)


@pytest.mark.parametrize(("digest", "algorithm"), [(Digest.SHA1, hashes.SHA1()), (Digest.SHA256, hashes.SHA256())])  # noqa: S303
def test_a_hash_is_signed_as_the_library_verifies_it(digest: Digest, algorithm: hashes.HashAlgorithm) -> None:
    signature = KEY.sign_hash(digest, hashlib.new(digest, b"message").digest())
    PUBLIC.verify(signature, b"message", padding.PKCS1v15(), algorithm)
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, b"massage", padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize(("digest", "algorithm"), [(Digest.SHA1, hashes.SHA1()), (Digest.SHA256, hashes.SHA256())])  # noqa: S303
def test_the_salt_of_pss_is_as_long_as_the_hash(digest: Digest, algorithm: hashes.HashAlgorithm) -> None:
    signature = KEY.sign_hash(digest, hashlib.new(digest, b"message").digest(), Scheme.PSS)
    filling = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    PUBLIC.verify(signature, b"message", filling, algorithm)
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, b"massage", filling, algorithm)
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, b"message", padding.PSS(padding.MGF1(algorithm), 0), algorithm)
    with pytest.raises(InvalidSignature):
        PUBLIC.verify(signature, b"message", padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize("bits", [1024, 1025, 1031, 1032, 2048])
def test_pss_fits_any_modulus_and_its_salt_is_the_one_given(bits: int) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    key, hashed = RsaKey(private), hashlib.sha256(b"message").digest()
    first, again = (key.sign_hash(Digest.SHA256, hashed, Scheme.PSS, lambda size: b"s" * size) for _ in range(2))
    assert first == again != key.sign_hash(Digest.SHA256, hashed, Scheme.PSS)
    sha256 = hashes.SHA256()
    private.public_key().verify(first, b"message", padding.PSS(padding.MGF1(sha256), 32), sha256)


@given(st.binary(min_size=1, max_size=51))
@settings(max_examples=20)
def test_data_is_padded_with_type_1_as_given(data: bytes) -> None:
    assert PUBLIC.recover_data_from_signature(KEY.sign_data(data), padding.PKCS1v15(), None) == data


@given(st.binary(max_size=117))
@settings(max_examples=20)
def test_what_the_library_encrypts_is_deciphered(plain: bytes) -> None:
    assert KEY.decipher(PUBLIC.encrypt(plain, padding.PKCS1v15())) == plain


def _encrypt_block(block: bytes) -> bytes:
    numbers = PUBLIC.public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(128, "big")


@pytest.mark.parametrize(
    "block",
    [
        bytes(128),
        b"\x00\x01" + b"\xff" * 100 + b"\x00" + b"A" * 25,
        b"\x00\x02" + b"\x11" * 126,
        b"\x00\x02" + b"\x11" * 7 + b"\x00" + b"A" * 118,
        b"\x00\x02\x00" + b"A" * 125,
    ],
)
def test_broken_padding_is_refused(block: bytes) -> None:
    with pytest.raises(RsaError):
        KEY.decipher(_encrypt_block(block))


def test_blocks_that_are_no_number_below_the_modulus_are_refused() -> None:
    for block in (b"", bytes(127), bytes(129), b"\xff" * 128):
        with pytest.raises(RsaError):
            KEY.raw(block)


def test_data_or_hash_of_a_wrong_length_is_refused() -> None:
    assert len(KEY.sign_data(bytes(117))) == 128
    with pytest.raises(RsaError):
        KEY.sign_data(bytes(118))
    for scheme in Scheme:
        with pytest.raises(RsaError):
            KEY.sign_hash(Digest.SHA256, bytes(20), scheme)


_D, _N = PRIVATE.private_numbers().d, PUBLIC.public_numbers().n
_SIZE = 128


def _as_is(block: bytes) -> bytes:
    return pow(int.from_bytes(block, "big"), _D, _N).to_bytes(_SIZE, "big")


@given(st.binary(max_size=125))
@settings(max_examples=30)
def test_the_raw_operation_makes_the_same_of_a_padded_block_as_of_any_other(data: bytes) -> None:
    padded = b"\x00\x01" + b"\xff" * (_SIZE - 3 - len(data)) + b"\x00" + data
    assert KEY.raw(padded) == _as_is(padded)
    plain = b"\x00" * (_SIZE - len(data)) + data
    assert KEY.raw(plain) == _as_is(plain)


@pytest.mark.parametrize(
    "block",
    [
        b"\x00\x01" + b"\xff" * 126,
        b"\x00\x01" + b"\xff" * 125 + b"\x00",
        b"\x00\x02" + b"\xff" * 90 + b"\x00" + b"d" * 35,
        b"\x00\x01" + b"\xff" * 7 + b"\x00" + b"d" * 118,
        b"\x00\x01" + b"\xff" * 40 + b"\xfe" + b"\xff" * 40 + b"\x00" + b"d" * 44,
        b"\x00\x01\x00" + b"d" * 125,
        b"\x01" + b"\xff" * 90 + b"\x00" + b"d" * 36,
    ],
)
def test_a_block_that_is_nearly_padded_stays_as_it_is(block: bytes) -> None:
    assert KEY.raw(block) == _as_is(block)
