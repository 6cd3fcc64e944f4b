"""LireCartePS on real cards of ours: every field, every refusal, and how often a code is presented."""

from __future__ import annotations

import re

import pytest
from ssv_bench import PIN, Desk, Strike, broken, cps, cps_data, fields, ids, vitale

from bifente.simulator.cards.cpx.business import Activity, BusinessError
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.readers import PcscCode
from bifente.simulator.zones import check_order

FAMILIES = ("cps3", "cps4")
BILLING = ("medecin-generaliste", "pharmacien", "infirmier")
NO_DOMAIN = ("cpe-nominative", "cpe-non-nominative", "cpf-etudiant", "cpa", "cde-directeur")


def presented(strike: Strike) -> list[bytes]:
    """The codes that went to the card."""
    return [command[5:] for command in strike.seen if command[1] == 0x20 and len(command) > 5]


def watched(desk: Desk) -> Strike:
    strike = Strike(lambda index, command, answer: answer())
    desk.cps_slot.interference = strike
    return strike


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("template", BILLING)
def test_the_holder_and_the_situations_are_the_card_s(template: str, family: str) -> None:
    data = cps_data(template, family=family)
    answer = Desk(cps(template, family=family)).holder()
    assert answer.code == SsvCode.OK
    check_order(answer.groups, "carte-ps")
    (holder,) = fields(answer, 1)
    rpps = data.template.holder.rpps or ""
    assert holder == {
        "card-type": "0",
        "national-id-type": "8",
        "national-id": rpps[:10],
        "national-id-key": rpps[10:],
        "civility": "22",
        "surname": data.template.holder.family_name,
        "first-name": (data.template.holder.given_names or ("",))[0],
    }
    situations = fields(answer, 2)
    assert [item["logical-number"] for item in situations] == [str(item.number) for item in data.template.activities]
    for item, place, bill in zip(situations, data.template.activities, data.template.billing, strict=True):
        assert item["structure-id-type"] + item["structure-id"] + item["structure-id-key"] == place.structure_id
        assert item["structure-name"] == place.structure
        assert item["billing-id"] + item["billing-id-key"] == bill.billing_id
        assert item["practice-mode"] == ("0" if place.mode == "liberal" else "1")


def test_a_field_that_no_model_of_the_card_holds_is_empty() -> None:
    for situation in fields(Desk(cps()).holder(), 2):
        empty = {name for name, value in situation.items() if not value}
        assert empty - {"structure-id-key"} == {
            *("practice-status", "substitute-id", "substitute-id-key", "convention-code", "specialty"),
            *("tariff-zone", "ik-zone", "agreement-1", "agreement-2", "agreement-3"),
        }


def test_the_hole_between_situations_does_not_end_the_series() -> None:
    assert [item["logical-number"] for item in fields(Desk(cps()).holder(), 2)] == ["1", "2", "5"]


def test_a_finess_number_ends_with_its_key_and_a_practice_number_has_none() -> None:
    situations = fields(Desk(cps()).holder(), 2)
    found = [(item["structure-id-type"], item["structure-id"], item["structure-id-key"]) for item in situations]
    assert found == [("4", "99900000011008", ""), ("1", "0B000001", "4"), ("1", "0B000002", "2")]
    assert next((item["billing-id"], item["billing-id-key"]) for item in situations) == ("99100001", "9")
    assert [item["activity-sector"] for item in situations] == ["31", "10", "31"]


@pytest.mark.parametrize(("rights", "invoice", "lot"), [(0, "0", "0"), (1, "1", "0"), (2, "0", "1"), (3, "1", "1")])
def test_the_signing_rights_are_two_bits(rights: int, invoice: str, lot: str) -> None:
    card = cps(billing=[{"number": 1, "billing_id": "991000019", "signing_rights": rights}])
    first = fields(Desk(card).holder(), 2)[0]
    assert (first["may-sign-invoice"], first["may-sign-lot"]) == (invoice, lot)


