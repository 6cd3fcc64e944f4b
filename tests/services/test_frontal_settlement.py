"""What a body pays: for each payer, with reasons for the rest, amounts that balance, each thing said once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from frontal_bench import AMC_BODY, MUTUELLE, NOW, TODAY, Bench, claim, third_party
from fse_samples import ACT, AMC
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import vitale_data

from bifente.simulator.formats.fse.model import Complementary, PayerShare, Rsp, RspLine, SecuringMode
from bifente.simulator.formats.fse.returns import decode_return, encode_return
from bifente.simulator.services.frontal.parameters import FrontalParameters

NIR = vitale_data().facts()["nir"]
CLOSED = FrontalParameters(closed_rights={NIR: date(2026, 1, 1)})


def settled(parameters: FrontalParameters | None = None, **changes: Any) -> list[Rsp]:
    bench = Bench(parameters)
    (arl,) = bench.submit(bench.lot(bench.secured(1, **changes)))
    assert not arl.rejections
    bench.pass_days(5)
    return bench.frontal.settle()


def lines(parameters: FrontalParameters | None = None, **changes: Any) -> list[tuple[str, str, int, int, str]]:
    return [told(line) for rsp in settled(parameters, **changes) for line in rsp.lines]


def told(line: RspLine) -> tuple[str, str, int, int, str]:
    return (
        line.payer,
        line.outcome.value,
        line.asked,
        line.paid,
        "" if line.rejection is None else line.rejection.code,
    )


class TestSheets:
    def test_third_party_payment_pays_the_amo_part(self) -> None:
        (rsp,) = settled(**third_party())
        assert [told(line) for line in rsp.lines] == [("amo", "paid", 2100, 2100, "")]
        assert (rsp.total, rsp.sender, rsp.body, rsp.on) == (2100, "991000019", "013490349", date(2026, 3, 8))
        assert rsp.transfer == "VIREMENT 013490349 000001"

    def test_the_part_of_a_mutuelle_comes_through_the_amo(self) -> None:
        assert lines(**third_party(complementary=MUTUELLE)) == [
            ("amo", "paid", 2100, 2100, ""),
            ("amc", "paid", 900, 900, ""),
        ]

    def test_nothing_is_said_of_a_sheet_paid_at_the_desk(self) -> None:
        assert lines() == []

    def test_but_its_rejection_is(self) -> None:
        assert lines(CLOSED) == [("amo", "rejected", 2100, 0, "rights-closed")]

    @pytest.mark.parametrize("parameters", [CLOSED, FrontalParameters(rejected=1)])
    def test_a_rejected_sheet_is_rejected_for_every_payer(self, parameters: FrontalParameters) -> None:
        code = "rights-closed" if parameters is CLOSED else "under-control"
        told = [("amo", "rejected", 2100, 0, code), ("amc", "rejected", 900, 0, code)]
        assert lines(parameters, **third_party(complementary=MUTUELLE)) == told

    @pytest.mark.parametrize(
        ("rights", "open"),
        [
            ((), True),
            (((date(2020, 1, 1), None),), True),
            (((date(2026, 3, 2), date(2026, 3, 2)),), True),
            (((date(2026, 3, 3), None),), False),
            (((date(2020, 1, 1), date(2026, 3, 1)),), False),
            (((date(2020, 1, 1), date(2021, 1, 1)), (date(2026, 1, 1), None)), True),
        ],
    )
    def test_rights_are_those_of_the_day_of_care(self, rights: Any, open: bool) -> None:
        ((_payer, outcome, *_rest),) = lines(**third_party(beneficiary__rights=rights))
        assert (outcome == "paid") is open

    def test_rights_closed_is_never_a_reason_of_an_arl(self) -> None:
        bench = Bench(CLOSED)
        (arl,) = bench.submit(bench.lot(bench.secured(1)))
        assert arl.rejections == ()

    def test_a_part_may_be_reduced(self) -> None:
        assert lines(FrontalParameters(partly_paid=1, reduction=10), **third_party()) == [
            ("amo", "partly-paid", 2100, 1890, "above-due")
        ]

    def test_a_contract_that_is_closed_rejects_its_part_alone(self) -> None:
        parameters = FrontalParameters(closed_contracts=frozenset({MUTUELLE.member}))
        assert lines(parameters, **third_party(complementary=MUTUELLE)) == [
            ("amo", "paid", 2100, 2100, ""),
            ("amc", "rejected", 900, 0, "contract-closed"),
        ]

    def test_a_degraded_sheet_whose_paper_never_came_is_rejected(self) -> None:
        missing = FrontalParameters(papers_missing=frozenset({1}))
        degraded = third_party(mode=SecuringMode.DEGRADED)
        assert lines(missing, **degraded) == [("amo", "rejected", 2100, 0, "proof-missing")]
        assert lines(missing, **third_party()) == [("amo", "paid", 2100, 2100, "")]


class TestModes:
    """What a mode is paid on: its signatures, its paper once it has arrived, or nothing."""

    @staticmethod
    def accepted(parameters: FrontalParameters | None = None, **changes: Any) -> Bench:
        bench = Bench(parameters)
        (arl,) = bench.submit(bench.lot(bench.secured(1, **third_party(**changes))))
        assert not arl.rejections
        return bench

    @staticmethod
    def said(bench: Bench) -> list[tuple[str, str, int, int, str]]:
        return [told(line) for rsp in bench.frontal.settle() for line in rsp.lines]

    def test_a_degraded_sheet_waits_until_its_paper_has_arrived(self) -> None:
        bench = self.accepted(mode=SecuringMode.DEGRADED)
        bench.pass_days(30)
        assert self.said(bench) == []
        bench.frontal.paper_arrived(bench.sender, 1)
        bench.pass_days(4)
        assert self.said(bench) == []
        bench.pass_days(1)
        assert self.said(bench) == [("amo", "paid", 2100, 2100, "")]
        bench.frontal.paper_arrived(bench.sender, 1)
        bench.pass_days(60)
        assert self.said(bench) == []

    def test_its_paper_may_come_before_it(self) -> None:
        bench = Bench()
        bench.frontal.paper_arrived(bench.sender, 1)
        bench.submit(bench.lot(bench.secured(1, **third_party(mode=SecuringMode.DEGRADED))))
        bench.pass_days(5)
        assert self.said(bench) == [("amo", "paid", 2100, 2100, "")]

    def test_the_paper_of_another_sheet_or_sender_is_not_its_own(self) -> None:
        bench = self.accepted(mode=SecuringMode.DEGRADED)
        bench.frontal.paper_arrived(bench.sender, 2)
        bench.frontal.paper_arrived("991000027", 1)
        bench.pass_days(30)
        assert self.said(bench) == []

    @pytest.mark.parametrize("payment", ["direct", "third-party"])
    def test_after_sixty_days_without_its_paper_it_is_rejected(self, payment: str) -> None:
        bench = Bench()
        changes = {"mode": SecuringMode.DEGRADED}
        made = third_party(**changes) if payment == "third-party" else changes
        bench.submit(bench.lot(bench.secured(1, **made)))
        bench.pass_days(59)
        assert self.said(bench) == []
        bench.pass_days(1)
        assert self.said(bench) == [("amo", "rejected", 2100, 0, "proof-missing")]

    def test_of_one_paid_at_the_desk_nothing_is_said_once_its_paper_is_there(self) -> None:
        bench = Bench()
        bench.submit(bench.lot(bench.secured(1, mode=SecuringMode.DEGRADED)))
        bench.frontal.paper_arrived(bench.sender, 1)
        bench.pass_days(90)
        assert self.said(bench) == []

    @pytest.mark.parametrize("mode", [SecuringMode.NOT_SECURED, SecuringMode.WITHOUT_VITALE])
    def test_what_neither_vitale_nor_paper_proves_is_not_paid(self, mode: SecuringMode) -> None:
        bench = self.accepted(mode=mode)
        bench.pass_days(5)
        assert self.said(bench) == [("amo", "rejected", 2100, 0, "nothing-proves-it")]

    def test_without_vitale_but_with_a_paper_it_is_paid_once_that_has_come(self) -> None:
        bench = Bench()
        sheet = replace(bench.secured(1, **third_party(mode=SecuringMode.WITHOUT_VITALE)), paper=True)
        (arl,) = bench.submit(bench.lot(sheet))
        assert not arl.rejections
        bench.pass_days(5)
        assert self.said(bench) == []
        bench.frontal.paper_arrived(bench.sender, 1)
        bench.pass_days(5)
        assert self.said(bench) == [("amo", "paid", 2100, 2100, "")]

    @pytest.mark.parametrize("mode", [SecuringMode.VISIT, SecuringMode.SECURED, SecuringMode.DESYNCHRONISED])
    def test_what_both_cards_signed_is_paid_without_a_paper(self, mode: SecuringMode) -> None:
        bench = self.accepted(mode=mode)
        bench.pass_days(5)
        assert self.said(bench) == [("amo", "paid", 2100, 2100, "")]


class TestLines:
    def test_no_line_for_who_was_asked_nothing(self) -> None:
        free = third_party(acts=(replace(ACT, on=TODAY, amount=0),), amo=PayerShare(0), amc=PayerShare(0))
        assert lines(**free) == []

    def test_a_reason_names_its_invoice(self) -> None:
        (rsp,) = settled(CLOSED, **third_party())
        (line,) = rsp.lines
        assert line.rejection is not None
        assert (line.rejection.invoice, line.rejection.label) == (1, "droits fermés à la date des soins")


def beside(amc: Complementary) -> dict[str, Any]:
    """A sheet beside which a claim to this insurer may go: of third-party payment, or paid at the desk."""
    if amc.indicator == AMC.indicator:
        return third_party(complementary=amc)
    return {"amc": PayerShare(900), "beneficiary__complementary": amc}


class TestClaims:
    def run(self, *claims: Any, parameters: FrontalParameters | None = None) -> list[tuple[str, str, int, int, str]]:
        bench = Bench(parameters)
        amcs = {claim.invoice: claim.amc for claim in claims}
        sheets = [bench.secured(number, **beside(amcs[number])) for number in sorted(amcs)]
        (before,) = bench.submit(bench.lot(*sheets))
        (arl,) = bench.submit(bench.claims(*claims))
        assert not before.rejections + arl.rejections
        bench.pass_days(5)
        rsps = [rsp for rsp in bench.frontal.settle() if rsp.body == AMC_BODY]
        return [told(line) for rsp in rsps for line in rsp.lines]

    def test_a_claim_is_paid_by_its_insurer_on_the_sheet_it_is_beside(self) -> None:
        assert self.run(claim(9, invoice=1)) == [("amc", "paid", 900, 900, "")]

    def test_outside_third_party_payment_the_insured_is_paid(self) -> None:
        outside = Complementary(AMC_BODY, "1", "12", mutuelle=False)
        assert self.run(claim(1, amc=outside)) == []
        assert self.run(claim(1, amc=outside), parameters=FrontalParameters(rejected=1)) == [
            ("amc", "rejected", 900, 0, "under-control")
        ]

    def test_a_cancelled_claim_is_answered_as_such_and_once(self) -> None:
        assert self.run(claim(1), claim(2, 2), claim(3, cancels=1)) == [
            ("amc", "rejected", 900, 0, "claim-cancelled"),
            ("amc", "paid", 900, 900, ""),
        ]

    def test_a_closed_contract_rejects_it(self) -> None:
        parameters = FrontalParameters(closed_contracts=frozenset({"99000001"}))
        assert self.run(claim(1), parameters=parameters) == [("amc", "rejected", 900, 0, "contract-closed")]


class TestTransfers:
    def test_nothing_before_its_time_and_everything_once(self) -> None:
        bench = Bench(FrontalParameters(rsp_delay=timedelta(days=5)))
        bench.submit(bench.lot(bench.secured(1, **third_party())))
        bench.pass_days(1)
        bench.submit(bench.lot(bench.secured(2, **third_party()), number="001"))
        bench.pass_days(3.9)
        assert bench.frontal.settle() == []
        assert bench.frontal.settle(NOW + timedelta(days=3)) == []
        bench.pass_days(0.1)
        assert [[line.invoice for line in rsp.lines] for rsp in bench.frontal.settle()] == [[1]]
        bench.pass_days(10)
        assert [[line.invoice for line in rsp.lines] for rsp in bench.frontal.settle()] == [[2]]
        assert bench.frontal.settle() == []

    def test_one_for_each_day_and_each_body(self) -> None:
        bench = Bench()
        bench.submit(bench.lot(bench.secured(1, **third_party()), bench.secured(2, **third_party())))
        bench.submit(bench.claims(claim(1)))
        bench.pass_days(1)
        bench.submit(bench.lot(bench.secured(3, **third_party()), number="001"))
        bench.pass_days(20)
        rsps = bench.frontal.settle()
        assert [(rsp.on.day, rsp.body, len(rsp.lines), rsp.total) for rsp in rsps] == [
            (8, "013490349", 2, 4200),
            (8, AMC_BODY, 1, 900),
            (9, "013490349", 1, 2100),
        ]
        assert len({(rsp.body, rsp.return_id) for rsp in rsps}) == 3

    @given(st.integers(0, 2**32), st.floats(0, 1), st.floats(0, 1), st.integers(1, 99))
    @settings(max_examples=20, deadline=None)
    def test_amounts_balance_whatever_is_drawn(self, seed: int, rejected: float, partly: float, reduction: int) -> None:
        bench = Bench(FrontalParameters(rejected=rejected, partly_paid=partly, reduction=reduction), seed=seed)
        asked: Counter[tuple[int, str]] = Counter()
        for number in range(1, 9):
            amc = MUTUELLE if number % 2 else None
            share = 900 if amc else 0
            changes = third_party(complementary=amc, amc=PayerShare(share), mode=SecuringMode.NOT_SECURED)
            asked[number, "amo"] = 2100
            if amc:
                asked[number, "amc"] = share
            bench.submit(bench.lot(bench.secured(number, **changes), number=f"{number:03}"))
        bench.pass_days(5)
        (rsp,) = bench.frontal.settle()
        assert {(line.invoice, line.payer): line.asked for line in rsp.lines} == asked
        assert rsp.total == sum(line.paid for line in rsp.lines)
        assert all(0 <= line.paid <= line.asked for line in rsp.lines)
        assert decode_return(encode_return(rsp)) == rsp
        assert bench.frontal.returns()[-1] == rsp
