"""The rules: a sheet that breaks none, and for each rule a sheet that breaks it and nothing else."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fse_samples import ACT, AMC, PRESCRIBER, TODAY, sample_invoice
from fse_strategies import invoices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifente.simulator.formats.fse.model import (
    CareAct,
    Insurance,
    Nomenclature,
    PayerShare,
    Payment,
    Proof,
    SecuringMode,
    WorkAccident,
)
from bifente.simulator.tarification.ages import age
from bifente.simulator.tarification.pricing import price
from bifente.simulator.tarification.requests import ActRequest
from bifente.simulator.tarification.rules import RULES, Facts, RuleSeverity, blocks, examine
from bifente.simulator.tarification.tables import ACTS, CARE_PATH

TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
NURSE = {"professional__specialty": "24", "care_path": ""}
CARE = CareAct(Nomenclature.NGAP, "AMI", TODAY, 1, Decimal(2), 315, 630, 60)
NURSED = {**NURSE, "acts": (CARE,), "prescriber": PRESCRIBER, "prescribed_on": YESTERDAY}
FULL_ACT = replace(ACT, rate=100)
AT = {"insurance": Insurance.AT_MP, "acts": (FULL_ACT,), "accident": WorkAccident(YESTERDAY, "999000015")}
MATERNITY = {"insurance": Insurance.MATERNITE, "acts": (FULL_ACT,), "pregnancy_on": YESTERDAY}
C2S = {"beneficiary__c2s": True, "acts": (FULL_ACT,), "payment": Payment.TIERS_PAYANT}
DEGRADED = {"mode": SecuringMode.DEGRADED, "proof": Proof.DOCUMENT}
MD = CareAct(Nomenclature.NGAP, "MD", TODAY, 1, Decimal(1), 1000, 1000, 70)
SUM_OF_MD = {"amo": PayerShare(700)}
MEG = CareAct(Nomenclature.NGAP, "MEG", TODAY, 1, Decimal(1), 500, 500, 70)
SUM_OF_MEG = {"amo": PayerShare(2450)}
ECG = CareAct(Nomenclature.CCAM, "DEQP003", TODAY, 1, Decimal(1), 1400, 1400, 70)
SUTURE = CareAct(Nomenclature.CCAM, "QZJA002", TODAY, 1, Decimal(1), 3100, 3100, 70)
SUM_OF_CCAM = {"amo": PayerShare(980 + 2170)}
FIRST = CareAct(Nomenclature.CCAM, "QZJA002", TODAY, 1, Decimal(1), 5006, 5006, 70, association=1, modifiers="F")
SECOND = CareAct(Nomenclature.CCAM, "DEQP003", TODAY, 1, Decimal(1), 3215, 3215, 70, association=2, modifiers="U")
SUM_OF_MODIFIED = {"amo": PayerShare(3504 + 2251)}
LESSENED = [replace(ECG, base=base, amount=base, association=code) for base, code in ((700, 2), (1050, 3), (700, 2))]
THREE_LESSENED = (replace(SUTURE, association=1), *LESSENED)
SUM_OF_THREE = {"amo": PayerShare(2170 + 490 + 735 + 490)}
SUM_OF_SUTURED = {"amo": PayerShare(2100 + 2170)}
MAU = CareAct(Nomenclature.NGAP, "MAU", TODAY, 1, Decimal(1), 135, 135, 60)
CS = CareAct(Nomenclature.NGAP, "CS", TODAY, 1, Decimal(1), 2650, 2650, 70)
MCS = CareAct(Nomenclature.NGAP, "MCS", TODAY, 1, Decimal(1), 500, 500, 70)
CARDIOLOGIST = {"professional__specialty": "03", "care_path": "O", "acts": (CS, MCS), "amo": PayerShare(1855 + 350)}
IFD = CareAct(Nomenclature.NGAP, "IFD", TODAY, 1, Decimal(1), 275, 275, 60)
SUNDAY = CareAct(Nomenclature.NGAP, "F", TODAY, 1, Decimal(1), 1906, 1906, 70)
CHILD = {"beneficiary__birth": "20150808", "care_path": "J"}


SUNDAYS, SATURDAYS = TODAY - timedelta(days=1), TODAY - timedelta(days=2)


def without(changes: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if name not in names}


def codes(changes: dict[str, Any], **facts: Any) -> list[str]:
    return [finding.code for finding in examine(sample_invoice(**changes), Facts(**{"today": TODAY, **facts}))]


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, {}),
        ({}, {"cps_rpps": "99900000011", "vitale_serial": "999000001", "cps_ends": TODAY, "vitale_ends": TODAY}),
        ({"on": YESTERDAY, "acts": (replace(ACT, on=YESTERDAY),)}, {}),
        ({"acts": (replace(ACT, on=YESTERDAY),)}, {}),
        (NURSED, {}),
        ({**NURSED, "prescribed_on": TODAY}, {}),
        ({**AT, "accident": WorkAccident(TODAY, "999000015")}, {}),
        (AT, {}),
        (MATERNITY, {}),
        (C2S, {}),
        (DEGRADED, {"paper": True}),
        (CHILD, {}),
        ({**CHILD, "care_path": ""}, {}),
        ({"acts": (ACT, replace(ACT, on=YESTERDAY))}, {}),
        ({"beneficiary__complementary": AMC, "payment": Payment.TIERS_PAYANT}, {}),
        ({"beneficiary__regime": "02", "body": "023490349"}, {}),
        ({"beneficiary__regime": "10", "body": "103490349", "acts": (replace(ACT, rate=85),)}, {}),
        ({"beneficiary__regime": "07", "body": "073490349", "acts": (FULL_ACT,)}, {}),
        (CARDIOLOGIST, {}),
        ({**NURSED, "acts": (replace(CARE, coefficient=Decimal("1.5"), amount=473), MAU)}, {}),
        ({"on": SUNDAYS, "acts": (replace(ACT, on=SUNDAYS), replace(SUNDAY, on=SUNDAYS))}, {}),
        ({"on": SATURDAYS, "acts": (replace(ACT, on=SATURDAYS), replace(SUNDAY, on=SATURDAYS))}, {}),
        ({**NURSED, "prescribed_on": TODAY - timedelta(days=366)}, {}),
        ({"beneficiary__caisse": "751", "beneficiary__centre": "1234", "body": "017511234"}, {}),
        ({"beneficiary__caisse": "999", "beneficiary__centre": "0999", "body": "019990999"}, {}),
        ({"beneficiary__rights": ((TODAY, TODAY),)}, {}),
        ({"beneficiary__rights": ((date(2000, 1, 1), date(2001, 1, 1)), (YESTERDAY, None))}, {}),
    ],
)
def test_a_sheet_in_order_breaks_no_rule(changes: dict[str, Any], facts: dict[str, Any]) -> None:
    assert codes(changes, **facts) == []


#: For each rule, sheets and facts that break it alone, or (as a third item) with others that cannot be avoided.
BROKEN: list[tuple[str, dict[str, Any], dict[str, Any], set[str]]] = [
    ("no-acts", {"acts": ()}, {}, set()),
    ("act-unknown", {"acts": (replace(ACT, code="ZZZ"),)}, {}, set()),
    ("act-unknown", {"acts": (replace(ACT, nomenclature=Nomenclature.CCAM),)}, {}, set()),
    ("act-not-of-profession", {"professional__specialty": "24"}, {}, set()),
    ("act-not-of-profession", {**NURSED, "professional__specialty": "26"}, {}, set()),
    ("act-repeated", {**NURSED, "acts": (CARE, CARE)}, {}, set()),
    ("act-twice", {"acts": (ACT, ACT)}, {}, set()),
    ("act-twice", {"acts": (replace(ACT, quantity=2, amount=6000),)}, {}, set()),
    ("act-before-birth", {"beneficiary__birth": "20270101", "care_path": "J"}, {}, set()),
    ("prescribed", {}, {"today": TODAY.replace(year=TODAY.year + 3)}, set()),
    ("maternity-date-impossible", {**MATERNITY, "pregnancy_on": TODAY.replace(year=TODAY.year - 2)}, {}, set()),
    ("maternity-date-impossible", {**MATERNITY, "pregnancy_on": TOMORROW}, {}, set()),
    ("act-in-future", {"on": TOMORROW, "acts": (replace(ACT, on=TOMORROW),)}, {}, {"sheet-in-future"}),
    ("act-in-future", {"acts": (replace(ACT, on=TOMORROW),)}, {}, {"act-after-sheet"}),
    ("act-after-sheet", {"on": YESTERDAY}, {}, set()),
    ("sheet-in-future", {"on": TOMORROW}, {}, set()),
    ("quantity-zero", {"acts": (replace(ACT, quantity=0, amount=0),)}, {}, set()),
    ("quantity-zero", {**NURSED, "acts": (replace(CARE, coefficient=Decimal(0)),)}, {}, set()),
    ("coefficient-unwanted", {"acts": (replace(ACT, coefficient=Decimal(2)),)}, {}, set()),
    ("price-wrong", {"acts": (replace(ACT, base=9900),)}, {}, set()),
    ("rate-wrong", {"acts": (FULL_ACT,)}, {}, set()),
    ("rate-wrong", {"beneficiary__ald": True}, {}, set()),
    ("rate-wrong", {"care_path": "S1"}, {}, set()),
    ("amo-part-wrong", {"amo": PayerShare(2099)}, {}, set()),
    ("amo-part-wrong", {"amo": PayerShare(2101)}, {}, set()),
    ("amc-part-wrong", {"amc": PayerShare(1)}, {}, set()),
    (
        "amc-part-wrong",
        {"beneficiary__complementary": AMC, "payment": Payment.TIERS_PAYANT, "amc": PayerShare(0)},
        {},
        set(),
    ),
    ("parts-above-total", {"amo": PayerShare(3001)}, {}, {"amo-part-wrong"}),
    ("parts-above-total", {"amo": PayerShare(2100), "amc": PayerShare(901)}, {}, {"amc-part-wrong"}),
    ("rights-closed", {"beneficiary__rights": ()}, {}, set()),
    ("rights-closed", {"beneficiary__rights": ((date(2020, 1, 1), YESTERDAY),)}, {}, set()),
    ("rights-closed", {"beneficiary__rights": ((TOMORROW, None),)}, {}, set()),
    ("ps-may-not-sign", {"professional__may_sign_invoice": False}, {}, set()),
    ("ps-may-not-sign-lot", {"professional__may_sign_lot": False}, {}, set()),
    ("holder-code-missing", {}, {"code_presented": False}, set()),
    ("holder-unknown", {}, {"cps_rpps": "99900000029"}, set()),
    ("holder-unknown", {"professional__rpps": ""}, {}, set()),
    ("specialty-unknown", {"professional__specialty": ""}, {}, set()),
    ("specialty-unknown", {"professional__specialty": "99"}, {}, set()),
    ("billing-number-wrong", {"professional__billing_id": "991000018"}, {}, set()),
    ("nir-wrong", {"beneficiary__nir_key": "54"}, {}, set()),
    ("nir-wrong", {"beneficiary__nir": "0801913055001"}, {}, set()),
    ("cps-expired", {}, {"cps_ends": YESTERDAY}, set()),
    ("vitale-expired", {}, {"vitale_ends": YESTERDAY}, set()),
    ("vitale-opposed", {}, {"vitale_opposed": True}, set()),
    ("vitale-of-another", {}, {"vitale_serial": "999000002"}, set()),
    ("test-with-real", {"professional__test": False}, {}, set()),
    ("test-with-real", {"beneficiary__test": False}, {}, set()),
    ("code-unknown", {}, {"unknown_codes": (("situation-code", "0406"),)}, set()),
    ("rates-of-scheme", {"beneficiary__regime": "05", "body": "053490349"}, {}, set()),
    ("association-too-many", {"acts": THREE_LESSENED, **SUM_OF_THREE}, {}, {"act-repeated"}),
    ("exoneration-not-of-act", {"beneficiary__exoneration": "7", "acts": (FULL_ACT,)}, {}, set()),
    ("supplement-alone", {"acts": (MD,), **SUM_OF_MD}, {}, set()),
    ("supplement-age", {"acts": (ACT, MEG), **SUM_OF_MEG}, {}, set()),
    (
        "supplement-age",
        {"acts": (replace(ACT, code="GL", base=6000, amount=6000),), "beneficiary__birth": "19460303"},
        {},
        set(),
    ),
    (
        "supplement-coefficient",
        {**NURSED, "acts": (replace(CARE, amount=630), MAU), "amo": PayerShare(378 + 81)},
        {},
        set(),
    ),
    ("act-not-of-care-path", {**CARDIOLOGIST, "care_path": "T"}, {}, set()),
    ("act-not-of-profession", {"professional__specialty": "03"}, {}, set()),
    ("act-not-of-profession", {"acts": (replace(ACT, code="CS", base=2650, amount=2650),)}, {}, set()),
    (
        "act-not-of-day",
        {
            "acts": (ACT, replace(ACT, on=date(2017, 4, 30), base=2500, amount=2500)),
            "amo": PayerShare(3850),
            "beneficiary__rights": ((date(2000, 1, 1), None),),
        },
        {},
        {"prescribed"},
    ),
    (
        "acts-together",
        {"acts": (ACT, replace(ACT, code="C", base=2300, amount=2300)), "amo": PayerShare(3710)},
        {},
        set(),
    ),
    ("consultation-not-with", {"acts": (ACT, SUTURE), **SUM_OF_SUTURED}, {}, set()),
    ("association-missing", {"acts": (ECG, SUTURE), **SUM_OF_CCAM}, {}, set()),
    ("modifier-twice", {"acts": (FIRST, SECOND), **SUM_OF_MODIFIED}, {}, {"not-a-holiday"}),
    ("coefficient-too-high", {**NURSED, "acts": (replace(CARE, coefficient=Decimal(21), amount=6615),)}, {}, set()),
    ("act-too-often", {**NURSED, "acts": (replace(CARE, quantity=13, amount=8190),)}, {}, set()),
    (
        "act-too-often",
        {
            **NURSED,
            "acts": (replace(CARE, quantity=12, amount=7560), replace(CARE, coefficient=Decimal(1), amount=315)),
        },
        {},
        set(),
    ),
    ("supplement-too-often", {**NURSED, "acts": (CARE, replace(IFD, quantity=2, amount=550))}, {}, set()),
    ("supplement-alone", {**NURSED, "acts": (IFD,)}, {}, set()),
    (
        "acts-together",
        {
            **NURSED,
            "acts": (
                replace(CARE, code="BSA", base=1300, amount=1300, coefficient=Decimal(1)),
                replace(CARE, code="BSC", base=2870, amount=2870, coefficient=Decimal(1)),
            ),
        },
        {},
        set(),
    ),
    ("not-a-holiday", {"acts": (ACT, SUNDAY)}, {}, set()),
    ("not-a-holiday", {"acts": (replace(ECG, base=3306, amount=3306, modifiers="F"),)}, {}, set()),
    (
        "modifier-not-of-specialty",
        {"professional__specialty": "03", "acts": (replace(ECG, base=4900, amount=4900, modifiers="P"),)},
        {},
        set(),
    ),
    ("prescriber-not-entitled", {**NURSED, "prescriber": replace(PRESCRIBER, billing_id="996000014")}, {}, set()),
    ("prescription-too-old", {**NURSED, "prescribed_on": TODAY - timedelta(days=367)}, {}, set()),
    ("regime-unknown", {"beneficiary__regime": "11", "body": "113490349"}, {}, set()),
    ("regime-ended", {"beneficiary__regime": "03", "body": "033490349"}, {}, set()),
    ("wrong-body", {"body": "023490349"}, {}, set()),
    ("wrong-body", {"body": "013490348"}, {}, set()),
    ("wrong-body", {"beneficiary__regime": "04", "body": "043490349"}, {}, {"rates-of-scheme"}),
    ("wrong-body", {"beneficiary__caisse": "A49"}, {}, set()),
    ("exoneration-unknown", {"beneficiary__exoneration": "9"}, {}, set()),
    ("exoneration-unknown", {"beneficiary__exoneration": ""}, {}, set()),
    ("care-path-missing", {"care_path": ""}, {}, set()),
    ("care-path-unknown", {"care_path": "Z"}, {}, set()),
    ("not-young", {"care_path": "J"}, {}, set()),
    ("direct-access", {"care_path": "D"}, {}, set()),
    ("accident-missing", without(AT, "accident"), {}, set()),
    ("accident-missing", {**AT, "accident": WorkAccident(YESTERDAY, "")}, {}, set()),
    ("accident-after-act", {**AT, "accident": WorkAccident(TOMORROW, "999000015")}, {}, set()),
    ("accident-not-wanted", {"accident": WorkAccident(YESTERDAY, "999000015")}, {}, set()),
    ("maternity-date-missing", without(MATERNITY, "pregnancy_on"), {}, set()),
    ("prescriber-missing", without(NURSED, "prescriber", "prescribed_on"), {}, set()),
    ("prescription-date-missing", without(NURSED, "prescribed_on"), {}, set()),
    ("prescription-after-act", {**NURSED, "prescribed_on": TOMORROW}, {}, set()),
    ("prescriber-number-wrong", {**NURSED, "prescriber": replace(PRESCRIBER, billing_id="991000036")}, {}, set()),
    ("paper-missing", DEGRADED, {}, set()),
    ("proof-of-mode", {**DEGRADED, "proof": Proof.VITALE}, {"paper": True}, set()),
    ("proof-of-mode", {"mode": SecuringMode.WITHOUT_VITALE}, {}, set()),
    (
        "payment-of-mode",
        {"mode": SecuringMode.NOT_SECURED, "payment": Payment.TIERS_PAYANT},
        {},
        set(),
    ),
    ("c2s-direct", {**C2S, "payment": Payment.DIRECT}, {}, set()),
    ("c2s-overrun", {**C2S, "acts": (replace(FULL_ACT, amount=3001),)}, {}, set()),
    ("rectifies-itself", {"rectifies": 1}, {}, set()),
]


@pytest.mark.parametrize(("code", "changes", "facts", "others"), BROKEN)
def test_each_rule_is_broken_alone(code: str, changes: dict[str, Any], facts: dict[str, Any], others: set[str]) -> None:
    assert sorted(codes(changes, **facts)) == sorted({code} | others)


@pytest.mark.parametrize(
    ("specialty", "years", "open_to"),
    [
        ("01", 40, False),
        ("03", 40, False),
        ("05", 10, False),
        ("07", 40, True),  # gynaecology
        ("15", 40, True),  # ophthalmology
        ("33", 25, True),  # psychiatry
        ("33", 26, False),
        ("33", 60, False),
        ("44", 40, True),  # what the code means is not known here
    ],
)
def test_direct_access_is_that_of_the_convention(specialty: str, years: int, open_to: bool) -> None:
    assert CARE_PATH.direct_access.open_to(specialty, years) is open_to


def test_every_rule_is_broken_here() -> None:
    assert {code for code, *_ in BROKEN} == set(RULES)


def test_only_these_rules_let_a_sheet_be_secured() -> None:
    assert {code for code, rule in RULES.items() if rule.severity is RuleSeverity.WARN} == {
        "act-repeated",
        "ps-may-not-sign-lot",
        "regime-ended",
        "code-unknown",
        "rates-of-scheme",
        "not-young",
        "accident-not-wanted",
        "proof-of-mode",
        "payment-of-mode",
        "c2s-overrun",
    }


@pytest.mark.parametrize(("code", "changes", "facts", "others"), BROKEN)
def test_each_finding_says_it_in_both_languages_and_on_what_it_rests(
    code: str, changes: dict[str, Any], facts: dict[str, Any], others: set[str]
) -> None:
    findings = examine(sample_invoice(**changes), Facts(**{"today": TODAY, **facts}))
    found = next(finding for finding in findings if finding.code == code)
    assert found.severity is RULES[code].severity
    assert found.source == RULES[code].source != ""
    assert found.sentence.fr != found.sentence.en
    assert not set("{}") & set(found.sentence.fr + found.sentence.en)
    assert blocks(findings) is any(RULES[it].severity is RuleSeverity.BLOCK for it in {code} | others)


@pytest.mark.parametrize("code", RULES)
def test_both_sentences_of_a_rule_have_the_same_words_filled_in(code: str) -> None:
    rule = RULES[code]

    def words(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert words(rule.fr) == words(rule.en)


@given(
    invoices,
    st.builds(Facts, st.dates(), st.booleans(), st.none() | st.just("9"), st.none() | st.dates(), st.none(), st.none()),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_form_holds_can_be_examined(invoice: Any, facts: Facts) -> None:
    for finding in examine(invoice, facts):
        assert finding.sentence.fr
        assert finding.code in RULES


@given(
    st.lists(st.sampled_from(["G", "DEQP003", "JKHD001"]), min_size=1, max_size=3, unique=True),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["T", "S1", "U"]),
)
def test_what_was_priced_breaks_no_rule_of_prices(
    acts: list[str], ald: bool, alsace: bool, complementary: bool, letter: str
) -> None:
    who = replace(
        sample_invoice().beneficiary,
        ald=ald,
        exoneration="4" if ald else "0",
        alsace_moselle=alsace,
        complementary=AMC if complementary else None,
    )
    how = {"payment": Payment.TIERS_PAYANT, "care_path": letter}
    result = price([ActRequest(code, TODAY) for code in acts], who, **how)  # type: ignore[arg-type]
    sheet = sample_invoice(acts=result.acts, amo=result.amo, amc=result.amc, beneficiary=who, **how)
    assert examine(sheet, Facts(TODAY)) == ()


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    [
        ("20100302", TODAY, 16),
        ("20100303", TODAY, 15),
        ("20100301", TODAY, 16),
        ("20101900", TODAY, 16),
        ("20100000", TODAY, 16),
        ("20100300", TODAY, 16),
        ("20260302", TODAY, 0),
    ],
)
def test_an_age_even_of_a_birth_not_known_in_full(birth: str, on: date, years: int) -> None:
    assert age(birth, on) == years


@pytest.mark.parametrize(
    ("days", "closed"),
    [
        ((8, 6), [6]),
        ((6, 8), [6]),
        ((8, 6, 8), [6]),  # neither the first nor the last, nor the day of the sheet
        ((4, 8, 2), [4, 2]),
        ((6, 4, 6), [6, 4]),  # each day once
        ((8, 1), []),
    ],
)
def test_rights_are_looked_at_on_the_day_of_each_act(days: tuple[int, ...], closed: list[int]) -> None:
    rights = (
        (TODAY - timedelta(days=9), TODAY - timedelta(days=7)),
        (TODAY - timedelta(days=1), None),
    )
    acts = tuple(
        replace(ACT, on=TODAY - timedelta(days=ago), code=code)
        for ago, code in zip(days, ("G", "DEQP003", "V"), strict=False)
    )
    acts = tuple(replace(act, nomenclature=ACTS[act.code].nomenclature) for act in acts)
    found = examine(sample_invoice(acts=acts, beneficiary__rights=rights), Facts(TODAY))
    said = [finding.sentence.en for finding in found if finding.code == "rights-closed"]
    assert said == [f"No period of rights covers {TODAY - timedelta(days=ago)}" for ago in closed]


def test_the_limit_of_the_young_is_the_birthday() -> None:
    assert codes({**CHILD, "beneficiary__birth": "20100303"}) == []
    assert codes({**CHILD, "beneficiary__birth": "20100302"}) == ["not-young"]
