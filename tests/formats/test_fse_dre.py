"""Claims for the complementary insurer: what the AMC's indicator allows, and their bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from fse_samples import AMC, TODAY, sample_invoice
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.formats.fse.dre import DRE_GROUP, cancellation, claim, decode_dre, encode_dre, indicators
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.frames import group_of
from bifente.simulator.formats.fse.model import Complementary, Dre, Invoice, PayerShare, Payment

DIRECT, TP = {Payment.DIRECT}, {Payment.TIERS_PAYANT}
ALLOWED = {
    "00": set(),
    "12": DIRECT,
    "13": DIRECT,
    "22": TP,
    "23": TP,
    "32": DIRECT | TP,
    "33": DIRECT | TP,
    "60": set(),
    "62": TP,
    "63": TP,
    "72": TP,
    "73": TP,
}


def sheet(indicator: str = "22", payment: Payment = Payment.TIERS_PAYANT, **changes: object) -> Invoice:
    amc = replace(AMC, indicator=indicator)
    return sample_invoice(
        **{"number": 7, "payment": payment, "amc": PayerShare(900), "beneficiary__complementary": amc} | changes
    )


@pytest.mark.parametrize("payment", list(Payment))
@pytest.mark.parametrize("indicator", sorted(ALLOWED))
def test_the_indicator_decides(indicator: str, payment: Payment) -> None:
    invoice = sheet(indicator, payment)
    if payment in ALLOWED[indicator]:
        made = claim(invoice, 5)
        assert (made.number, made.invoice, made.asked, made.cancels) == (5, 7, 900, None)
        assert made.amc.indicator == indicator
    else:
        with pytest.raises(FseError, match=f"indicator {indicator}"):
            claim(invoice, 5)


def test_every_indicator_of_the_field_is_known_and_no_other() -> None:
    assert set(indicators()) == set(ALLOWED)
    assert {code for code, item in indicators().items() if item.rectification} == {"13", "23", "33", "63", "73"}
    assert {item.fidelity for item in indicators().values()} == {"observed", "modelled"}


@pytest.mark.parametrize("indicator", ["", "01", "99", "2", "222", "XX"])
def test_an_unknown_indicator_gets_no_claim(indicator: str) -> None:
    with pytest.raises(FseError, match="is not known"):
        claim(sheet(indicator), 1)


def test_no_complementary_no_claim() -> None:
    with pytest.raises(FseError, match="no complementary"):
        claim(sheet(beneficiary__complementary=None), 1)


def test_a_mutuelle_is_reached_through_the_amo() -> None:
    with pytest.raises(FseError, match="mutuelle"):
        claim(sheet(beneficiary__complementary=replace(AMC, mutuelle=True)), 1)


@pytest.mark.parametrize("asked", [0, -1])
def test_nothing_asked_no_claim(asked: int) -> None:
    with pytest.raises(FseError, match="cents"):
        claim(sheet(amc=PayerShare(asked)), 1)


@pytest.mark.parametrize("number", [0, -3, 1_000_000_000])
def test_a_number_has_nine_digits_at_most(number: int) -> None:
    with pytest.raises(FseError, match="number"):
        claim(sheet(), number)


def test_a_cancellation_repeats_what_it_cancels() -> None:
    first = claim(sheet(), 5)
    made = cancellation(first, 6, TODAY + timedelta(1))
    assert made == Dre(6, 7, TODAY + timedelta(1), first.amc, 900, cancels=5)


def test_a_cancellation_is_final() -> None:
    with pytest.raises(FseError, match="cancels DRE 5"):
        cancellation(cancellation(claim(sheet(), 5), 6, TODAY), 7, TODAY)


def test_a_cancellation_comes_after() -> None:
    with pytest.raises(FseError, match="before"):
        cancellation(claim(sheet(), 5), 6, TODAY - timedelta(1))


def test_a_cancellation_has_its_own_number() -> None:
    with pytest.raises(FseError, match="itself"):
        cancellation(claim(sheet(), 5), 5, TODAY)


texts = st.text("ABCXYZ0189 -", max_size=12)
dres = st.builds(
    Dre,
    number=st.integers(2, 999_999_999),
    invoice=st.integers(1, 999_999_999),
    on=st.dates(date(1, 1, 1), date(9999, 12, 31)),
    amc=st.builds(Complementary, texts, texts, texts, st.booleans()),
    asked=st.integers(1, 999_999_999),
    cancels=st.none() | st.just(1),
)


@given(dres)
def test_a_claim_comes_back_from_its_bytes(dre: Dre) -> None:
    assert decode_dre(encode_dre(dre)) == dre


@given(dres, st.data())
def test_a_changed_claim_is_refused_or_another(dre: Dre, data: st.DataObject) -> None:
    raw = bytearray(encode_dre(dre))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_dre(bytes(raw))
    except FseError:
        return
    assert found != dre
    assert encode_dre(found) == bytes(raw)


@given(st.binary(max_size=80))
def test_noise_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(FseError):
        decode_dre(data)


GOOD = ("BIFENTE LABORATOIRE", "5", "7", "20260302", "99999349", "1", "22", "A", "900", "")


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, "B2"),
        (1, "05"),
        (1, "0"),
        (1, "x"),
        (2, ""),
        (3, "20260231"),
        (3, "2026-03-02"),
        (7, "Z"),
        (8, "0"),
        (9, "5"),
    ],
)
def test_a_field_that_would_not_be_written_so(at: int, value: str) -> None:
    decode_dre(group_of(DRE_GROUP, *GOOD))
    with pytest.raises(FseError):
        decode_dre(group_of(DRE_GROUP, *GOOD[:at], value, *GOOD[at + 1 :]))


def test_what_is_not_ascii_is_not_written() -> None:
    with pytest.raises(FseError, match="ASCII"):
        encode_dre(Dre(1, 1, TODAY, replace(AMC, member="É"), 5))