def test_a_billing_situation_without_activity_and_the_reverse_both_come() -> None:
    card = cps(billing=[{"number": 2, "billing_id": "991000027"}, {"number": 7, "billing_id": "991000035"}])
    situations = {item["logical-number"]: item for item in fields(Desk(card).holder(), 2)}
    assert sorted(situations) == ["1", "2", "5", "7"]
    assert (situations["1"]["billing-id"], situations["1"]["may-sign-invoice"]) == ("", "")
    assert (situations["7"]["structure-name"], situations["7"]["billing-id"]) == ("", "99100003")


def test_an_unknown_sector_is_empty_and_an_accent_is_plain() -> None:
    place = {"number": 1, "mode": "liberal", "structure": "CENTRE DE SANTÉ TEST", "structure_id": "10B0000014"}
    card = cps(activities=[{**place, "sector": "SA99"}])
    (situation,) = [item for item in fields(Desk(card).holder(), 2) if item["logical-number"] == "1"]
    assert (situation["activity-sector"], situation["structure-name"]) == ("", "CENTRE DE SANTE TEST")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("template", NO_DOMAIN)
def test_without_billing_situation_there_is_no_domain(template: str, family: str) -> None:
    answer = Desk(cps(template, family=family)).holder()
    assert (answer.code, answer.zone) == (SsvCode.PS_INVALID, b"")


def test_the_two_families_of_one_holder_give_one_zone() -> None:
    assert Desk(cps()).holder().zone == Desk(cps(family="cps4")).holder().zone


def test_a_card_whose_files_lie_elsewhere_is_read_by_its_directories() -> None:
    moved = Desk(cps(family="cps4", options={"folder": "5017"})).holder()
    assert moved.code == SsvCode.OK
    assert moved.zone == Desk(cps()).holder().zone


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_card_was_recognised_by_is_not_read_again(family: str) -> None:
    """A reading selects each file once: the one that tells which card it is answered when the card was met."""
    desk = Desk(cps(family=family))
    strike = watched(desk)
    assert desk.holder().code == SsvCode.OK
    paths = [command[5 : 5 + command[4]] for command in strike.seen if command[1] == 0xA4 and command[2] in (8, 9)]
    assert paths
    assert len(set(paths)) == len(paths)


# -- the code ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_a_right_code_is_presented_once(family: str) -> None:
    desk = Desk(cps(family=family))
    strike = watched(desk)
    assert desk.holder().code == SsvCode.OK
    assert presented(strike) == [PIN.encode()]


@pytest.mark.parametrize("family", FAMILIES)
def test_wrong_codes_count_down_to_blocked_and_are_presented_once_each(family: str) -> None:
    desk = Desk(cps(family=family))
    strike = watched(desk)
    for expected in (SsvCode.WRONG_CODE, SsvCode.WRONG_CODE, SsvCode.WRONG_CODE, SsvCode.PS_BLOCKED):
        answer = desk.holder("0000")
        assert (answer.code, answer.zone) == (expected, b"")
    assert presented(strike) == [b"0000"] * 3
    assert desk.holder().code == SsvCode.PS_BLOCKED
    assert presented(strike) == [b"0000"] * 3


@pytest.mark.parametrize("code", ["", "123", "12345678901234567", "12 4", "ABCD", "١٢٣٤", "12\x004"])
def test_what_is_no_code_is_never_presented(code: str) -> None:
    desk = Desk(cps())
    strike = watched(desk)
    assert desk.holder(code).code == SsvCode.BAD_INPUT
    assert not presented(strike)


def test_a_code_whose_answer_is_lost_is_not_presented_again() -> None:
    def lose(index: int, command: bytes, answer: object) -> bytes:
        if command[1] == 0x20 and len(command) > 5:
            answer()  # type: ignore[operator]
            raise broken()
        return answer()  # type: ignore[operator,no-any-return]

    desk = Desk(cps())
    desk.cps_slot.interference = strike = Strike(lose)
    assert desk.holder("0000").code == SsvCode.CPS_API
    assert presented(strike) == [b"0000"]
    assert desk.cps_slot.card.state().secrets["pin"].tries_left == 2


