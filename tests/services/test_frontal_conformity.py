"""Whether sheets conform and claims may stand: each reason met by a sheet or a claim that is signed and still wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from frontal_bench import AMC_BODY, MUTUELLE, TODAY, Bench, claim, third_party
from fse_samples import ACT, AMC, PRESCRIBER

from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.model import (
    Arl,
    Dre,
    Insurance,
    Lot,
    Nomenclature,
    PayerShare,
    Payment,
    Person,
    Rsp,
    WorkAccident,
)
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import reasons
from bifente.simulator.tarification.deadlines import takes_holiday_rate
from bifente.simulator.tarification.rules import RULES

ON = replace(ACT, on=TODAY)
LONG_AGO = TODAY.replace(year=TODAY.year - 3)
IN_FULL = {"acts": (replace(ON, rate=100),), "amo": PayerShare(3000)}
ECG = replace(ON, nomenclature=Nomenclature.CCAM, code="DEQP003", base=1400, amount=1400)
SUTURE = replace(ON, nomenclature=Nomenclature.CCAM, code="QZJA002", base=3100, amount=3100)
LESSENED = ((700, 2), (1050, 3), (700, 2))
NURSING = replace(ON, code="AMI", base=315, amount=315, rate=60)
MAU = replace(ON, code="MAU", base=135, amount=135, rate=60)
NURSED = {"professional__specialty": "24", "care_path": "", "prescriber": PRESCRIBER, "prescribed_on": TODAY}
MONDAY = set[str]() if takes_holiday_rate(TODAY) else {"not-a-holiday"}
OTHER_AMC = replace(AMC, member="99000002")


def told(arl: Arl) -> set[tuple[str, int | None]]:
    return {(one.code, one.invoice) for one in arl.rejections}


def one(bench: Bench, lot: Lot) -> set[tuple[str, int | None]]:
    (arl,) = bench.submit(lot)
    return told(arl)


#: What is signed by both cards and does not conform, and every reason that is told of it.
WRONG: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no act": ({"acts": ()}, {"no-acts"}),
    "an act that nobody knows": ({"acts": (replace(ON, code="ZZZZ"),)}, {"act-unknown"}),
    "an act of another nomenclature": ({"acts": (replace(ON, nomenclature=Nomenclature.CCAM),)}, {"act-unknown"}),
    "an act of a nurse": (
        {"acts": (replace(ON, code="AMI", base=315, amount=315, rate=60),)},
        {"act-not-of-profession", "prescriber-missing"},
    ),
    "care of three years ago": (
        {"on": LONG_AGO, "acts": (replace(ON, on=LONG_AGO, base=2500, amount=2500),), "amo": PayerShare(1750)},
        {"prescribed"},
    ),
    "a wrong key of the NIR": ({"beneficiary__nir_key": "11"}, {"nir-wrong"}),
    "a wrong key of the prescriber": (
        {"acts": (ON,), "prescriber": Person("991000018", "TESTX", "X", "01"), "prescribed_on": TODAY},
        {"prescriber-number-wrong"},
    ),
    "a prescription without its day": ({"prescriber": PRESCRIBER}, {"prescription-date-missing"}),
    "a prescription of tomorrow": (
        {"prescriber": PRESCRIBER, "prescribed_on": TODAY + timedelta(days=1)},
        {"prescription-after-act"},
    ),
    "an accident that is not told": ({"insurance": Insurance.AT_MP, **IN_FULL}, {"accident-missing"}),
    "an accident of tomorrow": (
        {"insurance": Insurance.AT_MP, **IN_FULL, "accident": WorkAccident(TODAY + timedelta(days=1), "999000015")},
        {"accident-after-act"},
    ),
    "a maternity without its date": ({"insurance": Insurance.MATERNITE, **IN_FULL}, {"maternity-date-missing"}),
    "a maternity of two years": (
        {"insurance": Insurance.MATERNITE, **IN_FULL, "pregnancy_on": TODAY - timedelta(days=730)},
        {"maternity-date-impossible"},
    ),
    "no care path": ({"care_path": ""}, {"care-path-missing"}),
    "a care path that nobody knows": ({"care_path": "Q"}, {"care-path-unknown"}),
    "a young patient of forty": ({"care_path": "J"}, {"not-young"}),
    "direct access to a general practitioner": ({"care_path": "D"}, {"direct-access"}),
    "an act after its sheet": ({"acts": (ON,), "on": TODAY - timedelta(days=1)}, {"act-after-sheet"}),
    "an act before the birth": (
        {"beneficiary__birth": f"{TODAY + timedelta(days=1):%Y%m%d}", "care_path": "J"},
        {"act-before-birth"},
    ),
    "twice a day": ({"acts": (ON, ON), "amo": PayerShare(4200)}, {"act-twice"}),
    "a journey without a visit": (
        {"acts": (replace(ON, code="MD", base=1000, amount=1000),), "amo": PayerShare(700)},
        {"supplement-alone"},
    ),
    "a child of forty": (
        {"acts": (ON, replace(ON, code="MEG", base=500, amount=500)), "amo": PayerShare(2450)},
        {"supplement-age"},
    ),
    "a supplement of a single act, of a long one": (
        {
            **NURSED,
            "acts": (replace(NURSING, coefficient=Decimal(4), amount=1260), MAU),
            "amo": PayerShare(756 + 81),
        },
        {"supplement-coefficient"},
    ),
    "a supplement for coordination by the treating doctor": (
        {"acts": (ON, replace(ON, code="MCG", base=500, amount=500)), "amo": PayerShare(2450)},
        {"act-not-of-care-path"},
    ),
    "a supplement that is no more": (
        {
            "professional__specialty": "03",
            "acts": (replace(ON, code="CS", base=2650, amount=2650), replace(ON, code="MPC", base=350, amount=350)),
            "amo": PayerShare(1855 + 245),
        },
        {"act-not-of-day"},
    ),
    "two consultations of a day": (
        {"acts": (ON, replace(ON, code="C", base=2300, amount=2300)), "amo": PayerShare(3710)},
        {"acts-together"},
    ),
    "a consultation with a suture": ({"acts": (ON, SUTURE), "amo": PayerShare(4270)}, {"consultation-not-with"}),
    "an act of a nurse of a fortune": (
        {**NURSED, "acts": (replace(NURSING, coefficient=Decimal(500), amount=157500),), "amo": PayerShare(94500)},
        {"coefficient-too-high"},
    ),
    "a hundred acts of a nurse": (
        {**NURSED, "acts": (replace(NURSING, quantity=99, amount=31185),), "amo": PayerShare(18711)},
        {"act-too-often"},
    ),
    "more journeys than acts": (
        {
            **NURSED,
            "acts": (NURSING, replace(NURSING, code="IFD", base=275, amount=2475, quantity=9)),
            "amo": PayerShare(189 + 1485),
        },
        {"supplement-too-often"},
    ),
    "a modifier of general practitioners": (
        {
            "professional__specialty": "03",
            "acts": (replace(ECG, base=4900, amount=4900, modifiers="P"),),
            "amo": PayerShare(3430),
        },
        {"modifier-not-of-specialty"},
    ),
    "prescribed by a nurse": (
        {
            **NURSED,
            "acts": (NURSING,),
            "amo": PayerShare(189),
            "prescriber": replace(PRESCRIBER, billing_id="996000014"),
        },
        {"prescriber-not-entitled"},
    ),
    "a prescription of two years ago": (
        {**NURSED, "acts": (NURSING,), "amo": PayerShare(189), "prescribed_on": TODAY - timedelta(days=730)},
        {"prescription-too-old"},
    ),
    "a C2S that paid in advance": (
        {"beneficiary__c2s": True, "acts": (replace(ON, rate=100),), "amo": PayerShare(3000)},
        {"c2s-direct"},
    ),
    "two technical acts in full": ({"acts": (ECG, SUTURE), "amo": PayerShare(3150)}, {"association-missing"}),
    "four acts of a session": (
        {
            "acts": (
                replace(SUTURE, association=1),
                *(replace(ECG, base=base, amount=base, association=code) for base, code in LESSENED),
            ),
            "amo": PayerShare(2170 + 490 + 735 + 490),
        },
        {"association-too-many"},
    ),
    "a consultation as prevention": ({"beneficiary__exoneration": "7", **IN_FULL}, {"exoneration-not-of-act"}),
    "two emergencies": (
        {
            "acts": (
                replace(SUTURE, base=5006, amount=5006, association=1, modifiers="F"),
                replace(ECG, base=3215, amount=3215, association=2, modifiers="U"),
            ),
            "amo": PayerShare(3504 + 2251),
        },
        {"modifier-twice", *MONDAY},
    ),
    "an overrun for the C2S": (
        third_party(beneficiary__c2s=True, acts=(replace(ON, amount=5000),)),
        {"c2s-overrun"},
    ),
    "an exoneration that nobody knows": ({"beneficiary__exoneration": "9"}, {"exoneration-unknown"}),
    "nothing of an act": ({"acts": (replace(ON, quantity=0, amount=0),)}, {"quantity-zero"}),
    "five times its coefficient": (
        {"acts": (replace(ON, coefficient=Decimal(5), amount=15000),)},
        {"coefficient-unwanted"},
    ),
    "a dearer act": ({"acts": (replace(ON, base=3001, amount=3001),)}, {"price-wrong"}),
    "a cheaper act": ({"acts": (replace(ON, base=2999, amount=2999),)}, {"price-wrong"}),
    "a better rate": ({"acts": (replace(ON, rate=100),)}, {"rate-wrong"}),
    "the rate of the care path, outside it": ({"care_path": "S1"}, {"rate-wrong"}),
    "a cent more": ({"amo": PayerShare(2101)}, {"amo-part-wrong"}),
    "a cent less": ({"amo": PayerShare(2099)}, {"amo-part-wrong"}),
    "a fortune": ({"amo": PayerShare(999_999)}, {"amo-part-wrong", "parts-above-total"}),
    "a part of an insurer that there is not": ({"amc": PayerShare(900)}, {"amc-part-wrong"}),
    "a cent more of the insurer": (third_party(amc=PayerShare(901)), {"amc-part-wrong", "parts-above-total"}),
    "nothing of the insurer": (third_party(amc=PayerShare(0)), {"amc-part-wrong"}),
    "an insurer that may not be asked": (
        third_party(complementary=replace(MUTUELLE, indicator="00")),
        {"amc-part-wrong"},
    ),
    "a scheme that nobody knows": ({"beneficiary__regime": "77"}, {"regime-unknown"}),
    "the body of another scheme": ({"beneficiary__regime": "02"}, {"body-not-of-insured"}),
    "the body of another fund": ({"beneficiary__caisse": "350"}, {"body-not-of-insured"}),
    "the body of another centre": ({"beneficiary__centre": "0350"}, {"body-not-of-insured"}),
    "a fund that is none": ({"beneficiary__caisse": "34A"}, {"body-not-of-insured"}),
}


class TestSheets:
    @pytest.mark.parametrize("case", WRONG)
    def test_what_does_not_conform_is_refused_for_that_and_may_come_again(self, case: str) -> None:
        changes, codes = WRONG[case]
        bench = Bench()
        (arl,) = bench.submit(bench.lot(bench.secured(7, **changes)))
        assert told(arl) == {(code, 7) for code in codes}
        assert all(reason.place and not reason.place.endswith("...") for reason in arl.rejections)
        assert one(bench, bench.lot(bench.secured(7), number="001")) == set()

    @pytest.mark.parametrize(
        "changes",
        [
            third_party(),
            third_party(complementary=MUTUELLE),
            {"acts": (replace(ON, amount=5000),)},
            {"beneficiary__regime": "04", "body": "041100349"},
        ],
        ids=["third party", "mutuelle", "fees above the base", "SNCF"],
    )
    def test_what_conforms_is_accepted(self, changes: dict[str, Any]) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1, **changes), body=changes.get("body", "013490349"))) == set()

    def test_what_is_not_as_it_was_signed_is_told_as_that_alone(self) -> None:
        bench = Bench()
        forged = replace(bench.secured(7), content=canonical(bench.sheet(7, amo=PayerShare(999_999))))
        assert one(bench, bench.lot(forged)) == {("content-altered", 7)}

    def test_the_place_says_what_was_expected(self) -> None:
        bench = Bench()
        (arl,) = bench.submit(bench.lot(bench.secured(1, amo=PayerShare(2000))))
        assert [(reason.label, reason.place) for reason in arl.rejections] == [
            ("part AMO inexacte", "La part AMO des actes est de 2100 centimes, 2000 sont demandés")
        ]

    def test_what_a_body_looks_at_are_rules_of_the_practice(self) -> None:
        named = {reason.rule: code for code, reason in reasons().items() if reason.rule}
        assert named.keys() <= RULES.keys()
        seen = {code for _changes, codes in WRONG.values() for code in codes}
        # A number with a wrong key is no sender's: the lot could not be named after it.
        assert set(named.values()) == seen | {"billing-number-wrong"}


def practice(*invoices: int, parameters: FrontalParameters | None = None) -> Bench:
    """A front end that has these sheets, of third-party payment."""
    bench = Bench(parameters)
    bench.submit(bench.lot(*(bench.secured(number, **third_party()) for number in invoices)))
    return bench


def settled(bench: Bench, days: float = 5) -> list[tuple[int, str, int, str]]:
    """What is said of claims after so many days: sheet, outcome, paid, reason."""
    bench.pass_days(days)
    lines = [line for rsp in bench.frontal.settle() if rsp.body == AMC_BODY for line in rsp.lines]
    return [
        (line.invoice, line.outcome.value, line.paid, line.rejection.code if line.rejection else "") for line in lines
    ]


PAID = (1, "paid", 900, "")
UNKNOWN = (1, "rejected", 0, "claim-sheet-unknown")


class TestOneClaimForASheet:
    def test_a_second_one_is_refused_and_the_first_one_paid_once(self) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(claim(1))) == set()
        assert one(bench, bench.claims(claim(2), number="ZZY")) == {("claim-standing", 2)}
        assert settled(bench) == [PAID]
        assert one(bench, bench.claims(claim(2), number="ZZY")) == {("claim-standing", 2)}

    def test_two_in_one_lot_are_refused(self) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(claim(1), claim(2))) == {("claim-standing", 2)}

    def test_another_insurer_makes_no_difference(self) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(claim(1))) == set()
        told = one(bench, bench.claims(claim(2, amc=OTHER_AMC), number="ZZY"))
        assert told == {("claim-standing", 2), ("claim-not-of-sheet", 2)}

    @pytest.mark.parametrize(
        "unlike",
        [
            claim(1, asked=901),
            claim(1, asked=899),
            claim(1, amc=replace(AMC, member="1")),
            claim(1, amc=replace(AMC, indicator="33")),
        ],
        ids=["dearer", "cheaper", "another member", "another indicator"],
    )
    def test_a_claim_is_that_of_its_sheet(self, unlike: Dre) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(unlike)) == {("claim-not-of-sheet", 1)}
        assert one(bench, bench.claims(claim(1), number="ZZY")) == set()

    def test_a_claim_before_a_sheet_that_is_another_is_rejected_once_the_sheet_has_come(self) -> None:
        bench = Bench()
        assert one(bench, bench.claims(claim(1, asked=901))) == set()
        assert one(bench, bench.lot(bench.secured(1, **third_party()))) == set()
        assert settled(bench) == [(1, "rejected", 0, "claim-not-of-sheet")]

    def test_another_may_come_once_the_first_one_is_cancelled(self) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(claim(1))) == set()
        assert one(bench, bench.claims(claim(2, cancels=1), claim(3), number="ZZY")) == set()
        assert settled(bench) == [(1, "rejected", 0, "claim-cancelled"), PAID]

    def test_another_may_come_once_the_first_one_is_rejected(self) -> None:
        bench = practice(1, parameters=FrontalParameters(closed_contracts=frozenset({AMC.member})))
        assert one(bench, bench.claims(claim(1))) == set()
        assert settled(bench) == [(1, "rejected", 0, "contract-closed")]
        assert one(bench, bench.claims(claim(2), number="ZZY")) == set()

    def test_a_number_that_comes_again_is_the_claim_that_came_last(self) -> None:
        bench = practice(1, 2, parameters=FrontalParameters(closed_contracts=frozenset({AMC.member})))
        assert one(bench, bench.claims(claim(1))) == set()
        assert settled(bench) == [(1, "rejected", 0, "contract-closed")]
        assert one(bench, bench.claims(claim(1, 2), number="ZZY")) == set()
        assert one(bench, bench.claims(claim(3, 2, cancels=1), number="ZZX")) == set()

    def test_each_sheet_has_its_own(self) -> None:
        bench = practice(1, 2)
        assert one(bench, bench.claims(claim(1), claim(2, 2))) == set()
        assert sorted(settled(bench)) == [PAID, (2, "paid", 900, "")]


#: Cancellations of claim 1 that are not that claim's.
OTHERWISE: dict[str, Dre] = {
    "of another sheet": claim(3, 2, cancels=1),
    "of another amount": claim(3, asked=901, cancels=1),
    "of another member": claim(3, amc=OTHER_AMC, cancels=1),
    "of another indicator": claim(3, amc=replace(AMC, indicator="32"), cancels=1),
}


class TestCancellations:
    @pytest.mark.parametrize("together", [False, True])
    @pytest.mark.parametrize("case", OTHERWISE)
    def test_one_that_is_not_the_claims_cancels_nothing(self, case: str, together: bool) -> None:
        bench = practice(1)
        if together:
            assert one(bench, bench.claims(claim(1), OTHERWISE[case])) == {("claim-otherwise", 3)}
            assert one(bench, bench.claims(claim(1), number="ZZY")) == set()
        else:
            assert one(bench, bench.claims(claim(1))) == set()
            assert one(bench, bench.claims(OTHERWISE[case], number="ZZY")) == {("claim-otherwise", 3)}
        assert settled(bench) == [PAID]

    def test_one_sent_to_another_insurer_cancels_nothing(self) -> None:
        bench = practice(1)
        other = replace(AMC, id="88888349")
        assert one(bench, bench.claims(claim(1))) == set()
        lot = bench.claims(claim(3, amc=other, cancels=1), number="ZZY", body=other.id)
        assert one(bench, lot) == {("claim-otherwise", 3)}
        assert settled(bench) == [PAID]

    def test_a_claim_is_cancelled_once(self) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(claim(1), claim(2, cancels=1), claim(3, cancels=1))) == {("claim-settled", 3)}

    def test_a_cancellation_is_not_cancelled(self) -> None:
        bench = practice(1)
        assert one(bench, bench.claims(claim(1), claim(2, cancels=1))) == set()
        assert one(bench, bench.claims(claim(3, cancels=2), number="ZZY")) == {("claim-unknown", 3)}


class TestTheSheetOfAClaim:
    """``FrontalParameters.claim_wait`` is 30 days, RSPs come after 5. Sheet 9 makes the practice known."""

    def test_a_claim_without_a_sheet_is_rejected_in_the_end(self) -> None:
        bench = practice(9)
        assert one(bench, bench.claims(claim(1))) == set()
        assert settled(bench, 29) == []
        assert settled(bench, 1) == [UNKNOWN]

    def test_a_claim_waits_for_its_sheet_and_is_answered_with_it(self) -> None:
        bench = practice(9)
        assert one(bench, bench.claims(claim(1))) == set()
        bench.pass_days(10)
        assert one(bench, bench.lot(bench.secured(1, **third_party()), number="001")) == set()
        assert settled(bench, 4) == []
        assert settled(bench, 1) == [PAID]
        assert settled(bench, 60) == []

    def test_a_sheet_that_is_refused_is_none(self) -> None:
        bench = practice(9)
        assert one(bench, bench.claims(claim(1))) == set()
        assert one(bench, bench.lot(bench.secured(1, amo=PayerShare(1)), number="001")) == {("amo-part-wrong", 1)}
        assert settled(bench, 30) == [UNKNOWN]

    def test_a_sheet_of_another_sender_is_none(self) -> None:
        bench = practice(9)
        assert one(bench, bench.claims(claim(1))) == set()
        other = bench.lot(bench.secured(1, professional__billing_id="991000027"), sender="991000027", number="001")
        assert one(bench, other) == set()
        assert settled(bench, 30) == [UNKNOWN]

    def test_a_claim_cancelled_before_its_sheet_came_is_not_paid(self) -> None:
        bench = practice(9)
        assert one(bench, bench.claims(claim(1), claim(2, cancels=1))) == set()
        assert one(bench, bench.lot(bench.secured(1, **third_party()), number="001")) == set()
        assert settled(bench, 30) == [(1, "rejected", 0, "claim-cancelled")]

    def test_another_claim_may_come_after_the_rejection(self) -> None:
        bench = practice(9)
        assert one(bench, bench.claims(claim(1))) == set()
        assert settled(bench, 30) == [UNKNOWN]
        late = bench.lot(bench.secured(1, **third_party()), number="001")
        assert one(bench, late) == set()
        assert one(bench, bench.claims(claim(2), number="ZZY")) == set()
        assert settled(bench) == [PAID]

    def test_a_claim_paid_to_the_insured_wants_its_sheet_too(self) -> None:
        outside = replace(AMC, indicator="12")
        bench = practice(9)
        assert one(bench, bench.claims(claim(1, amc=outside))) == set()
        direct = {"payment": Payment.DIRECT, "beneficiary__complementary": outside, "amc": PayerShare(900)}
        assert one(bench, bench.lot(bench.secured(1, **direct), number="001")) == set()
        assert settled(bench, 30) == []
        assert one(bench, bench.claims(claim(2, 2, amc=outside), number="ZZY")) == set()
        assert settled(bench, 30) == [(2, "rejected", 0, "claim-sheet-unknown")]

    def test_a_front_end_of_certain_bodies_looks_for_no_sheet(self) -> None:
        bench = Bench(FrontalParameters(bodies=frozenset({AMC_BODY, "013490349"}), claim_wait=timedelta(days=1)))
        assert one(bench, bench.lot(bench.secured(9))) == set()
        assert one(bench, bench.claims(claim(1))) == set()
        assert settled(bench) == [PAID]

    def test_returns_balance(self) -> None:
        bench = practice(9)
        one(bench, bench.claims(claim(1)))
        bench.pass_days(30)
        assert all(
            rsp.total == sum(line.paid for line in rsp.lines) for rsp in bench.frontal.returns() if isinstance(rsp, Rsp)
        )
