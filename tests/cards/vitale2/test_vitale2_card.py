"""The Vitale 2: what public clients read of it, and what the proof of a professional's card opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from vitale_driver import (
    COVERAGE,
    EMPLOYEE,
    FOREIGN,
    FORGED,
    GOOD,
    GROUPS,
    IMAGE,
    LAYOUT,
    OWN,
    SECRET_SITUATION,
    VITALE,
    Talk,
    proof,
)

from bifente.simulator.cards.cps3.engine import card as cps3_card
from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.vitale2 import contents
from bifente.simulator.cards.vitale2.engine import card as vitale2_card
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.iso7816.status import is_legal


@pytest.fixture
def talk() -> Talk:
    return Talk()


# -- what is read freely -----------------------------------------------------------------------------------------------


def test_the_two_commands_of_public_clients_give_holders_then_numbers(talk: Talk) -> None:
    assert talk.raw("00A40000023F00")[1] >> 8 == 0x61
    assert talk.raw("00B0820000")[1] >> 8 == 0x6C
    holders = contents.read_holders(talk.ask("00B0820000")[0])
    assert [(one.name, one.first_name, one.born, one.country) for one in holders] == [
        ("TESTPREMIER", "UN", "19541914", "FR"),
        ("TESTSECOND", "DEUX", "20110101", "FR"),
    ]
    assert talk.raw(f"00A404000B{VITALE}")[1] >> 8 == 0x61
    assert contents.read_numbers(talk.ask("00B0820000")[0]) == ("154191334900136",) * 2


def test_the_answer_of_select_is_fetched_and_names_the_application(talk: Talk) -> None:
    data, sw = talk.ask(f"00A404000B{VITALE}")
    assert (data[0], sw) == (0x6F, 0x9000)
    assert bytes.fromhex(VITALE) in data
    assert talk.ask(f"00A404040B{VITALE}")[0][0] == 0x62
    assert talk.ask(f"00A4040C0B{VITALE}") == (b"", 0x9000)


@pytest.mark.parametrize(
    ("select", "starts"),
    [
        ("00A4020C022F00", "61"),
        ("00A4000C022F02", "5A"),
        (f"00A4040C0B{VITALE}|00A4020C022001", "E0"),
        (f"00A4040C0B{VITALE}|00A4020C022003", "66"),
        ("00A4080C0420002004", "0065"),
    ],
)
def test_the_other_files(talk: Talk, select: str, starts: str) -> None:
    for command in select.split("|"):
        assert talk.ask(command)[1] == 0x9000
    data, sw = talk.ask("00B0000000")
    assert sw == 0x9000 or sw >> 8 == 0x61
    assert data.hex().upper().startswith(starts)


def test_the_free_rights_hold_every_group_but_the_coverage(talk: Talk) -> None:
    talk.ask(f"00A4040C0B{VITALE}")
    data, sw = talk.ask("00B0840000")
    assert sw == 0x9000
    assert contents.read_rights(data) == tuple(group for group in GROUPS if group.id != contents.COVERAGE)
    assert SECRET_SITUATION.encode() not in data


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("0020000104" + "31323334", 0x6D00),
        ("00D6820001AA", 0x6D00),
        ("0022 41A4 03 800102", 0x6D00),
        ("00CB3FFF00", 0x6D00),
        ("A0A40000023F00", 0x6E00),
        ("BCC0000008", 0x6E00),
        ("01A40000023F00", 0x6E00),
        ("00A4040007A0000000000000", 0x6A82),
        ("00A4010002" + "2000", 0x6A86),
        ("00B0890000", 0x6A82),
        ("00B0000000", 0x6986),
        ("002A9E9A04AABBCCDD", 0x6982),
        ("0084000008", 0x6C10),
        ("0084000110", 0x6A86),
        ("0088008108" + "0102030405060708", 0x6A86),
        ("0088000007" + "01020304050607", 0x6700),
        ("0082008001AA", 0x6A86),
        ("1082000001AA", 0x9000),
    ],
)
def test_commands_it_does_not_serve_so(talk: Talk, command: str, sw: int) -> None:
    assert talk.raw(command)[1] == sw


def test_the_layout_says_what_is_free_and_that_nothing_is_written() -> None:
    assert LAYOUT.is_free("EF.RIGHTS")
    assert not LAYOUT.is_free("EF.COVERAGE")
    assert not any(LAYOUT.is_modifiable(name) for name in LAYOUT.paths if name.startswith("EF."))
    atrs = {LAYOUT.atr[Interface.CONTACT].named(name).hex().upper() for name in LAYOUT.atr[Interface.CONTACT].others}
    assert atrs == {f"3B75130000{nn}09EA9000" for nn in ("43", "44", "45", "47", "48", "49", "4B", "4C")}


def test_only_the_family_itself_makes_one() -> None:
    assert make_card(IMAGE).transmit(bytes.fromhex("00A4000C023F00")) == b"\x90\x00"
    with pytest.raises(ValueError, match="that of a vitale2, not of a cps3"):
        cps3_card(IMAGE)
    with pytest.raises(ValueError, match="no card family is named vitale3; known: cps3, cps4, vitale1, vitale2"):
        make_card(replace(IMAGE, family="vitale3"))


# -- what is protected -------------------------------------------------------------------------------------------------


def test_a_proof_opens_the_coverage(talk: Talk) -> None:
    assert talk.coverage() == (b"", 0x6982)
    assert talk.open() == 0x9000
    assert talk.coverage() == (COVERAGE, 0x9000)
    assert talk.card.state().authenticated == {"professional": "CN=professional"}


def test_by_its_short_identifier_too(talk: Talk) -> None:
    talk.ask(f"00A4040C0B{VITALE}")
    assert talk.raw("00B0850000") == (b"", 0x6982)
    talk.open()
    assert talk.ask("00B0850000") == (COVERAGE, 0x9000)


def test_the_other_form_of_verify_certificate_does_the_same(talk: Talk) -> None:
    assert talk.chain("2A00AE", GOOD) == 0x9000
    assert talk.prove(proof(talk.challenge())) == 0x9000


@pytest.mark.parametrize(
    ("raw", "sw"), [(EMPLOYEE, 0x6985), (FORGED, 0x6300), (GOOD[:-1], 0x6A80), (b"\x30\x00", 0x6A80), (b"", 0x6700)]
)
def test_a_certificate_that_is_not_a_professional_s_opens_nothing(talk: Talk, raw: bytes, sw: int) -> None:
    assert talk.present(raw) == sw
    assert talk.prove(proof(talk.challenge())) == 0x6985
    assert talk.coverage()[1] == 0x6982


@pytest.mark.parametrize("raw", [EMPLOYEE, FORGED, b"\x30\x00"])
def test_a_refused_certificate_takes_the_place_of_the_one_before(talk: Talk, raw: bytes) -> None:
    assert talk.present() == 0x9000
    assert talk.present(raw) != 0x9000
    assert talk.prove(proof(talk.challenge())) == 0x6985


def test_a_certificate_too_long_is_refused_and_forgotten(talk: Talk) -> None:
    assert talk.present(bytes(5000)) == 0x6700
    assert talk.prove(proof(talk.challenge())) == 0x6985


def test_a_proof_by_another_key_shuts_what_was_open(talk: Talk) -> None:
    assert talk.open() == 0x9000
    assert talk.prove(proof(talk.challenge(), FOREIGN)) == 0x6300
    assert talk.coverage()[1] == 0x6982


def test_a_proof_is_worth_nothing_twice(talk: Talk) -> None:
    talk.present()
    answer = proof(talk.challenge())
    assert talk.prove(answer) == 0x9000
    assert talk.prove(answer) == 0x6985
    talk.challenge()
    assert talk.prove(answer) == 0x6300


def test_only_the_last_challenge_counts(talk: Talk) -> None:
    talk.present()
    first = talk.challenge()
    talk.challenge()
    assert talk.prove(proof(first)) == 0x6300


@pytest.mark.parametrize("how", ["reset", "power_off"])
def test_a_reset_forgets_certificate_challenge_and_proof(talk: Talk, how: str) -> None:
    talk.open()
    answer = proof(talk.challenge())
    getattr(talk.card, how)()
    assert talk.coverage()[1] == 0x6982
    assert talk.prove(answer) == 0x6985
    talk.present()
    assert talk.prove(answer) == 0x6985
    assert talk.card.state().authenticated == {}


def test_two_cards_share_nothing() -> None:
    one, other = Talk(), Talk()
    one.open()
    assert other.coverage()[1] == 0x6982


def test_it_proves_itself_with_its_own_key(talk: Talk) -> None:
    challenge = bytes(range(16))
    signature, sw = talk.ask(f"0088000010{challenge.hex()}")
    assert sw == 0x9000
    OWN.public_key().verify(signature, challenge, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        OWN.public_key().verify(signature, challenge[::-1], padding.PKCS1v15(), hashes.SHA256())
    assert talk.coverage()[1] == 0x6982


def test_the_state_tells_no_key_and_no_content(talk: Talk) -> None:
    talk.open()
    assert SECRET_SITUATION not in repr(talk.card.state().to_dict())
    assert SECRET_SITUATION.encode().hex() not in repr(IMAGE)


# -- any sequence ------------------------------------------------------------------------------------------------------


class Life(RuleBasedStateMachine):
    """Any commands in any order, with resets: the coverage leaves only while the model says that it is open."""

    @initialize()
    def begin(self) -> None:
        self.talk = Talk()
        self.certified = False
        self.pending: bytes | None = None
        self.answers: list[bytes] = []
        self.opened = False
        self.chained = False

    def _plain(self) -> None:
        # A chain left open is broken unheard by the next command; then the model starts from a clean state.
        self.talk.raw("00A4000C023F00")

    @rule(data=st.data())
    def any_bytes(self, data: st.DataObject) -> None:
        head = data.draw(st.sampled_from([b"", b"\x00", b"\x10", b"\x00\xb0", b"\x00\xa4", b"\x00\xc0\x00\x00"]))
        raw = head + data.draw(st.binary(max_size=20))
        # These three are the model's own rules.
        if len(raw) > 1 and raw[0] in (0x00, 0x10) and raw[1] in (0x2A, 0x82, 0x84):
            return
        answer = self.talk.card.transmit(raw)
        assert is_legal(int.from_bytes(answer[-2:], "big"))
        if not self.opened:
            assert SECRET_SITUATION.encode() not in answer

    @rule(raw=st.sampled_from([GOOD, EMPLOYEE, FORGED, b"\x30\x00"]))
    def certificate(self, raw: bytes) -> None:
        self._plain()
        self.certified = self.talk.present(raw) == 0x9000
        assert self.certified is (raw == GOOD)

    @rule()
    def challenge(self) -> None:
        self._plain()
        self.pending = self.talk.challenge()
        self.answers.append(proof(self.pending))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        self._plain()
        given = data.draw(st.sampled_from(self.answers[-4:]))
        sw = self.talk.prove(given)
        if not self.certified or self.pending is None:
            assert sw == 0x6985
            return
        right = given == proof(self.pending)
        self.pending = None
        self.opened = right
        assert sw == (0x9000 if right else 0x6300)

    @rule(how=st.sampled_from(["power_on", "reset", "power_off"]))
    def shut(self, how: str) -> None:
        getattr(self.talk.card, how)()
        self.certified, self.pending, self.opened = False, None, False

    @rule()
    def read(self) -> None:
        self._plain()
        assert self.talk.coverage() == ((COVERAGE, 0x9000) if self.opened else (b"", 0x6982))

    @invariant()
    def told_as_it_is(self) -> None:
        assert bool(self.talk.card.state().authenticated) is self.opened


Life.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase


def commands() -> Iterator[bytes]:
    for cla in (0x00, 0x10):
        for ins in range(256):
            yield bytes((cla, ins, 0, 0))
            yield bytes((cla, ins, 0, 0xBE, 1, 0xAA))


def test_no_single_command_opens_anything() -> None:
    card = vitale2_card(IMAGE)
    card.power_on()
    for command in commands():
        answer = card.transmit(command)
        assert COVERAGE[:8] not in answer
    assert not card.state().authenticated
