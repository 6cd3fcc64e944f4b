"""What a body checks on receipt (SV-FSE-05, -11, -12, -23, -24): each reason met by breaking the thing it guards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from frontal_bench import AMC_BODY, BODY, NOW, TODAY, Bench, claim, lot_of, secured, signature, signed, third_party
from securing_bench import cps_data, lists, vitale_data
from test_frontal_conformity import WRONG as NOT_CONFORMING

from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.formats.fse.dre import encode_dre
from bifente.simulator.formats.fse.files import FILE_GROUP
from bifente.simulator.formats.fse.frames import frame, group_of, summed
from bifente.simulator.formats.fse.lots import LOT_GROUP, SIGNATURE_GROUP
from bifente.simulator.formats.fse.model import (
    Arl,
    ArlKind,
    CardSignature,
    Invoice,
    Lot,
    LotKind,
    SecuredInvoice,
    SecuringMode,
    Signer,
)
from bifente.simulator.formats.fse.securing.codec import encode_secured
from bifente.simulator.formats.fse.securing.verifying import reasons as signature_reasons
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import RejectionEffect, RejectionLevel, reasons


def told(arl: Arl) -> set[tuple[str, int | None]]:
    assert arl.kind is (ArlKind.NEGATIVE if arl.rejections else ArlKind.POSITIVE)
    return {(reason.code, reason.invoice) for reason in arl.rejections}


def one(bench: Bench, *lots: Lot) -> set[tuple[str, int | None]]:
    (arl,) = bench.submit(*lots)
    return told(arl)


class TestGood:
    @pytest.mark.parametrize("mode", SecuringMode)
    def test_a_sheet_of_each_mode_gets_a_positive_arl(self, mode: SecuringMode) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1, mode=mode))) == set()

    def test_claims_get_one_too(self) -> None:
        bench = Bench()
        assert one(bench, bench.claims(claim(1), claim(2, 2))) == set()

    def test_an_arl_names_lot_dates_and_return(self) -> None:
        bench = Bench()
        data, name = bench.file(bench.lot(bench.secured(), number="042"))
        (arl,) = bench.frontal.submit(data, name)
        assert (arl.file, arl.sender, arl.body, arl.lot_kind, arl.lot) == (
            name,
            "991000019",
            "013490349",
            LotKind.FSE,
            "042",
        )
        assert (arl.lot_on, arl.on) == (TODAY, TODAY)
        assert arl.return_id == "013490349-000000001"

    def test_each_lot_of_a_file_has_its_own(self) -> None:
        bench = Bench()
        bad = replace(bench.lot(bench.secured(2), number="001"), signature=None)
        first, second = bench.submit(bench.lot(bench.secured(1)), bad)
        assert (first.kind, first.lot) == (ArlKind.POSITIVE, "000")
        assert (second.kind, second.lot, told(second)) == (ArlKind.NEGATIVE, "001", {("lot-unsigned", None)})
        assert first.return_id != second.return_id


ELSEWHERE = {"beneficiary__regime": "02", "body": "023490349"}
"""A sheet for the body of another insured."""


def swapped(sheet: SecuredInvoice, **fields: Any) -> SecuredInvoice:
    assert sheet.professional is not None
    return replace(sheet, professional=replace(sheet.professional, **fields))


def forged_content(bench: Bench) -> SecuredInvoice:
    """The content of another sheet under the signatures of this one."""
    return replace(bench.secured(7), content=bench.secured(7, care_path="N").content)


WRONG_SHEETS: dict[str, tuple[Callable[[Bench], SecuredInvoice], str]] = {
    "content changed": (forged_content, "content-altered"),
    "signature changed": (
        lambda bench: swapped(bench.secured(7), value=bytes(256)),
        "signature-altered",
    ),
    "insured's missing": (lambda bench: replace(bench.secured(7), insured=None), "signature-missing"),
    "professional's missing": (lambda bench: replace(bench.secured(7), professional=None), "signature-missing"),
    "one too many": (
        lambda bench: replace(bench.secured(7, mode=SecuringMode.DEGRADED), insured=bench.secured(7).insured),
        "signature-unexpected",
    ),
    "no certificate": (lambda bench: swapped(bench.secured(7), certificate=b"0"), "certificate-unreadable"),
    "unknown authority": (
        lambda bench: swapped(bench.secured(7), certificate=bench.secured(7).insured.certificate),  # type: ignore[union-attr]
        "certificate-unknown-issuer",
    ),
    "another professional": (
        lambda bench: secured(bench.sheet(7), cps_data("infirmier"), bench.vitale),
        "signer-other-professional",
    ),
    "another Vitale": (
        lambda bench: secured(bench.sheet(7), bench.cps, vitale_data("famille-trois")),
        "signer-other-vitale",
    ),
    "an employee": (
        lambda bench: secured(bench.sheet(7), cps_data("cpe-nominative"), bench.vitale),
        "signer-wrong-card",
    ),
    "the key for authentication": (
        lambda bench: replace(
            bench.secured(7),
            professional=signature(Signer.PROFESSIONAL, bench.secured(7).content, bench.cps, role="authentication"),
        ),
        "certificate-wrong-use",
    ),
    "no right": (lambda bench: bench.secured(7, professional__may_sign_invoice=False), "signer-no-right"),
    "signed tomorrow": (
        lambda bench: secured(bench.sheet(7), bench.cps, bench.vitale, NOW + timedelta(days=1)),
        "moment-impossible",
    ),
    "signed long before": (
        lambda bench: secured(bench.sheet(7), bench.cps, bench.vitale, NOW - timedelta(days=9)),
        "moment-impossible",
    ),
    "degraded without paper": (
        lambda bench: replace(bench.secured(7, mode=SecuringMode.DEGRADED), paper=False),
        "paper-missing",
    ),
    "paper of nothing": (lambda bench: replace(bench.secured(7), paper=True), "paper-unexpected"),
    "real professional": (lambda bench: bench.secured(7, professional__test=False), "test-with-real"),
    "real insured": (lambda bench: bench.secured(7, beneficiary__test=False), "test-with-real"),
    "tomorrow's sheet": (lambda bench: bench.secured(7, on=TODAY + timedelta(days=1)), "in-the-future"),
    "another body": (lambda bench: bench.secured(7, **ELSEWHERE), "wrong-body"),
    "another sender": (lambda bench: bench.secured(7, professional__billing_id="991000027"), "other-sender"),
}


class TestSheets:
    @pytest.mark.parametrize("case", WRONG_SHEETS)
    def test_what_is_wrong_with_a_sheet_names_it_and_refuses_its_lot(self, case: str) -> None:
        make, code = WRONG_SHEETS[case]
        bench = Bench()
        reasons_told = one(bench, bench.lot(bench.secured(6), make(bench), bench.secured(8)))
        assert (code, 7) in reasons_told
        assert {invoice for _code, invoice in reasons_told} <= {7, None}
        # Nothing of the lot was taken: the other sheets may come again.
        assert one(bench, bench.lot(bench.secured(6), bench.secured(8), number="001")) == set()

    def test_all_that_is_wrong_is_told(self) -> None:
        bench = Bench()
        lot = bench.lot(bench.secured(1, beneficiary__test=False, **ELSEWHERE), swapped(bench.secured(2), value=b""))
        assert {("test-with-real", 1), ("wrong-body", 1), ("signature-altered", 2)} <= one(bench, lot)

    def test_a_real_front_end_refuses_test_sheets(self) -> None:
        bench = Bench(FrontalParameters(test=False))
        assert one(bench, bench.lot(bench.secured(1))) == {("test-with-real", 1)}

    def test_a_revoked_card_is_refused_whenever_it_says_that_it_signed(self) -> None:
        cps = cps_data(lifecycle="revoked")
        (line,) = cps.revocations if len(cps.revocations) == 1 else cps.revocations[:1]
        day = datetime(line.on.year, line.on.month, line.on.day, tzinfo=UTC)
        bench = Bench(revocations=lists(cps))
        bench.cps = cps
        after = sheet_at(bench, max(day + timedelta(days=1), NOW))
        assert {("certificate-revoked", 1), ("certificate-revoked", None)} <= one(bench, after)
        before = sheet_at(bench, day - timedelta(days=1))
        assert {("certificate-revoked", 1), ("certificate-revoked", None)} <= one(bench, before)

    def test_a_card_expired_when_it_signed_is_refused(self) -> None:
        bench = Bench()
        late = bench.cps.certificates["signature"].not_valid_after_utc + timedelta(days=1)
        assert one(bench, sheet_at(bench, late)) == {("certificate-expired", 1), ("certificate-expired", None)}

    def test_a_card_that_expired_since_it_signed_is_good(self) -> None:
        bench = Bench()
        end = bench.cps.certificates["signature"].not_valid_after_utc
        lot = sheet_at(bench, end - timedelta(minutes=1))
        bench.pass_days(3)
        assert one(bench, lot) == set()

    def test_a_card_that_could_not_sign_yet_is_refused(self) -> None:
        bench = Bench()
        start = bench.cps.certificates["signature"].not_valid_before_utc
        codes = {code for code, _number in one(bench, sheet_at(bench, start - timedelta(days=2)))}
        assert "certificate-not-yet-valid" in codes


def sheet_at(bench: Bench, moment: datetime) -> Lot:
    """A lot of one sheet made, signed and sent at a moment (the clock goes there if it is to come)."""
    bench.clock.advance(max(0.0, (moment - bench.clock.now()).total_seconds() + 60))
    on = moment.date()
    acts = tuple(replace(act, on=on) for act in bench.sheet().acts)
    sheet = secured(bench.sheet(1, on=on, acts=acts), bench.cps, bench.vitale, moment)
    return signed(replace(lot_of((sheet,), "000"), on=on), bench.cps, moment)


def raw_lot(bench: Bench, *items: tuple[int, bytes], kind: str = "fse", number: str = "000", body: str = BODY) -> bytes:
    """A lot of anything, well framed and signed."""
    head = ("BIFENTE LABORATOIRE", "1", kind, number, bench.sender, body, f"{TODAY:%Y%m%d}", str(len(items)))
    content = covered = frame(group_of(LOT_GROUP, *head))
    for item, data in items:
        told = item.to_bytes(4, "big") + hashlib.sha256(data).digest()
        content, covered = content + told + frame(data), covered + told
    made = signature(Signer.PROFESSIONAL, covered, bench.cps)
    parts = ("professional", made.certificate, made.value, made.moment)
    return content + frame(summed(group_of(SIGNATURE_GROUP, *parts)))


def submit_raw(bench: Bench, lot: bytes, kind: str = "fse", body: str = BODY) -> Arl:
    """What a file of one such lot gets."""
    sender = f"TP{bench.sender:0>14}"
    head = ("BIFENTE LABORATOIRE", "1", sender, body, kind, "001", f"{TODAY:%Y%m%d}", "1")
    (arl,) = bench.frontal.submit(frame(summed(group_of(FILE_GROUP, *head))) + frame(lot), "raw.fse")
    return arl


class TestForms:
    def test_a_lot_made_by_hand_is_accepted(self) -> None:
        bench = Bench()
        assert told(submit_raw(bench, raw_lot(bench, (1, encode_secured(bench.secured(1)))))) == set()

    @pytest.mark.parametrize(
        ("item", "make", "code"),
        [
            (7, lambda bench: b"", "form"),
            (7, lambda bench: b"no sheet", "form"),
            (7, lambda bench: encode_secured(bench.secured(7))[:-1], "form"),
            (7, lambda bench: encode_secured(bench.secured(8)), "form"),
            (7, lambda bench: encode_secured(replace(bench.secured(7), content=b"no sheet")), "content-unreadable"),
            (7, lambda bench: encode_dre(claim(7)), "form"),
        ],
    )
    def test_a_sheet_that_is_none_is_named_by_its_lot(
        self, item: int, make: Callable[[Bench], bytes], code: str
    ) -> None:
        bench = Bench()
        good = (1, encode_secured(bench.secured(1)))
        arl = submit_raw(bench, raw_lot(bench, good, (item, make(bench))))
        assert told(arl) == {(code, item)}
        assert arl.rejections[0].place

    @pytest.mark.parametrize("item", [0, 1_000_000_000])
    def test_a_number_that_is_none_is_told_of_the_lot(self, item: int) -> None:
        bench = Bench()
        arl = submit_raw(bench, raw_lot(bench, (item, encode_secured(bench.secured(1)))))
        assert told(arl) == {("lot-form", None)}
        assert arl.rejections[0].place == f"lot 000, number {item}"

    @pytest.mark.parametrize("data", [b"", encode_dre(claim(8)), encode_dre(claim(7)) + b"0"])
    def test_a_claim_that_is_none_is_named_by_its_lot(self, data: bytes) -> None:
        bench = Bench()
        lot = raw_lot(bench, (7, data), kind="dre", number="ZZZ", body=AMC_BODY)
        assert told(submit_raw(bench, lot, "dre", AMC_BODY)) == {("form", 7)}

    def test_a_claim_for_another_insurer_is_refused(self) -> None:
        bench = Bench()
        lot = raw_lot(bench, (7, encode_dre(claim(7))), kind="dre", number="ZZZ", body="88888349")
        assert told(submit_raw(bench, lot, "dre", "88888349")) == {("wrong-body", 7)}

    @pytest.mark.parametrize("number", ["00", "00A", "ZZZ", "000 "])
    def test_a_lot_number_that_is_none_makes_the_file_unreadable(self, number: str) -> None:
        bench = Bench()
        arl = submit_raw(bench, raw_lot(bench, (1, encode_secured(bench.secured(1))), number=number))
        assert (told(arl), arl.lot) == ({("file-unreadable", None)}, "")


class TestNumbers:
    def test_a_known_number_is_refused_in_another_lot_and_twice_in_one(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1))) == set()
        assert one(bench, bench.lot(bench.secured(1), bench.secured(2), number="001")) == {("duplicate", 1)}
        assert one(bench, bench.lot(bench.secured(3), bench.secured(3), number="002")) == {("duplicate", 3)}

    def test_a_number_refused_by_an_arl_may_come_again(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1, **ELSEWHERE))) == {("wrong-body", 1)}
        assert one(bench, bench.lot(bench.secured(1), number="001")) == set()

    def test_a_number_rejected_by_an_rsp_may_come_again_once(self) -> None:
        bench = Bench(FrontalParameters(closed_rights={vitale_data().facts()["nir"]: TODAY - timedelta(days=9)}))
        assert one(bench, bench.lot(bench.secured(1, **third_party()))) == set()
        assert one(bench, bench.lot(bench.secured(1), number="001")) == {("duplicate", 1)}
        bench.pass_days(5)
        (rsp,) = bench.frontal.settle()
        assert rsp.lines[0].rejection is not None
        assert one(bench, bench.lot(bench.secured(1), number="001")) == set()
        assert one(bench, bench.lot(bench.secured(1), number="002")) == {("duplicate", 1)}

    def test_a_paid_number_may_not(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1, **third_party()))) == set()
        bench.pass_days(5)
        bench.frontal.settle()
        assert one(bench, bench.lot(bench.secured(1), number="001")) == {("duplicate", 1)}

    def test_numbers_are_those_of_their_sender(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1))) == set()
        second = bench.lot(bench.secured(1, professional__billing_id="991000027"), sender="991000027")
        assert one(bench, second) == set()

    def test_a_sheet_and_a_claim_may_share_a_number(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1, **third_party()))) == set()
        assert one(bench, bench.claims(claim(1))) == set()
        assert one(bench, bench.claims(claim(1), number="ZZY")) == {("duplicate", 1)}

    def test_a_cancellation_needs_a_claim_that_is_open(self) -> None:
        bench = Bench()
        cancels = claim(2, cancels=1)
        assert one(bench, bench.claims(cancels)) == {("claim-unknown", 2)}
        assert one(bench, bench.claims(claim(1), number="ZZY")) == set()
        assert one(bench, bench.claims(cancels, number="ZZX")) == set()
        assert one(bench, bench.claims(claim(3, cancels=1), number="ZZW")) == {("claim-settled", 3)}

    def test_a_claim_and_its_cancellation_may_be_in_one_lot(self) -> None:
        bench = Bench()
        assert one(bench, bench.claims(claim(1), claim(2, cancels=1))) == set()


WRONG_LOTS: dict[str, tuple[Callable[[Bench], Lot], str]] = {
    "for another body": (
        lambda bench: bench.lot(bench.secured(1, **ELSEWHERE), body="023490349"),
        "lot-wrong-body",
    ),
    "of tomorrow": (lambda bench: bench.lot(bench.secured(1), on=TODAY + timedelta(days=1)), "lot-in-the-future"),
    "unsigned": (lambda bench: replace(bench.lot(bench.secured(1)), signature=None), "lot-unsigned"),
    "signature of another lot": (
        lambda bench: replace(bench.lot(bench.secured(1)), signature=bench.lot(bench.secured(2)).signature),
        "content-altered",
    ),
    "signature changed": (lambda bench: lot_signature(bench, value=bytes(256)), "signature-altered"),
    "certificate changed": (lambda bench: lot_signature(bench, certificate=b"1"), "certificate-unreadable"),
    "signed by the Vitale": (
        lambda bench: lot_signature(bench, certificate=bench.secured(1).insured.certificate),  # type: ignore[union-attr]
        "certificate-unknown-issuer",
    ),
    "signed tomorrow": (lambda bench: lot_signature(bench, moment="20260304090000"), "moment-impossible"),
    "another signer": (
        lambda bench: signed(lot_of((bench.secured(1),), "000"), cps_data("infirmier")),
        "lot-other-signer",
    ),
    "no right": (lambda bench: bench.lot(bench.secured(1, professional__may_sign_lot=False)), "lot-no-right"),
    "an employee": (
        lambda bench: signed(lot_of((bench.secured(1),), "000"), cps_data("cpe-nominative")),
        "lot-wrong-card",
    ),
    "signed before its sheets": (
        lambda bench: signed(lot_of((bench.secured(1),), "000"), bench.cps, NOW - timedelta(seconds=1)),
        "lot-signed-before",
    ),
}


def lot_signature(bench: Bench, **fields: Any) -> Lot:
    lot = bench.lot(bench.secured(1))
    assert isinstance(lot.signature, CardSignature)
    return replace(lot, signature=replace(lot.signature, **fields))


class TestLots:
    @pytest.mark.parametrize("case", WRONG_LOTS)
    def test_what_is_wrong_with_a_lot_refuses_it_and_names_no_sheet(self, case: str) -> None:
        make, code = WRONG_LOTS[case]
        bench = Bench(FrontalParameters(bodies=frozenset({"013490349"})))
        assert (code, None) in one(bench, make(bench))
        assert one(bench, bench.lot(bench.secured(1))) == set()

    def test_a_sheet_that_is_accused_explains_the_lot(self) -> None:
        bench = Bench()
        lot = replace(bench.lot(bench.secured(1)), invoices=(forged_content(bench),))
        assert one(bench, lot) == {("content-altered", 7)}

    def test_a_number_received_before_is_refused(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1))) == set()
        assert one(bench, bench.lot(bench.secured(2))) == {("lot-repeated", None)}

    def test_a_number_comes_again_after_a_round(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1))) == set()
        bench.pass_days(91)
        later = replace(lot_of((bench.secured(2),), "000"), on=TODAY + timedelta(days=91))
        assert one(bench, signed(later, bench.cps, bench.clock.now())) == set()

    @pytest.mark.parametrize("days", [91, 200])
    def test_a_number_does_not_come_again_by_telling_another_day(self, days: int) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1))) == set()
        told = replace(lot_of((bench.secured(2),), "000"), on=TODAY - timedelta(days=days))
        assert one(bench, signed(told, bench.cps)) == {("lot-repeated", None)}

    def test_a_lot_is_ahead_whatever_day_it_tells(self) -> None:
        bench = Bench(FrontalParameters(missing_lots=0))
        assert one(bench, bench.lot(bench.secured(1))) == set()
        told = replace(lot_of((bench.secured(2),), "400"), on=TODAY - timedelta(days=200))
        assert one(bench, signed(told, bench.cps)) == {("lot-ahead", None)}

    def test_a_refused_number_may_come_again(self) -> None:
        bench = Bench()
        assert one(bench, bench.lot(bench.secured(1, **ELSEWHERE))) == {("wrong-body", 1)}
        assert one(bench, bench.lot(bench.secured(1))) == set()

    @pytest.mark.parametrize(
        ("missing", "number", "ahead"), [(0, "001", False), (0, "002", True), (3, "004", False), (3, "005", True)]
    )
    def test_a_lot_may_not_be_ahead_of_those_before(self, missing: int, number: str, ahead: bool) -> None:
        bench = Bench(FrontalParameters(missing_lots=missing))
        assert one(bench, bench.lot(bench.secured(1))) == set()
        assert one(bench, bench.lot(bench.secured(2), number=number)) == ({("lot-ahead", None)} if ahead else set())

    @pytest.mark.parametrize(("missing", "far"), [(0, ("002", "003")), (0, ("005", "006")), (30, ("400", "401"))])
    def test_a_lot_refused_for_being_ahead_does_not_bring_the_next_one_in_its_turn(
        self, missing: int, far: tuple[str, ...]
    ) -> None:
        bench = Bench(FrontalParameters(missing_lots=missing))
        assert one(bench, bench.lot(bench.secured(1))) == set()
        for number in far:
            assert one(bench, bench.lot(bench.secured(2), number=number)) == {("lot-ahead", None)}, number
        for sheet, number in ((2, "001"), (3, "002")):
            assert one(bench, bench.lot(bench.secured(sheet), number=number)) == set(), number

    def test_a_lot_that_was_missing_may_still_come(self) -> None:
        bench = Bench(FrontalParameters(missing_lots=2))
        for number, sheet in (("000", 1), ("002", 2), ("001", 3), ("003", 4)):
            assert one(bench, bench.lot(bench.secured(sheet), number=number)) == set(), number

    def test_numbers_begin_again(self) -> None:
        bench = Bench(FrontalParameters(missing_lots=0))
        for sheet, number in enumerate(("998", "999", "000", "001"), 1):
            assert one(bench, bench.lot(bench.secured(sheet), number=number)) == set(), number

    def test_claims_count_down(self) -> None:
        bench = Bench(FrontalParameters(missing_lots=0))
        assert one(bench, bench.claims(claim(1), number="ZZA")) == set()
        assert one(bench, bench.claims(claim(2, 2), number="ZZ9")) == set()
        assert one(bench, bench.claims(claim(3, 3), number="ZZ7")) == {("lot-ahead", None)}

    @pytest.mark.parametrize("forged", [False, True])
    def test_a_lot_that_is_not_authentic_takes_no_number(self, forged: bool) -> None:
        bench = Bench(FrontalParameters(missing_lots=0))
        assert one(bench, bench.lot(bench.secured(1))) == set()
        far = bench.lot(bench.secured(2), number="400")
        assert far.signature is not None
        wrong = replace(far.signature, value=bytes(256)) if forged else None
        code = "signature-altered" if forged else "lot-unsigned"
        assert (code, None) in one(bench, replace(far, signature=wrong))
        # 400 was not received: 001 comes next.
        assert one(bench, bench.lot(bench.secured(2), number="002")) == {("lot-ahead", None)}
        assert one(bench, bench.lot(bench.secured(2), number="001")) == set()


class TestWhoSigns:
    """A lot of claims names no professional: it is signed by one whose sheets were accepted from its sender."""

    def test_claims_of_a_sender_of_whom_no_sheet_was_accepted_are_refused(self) -> None:
        bench = Bench(known=False)
        assert one(bench, bench.claims(claim(1))) == {("lot-sender-unknown", None)}
        assert ("wrong-body", 1) in one(bench, bench.lot(bench.secured(1, body="023490349")))
        assert one(bench, bench.claims(claim(1))) == {("lot-sender-unknown", None)}
        assert one(bench, bench.lot(bench.secured(1, **third_party()))) == set()
        assert one(bench, bench.claims(claim(1))) == set()

    def test_claims_signed_by_another_professional_are_refused(self) -> None:
        bench = Bench()
        lot = Lot(LotKind.DRE, "ZZZ", bench.sender, AMC_BODY, TODAY, dres=(claim(1),))
        assert one(bench, signed(lot, cps_data("infirmier"))) == {("lot-other-signer", None)}
        assert one(bench, signed(lot, bench.cps)) == set()

    @pytest.mark.parametrize("bodies", [frozenset(), frozenset({AMC_BODY})])
    def test_claims_signed_by_an_employee_are_refused(self, bodies: frozenset[str]) -> None:
        bench = Bench(FrontalParameters(bodies=bodies), known=False)
        lot = Lot(LotKind.DRE, "ZZZ", bench.sender, AMC_BODY, TODAY, dres=(claim(1),))
        assert ("lot-wrong-card", None) in one(bench, signed(lot, cps_data("cpe-nominative")))

    def test_each_professional_of_a_sender_signs_its_claims(self) -> None:
        bench, nurse = Bench(), cps_data("infirmier")
        lot = Lot(LotKind.DRE, "ZZZ", bench.sender, AMC_BODY, TODAY, dres=(claim(1),))
        assert one(bench, signed(lot, nurse)) == {("lot-other-signer", None)}
        sheet = sheet_of(nurse, bench, number=2, professional__billing_id=bench.sender)
        assert one(bench, signed(lot_of((secured(sheet, nurse, bench.vitale),), "000"), nurse)) == set()
        assert one(bench, signed(lot, nurse)) == set()

    def test_a_front_end_of_one_insurer_gets_no_sheets_and_counts_its_lots_all_the_same(self) -> None:
        bench = Bench(FrontalParameters(bodies=frozenset({AMC_BODY})), known=False)
        assert one(bench, bench.claims(claim(1))) == set()
        assert one(bench, bench.claims(claim(2, 2))) == {("lot-repeated", None)}

    @pytest.mark.parametrize("stranger", [False, True])
    @pytest.mark.parametrize("known", [False, True])
    def test_a_stranger_uses_up_no_number(self, stranger: bool, known: bool) -> None:
        bench = Bench(FrontalParameters(missing_lots=0), known=known)
        if known:
            assert one(bench, bench.lot(bench.secured(1))) == set()
        card = cps_data("infirmier") if stranger else bench.cps
        wrong = signed(lot_of((bench.secured(2, body="023490349"),), "001"), card)
        assert {number for _code, number in one(bench, wrong)} == {2}
        counted = known and not stranger
        # Where 001 did not count, 002 is ahead of 000; of a sender of whom nothing counted it is the first.
        ahead = known and not counted
        assert one(bench, bench.lot(bench.secured(2), number="002")) == ({("lot-ahead", None)} if ahead else set())


class TestSigningMoment:
    """It is told and not signed: between what the lot carries and now."""

    @pytest.mark.parametrize(("days", "good"), [(0, True), (1, True), (2, False), (20, False)])
    def test_it_is_not_before_the_day_of_the_lot(self, days: int, good: bool) -> None:
        bench = Bench()
        lot = Lot(LotKind.DRE, "ZZZ", bench.sender, AMC_BODY, TODAY, dres=(claim(1),))
        told = one(bench, signed(lot, bench.cps, NOW - timedelta(days=days)))
        assert told == (set() if good else {("lot-signed-before", None)})

    @pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-1, False), (0, True), (60, True)])
    def test_it_is_not_before_any_of_its_sheets(self, seconds: int, good: bool) -> None:
        bench = Bench()
        bench.clock.advance(3600)
        sheets = [
            secured(bench.sheet(number), bench.cps, bench.vitale, NOW + timedelta(seconds=after))
            for number, after in ((1, 0), (2, 600), (3, 0))
        ]
        lot = signed(lot_of(tuple(sheets), "000"), bench.cps, NOW + timedelta(seconds=600 + seconds))
        assert one(bench, lot) == (set() if good else {("lot-signed-before", None)})

    def test_a_sheet_that_is_accused_says_nothing_of_it(self) -> None:
        bench = Bench()
        late = secured(bench.sheet(2), bench.cps, bench.vitale, NOW + timedelta(days=1))
        assert one(bench, bench.lot(bench.secured(1), late)) == {("moment-impossible", 2)}

    def test_a_revoked_card_cannot_sign_a_lot_by_telling_a_moment_before(self) -> None:
        cps = cps_data(lifecycle="revoked")
        day = min(line.on for line in cps.revocations)
        revoked = datetime(day.year, day.month, day.day, tzinfo=UTC)
        bench = Bench(revocations=lists(cps))
        lot = Lot(LotKind.DRE, "ZZZ", bench.sender, AMC_BODY, TODAY, dres=(claim(1),))
        assert revoked < NOW - timedelta(days=2)
        assert ("certificate-revoked", None) in one(bench, signed(lot, cps, NOW))
        assert ("certificate-revoked", None) in one(bench, signed(lot, cps, revoked - timedelta(days=1)))


def sheet_of(cps: PersonalisedCard, bench: Bench, number: int = 1, **changes: Any) -> Invoice:
    """A sheet that another professional makes."""
    bench.cps, own = cps, bench.cps
    try:
        return bench.sheet(number, **changes)
    finally:
        bench.cps = own


class TestDeadlines:
    @pytest.mark.parametrize(
        ("days", "third", "late"),
        [(3, False, False), (6, False, True), (6, True, False), (10, True, False), (11, True, True)],
    )
    def test_what_comes_late_is_noted_and_not_refused(self, days: int, third: bool, late: bool) -> None:
        bench = Bench()
        lot = bench.lot(bench.secured(1, **(third_party() if third else {})))
        bench.pass_days(days)
        assert one(bench, lot) == set()
        assert [(one.code, one.invoice) for one in bench.frontal.remarks(bench.sender)] == (
            [("late", 1)] if late else []
        )


class TestCatalogue:
    def test_every_reason_of_an_arl_is_met_by_these_tests(self) -> None:
        tested = {code for _make, code in (*WRONG_SHEETS.values(), *WRONG_LOTS.values())}
        elsewhere = {
            *(
                "file-unreadable",
                "file-other-key",
                "file-name-reused",
                "file-not-encrypted",
                "lot-form",
                "form",
                "altered",
            ),
            *("lot-repeated", "lot-ahead", "duplicate", "claim-unknown", "claim-settled", "content-unreadable"),
            *("claim-standing", "claim-otherwise", "claim-not-of-sheet"),
            *("certificate-expired", "certificate-not-yet-valid", "certificate-revoked", "lot-sender-unknown"),
            "billing-number-wrong",
            # those of the reference file: test_frontal_entitlement
            *("insured-unknown", "card-opposed", "insured-otherwise", "body-otherwise", "beneficiary-otherwise"),
            *("exoneration-not-on-file", "cover-not-on-file", "complementary-otherwise", "rights-not-on-file"),
            *("accident-not-on-file", "professional-unknown", "number-of-another", "specialty-otherwise"),
            *("right-not-on-file", "prescriber-unknown", "care-path-otherwise", "maternity-not-on-file"),
            *("accident-otherwise", "kilometres-otherwise"),
        }
        known = {code for code, reason in reasons().items() if reason.effect is RejectionEffect.ARL_NEGATIVE}
        assert known == tested | elsewhere | {code for _changes, codes in NOT_CONFORMING.values() for code in codes}

    def test_every_reason_says_what_it_rests_on_in_both_languages(self) -> None:
        for code, reason in reasons().items():
            assert reason.code == code
            assert len(code) <= 28
            assert 0 < len(reason.label.fr) <= 128
            assert reason.label.en
            assert reason.source
            assert reason.fidelity in ("documented", "observed", "modelled")
            assert isinstance(reason.level, RejectionLevel)

    def test_every_reason_of_a_signature_is_in_the_catalogue(self) -> None:
        assert signature_reasons().keys() <= reasons().keys()
