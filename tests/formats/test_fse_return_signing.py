"""Returns signed by the body: every byte is covered, and nobody else's signature passes."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest
from securing_bench import keys

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import PaymentOutcome, Rsp, RspLine
from bifente.simulator.formats.fse.return_signing import check_signed, parted, sign_return
from bifente.simulator.formats.fse.returns import decode_return, encode_return
from bifente.simulator.pki.body_certificates import BodyIdentity
from bifente.simulator.services.frontal.laboratory import identity

RSP = Rsp(
    "991000019",
    "013490349",
    "R1",
    date(2026, 3, 2),
    "VIREMENT 1",
    (RspLine(1, "amo", PaymentOutcome.PAID, 2100, 2100),),
    2100,
)


@cache
def body() -> BodyIdentity:
    return identity(keys(), signs=True)


@cache
def signed() -> bytes:
    return sign_return(encode_return(RSP), body().key)


def test_a_signed_return_is_read_as_the_same() -> None:
    check_signed(signed(), body().certificate)
    assert decode_return(signed()) == RSP
    assert parted(signed())[0] == encode_return(RSP)


def test_its_key_is_not_the_one_that_files_are_encrypted_for() -> None:
    assert body().certificate.public_key() != identity(keys()).certificate.public_key()


def test_one_that_is_not_signed_is_seen() -> None:
    with pytest.raises(FseError, match="not signed, and this body signs"):
        check_signed(encode_return(RSP), body().certificate)


def test_one_signed_by_somebody_else_is_seen() -> None:
    other = identity(keys())
    with pytest.raises(FseError, match="not signed by the body"):
        check_signed(sign_return(encode_return(RSP), other.key), body().certificate)


@pytest.mark.parametrize("percent", range(0, 100, 4))
def test_no_byte_changes_unseen(percent: int) -> None:
    data = bytearray(signed())
    data[len(data) * percent // 100] ^= 1
    with pytest.raises(FseError):
        check_signed(bytes(data), body().certificate)


@pytest.mark.parametrize("records", [1, 2, 3])
def test_a_signature_in_pieces_is_seen(records: int) -> None:
    with pytest.raises(FseError):
        check_signed(signed()[: -256 * records], body().certificate)
    with pytest.raises(FseError):
        decode_return(signed()[: -256 * records])


def test_the_signature_of_another_return_is_seen() -> None:
    other = encode_return(Rsp(RSP.sender, RSP.body, "R2", RSP.on, RSP.transfer, RSP.lines, RSP.total))
    with pytest.raises(FseError, match="not signed by the body"):
        check_signed(other + signed()[-1024:], body().certificate)