def test_a_blocked_card_says_so_without_any_code() -> None:
    desk = Desk(cps(lifecycle="pin-blocked"))
    strike = watched(desk)
    assert desk.holder().code == SsvCode.PS_BLOCKED
    assert not presented(strike)


# -- cards that will not do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_an_expired_card_is_invalid_and_its_code_spared(family: str) -> None:
    desk = Desk(cps(family=family, lifecycle="expired"))
    strike = watched(desk)
    assert desk.holder("0000").code == SsvCode.PS_INVALID
    assert not presented(strike)


def test_the_last_day_counts_and_the_next_does_not() -> None:
    desk = Desk(cps())
    end = cps_data().calendar.card.end
    desk.ssv.maj_date_lecteur("Log_SV", f"{end:%Y%m%d}235959")
    assert desk.holder().code == SsvCode.OK
    desk.ssv.maj_date_lecteur("Log_SV", f"{end.year + 1}0101000000")
    assert desk.holder().code == SsvCode.PS_INVALID


def test_a_revoked_card_is_read_no_list_being_asked() -> None:
    assert Desk(cps(lifecycle="revoked")).holder().code == SsvCode.OK


def test_no_card_and_no_cps() -> None:
    assert Desk().holder().code == SsvCode.PS_ABSENT
    assert Desk(vitale()).holder().code == SsvCode.PS_ABSENT


@pytest.mark.parametrize("nth", range(0, 40, 3))
def test_a_card_withdrawn_at_any_command_is_absent(nth: int) -> None:
    desk = Desk(cps())

    def withdraw(index: int, command: bytes, answer: object) -> bytes:
        if index == nth:
            desk.cps_slot.remove()
            raise broken(PcscCode.REMOVED_CARD)
        return answer()  # type: ignore[operator,no-any-return]

    desk.cps_slot.interference = Strike(withdraw)
    answer = desk.holder()
    assert (answer.code, answer.zone) == (SsvCode.PS_ABSENT, b"")


@pytest.mark.parametrize("status", ["6F00", "6985", "9405"])
def test_a_file_that_is_refused_is_an_error_of_the_cps(status: str) -> None:
    def refuse(index: int, command: bytes, answer: object) -> bytes:
        given = answer()  # type: ignore[operator]
        return bytes.fromhex(status) if command[1] == 0xB0 and b"TEST" in given else given

    desk = Desk(cps())
    desk.cps_slot.interference = Strike(refuse)
    assert desk.holder().code == SsvCode.CPS_API


def test_a_file_that_makes_no_sense_is_an_error_of_the_cps(monkeypatch: pytest.MonkeyPatch) -> None:
    def senseless(data: bytes) -> Activity:
        raise BusinessError("no sense")

    monkeypatch.setattr(Activity, "decode", staticmethod(senseless))
    answer = Desk(cps()).holder()
    assert answer.code == SsvCode.CPS_API
    assert re.search("no sense", answer.detail)


def test_a_read_lost_once_is_made_good() -> None:
    lost: list[int] = []

    def lose_some(index: int, command: bytes, answer: object) -> bytes:
        if command[1] in (0xA4, 0xB0, 0xC0) and index % 4 == 0 and index not in lost:
            lost.append(index)
            raise broken()
        return answer()  # type: ignore[operator,no-any-return]

    desk = Desk(cps())
    desk.cps_slot.interference = Strike(lose_some)
    answer = desk.holder()
    assert answer.code == SsvCode.OK
    assert answer.zone == Desk(cps()).holder().zone
    assert lost


def test_the_answer_says_nothing_of_the_code() -> None:
    for code in ("0987", PIN, "9"):
        assert code not in Desk(cps()).holder(code).detail.split()


def test_ids_are_those_of_a_card() -> None:
    assert ids(Desk(cps()).holder()) == [1, 2, 2, 2]
