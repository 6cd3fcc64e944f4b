"""The signature key of a Vitale 2: its own, and used only before a professional's card that proved itself."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from vitale_driver import FOREIGN, GOOD, IMAGE, OWN, SIGNING, VITALE, Talk, proof

from bifente.simulator.cards.vitale2.engine import card as vitale2_card

CONTENT = b"a sheet"
HASH = hashlib.sha256(CONTENT).digest()
SIGNED, NOT_ALLOWED, WRONG_LENGTH = 0x9000, 0x6982, 0x6700


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_before_a_professional_it_signs_and_its_signature_is_that_of_the_content(talk: Talk) -> None:
    assert talk.open() == 0x9000
    signature, sw = talk.sign(HASH)
    assert sw == SIGNED
    SIGNING.public_key().verify(signature, CONTENT, padding.PKCS1v15(), hashes.SHA256())


def test_the_certificate_of_the_key_is_read_by_anyone(talk: Talk) -> None:
    talk.ask(f"00A4040C0B{VITALE}")
    assert talk.ask("00B0870000") == (b"certificate of its signature", 0x9000)


def test_alone_it_signs_nothing(talk: Talk) -> None:
    assert talk.sign(HASH) == (b"", NOT_ALLOWED)


def test_a_certificate_alone_opens_no_signature(talk: Talk) -> None:
    assert talk.present() == 0x9000
    talk.challenge()
    assert talk.sign(HASH)[1] == NOT_ALLOWED


def test_a_wrong_proof_shuts_it_again(talk: Talk) -> None:
    talk.open()
    talk.prove(proof(talk.challenge(), FOREIGN))
    assert talk.sign(HASH)[1] == NOT_ALLOWED


@pytest.mark.parametrize("lost", ["reset", "power"])
def test_a_reset_or_a_loss_of_power_forgets_the_professional(talk: Talk, lost: str) -> None:
    talk.open()
    if lost == "reset":
        talk.card.reset()
    else:
        talk.card.power_off()
        talk.card.power_on()
    assert talk.sign(HASH)[1] == NOT_ALLOWED


@pytest.mark.parametrize("length", [1, 20, 31, 33, 64])
def test_what_is_no_hash_is_not_signed(talk: Talk, length: int) -> None:
    talk.open()
    assert talk.sign(bytes(length)) == (b"", WRONG_LENGTH)


def test_without_a_hash_there_is_nothing_to_sign(talk: Talk) -> None:
    talk.open()
    assert talk.ask("002A9E9A00")[1] == WRONG_LENGTH


def test_what_is_no_hash_tells_nothing_before_a_professional_either(talk: Talk) -> None:
    assert talk.sign(bytes(3))[1] == NOT_ALLOWED


@pytest.mark.parametrize("header", ["002A9E80", "002A009A", "002A9EAC", "002A809A"])
def test_no_other_operation_signs(talk: Talk, header: str) -> None:
    talk.open()
    assert talk.ask(f"{header}20{HASH.hex()}00")[1] == 0x6A86


@pytest.mark.parametrize("challenge", [CONTENT + bytes(8), HASH, b"\x30\x31" + bytes(30)])
def test_a_challenge_is_never_a_signature(talk: Talk, challenge: bytes) -> None:
    talk.open()
    answer, sw = talk.ask(f"00880000{len(challenge):02X}{challenge.hex()}00")
    assert sw == 0x9000
    OWN.public_key().verify(answer, challenge, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        SIGNING.public_key().verify(answer, challenge, padding.PKCS1v15(), hashes.SHA256())


def test_a_card_made_before_there_was_such_a_key_says_so() -> None:
    old = replace(IMAGE, keys=tuple(key for key in IMAGE.keys if key.name != "signature"))
    talk = Talk(vitale2_card(old))
    assert talk.open() == 0x9000
    assert talk.sign(HASH)[1] == 0x6A88


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=20, deadline=None)
def test_any_hash_is_signed_as_it_is(digest: bytes) -> None:
    talk = Talk()
    talk.open()
    signature, sw = talk.sign(digest)
    assert sw == SIGNED
    assert SIGNING.public_key().recover_data_from_signature(signature, padding.PKCS1v15(), hashes.SHA256()) == digest


class SignatureMachine(RuleBasedStateMachine):
    """Whatever happens before, it signs if and only if a professional's proof stands."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk()
        self.told = self.asked = self.stands = False

    @rule()
    def present(self) -> None:
        assert self.talk.present(GOOD) == 0x9000
        self.told = True

    @rule()
    def ask(self) -> None:
        self.last = self.talk.challenge()
        self.asked = True

    @precondition(lambda self: self.told and self.asked)
    @rule(right=st.booleans())
    def prove(self, right: bool) -> None:
        sw = self.talk.prove(proof(self.last) if right else proof(self.last, FOREIGN))
        assert sw == (0x9000 if right else 0x6300)
        self.stands, self.asked = right, False

    @rule()
    def reset(self) -> None:
        self.talk.card.reset()
        self.told = self.asked = self.stands = False

    @rule()
    def wander(self) -> None:
        assert self.talk.ask("00A40000023F00")[1] == 0x9000

    @rule()
    def sign(self) -> None:
        assert self.talk.sign(HASH)[1] == (SIGNED if self.stands else NOT_ALLOWED)


SignatureMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestSignature = SignatureMachine.TestCase
