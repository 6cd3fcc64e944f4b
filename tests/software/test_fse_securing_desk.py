"""Signing with both cards: which signatures a mode wants, and what every refusal of the cards comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from securing_bench import (
    AT,
    CPS_SLOT,
    LATER,
    PIN,
    VITALE_SLOT,
    Practice,
    Strike,
    card_of,
    codes,
    cps_data,
    signature_holds,
    vitale_data,
)

from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.lots import make_lots, numbers
from bifente.simulator.formats.fse.model import CareAct, Invoice, Lot, LotKind, SecuredInvoice, SecuringMode, Signer
from bifente.simulator.formats.fse.securing.modes import MODES, PaperForm, wants
from bifente.simulator.formats.fse.securing.verifying import reasons
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.readers import LineError, PcscCode
from bifente.simulator.software.billing.securing.cards import Right, sign_as_insured, sign_as_professional, signed
from bifente.simulator.software.billing.securing.desk import lacking
from bifente.simulator.software.billing.securing.refusals import SecuringError, SecuringRefusal
from bifente.simulator.software.billing.series import LotSeries

DESYNCHRONISED = SecuringMode.DESYNCHRONISED
PSO_SIGN = bytes.fromhex("002A9E9A")
GET_CHALLENGE = 0x84


def refused(action: Callable[[], object]) -> SsvCode:
    with pytest.raises(SsvError) as caught:
        action()
    assert caught.value.detail
    return SsvCode(caught.value.code)


def refusal(action: Callable[[], object]) -> SecuringRefusal:
    with pytest.raises(SecuringError) as caught:
        action()
    assert caught.value.code == caught.value.refusal.code
    return caught.value.refusal


def lot_of(practice: Practice, **professional: str) -> Lot:
    """A lot of one sheet that nobody signed, of the first situation of the card unless another is named."""
    sheet = practice.sheet()
    sheet = replace(sheet, professional=replace(sheet.professional, **professional))
    (lot,) = make_lots([SecuredInvoice(canonical(sheet))], on=AT.date(), numbers=numbers(LotKind.FSE))
    return lot


# -- the modes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["cps3", "cps4"])
@pytest.mark.parametrize("mode", SecuringMode)
def test_each_mode_has_the_signatures_it_wants_and_they_are_good(mode: SecuringMode, family: str) -> None:
    practice = Practice(cps_data(family=family))
    secured = practice.secured(mode)
    present = {item.signer for item in (secured.insured, secured.professional) if item}
    assert present == wants(mode)
    assert codes(secured) == []
    assert lacking(secured) == frozenset()
    assert secured.paper == (mode is SecuringMode.DEGRADED)


def test_the_insured_signs_on_a_visit_and_at_the_desk_and_nowhere_else() -> None:
    assert [int(mode) for mode in SecuringMode if Signer.INSURED in wants(mode)] == [2, 3, 4]
    assert [int(mode) for mode in SecuringMode if Signer.PROFESSIONAL in wants(mode)] == [1, 2, 3, 4, 5]


def test_a_sheet_that_is_not_secured_asks_no_card() -> None:
    practice = Practice()
    practice.cps_slot.remove()
    practice.vitale_slot.remove()
    assert practice.secured(SecuringMode.NOT_SECURED).professional is None


@pytest.mark.parametrize("mode", [SecuringMode.WITHOUT_VITALE, SecuringMode.DEGRADED])
def test_without_the_insured_s_signature_no_vitale_is_needed(mode: SecuringMode) -> None:
    practice = Practice()
    practice.vitale_slot.remove()
    assert codes(practice.secured(mode)) == []


@pytest.mark.parametrize("mode", [mode for mode in SecuringMode if MODES[mode].paper is PaperForm.NONE])
def test_only_a_sheet_that_the_vitale_does_not_sign_goes_with_paper(mode: SecuringMode) -> None:
    practice = Practice()
    assert refusal(lambda: practice.desk.secure(practice.sheet(mode), PIN, paper=True)) is SecuringRefusal.PAPER_NEEDED


def test_a_degraded_sheet_goes_with_paper() -> None:
    practice = Practice()
    sheet = practice.sheet(SecuringMode.DEGRADED)
    assert refusal(lambda: practice.desk.secure(sheet, PIN)) is SecuringRefusal.PAPER_NEEDED
    assert practice.tries() == 3


def test_a_lot_is_signed_by_the_professional() -> None:
    practice = Practice()
    signature = LotSeries.at(practice.desk).format(lot_of(practice), PIN).signature
    assert signature is not None
    assert signature.signer is Signer.PROFESSIONAL
    assert signature.moment == "20260303090000"


# -- desynchronised ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", Signer)
def test_the_two_signatures_come_one_after_the_other_in_either_order(first: Signer) -> None:
    practice = Practice()
    begun = practice.desk.begin(practice.sheet(DESYNCHRONISED), PIN, first)
    assert lacking(begun) == frozenset(Signer) - {first}
    assert codes(begun) == ["signature-missing"]
    practice.clock.advance(3600 * 20)
    done = practice.desk.complete(begun, PIN)
    moments = {item.signer: item.moment for item in (done.insured, done.professional) if item}
    assert len(set(moments.values())) == 2
    assert moments[first] == "20260303090000"
    assert codes(done, AT + timedelta(days=1)) == []


def test_the_professional_signs_later_without_any_vitale() -> None:
    practice = Practice()
    begun = practice.desk.begin(practice.sheet(DESYNCHRONISED), PIN, Signer.INSURED)
    practice.vitale_slot.remove()
    assert codes(practice.desk.complete(begun, PIN)) == []


@pytest.mark.parametrize("mode", [mode for mode in SecuringMode if mode is not DESYNCHRONISED])
def test_other_modes_do_not_wait(mode: SecuringMode) -> None:
    practice = Practice()
    sheet = practice.sheet(mode)
    assert refusal(lambda: practice.desk.begin(sheet, PIN, Signer.PROFESSIONAL)) is SecuringRefusal.NOT_IN_THIS_MODE


@pytest.mark.parametrize("first", Signer)
def test_a_sheet_changed_in_between_is_refused(first: Signer) -> None:
    practice = Practice()
    sheet = practice.sheet(DESYNCHRONISED)
    begun = practice.desk.begin(sheet, PIN, first)
    dearer: CareAct = replace(sheet.acts[0], amount=sheet.acts[0].amount + 1)
    changed = replace(sheet, acts=(dearer,))
    seen = practice.tries()
    assert refusal(lambda: practice.desk.complete(begun, PIN, changed)) is SecuringRefusal.CONTENT_CHANGED
    altered = replace(begun, content=canonical(changed))
    assert refusal(lambda: practice.desk.complete(altered, PIN)) is SecuringRefusal.CONTENT_CHANGED
    assert practice.tries() == seen
    assert codes(practice.desk.complete(begun, PIN, sheet)) == []


def test_what_is_complete_is_not_signed_again() -> None:
    practice = Practice()
    assert (
        refusal(lambda: practice.desk.complete(practice.secured(DESYNCHRONISED), PIN)) is SecuringRefusal.ALREADY_SIGNED
    )


def test_bytes_that_are_no_sheet_are_not_signed() -> None:
    practice = Practice()
    assert refusal(lambda: practice.desk.complete(SecuredInvoice(b"x"), PIN)) is SecuringRefusal.CONTENT_UNREADABLE
    connection = practice.access.connect(CPS_SLOT)
    found = refusal(lambda: sign_as_professional(b"x", connection, PIN, practice.clock))
    assert found is SecuringRefusal.CONTENT_UNREADABLE


# -- non-substitution --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["famille-trois", "vitale-1", "carte-expiree"])
def test_the_vitale_of_another_is_refused_before_any_code(other: str) -> None:
    practice = Practice()
    begun = practice.desk.begin(practice.sheet(DESYNCHRONISED), PIN, Signer.PROFESSIONAL)
    practice.swap_vitale(vitale_data(other))
    presented = Strike(lambda command, answer: answer())
    practice.cps_slot.interference = presented
    found = refusal(lambda: practice.desk.complete(begun, PIN))
    assert (found, found.code) == (SecuringRefusal.VITALE_SUBSTITUTED, SsvCode.VITALE_WITHDRAWN)
    assert not [command for command in presented.seen if command[1] == 0x20]
    assert refusal(lambda: practice.desk.check_vitale(practice.sheet())) is SecuringRefusal.VITALE_SUBSTITUTED


def test_the_right_vitale_passes_the_check() -> None:
    practice = Practice()
    practice.desk.check_vitale(practice.sheet())


@pytest.mark.parametrize(
    "change", [{"nir": "2701975349001"}, {"certified_nir": "270197534900155"}, {"card_serial": "999000009"}]
)
def test_the_serial_and_both_numbers_must_be_those_of_the_card(change: dict[str, str]) -> None:
    practice = Practice()
    sheet = practice.sheet()
    other = replace(sheet, beneficiary=replace(sheet.beneficiary, **change))
    assert refusal(lambda: practice.desk.secure(other, PIN)) is SecuringRefusal.VITALE_SUBSTITUTED


def test_the_same_person_s_renewed_card_is_another_card() -> None:
    practice = Practice()
    sheet = practice.sheet()
    practice.swap_vitale(vitale_data(card={"serial": "999000777"}))
    assert refusal(lambda: practice.desk.secure(sheet, PIN)) is SecuringRefusal.VITALE_SUBSTITUTED


@pytest.mark.parametrize("other", ["pharmacien", "infirmier", "kinesitherapeute"])
def test_the_cps_of_another_is_refused(other: str) -> None:
    practice = Practice()
    begun = practice.desk.begin(practice.sheet(DESYNCHRONISED), PIN, Signer.INSURED)
    practice.swap_cps(cps_data(other))
    found = refusal(lambda: practice.desk.complete(begun, PIN))
    assert (found, found.code) == (SecuringRefusal.CPS_SUBSTITUTED, SsvCode.PS_INVALID)


# -- rights and kinds of cards -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["medecin-generaliste", "pharmacien", "infirmier", "kinesitherapeute"])
def test_those_who_may_sign_both(template: str) -> None:
    practice = Practice(cps_data(template))
    assert codes(practice.secured()) == []
    assert signature_holds(LotSeries.at(practice.desk).format(lot_of(practice), PIN))


def test_a_substitute_signs_sheets_and_no_lot() -> None:
    practice = Practice(cps_data("medecin-remplacant"))
    assert codes(practice.secured()) == []
    found = refusal(lambda: LotSeries.at(practice.desk).format(lot_of(practice), PIN))
    assert (found, found.code) == (SecuringRefusal.NO_RIGHT_TO_SIGN, SsvCode.PS_INVALID)


def test_who_may_sign_nothing_signs_nothing() -> None:
    practice = Practice(cps_data("medecin-hospitalier"))
    sheet = practice.sheet()
    assert refusal(lambda: practice.desk.secure(sheet, PIN)) is SecuringRefusal.NO_RIGHT_TO_SIGN
    assert (
        refusal(lambda: LotSeries.at(practice.desk).format(lot_of(practice), PIN)) is SecuringRefusal.NO_RIGHT_TO_SIGN
    )


def test_the_right_is_that_of_the_situation_of_the_sheet() -> None:
    billing = [
        {"number": 1, "billing_id": "991000019", "signing_rights": 2},
        {"number": 2, "billing_id": "991000027", "signing_rights": 1},
    ]
    practice = Practice(cps_data(billing=billing))
    sheet = practice.sheet()
    assert refusal(lambda: practice.desk.secure(sheet, PIN)) is SecuringRefusal.NO_RIGHT_TO_SIGN
    second = replace(sheet, professional=replace(sheet.professional, situation=2))
    assert practice.desk.secure(second, PIN).professional
    third = replace(sheet, professional=replace(sheet.professional, situation=3))
    assert refusal(lambda: practice.desk.secure(third, PIN)) is SecuringRefusal.NO_RIGHT_TO_SIGN
    series = LotSeries.at(practice.desk)
    assert signature_holds(series.format(lot_of(practice), PIN))
    other = lot_of(practice, billing_id="991000027")
    assert refusal(lambda: series.format(other)) is SecuringRefusal.NO_RIGHT_TO_SIGN


@pytest.mark.parametrize("template", ["cpe-nominative", "cpf-etudiant", "cpa", "cde-directeur"])
def test_cards_without_billing_are_f004(template: str) -> None:
    practice = Practice(cps_data(template))
    assert refused(practice.secured) == SsvCode.PS_INVALID


def test_an_expired_cps_is_f004_and_keeps_its_tries() -> None:
    practice = Practice(cps_data(lifecycle="expired"))
    assert refused(practice.secured) == SsvCode.PS_INVALID
    assert practice.tries() == 3


def test_a_real_vitale_beside_a_test_cps_is_f026() -> None:
    practice = Practice(vitale=vitale_data("marquee-reelle"))
    assert refusal(practice.secured) is SecuringRefusal.TEST_AND_REAL
    assert SecuringRefusal.TEST_AND_REAL.code == SsvCode.TEST_AND_REAL
    assert refusal(lambda: practice.secured(SecuringMode.DEGRADED)) is SecuringRefusal.TEST_AND_REAL
    sheet = practice.sheet(DESYNCHRONISED)
    assert refusal(lambda: practice.desk.begin(sheet, PIN, Signer.INSURED)) is SecuringRefusal.TEST_AND_REAL


def test_a_vitale_1_cannot_sign_and_degraded_is_the_way() -> None:
    practice = Practice(vitale=vitale_data("vitale-1"))
    found = refusal(practice.secured)
    assert (found, found.code) == (SecuringRefusal.VITALE_CANNOT_SIGN, SsvCode.UNSPECIFIED)
    assert "dégradé" in found.sentence.fr
    assert codes(practice.secured(SecuringMode.DEGRADED)) == []


def test_a_phone_cannot_sign_and_costs_no_vitale() -> None:
    practice = Practice()
    practice.vitale_slot.remove()
    sheet = practice.sheet()
    phone = replace(sheet, beneficiary=replace(sheet.beneficiary, apcv=True))
    assert refusal(lambda: practice.desk.secure(phone, PIN)) is SecuringRefusal.APCV_CANNOT_SIGN
    assert practice.tries() == 3


def test_the_vitale_does_not_sign_for_an_employee() -> None:
    card = cps_data("cpe-nominative", billing=[{"number": 1, "billing_id": "991000019", "signing_rights": 3}])
    practice = Practice(card)
    assert refused(practice.secured) == SsvCode.PS_INVALID


def test_a_vitale_of_no_known_authority_is_f014() -> None:
    stranger = tuple(cps_data().chain)
    practice = Practice(anchors=stranger)
    assert refused(practice.secured) == SsvCode.VITALE_COMMUNICATION


# -- the code ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["cps3", "cps4"])
def test_a_wrong_code_is_presented_once_in_a_whole_batch(family: str) -> None:
    practice = Practice(cps_data(family=family))
    batch = practice.desk.secure_all([practice.sheet(number=number) for number in (1, 2, 3)], "9999")
    assert (batch.done, batch.refusal and batch.refusal.code) == ((), SsvCode.WRONG_CODE)
    assert practice.tries() == 2


def test_a_blocked_cps_is_f002_and_its_code_is_not_presented() -> None:
    practice = Practice(cps_data(lifecycle="pin-blocked"))
    seen = Strike(lambda command, answer: answer())
    practice.cps_slot.interference = seen
    assert refused(practice.secured) == SsvCode.PS_BLOCKED
    assert not [command for command in seen.seen if command[1] == 0x20 and len(command) > 5]


@pytest.mark.parametrize("code", ["", "12", "12345", "12a4", "١٢٣٤"])
def test_what_is_no_code_is_not_presented(code: str) -> None:
    practice = Practice()
    assert refused(lambda: practice.desk.secure(practice.sheet(), code)) == SsvCode.BAD_INPUT
    assert practice.tries() == 3


@pytest.mark.parametrize("family", ["cps3", "cps4"])
def test_a_batch_presents_the_code_once(family: str) -> None:
    practice = Practice(cps_data(family=family))
    seen = Strike(lambda command, answer: answer())
    practice.cps_slot.interference = seen
    batch = practice.desk.secure_all([practice.sheet(number=number) for number in range(1, 6)], PIN)
    assert batch.refusal is None
    assert [codes(sheet) for sheet in batch.done] == [[]] * 5
    assert len([command for command in seen.seen if command[1] == 0x20 and len(command) > 5]) == 1


def test_the_two_cards_of_a_batch_recognise_each_other_once() -> None:
    practice = Practice()
    seen = Strike(lambda command, answer: answer())
    practice.vitale_slot.interference = seen
    for turn in (1, 2):
        batch = practice.desk.secure_all([practice.sheet(number=number) for number in range(1, 6)], PIN)
        assert [codes(sheet) for sheet in batch.done] == [[]] * 5
        assert [command[1] for command in seen.seen].count(GET_CHALLENGE) == turn, "each batch meets its cards anew"


@pytest.mark.parametrize("swap", [False, True])
def test_a_vitale_taken_out_between_two_sheets_of_a_batch_does_not_sign_the_next(swap: bool) -> None:
    practice = Practice()

    def sheets() -> Iterator[Invoice]:
        for number in (1, 2, 3):
            if number == 2:
                card = practice.vitale_slot.remove()
                practice.vitale_slot.insert(card_of(vitale_data("msa")) if swap else card)
            yield practice.sheet(number=number)

    batch = practice.desk.secure_all(sheets(), PIN)
    assert batch.refusal
    assert batch.refusal.code == SsvCode.VITALE_WITHDRAWN
    assert [codes(sheet) for sheet in batch.done] == [[]]


@pytest.mark.parametrize("family", ["cps3", "cps4"])
@pytest.mark.parametrize("mode", [SecuringMode.SECURED, SecuringMode.WITHOUT_VITALE])
def test_a_card_that_wants_its_code_for_each_signature_gets_it(family: str, mode: SecuringMode) -> None:
    card = cps_data(family=family, options={"pin_consumed_by_signature": True})
    practice = Practice(card, spends=True if family == "cps4" else None)
    batch = practice.desk.secure_all([practice.sheet(mode, number=number) for number in (1, 2, 3)], PIN)
    assert (len(batch.done), batch.refusal) == (3, None)
    assert practice.tries() == 3


def after_signatures(practice: Practice, count: int, then: Callable[[], None]) -> None:
    """Have something happen to the CPS just before its signature number ``count``."""
    signatures = iter(range(1, 100))

    def strike(command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[1:4] == PSO_SIGN[1:] and next(signatures) == count:
            then()
        return answer()

    practice.cps_slot.interference = Strike(strike)


@pytest.mark.parametrize("family", ["cps3", "cps4"])
def test_a_card_blocked_mid_batch_is_f002_and_what_was_signed_stays(family: str) -> None:
    practice = Practice(cps_data(family=family))

    def block() -> None:
        cla = "01" if family == "cps4" else "00"
        for _ in range(3):
            practice.cps_card.transmit(bytes.fromhex(f"{cla}200001{4:02X}") + b"0000")

    after_signatures(practice, 3, block)
    batch = practice.desk.secure_all([practice.sheet(number=number) for number in range(1, 6)], PIN)
    assert batch.refusal
    assert batch.refusal.code == SsvCode.PS_BLOCKED
    assert [codes(sheet) for sheet in batch.done] == [[], []]


def test_a_code_lost_mid_batch_is_ff21_and_not_presented_again() -> None:
    practice = Practice()

    def forget() -> None:
        # Another program presents a wrong code: the card no longer holds ours for presented.
        practice.cps_card.transmit(bytes.fromhex("0020000104") + b"0000")

    after_signatures(practice, 2, forget)
    batch = practice.desk.secure_all([practice.sheet(number=number) for number in (1, 2, 3)], PIN)
    assert batch.refusal
    assert batch.refusal.code == SsvCode.CODE_LOST
    assert len(batch.done) == 1
    assert practice.tries() == 2


# -- cards that come and go --------------------------------------------------------------------------------------------


def test_an_absent_cps_is_f001() -> None:
    practice = Practice()
    sheet = practice.sheet()
    practice.cps_slot.remove()
    assert refused(lambda: practice.desk.secure(sheet, PIN)) == SsvCode.PS_ABSENT


def test_an_absent_vitale_is_f011_and_costs_no_try() -> None:
    practice = Practice()
    sheet = practice.sheet()
    practice.vitale_slot.remove()
    seen = Strike(lambda command, answer: answer())
    practice.cps_slot.interference = seen
    assert refused(lambda: practice.desk.secure(sheet, PIN)) == SsvCode.VITALE_ABSENT
    assert not [command for command in seen.seen if command[1] == 0x20]


def removing(practice: Practice, slot: str, instruction: int, after: bool = False) -> None:
    """Take a card out at one of its commands: before it hears of it, or after it has answered."""
    target = practice.vitale_slot if slot == "vitale" else practice.cps_slot

    def strike(command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[1] == instruction and target.card is not None:
            given = answer() if after else b""
            target.remove()
            if not after:
                raise LineError(PcscCode.REMOVED_CARD)
            return given
        return answer()

    target.interference = Strike(strike)


@pytest.mark.parametrize("instruction", [0xB0, 0x2A, 0x84, 0x82, 0x88])
def test_a_vitale_withdrawn_during_its_signature_is_f015(instruction: int) -> None:
    practice = Practice()
    sheet = practice.sheet()
    removing(practice, "vitale", instruction)
    assert refused(lambda: practice.desk.secure(sheet, PIN)) == SsvCode.VITALE_WITHDRAWN


@pytest.mark.parametrize("instruction", [0xB0, 0x20, 0x2A, 0x22])
def test_a_cps_withdrawn_during_a_signature_is_f001(instruction: int) -> None:
    practice = Practice()
    sheet = practice.sheet()
    removing(practice, "cps", instruction)
    assert refused(lambda: practice.desk.secure(sheet, PIN)) == SsvCode.PS_ABSENT


def test_a_vitale_withdrawn_once_it_has_signed_is_not_missed() -> None:
    practice = Practice()
    sheet = practice.sheet(DESYNCHRONISED)
    begun = practice.desk.begin(sheet, PIN, Signer.INSURED)
    practice.vitale_slot.remove()
    assert codes(practice.desk.complete(begun, PIN)) == []


def test_a_cps_withdrawn_between_the_two_signatures_leaves_the_sheet_unsecured() -> None:
    practice = Practice()
    sheet = practice.sheet()

    def strike(command: bytes, answer: Callable[[], bytes]) -> bytes:
        given = answer()
        if command[:4] == PSO_SIGN:
            practice.cps_slot.remove()
        return given

    practice.vitale_slot.interference = Strike(strike)
    assert refused(lambda: practice.desk.secure(sheet, PIN)) == SsvCode.PS_ABSENT


def test_a_vitale_reset_by_another_does_not_sign() -> None:
    practice = Practice()
    sheet = practice.sheet()

    def strike(command: bytes, answer: Callable[[], bytes]) -> bytes:
        if command[:4] == PSO_SIGN:
            practice.vitale_card.reset()
        return answer()

    practice.vitale_slot.interference = Strike(strike)
    assert refused(lambda: practice.desk.secure(sheet, PIN)) == SsvCode.VITALE_COMMUNICATION


# -- the line ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slot", "code"), [("cps", SsvCode.CPS_API), ("vitale", SsvCode.VITALE_COMMUNICATION)])
@pytest.mark.parametrize("answer", [b"", b"\x90", b"\x6f\x00", b"\x00" * 256 + b"\x90\x00"])
def test_an_answer_that_is_none_is_a_code_and_no_crash(slot: str, code: SsvCode, answer: bytes) -> None:
    practice = Practice()
    target = practice.cps_slot if slot == "cps" else practice.vitale_slot
    target.interference = Strike(lambda command, real: answer if command[1:4] == PSO_SIGN[1:] else real())
    assert refused(practice.secured) == code


@pytest.mark.parametrize(("slot", "code"), [("cps", SsvCode.CPS_API), ("vitale", SsvCode.VITALE_COMMUNICATION)])
def test_a_signature_that_suffered_on_the_line_is_not_given(slot: str, code: SsvCode) -> None:
    practice = Practice()
    target = practice.cps_slot if slot == "cps" else practice.vitale_slot

    def strike(command: bytes, answer: Callable[[], bytes]) -> bytes:
        given = answer()
        return bytes([given[0] ^ 1]) + given[1:] if len(given) == 258 else given

    target.interference = Strike(strike)
    mode = SecuringMode.WITHOUT_VITALE if slot == "cps" else SecuringMode.SECURED
    assert refused(lambda: practice.secured(mode)) == code


@pytest.mark.parametrize("slot", [CPS_SLOT, VITALE_SLOT])
def test_a_card_held_by_another_program_is_0004(slot: str) -> None:
    practice = Practice()
    held = practice.service.establish().connect(slot)
    held.begin()
    before = practice.clock.monotonic()
    assert refused(practice.secured) == SsvCode.GALSS_HELD_BY_ANOTHER
    assert practice.clock.monotonic() - before == pytest.approx(4.5)
    held.end()
    assert codes(practice.secured(), LATER + timedelta(hours=1)) == []


# -- on connections that are open --------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["cps3", "cps4"])
def test_signatures_on_open_connections_make_the_same_sheet(family: str) -> None:
    practice = Practice(cps_data(family=family))
    content = canonical(practice.sheet())
    cps, vitale = practice.access.connect(CPS_SLOT), practice.access.connect(VITALE_SLOT)
    insured = sign_as_insured(content, vitale, cps, PIN, practice.clock)
    professional = sign_as_professional(content, cps, PIN, practice.clock)
    assert codes(SecuredInvoice(content, insured, professional)) == []


def test_a_lot_on_an_open_connection_wants_its_own_right() -> None:
    practice = Practice(cps_data("medecin-remplacant"))
    cps = practice.access.connect(CPS_SLOT)
    found = refusal(lambda: sign_as_professional(b"a lot", cps, PIN, practice.clock, right=Right.LOT))
    assert found is SecuringRefusal.NO_RIGHT_TO_SIGN


def test_a_sheet_without_vitale_is_not_signed_by_one() -> None:
    practice = Practice()
    content = canonical(practice.sheet(SecuringMode.WITHOUT_VITALE))
    cps, vitale = practice.access.connect(CPS_SLOT), practice.access.connect(VITALE_SLOT)
    found = refusal(lambda: sign_as_insured(content, vitale, cps, PIN, practice.clock))
    assert found is SecuringRefusal.NOT_IN_THIS_MODE


def test_a_signer_of_any_kind_is_checked_before_it_is_believed() -> None:
    class Liar:
        def sign(self, content: bytes) -> tuple[bytes, bytes]:
            return b"no certificate", bytes(256)

    assert refused(lambda: signed(b"x", Liar(), Signer.PROFESSIONAL, Practice().clock)) == SsvCode.CPS_API


def test_every_refusal_has_a_code_and_two_sentences() -> None:
    for item in SecuringRefusal:
        assert item.code
        assert item.sentence.fr
        assert item.sentence.en
        assert item.sentence.fr != item.sentence.en
    assert all(words.fr and words.en for words in reasons().values())
