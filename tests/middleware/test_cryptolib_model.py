"""The Cryptolib of the bench: what its newest release does with a card, and each trait turned back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.iso7816.apdu import Command
from bifente.simulator.middleware.cryptolib import CachedCertificate, Cryptolib, CryptolibError, CryptolibTraits
from bifente.simulator.pki.keystore import KeySource

PROFILE = "readers/generic-bislot"
Seat = Callable[..., VirtualBench]


@pytest.fixture(scope="module")
def seat(shared_keys: KeySource) -> Seat:
    pool = BenchPool(RunOptions(paths=()), Workshop(shared_keys), (PROFILE,))

    def seat(**parameters: object) -> VirtualBench:
        bench = pool.get(PROFILE)
        choice = CardChoice.model_validate({"template": "medecin-generaliste", **parameters})
        bench.seat({"cps": choice}, Random(1), destructive=True, day=datetime.now(UTC).date())
        assert isinstance(bench, VirtualBench)
        return bench

    return seat


def refused(code: str, action: Callable[[], object]) -> None:
    with pytest.raises(CryptolibError) as error:
        action()
    assert error.value.code == code


@pytest.mark.parametrize("family", ["cps3", "cps4"])
@pytest.mark.parametrize("key", ["authentication", "signature"])
def test_a_card_is_found_and_signs(seat: Seat, family: str, key: str) -> None:
    library = Cryptolib(seat(family=family).access, CryptolibTraits())
    (reader,) = library.tokens()
    token = library.open(reader)
    refused("CKR_USER_NOT_LOGGED_IN", lambda: token.sign(key, b"hello"))
    token.login("1234")
    public = x509.load_der_x509_certificate(token.certificate(key)).public_key()
    assert isinstance(public, RSAPublicKey)
    public.verify(token.sign(key, b"hello"), b"hello", PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(token.sign(key, b"hello"), b"other", PKCS1v15(), SHA256())
    token.close()


def test_a_code_is_presented_once_and_never_to_a_blocked_card(seat: Seat) -> None:
    bench = seat()
    library = Cryptolib(bench.access, CryptolibTraits())
    token = library.open(library.tokens()[0])
    refused("CKR_PIN_INCORRECT", lambda: token.login("0000"))
    assert (bench.state("cps") or {})["pin-tries"] == 2
    blocked = seat(lifecycle="pin-blocked")
    library = Cryptolib(blocked.access, CryptolibTraits())
    refused("CKR_PIN_LOCKED", lambda: library.open(library.tokens()[0]).login("1234"))


def test_a_release_before_the_cps4_does_not_see_it(seat: Seat) -> None:
    access = seat(family="cps4").access
    old = CryptolibTraits().turned("cps4", on=False)
    assert Cryptolib(access, old).tokens() == ()
    assert Cryptolib(seat().access, old).tokens()


def test_a_cps4_at_work_elsewhere_is_taken_up_or_stays_invisible(seat: Seat) -> None:
    bench = seat(family="cps4")
    aid = bench.card_in("cps").aid("chipdoc")
    other = bench.access.connect(bench.names["cps"])
    Dialogue(other, lambda told: None).send(Command(0, 0xA4, 4, 0x0C, aid))
    assert Cryptolib(bench.access, CryptolibTraits().turned("resumes", on=False)).tokens() == ()
    assert Cryptolib(bench.access, CryptolibTraits()).tokens()


def test_a_card_that_can_no_longer_be_unblocked_is_shown_or_not(seat: Seat) -> None:
    access = seat(lifecycle="puk-exhausted").access
    assert Cryptolib(access, CryptolibTraits()).tokens()
    assert Cryptolib(access, CryptolibTraits().turned("shows-exhausted", on=False)).tokens() == ()
    assert Cryptolib(seat().access, CryptolibTraits().turned("shows-exhausted", on=False)).tokens()


def test_a_reset_by_another_is_survived_or_loses_the_session(seat: Seat) -> None:
    for survives in (True, False):
        bench = seat()
        library = Cryptolib(bench.access, CryptolibTraits().turned("survives-reset", on=survives))
        token = library.open(library.tokens()[0])
        token.login("1234")
        bench.access.connect(bench.names["cps"]).reset(cold=False)
        if survives:
            assert token.sign("authentication", b"x")
        else:
            refused("CKR_SESSION_HANDLE_INVALID", lambda: token.sign("authentication", b"x"))  # noqa: B023


@pytest.mark.parametrize(("tells", "code"), [(True, "CKR_TOKEN_NOT_PRESENT"), (False, "CKR_GENERAL_ERROR")])
def test_a_removal_is_told_by_its_own_code_or_by_a_general_one(seat: Seat, tells: bool, code: str) -> None:
    bench = seat()
    library = Cryptolib(bench.access, CryptolibTraits().turned("tells-removal", on=tells))
    token = library.open(library.tokens()[0])
    token.login("1234")
    bench.remove("cps")
    refused(code, lambda: token.sign("authentication", b"x"))


def test_the_cache_is_trusted_ignored_or_deadly(seat: Seat) -> None:
    bench = seat()
    traits = CryptolibTraits(cache=CachedCertificate({"authentication": b"old"}))
    token = Cryptolib(bench.access, traits).open(bench.names["cps"])
    assert token.certificate("authentication") == b"old"
    altered = replace(traits, cache=CachedCertificate({"authentication": b"old"}, sound=False))
    assert Cryptolib(bench.access, altered).open(bench.names["cps"]).certificate("authentication") != b"old"
    old = altered.turned("ignores-altered-cache", on=False)
    deadly = Cryptolib(bench.access, old).open(bench.names["cps"])
    refused("CKR_GENERAL_ERROR", lambda: deadly.certificate("authentication"))


def test_mechanisms_that_a_release_does_not_have(seat: Seat) -> None:
    bench = seat()
    token = Cryptolib(bench.access, CryptolibTraits()).open(bench.names["cps"])
    token.login("1234")
    assert token.encrypt("authentication", b"secret")
    assert token.sign_hash("authentication", bytes(32))
    older = CryptolibTraits().turned("encrypts", on=False).turned("signs-ready-hash", on=False)
    token = Cryptolib(bench.access, older).open(bench.names["cps"])
    refused("CKR_FUNCTION_NOT_SUPPORTED", lambda: token.encrypt("authentication", b"secret"))
    refused("CKR_MECHANISM_INVALID", lambda: token.sign_hash("authentication", bytes(32)))


def test_without_a_cache_folder_an_old_release_sees_nothing(seat: Seat) -> None:
    access = seat().access
    old = CryptolibTraits(cache_folder=False).turned("cache-folder-needed", on=True)
    assert Cryptolib(access, old).tokens() == ()
    assert Cryptolib(access, CryptolibTraits(cache_folder=False)).tokens()


def test_no_card_and_no_trait(seat: Seat) -> None:
    bench = seat()
    bench.remove("cps")
    library = Cryptolib(bench.access, CryptolibTraits())
    assert library.tokens() == ()
    refused("CKR_TOKEN_NOT_PRESENT", lambda: library.open(bench.names["cps"]))
    for name in ("nonsense", "cache", "cache-folder"):
        with pytest.raises(ValueError, match="no trait"):
            CryptolibTraits().turned(name, on=True)
