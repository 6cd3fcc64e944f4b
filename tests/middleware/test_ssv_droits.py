"""LireDroitsVitale on real cards of ours: what a CPS opens, what stays closed without one, every fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ssv_bench import PIN, TODAY, VITALE_SLOT, Desk, Strike, broken, cps, cps_data, fields, ids, vitale, vitale_data

from bifente.simulator.cards.vitale.loading import shipped_vitale
from bifente.simulator.cards.vitale.personalise import personalise_vitale
from bifente.simulator.cards.vitale2.engine import card as vitale2_card
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.readers import PcscCode
from bifente.simulator.zones import check_order, encode

EVERY = tuple(shipped_vitale())
SECOND_GENERATION = tuple(name for name, template in shipped_vitale().items() if template.family == "vitale2")
COPIED = "copiee"
"""A copied card does not prove itself: it opens nothing."""
MARKED_TEST = tuple(name for name in SECOND_GENERATION if shipped_vitale()[name].card.mark == "T" and name != COPIED)
BOTH = [
    {
        "name": "TESTASSURE",
        "first_name": "DOUBLE",
        "born": "19700119",
        "quality": "0",
        "mutuelle": {"id": "99999349", "indicator": "01"},
        "amc": {"b2_number": "99999349", "indicator": "33", "valid": {"start": -1, "end": 1}},
    }
]


# -- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", MARKED_TEST)
def test_with_a_cps_the_zone_is_the_card_s_byte_for_byte(template: str) -> None:
    answer = Desk(cps(), vitale(template)).rights()
    assert answer.code == SsvCode.OK
    assert answer.zone == encode(vitale_data(template).groups)
    check_order(answer.groups)
    assert 106 in ids(answer)


@pytest.mark.parametrize("template", EVERY)
def test_without_a_cps_all_but_the_coverage(template: str) -> None:
    answer = Desk(None, vitale(template)).rights()
    assert answer.code == SsvCode.PS_ABSENT == 61441
    assert answer.groups == tuple(group for group in vitale_data(template).groups if group.id != 106)
    check_order(answer.groups)


def test_a_cps4_opens_what_a_cps3_opens() -> None:
    both = [Desk(cps(family=family), vitale("famille-trois")).rights() for family in ("cps3", "cps4")]
    assert both[0] == both[1]
    assert both[0].code == SsvCode.OK


def test_a_vitale_1_has_no_coverage_for_anybody() -> None:
    answer = Desk(cps(), vitale("vitale-1")).rights()
    assert answer.code == SsvCode.OK
    assert answer.groups == Desk(None, vitale("vitale-1")).rights().groups
    assert 106 not in ids(answer)


def test_nineteen_beneficiaries() -> None:
    answer = Desk(cps(), vitale("dix-neuf-beneficiaires")).rights()
    assert ids(answer).count(104) == 19
    assert len(answer.zone) > 2000


def test_the_slots_may_be_swapped() -> None:
    assert Desk(vitale(), cps()).rights() == Desk(cps(), vitale()).rights()


@pytest.mark.parametrize("date", ["19000101", "20260228", "20991231", "20240229"])
def test_the_date_of_consultation_chooses_nothing(date: str) -> None:
    desk = Desk(cps(), vitale("droits-fermes"))
    assert desk.rights(consultation=date).zone == desk.rights().zone


@pytest.mark.parametrize(
    "date",
    [
        "",
        "2026",
        "20260230",
        "20261301",
        "2026-3-3",
        "202603031",
        "TODAYTOD",
        "20250229",
        "2026033",
        "202633",
        "２０２６０３０３",
    ],
)
def test_what_is_no_date_is_refused_before_any_card(date: str) -> None:
    desk = Desk(cps(), vitale())
    desk.cps_slot.interference = strike = Strike(lambda index, command, answer: answer())
    answer = desk.rights("0000", date)
    assert (answer.code, answer.zone) == (SsvCode.BAD_INPUT, b"")
    assert not strike.seen


def test_expired_and_opposed_vitales_are_read_and_the_end_is_in_the_zone() -> None:
    for template in ("carte-expiree", "carte-opposee"):
        answer = Desk(cps(), vitale(template)).rights()
        assert answer.code == SsvCode.OK
    (insured,) = fields(Desk(cps(), vitale("carte-expiree")).rights(), 101)
    assert insured["validity-end"] < f"{TODAY}0000"


def test_both_complementaries_are_told_with_the_whole_zone() -> None:
    card = vitale("assure-seul", beneficiaries=BOTH)
    answer = Desk(cps(), card).rights()
    assert (answer.code, ids(answer)) == (SsvCode.BOTH_COMPLEMENTARIES, [101, 104, 107, 109])
    without = Desk(None, vitale("assure-seul", beneficiaries=BOTH)).rights()
    assert (without.code, ids(without)) == (SsvCode.PS_ABSENT, [101, 104, 107, 109])


# -- what does not open -----------------------------------------------------------------------------------------------


def test_a_copied_card_opens_nothing_and_gives_no_zone() -> None:
    answer = Desk(cps(), vitale(COPIED)).rights()
    assert (answer.code, answer.zone) == (SsvCode.VITALE_COMMUNICATION, b"")


def test_no_vitale_and_the_code_is_spared() -> None:
    desk = Desk(cps())
    assert desk.rights("0000").code == SsvCode.VITALE_ABSENT
    assert desk.cps_slot.card.state().secrets["pin"].tries_left == 3
    assert Desk().rights().code == SsvCode.VITALE_ABSENT


@pytest.mark.parametrize(
    ("card", "code", "expected"),
    [
        ({}, "0000", SsvCode.WRONG_CODE),
        ({}, "12", SsvCode.BAD_INPUT),
        ({"lifecycle": "pin-blocked"}, PIN, SsvCode.PS_BLOCKED),
        ({"lifecycle": "expired"}, PIN, SsvCode.PS_INVALID),
        ({"template": "cpe-nominative"}, PIN, SsvCode.PS_INVALID),
        ({"template": "cpa", "family": "cps4"}, PIN, SsvCode.PS_INVALID),
    ],
)
def test_a_cps_that_will_not_do_gives_no_data_at_all(card: dict[str, str], code: str, expected: SsvCode) -> None:
    answer = Desk(cps(**card), vitale()).rights(code)
    assert (answer.code, answer.zone) == (expected, b"")


def test_a_test_cps_and_a_real_vitale_do_not_go_together() -> None:
    answer = Desk(cps(), vitale("marquee-reelle")).rights()
    assert (answer.code, answer.zone) == (SsvCode.TEST_AND_REAL, b"")


def test_an_employee_s_card_with_billing_is_refused_by_the_vitale_itself() -> None:
    card = cps("cpe-nominative", billing=[{"number": 1, "billing_id": "991000019", "signing_rights": 1}])
    answer = Desk(card, vitale()).rights()
    assert (answer.code, answer.zone) == (SsvCode.PS_INVALID, b"")
    assert "6985" in answer.detail


def test_a_cps_of_another_authority_is_refused_by_the_vitale_itself() -> None:
    keys = MemoryKeys()
    stranger = personalise_vitale(shipped_vitale()["assure-seul"], keys, at=vitale_data().day, pki=Pki(MemoryKeys()))
    answer = Desk(cps(), vitale2_card(stranger.image)).rights()
    assert (answer.code, answer.zone) == (SsvCode.PS_INVALID, b"")


def test_the_vitale_itself_keeps_its_coverage_from_who_proves_nothing() -> None:
    desk = Desk(None, vitale())
    connection = desk.access.connect(VITALE_SLOT)
    for command in ("00A404000BD250000002564954414C45", "00B0850000"):
        last = connection.transmit(bytes.fromhex(command))
    assert last == bytes.fromhex("6982")


@pytest.mark.parametrize("instruction", [0x2A, 0x82])
def test_a_proof_tampered_with_opens_nothing(instruction: int) -> None:
    desk = Desk(cps(), vitale())
    card = desk.vitale_slot.card

    def tamper(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[1] == instruction and command[0] == 0x00:
            return bytes(card.transmit(command[:-1] + bytes((command[-1] ^ 1,))))
        return answer()

    desk.vitale_slot.interference = Strike(tamper)
    answer = desk.rights()
    assert (answer.code, answer.zone) == (SsvCode.PS_INVALID, b"")


def test_a_vitale_that_does_not_prove_itself_is_refused() -> None:
    def forge(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        given = answer()
        return bytes((given[0] ^ 1,)) + given[1:] if len(given) == 258 and command[1] in (0x88, 0xC0) else given

    desk = Desk(cps(), vitale())
    desk.vitale_slot.interference = Strike(forge)
    answer = desk.rights()
    assert (answer.code, answer.zone) == (SsvCode.VITALE_COMMUNICATION, b"")
    assert "prove" in answer.detail


def test_with_anchors_a_vitale_of_another_authority_is_refused() -> None:
    desk = Desk(cps(), vitale())
    for anchor, expected in (
        (vitale_data().authority.certificate, SsvCode.OK),
        (cps_data().authority.certificate, SsvCode.VITALE_COMMUNICATION),
    ):
        library = desk.library(anchors=[anchor])
        library.init_lib()
        assert library.lire_droits_vitale("CPS", "Log_SV", PIN, TODAY).code == expected


# -- faults ------------------------------------------------------------------------------------------------------------


def commands_of(template: str = "assure-seul") -> int:
    """How many commands a whole reading sends to the Vitale."""
    desk = Desk(cps(), vitale(template))
    desk.vitale_slot.interference = strike = Strike(lambda index, command, answer: answer())
    assert desk.rights().code == SsvCode.OK
    return len(strike.seen)


@pytest.mark.parametrize("template", ["assure-seul", "vitale-1"])
def test_a_vitale_withdrawn_at_any_command_gives_f015_and_no_data(template: str) -> None:
    for nth in range(commands_of(template)):
        desk = Desk(cps(), vitale(template))

        def withdraw(
            index: int, command: bytes, answer: Callable[[], bytes], nth: int = nth, desk: Desk = desk
        ) -> bytes:
            if index == nth:
                desk.vitale_slot.remove()
                raise broken(PcscCode.REMOVED_CARD)
            return answer()

        desk.vitale_slot.interference = Strike(withdraw)
        answer = desk.rights()
        assert (answer.code, answer.zone) == (SsvCode.VITALE_WITHDRAWN, b""), nth


@pytest.mark.parametrize("how", ["6F00", "", "mute", "cut"])
@pytest.mark.parametrize("template", ["assure-seul", "vitale-1"])
def test_a_fault_at_any_command_gives_f014_or_f004_and_the_desk_goes_on(template: str, how: str) -> None:
    for nth in range(commands_of(template)):
        desk = Desk(cps(), vitale(template))
        struck: list[int] = []

        def strike(
            index: int, command: bytes, answer: Callable[[], bytes], nth: int = nth, struck: list[int] = struck
        ) -> bytes:
            if index < nth:
                return answer()
            struck.append(command[1])
            if how == "mute":
                raise broken(PcscCode.UNRESPONSIVE_CARD)
            return answer()[:-3] if how == "cut" else bytes.fromhex(how)

        desk.vitale_slot.interference = Strike(strike)
        answer = desk.rights()
        refused_by_the_card = struck[0] in (0x2A, 0x82) and how == "6F00"
        expected = SsvCode.PS_INVALID if refused_by_the_card else SsvCode.VITALE_COMMUNICATION
        assert answer.zone == b"", nth
        assert answer.code == expected or (how == "cut" and answer.code == SsvCode.PS_INVALID), (nth, answer)
        desk.vitale_slot.interference = None
        desk.vitale_slot.card.reset()
        assert desk.rights().code == SsvCode.OK, nth


def test_a_read_lost_now_and_then_is_made_good() -> None:
    lost: list[int] = []

    def lose(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[1] == 0xB0 and index % 3 == 0 and index not in lost:
            lost.append(index)
            raise broken()
        return answer()

    desk = Desk(cps(), vitale("dix-neuf-beneficiaires"))
    desk.vitale_slot.interference = Strike(lose)
    assert desk.rights().zone == encode(vitale_data("dix-neuf-beneficiaires").groups)
    assert len(lost) > 3


def test_a_cps_withdrawn_while_it_is_used_leaves_the_administrative_data() -> None:
    desk = Desk(cps(), vitale())

    def withdraw(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[1] == 0x20 and len(command) > 5:
            desk.cps_slot.remove()
            raise broken(PcscCode.REMOVED_CARD)
        return answer()

    desk.cps_slot.interference = Strike(withdraw)
    answer = desk.rights()
    assert (answer.code, ids(answer)) == (SsvCode.PS_ABSENT, [101, 104, 105])


def test_between_two_calls_the_cps_takes_with_it_what_it_opened() -> None:
    desk = Desk(cps(), vitale())
    assert 106 in ids(desk.rights())
    card = desk.cps_slot.remove()
    assert ids(desk.rights()) == [101, 104, 105]
    desk.cps_slot.insert(card)
    assert 106 in ids(desk.rights())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.binary(max_size=300))
def test_whatever_a_vitale_answers_nothing_is_raised(nth: int, answer: bytes) -> None:
    """A hostile or broken card: a return code of the list, and no data unless the reading is whole."""
    desk = Desk(cps(), vitale())
    desk.vitale_slot.interference = Strike(lambda index, command, given: answer if index == nth else given())
    found = desk.rights()
    assert found.code in {0, 0xF014, 0xF004, 0xF026, 0xF0F0}
    if found.code != SsvCode.OK:
        assert found.zone == b"" or found.code == SsvCode.BOTH_COMPLEMENTARIES


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.binary(max_size=300))
def test_whatever_a_cps_answers_nothing_is_raised(nth: int, answer: bytes) -> None:
    desk = Desk(cps(), vitale())
    desk.cps_slot.interference = Strike(lambda index, command, given: answer if index == nth else given())
    found = desk.rights()
    assert found.code in {0, 0xF001, 0xF002, 0xF003, 0xF004, 0xF026, 0xFF30}


@pytest.mark.parametrize("header", ["", "0000", "00000000", "0000000000"])
def test_a_cps2ter_file_without_a_size_is_an_error_of_the_card(header: str) -> None:
    def tell(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        given = answer()
        return bytes.fromhex(header) + b"\x90\x00" if command[0] == 0xA0 and command[1] in (0xA4, 0xC0) else given

    desk = Desk(cps(), vitale())
    desk.cps_slot.interference = Strike(tell)
    assert desk.rights().code == SsvCode.CPS_API


@pytest.mark.parametrize("told", ["62048002FFFF", "6200", "", "6F048002FFFF", "62058003010000", "FFFF"])
def test_a_size_that_no_file_has_is_a_fault(told: str) -> None:
    def tell(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        given = answer()
        return bytes.fromhex(told) + b"\x90\x00" if command[1] == 0xC0 and given[:1] == b"\x62" else given

    desk = Desk(None, vitale())
    desk.vitale_slot.interference = strike = Strike(tell)
    assert desk.rights().code == SsvCode.VITALE_COMMUNICATION
    assert len(strike.seen) < 10


@pytest.mark.parametrize("template", ["assure-seul", "vitale-1"])
@pytest.mark.parametrize("given", [b"", b"T", bytes(300)])
def test_a_card_that_reads_out_something_else_than_asked_for_is_a_fault(template: str, given: bytes) -> None:
    def read_out(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        return given + b"\x90\x00" if command[1] == 0xB0 else answer()

    desk = Desk(None, vitale(template))
    desk.vitale_slot.interference = strike = Strike(read_out)
    answer = desk.rights()
    assert (answer.code, answer.zone) == (SsvCode.VITALE_COMMUNICATION, b"")
    assert len(strike.seen) < 10


def test_a_card_that_reads_out_less_than_asked_for_leaves_no_hole_in_a_vitale_1() -> None:
    def shorten(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        given = answer()
        return given[:-6] + given[-2:] if command[1] == 0xB0 and index == 2 else given

    desk = Desk(None, vitale("vitale-1"))
    desk.vitale_slot.interference = Strike(shorten)
    assert desk.rights().code == SsvCode.VITALE_COMMUNICATION


def test_a_card_that_never_ends_is_not_read_for_ever() -> None:
    def endless(index: int, command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[1] == 0xB0:
            return bytes(command[4] or 256) + b"\x90\x00"
        given = answer()
        return bytes.fromhex("62048002FFFF9000") if command[1] == 0xC0 and given[:1] == b"\x62" else given

    desk = Desk(None, vitale())
    desk.vitale_slot.interference = strike = Strike(endless)
    assert desk.rights().code == SsvCode.VITALE_COMMUNICATION
    assert len(strike.seen) < 10
