"""What the Cryptolib does with a CPS3 and with no other card."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from clients_bench import AUT_ID, SIG_ID, digest_info
from cryptography.hazmat.primitives.asymmetric import padding
from cryptolib_tools import (
    BAD_UPDATE,
    CPS3,
    KEY_TYPE_INCONSISTENT,
    MECHANISM_INVALID,
    MESSAGE,
    NUMBERS,
    PIN_INCORRECT,
    PIN_LOCKED,
    Cryptolib,
    Family,
    needs_cryptolib,
)

needs_cryptolib()


HASH, SIGN, AUTHENTICATE, LOOK_FOR_UPDATE = "002a90a0", "002a9e9a", "0088", "00a40904043f00d010"


@pytest.fixture(scope="module")
def family() -> Family:
    return CPS3


def test_the_third_wrong_code_is_still_called_incorrect(cryptolib: Cryptolib) -> None:
    with cryptolib.module() as module:
        for due in (PIN_INCORRECT, PIN_INCORRECT, PIN_INCORRECT, PIN_LOCKED):
            module.do("login", due, code="0000")


# -- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["SHA1-RSA-PKCS", "SHA256-RSA-PKCS"])
def test_the_card_finishes_the_hash(cryptolib: Cryptolib, mechanism: str) -> None:
    with cryptolib.module(login=True) as module:
        for size in (1, 64, 100_000):
            cryptolib.bench.forget()
            module.sign(SIG_ID, mechanism, bytes(size))
            assert len(cryptolib.bench.commands(HASH)) == len(cryptolib.bench.commands(SIGN)) == 1


def test_the_authentication_key_is_given_what_it_signs(cryptolib: Cryptolib) -> None:
    with cryptolib.module(login=True) as module:
        module.sign(AUT_ID, "RSA-PKCS", digest_info(MESSAGE))
    assert cryptolib.bench.commands(AUTHENTICATE) == [f"0088000033{digest_info(MESSAGE).hex()}"]


def test_a_cryptogram_comes_in_two_parts(cryptolib: Cryptolib) -> None:
    secret = cryptolib.bench.seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15())
    with cryptolib.module(login=True) as module:
        module.do("decrypt", key=AUT_ID, data=secret.hex())
    first, last = cryptolib.bench.commands("102a8086", "002a8086")
    assert (first, last) == (f"102a8086ff81{secret[:254].hex()}", f"002a808602{secret[254:].hex()}")


@pytest.mark.parametrize(
    ("key", "mechanism", "due"),
    [
        (AUT_ID, "SHA256-RSA-PKCS", KEY_TYPE_INCONSISTENT),
        (SIG_ID, "SHA512-RSA-PKCS", MECHANISM_INVALID),
        (SIG_ID, "RSA-PKCS-PSS", MECHANISM_INVALID),
        (AUT_ID, "RSA-PKCS-PSS", MECHANISM_INVALID),
    ],
)
def test_a_mechanism_not_meant_for_the_key_is_refused(cryptolib: Cryptolib, key: str, mechanism: str, due: str) -> None:
    with cryptolib.module(login=True) as module:
        module.do("sign", due, key=key, mechanism=mechanism, data=MESSAGE.hex())
    assert not cryptolib.bench.commands(SIGN, AUTHENTICATE)


def test_the_other_side_of_the_card_is_asked_for_its_objects(cryptolib: Cryptolib) -> None:
    with cryptolib.module(login=True) as module:
        for number in NUMBERS:
            module.read(f"CPS2TER_ACTIVITY_{number:02}_PS")
    assert cryptolib.bench.commands("a0a4")


# -- updates and the cache ------------------------------------------------------------------------------------------

PRACTICE = "TESTAUTREMEDECIN"


def _updated(year: int) -> dict[str, Any]:
    """A card updated in the year after its issue, so that two years make two updates."""
    return {"lifecycle": "updated", "card": {"issued": date(year, 1, 1), "expires": date(year + 3, 12, 31)}}


def test_a_card_never_updated_opens(cryptolib: Cryptolib) -> None:
    with cryptolib.module():
        assert set(cryptolib.bench.answers(LOOK_FOR_UPDATE)) == {"6a82"}
    assert "99000001_D010" not in cryptolib.cached()


def test_a_card_updated_opens_and_its_update_is_remembered(cryptolib: Cryptolib) -> None:
    cryptolib.seat(**_updated(2024))
    with cryptolib.module():
        assert "6a82" not in cryptolib.bench.answers(LOOK_FOR_UPDATE)
    assert "99000001_D010" in cryptolib.cached()


def test_another_update_drops_the_cache(cryptolib: Cryptolib) -> None:
    first = cryptolib.seat(**_updated(2024))
    with cryptolib.module() as module:
        old = module.read("CPS_INFO_PS")
    assert old == first.made.objects["CPS_INFO_PS"].encode()

    # The same serial number and the same update, yet another content: the module believes its cache.
    changed = {"holder": {"practice_name": PRACTICE}}
    cryptolib.seat(**_updated(2024), **changed)
    with cryptolib.module() as module:
        assert module.read("CPS_INFO_PS") == old
    assert not cryptolib.bench.commands("00a4090406" + "3f000001d113")

    second = cryptolib.seat(**_updated(2025), **changed)
    with cryptolib.module() as module:
        new = module.read("CPS_INFO_PS")
    assert new == second.made.objects["CPS_INFO_PS"].encode() != old
    assert PRACTICE.encode() in new


@pytest.mark.parametrize("lifecycle", ["damaged-update", "empty-update"])
def test_a_card_whose_update_was_cut_short_is_refused_by_name(cryptolib: Cryptolib, lifecycle: str) -> None:
    cryptolib.seat(lifecycle=lifecycle)
    with cryptolib.module(open_session=False) as module:
        module.do("open", BAD_UPDATE)
        assert module.do("token")["serial"] == "99000001", "the token stays visible"
