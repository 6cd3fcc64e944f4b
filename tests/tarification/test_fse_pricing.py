"""Prices, rates and parts: every rule of the tables, and totals that always add up to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fse_samples import AMC, BENEFICIARY, TODAY, sample_invoice
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.formats.fse.amounts import amo_part, reimbursable
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    CareAct,
    CareBeneficiary,
    Complementary,
    Insurance,
    Nomenclature,
    Payment,
)
from bifente.simulator.tarification.pricing import (
    MAX_COEFFICIENT,
    MAX_PRICE,
    MAX_QUANTITY,
    Priced,
    may_ask_amc,
    price,
)
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.tables import ACTS, CARE_PATH, COMPLEMENTARY, EXONERATIONS

MUTUELLE = Complementary("99999349", "", "01", mutuelle=True)
TP = Payment.TIERS_PAYANT


def person(**changes: Any) -> CareBeneficiary:
    return replace(BENEFICIARY, **changes)


def request(code: str = "G", **changes: Any) -> ActRequest:
    return ActRequest(code, TODAY, **changes)


def priced(*requests: ActRequest, who: CareBeneficiary = BENEFICIARY, **how: Any) -> Priced:
    return price(requests or (request(),), who, **how)


beneficiaries = st.builds(
    person,
    alsace_moselle=st.booleans(),
    c2s=st.booleans(),
    ald=st.booleans(),
    exoneration=st.sampled_from([*EXONERATIONS.codes, "9", ""]),
    complementary=st.none()
    | st.builds(
        Complementary,
        st.just("99999349"),
        st.just("1"),
        st.sampled_from([*COMPLEMENTARY.amc, *COMPLEMENTARY.mutuelle, "99", ""]),
        st.booleans(),
    ),
)


@st.composite
def requests(draw: st.DrawFn) -> ActRequest:
    kind = draw(st.sampled_from([kind for kind in ACTS.values() if kind.is_of(TODAY)]))
    return ActRequest(
        kind.code,
        TODAY,
        draw(st.integers(1, MAX_QUANTITY)),
        draw(st.decimals("0.01", 99, places=2)) if kind.coefficient else Decimal(1),
        draw(st.integers(1, MAX_PRICE)) if kind.free else None,
        draw(st.none() | st.integers(1, MAX_PRICE)),
    )


@given(
    st.lists(requests(), max_size=6),
    beneficiaries,
    st.sampled_from(Insurance),
    st.sampled_from(Payment),
    st.sampled_from([*CARE_PATH.codes, "", "?"]),
)
def test_the_totals_always_add_up(
    asked: list[ActRequest], who: CareBeneficiary, insurance: Insurance, payment: Payment, letter: str
) -> None:
    result = price(asked, who, insurance=insurance, payment=payment, care_path=letter, specialty="24")
    sheet = sample_invoice(acts=result.acts, amo=result.amo, amc=result.amc, payment=payment, beneficiary=who)
    bases = sum(map(reimbursable, result.acts))
    assert sum(map(amo_part, result.acts)) == result.amo.asked
    assert 0 <= result.amo.asked <= bases <= sheet.total
    # What the complementary is asked for is exactly what is left of the bases, or nothing.
    assert result.amc.asked == (bases - result.amo.asked if may_ask_amc(who, payment) else 0)
    assert sheet.patient >= 0
    if payment is TP:
        assert sheet.patient + sheet.amo.asked + sheet.amc.asked == sheet.total
    else:
        assert sheet.patient == sheet.total


@given(st.integers(0, 10**8), st.integers(0, 100))
def test_half_a_cent_goes_up_once(base: int, rate: int) -> None:
    act = CareAct(Nomenclature.NGAP, "G", TODAY, 1, Decimal(1), base, base, rate)
    assert amo_part(act) == (base * rate * 2 + 100) // 200


@pytest.mark.parametrize(
    ("code", "how", "base", "amo"),
    [
        ("G", {}, 3000, 2100),
        ("AMI", {"coefficient": Decimal("1.5")}, 473, 284),  # 315 x 1.5 = 472.5, up; 60 % = 283.8, up
        ("AMI", {"coefficient": Decimal("1.5"), "quantity": 2}, 945, 567),  # rounded once, for the line
        ("AMK", {"coefficient": Decimal("7.5"), "quantity": 10}, 16575, 9945),
        ("PH7", {"unit": 333}, 333, 216),  # 216.45
        ("PH4", {"unit": 335}, 335, 101),  # 100.5, up
        ("PH2", {"unit": 1000}, 1000, 150),
        ("PH1", {"unit": 1000}, 1000, 1000),
        ("DEQP003", {}, 1400, 980),
    ],
)
def test_ordinary_rates(code: str, how: dict[str, Any], base: int, amo: int) -> None:
    result = priced(request(code, **how))
    assert reimbursable(result.acts[0]) == base == result.acts[0].amount
    assert result.amo.asked == amo
    assert result.amc.asked == 0


@pytest.mark.parametrize(
    ("code", "rate"),
    [("G", 90), ("AMI", 90), ("PH7", 90), ("PH4", 80), ("PH2", 15), ("PH1", 100)],
)
def test_the_local_scheme_has_rates_of_its_own(code: str, rate: int) -> None:
    unit = 1000 if ACTS[code].free else None
    assert priced(request(code, unit=unit), who=person(alsace_moselle=True)).acts[0].rate == rate


@pytest.mark.parametrize(
    ("who", "how"),
    [
        ({"ald": True}, {}),
        ({"exoneration": "4"}, {}),
        ({"exoneration": "3"}, {}),
        ({"exoneration": "5"}, {}),
        ({"exoneration": "7"}, {}),
        ({"c2s": True}, {}),
        ({"c2s": True, "complementary": MUTUELLE}, {}),
        ({}, {"insurance": Insurance.AT_MP}),
        ({}, {"insurance": Insurance.MATERNITE}),
        ({"ald": True, "alsace_moselle": True}, {}),
        ({}, {"insurance": Insurance.AT_MP, "care_path": "S1"}),
    ],
)
@pytest.mark.parametrize("code", ["G", "AMI", "PH7"])
def test_what_is_paid_in_full(code: str, who: dict[str, Any], how: dict[str, Any]) -> None:
    unit = 1000 if ACTS[code].free else None
    result = priced(request(code, unit=unit), who=person(**who), **how)
    assert result.acts[0].rate == 100
    assert result.amo.asked == reimbursable(result.acts[0])


@pytest.mark.parametrize("code", ["0", "1", "2", "6", "8", "9", "C", ""])
def test_an_exoneration_without_a_public_meaning_exonerates_of_nothing(code: str) -> None:
    assert priced(who=person(exoneration=code)).acts[0].rate == 70


@pytest.mark.parametrize(
    ("letter", "code", "rate"),
    [("T", "G", 70), ("O", "G", 70), ("D", "G", 70), ("S1", "G", 30), ("S2", "DEQP003", 30), ("S1", "AMI", 60)],
)
def test_outside_the_care_path_a_doctor_is_paid_back_less(letter: str, code: str, rate: int) -> None:
    assert priced(request(code), care_path=letter).acts[0].rate == rate


@pytest.mark.parametrize(
    ("who", "code", "specialty", "rate"),
    [
        ({"alsace_moselle": True}, "G", "01", 50),
        ({"ald": True}, "G", "01", 60),
        ({"exoneration": "5"}, "G", "01", 60),
        ({"c2s": True}, "G", "01", 60),
        ({"birth": "20150808"}, "G", "01", 70),
        ({}, "C", "19", 60),
        ({}, "HBJD001", "19", 60),
        ({}, "C", "21", 70),
        ({}, "JKHD001", "21", 70),
        ({}, "JKHD001", "01", 30),
    ],
)
def test_forty_points_less_of_a_physician_alone(who: dict[str, Any], code: str, specialty: str, rate: int) -> None:
    assert priced(request(code), who=person(**who), care_path="S1", specialty=specialty).acts[0].rate == rate


@pytest.mark.parametrize("who", [{"ald": True}, {"exoneration": "4"}, {"ald": True, "alsace_moselle": True}])
def test_fifteen_percent_medicine_stays_so_in_an_ald(who: dict[str, Any]) -> None:
    assert priced(request("PH2", unit=1000), who=person(**who)).acts[0].rate == 15


@pytest.mark.parametrize(
    ("code", "day", "base", "rate"),
    [
        ("G", "2024-12-21", 2650, 70),
        ("G", "2024-12-22", 3000, 70),
        ("G", "2023-10-31", 2500, 70),
        ("C", "2023-10-14", 2300, 70),
        ("C", "2023-10-15", 2300, 60),
        ("HBJD001", "2023-10-14", 2892, 70),
        ("HBJD001", "2023-10-15", 2892, 60),
    ],
)
def test_a_price_and_a_rate_are_those_of_the_day(code: str, day: str, base: int, rate: int) -> None:
    specialty = "01" if code == "G" else "19"
    (act,) = price([ActRequest(code, date.fromisoformat(day))], BENEFICIARY, specialty=specialty).acts
    assert (act.base, act.rate) == (base, rate)


# -- CCAM acts of one session ------------------------------------------------------------------------------------------


def test_the_second_ccam_act_of_a_session_is_halved_the_dearer_is_first() -> None:
    acts = priced(request("DEQP003"), request("QZJA002"), request("G")).acts
    assert [(act.association, act.base) for act in acts] == [(2, 700), (1, 3100), (0, 3000)]


def test_acts_of_two_days_and_those_of_a_dentist_are_each_in_full() -> None:
    other = ActRequest("QZJA002", TODAY - timedelta(days=1))
    assert [act.base for act in priced(request("DEQP003"), other).acts] == [1400, 3100]
    assert [act.base for act in priced(request("HBJD001"), request("HBJD001"), specialty="19").acts] == [2892, 2892]


@pytest.mark.parametrize(("code", "base"), [(1, 1400), (2, 700), (3, 1050), (4, 1400), (5, 1400)])
def test_an_association_code_that_is_told_stays(code: int, base: int) -> None:
    acts = priced(request("QZJA002"), request("DEQP003", association=code)).acts
    assert [act.base for act in acts] == [3100, base]


@pytest.mark.parametrize(("modifiers", "base"), [("U", 3915), ("F", 3306), ("M", 4088), ("FM", 5994)])
def test_a_modifier_adds_its_amount(modifiers: str, base: int) -> None:
    assert priced(request("DEQP003", modifiers=modifiers)).acts[0].base == base


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (request("G", association=1), "no CCAM act"),
        (request("G", modifiers="F"), "no CCAM act"),
        (request("DEQP003", association=6), "association code 6"),
        (request("DEQP003", modifiers="Z"), "modifier 'Z'"),
        (request("DEQP003", modifiers="UF"), "one of U, F, P, S at most"),
        (request("DEQP003", modifiers="MM"), "each once"),
    ],
)
def test_what_no_ccam_act_can_have_is_refused(asked: ActRequest, words: str) -> None:
    with pytest.raises(FseError, match=words):
        priced(asked)


def test_a_third_ccam_act_wants_to_be_told() -> None:
    with pytest.raises(FseError, match="a session takes two CCAM acts"):
        priced(request("DEQP003"), request("QZJA002"), request("JKHD001"))


@pytest.mark.parametrize(
    ("indicator", "mutuelle", "direct", "tp"),
    [
        ("00", False, 0, 0),
        ("12", False, 900, 0),
        ("13", False, 900, 0),
        ("22", False, 0, 900),
        ("33", False, 900, 900),
        ("72", False, 0, 900),
        ("99", False, 0, 0),
        ("00", True, 0, 0),
        ("01", True, 0, 900),
        ("02", True, 0, 900),
        ("71", True, 0, 900),
        ("22", True, 0, 0),
    ],
)
def test_the_complementary_is_asked_as_its_indicator_says(indicator: str, mutuelle: bool, direct: int, tp: int) -> None:
    who = person(complementary=replace(AMC, indicator=indicator, mutuelle=mutuelle))
    assert priced(who=who).amc.asked == direct
    assert priced(who=who, payment=TP).amc.asked == tp


def test_a_c2s_managed_by_an_amc_is_split_and_costs_the_patient_nothing() -> None:
    who = person(c2s=True, complementary=replace(AMC, indicator="63"))
    result = priced(who=who, payment=TP)
    assert (result.amo.asked, result.amc.asked) == (2100, 900)
    assert sample_invoice(acts=result.acts, beneficiary=who, payment=TP).patient == 0


def test_a_c2s_managed_by_the_amo_costs_the_patient_nothing() -> None:
    who = person(c2s=True)
    result = priced(who=who, payment=TP)
    assert (result.amo.asked, result.amc.asked) == (3000, 0)
    assert sample_invoice(acts=result.acts, beneficiary=who, payment=TP).patient == 0


def test_what_exceeds_the_base_is_the_patients() -> None:
    who = person(complementary=AMC)
    result = priced(request(amount=5000), who=who, payment=TP)
    assert (result.amo.asked, result.amc.asked) == (2100, 900)
    assert sample_invoice(acts=result.acts, beneficiary=who, payment=TP).patient == 2000


def test_who_asks_less_than_the_base_is_paid_on_what_is_asked() -> None:
    assert priced(request(amount=1000)).amo.asked == 700


def test_no_act_costs_nothing() -> None:
    assert price((), BENEFICIARY) == Priced((), priced().amo.__class__(0), priced().amc.__class__(0))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (request("ZZZ"), "not in the table"),
        (request("PH7"), "no tariff"),
        (request("G", unit=2500), "unit price of G is 3000"),
        (request("G", coefficient=Decimal(2)), "no coefficient"),
        (request("G", quantity=0), "quantity"),
        (request("G", quantity=-1), "quantity"),
        (request("G", quantity=MAX_QUANTITY + 1), "quantity"),
        (request("AMI", coefficient=Decimal(0)), "coefficient"),
        (request("AMI", coefficient=Decimal("-1.5")), "coefficient"),
        (request("AMI", coefficient=Decimal("NaN")), "coefficient"),
        (request("AMI", coefficient=Decimal("Infinity")), "coefficient"),
        (request("AMI", coefficient=Decimal(MAX_COEFFICIENT + 1)), "coefficient"),
        (request("PH7", unit=0), "unit price"),
        (request("PH7", unit=MAX_PRICE + 1), "unit price"),
        (request("G", amount=-1), "amount"),
        (request("G", amount=0), "amount"),
    ],
)
def test_what_has_no_price_is_refused_at_its_act(asked: ActRequest, words: str) -> None:
    with pytest.raises(FseError, match=words) as caught:
        price((request(), asked), BENEFICIARY)
    assert caught.value.place == "act 2"
