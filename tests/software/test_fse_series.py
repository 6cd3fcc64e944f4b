"""Lots signed by the card: one at a time and in a series, what breaks it and what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from lot_samples import fse_lots, one_lot, secured
from securing_bench import CPS_SLOT, PIN, Practice, card_of, cps_data, signature_holds

from bifente.simulator.formats.fse.lots import (
    LotLimits,
    signed_content,
)
from bifente.simulator.formats.fse.model import Lot
from bifente.simulator.formats.fse.securing.verifying import Verifier
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.readers import ScardError
from bifente.simulator.software.billing.securing.refusals import SecuringError
from bifente.simulator.software.billing.series import LotSeries


@pytest.fixture(scope="module")
def signed() -> Lot:
    practice = Practice()
    sheets = (practice.secured(number=number) for number in (1, 2))
    return LotSeries.on(_cps(practice), practice.clock).format(fse_lots(*sheets)[0], PIN)


def _cps(practice: Practice):  # type: ignore[no-untyped-def]
    return practice.access.connect("Bench TL 1 0")


# -- signing ----------------------------------------------------------------------------------------------------------


def test_the_card_signs_a_lot_and_the_authority_knows_it(signed: Lot) -> None:
    from securing_bench import LATER, anchors

    assert signed.signature is not None
    assert list(Verifier(anchors()).signature_reasons(signed_content(signed), signed.signature, LATER)) == []
    other = replace(signed, number="001")
    assert not signature_holds(other)
    assert not signature_holds(replace(signed, signature=None))
    codes = [
        item.code for item in Verifier(anchors()).signature_reasons(signed_content(other), signed.signature, LATER)
    ]
    assert codes == ["content-altered"]


def lot_of(billing_id: str) -> Lot:
    return fse_lots(secured(1, professional__billing_id=billing_id))[0]


def test_a_card_without_the_right_signs_no_lot() -> None:
    practice = Practice(cps=cps_data("medecin-remplacant"))
    with pytest.raises(SecuringError, match="right: lot") as caught:
        LotSeries.on(_cps(practice), practice.clock).format(lot_of("991000043"), PIN)
    assert caught.value.code == SsvCode.PS_INVALID


def test_the_right_is_that_of_the_situation_that_bills() -> None:
    data = cps_data()
    practice = Practice(cps=data)
    for item in data.template.billing:
        assert item.billing_id is not None
        assert signature_holds(LotSeries.on(_cps(practice), practice.clock).format(lot_of(item.billing_id), PIN))


def test_a_card_signs_no_lot_of_another() -> None:
    practice = Practice()
    with pytest.raises(SecuringError, match="bills as 992000018"):
        LotSeries.on(_cps(practice), practice.clock).format(lot_of("992000018"), PIN)


def test_a_wrong_code_costs_one_try_and_a_lot_nothing() -> None:
    practice = Practice()
    with pytest.raises(SsvError) as caught:
        LotSeries.on(_cps(practice), practice.clock).format(one_lot(), "9999")
    assert caught.value.code == SsvCode.WRONG_CODE
    assert practice.tries() == 2


# -- series -----------------------------------------------------------------------------------------------------------


class FakeSession:
    """Signs nothing: fails at the lots whose numbers it is told."""

    def __init__(self, card: CardInReader) -> None:
        self._card = card

    def check_lot(self, lot: Lot) -> None:
        self._card.lot = lot.number
        if error := self._card.fails.pop(lot.number, None):
            raise error

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        return self._card.sign(content)

    def pause(self) -> None:
        self._card.paused += 1


class CardInReader:
    """A real card behind sessions that fail on demand; counts how often the code was presented."""

    def __init__(self, fails: dict[str, SsvError] | None = None) -> None:
        self.fails = dict(fails or {})
        self.codes: list[str] = []
        self.lot = ""
        self.paused = 0
        self.practice = Practice()
        self.sign: Callable[[bytes], tuple[bytes, bytes]]

    def open(self, code: str) -> FakeSession:
        from bifente.simulator.software.billing.series import CardLotSession

        self.codes.append(code)
        self.sign = CardLotSession(_cps(self.practice), code, self.practice.clock).sign
        return FakeSession(self)

    def series(self) -> LotSeries:
        return LotSeries(self.open, self.practice.clock)


def five() -> tuple[Lot, ...]:
    return fse_lots(*(secured(number) for number in range(1, 6)), limits=LotLimits(items=1))


def test_the_code_is_asked_for_the_first_lot_only() -> None:
    card = CardInReader()
    series = card.series()
    assert not series.started
    report = series.run(five(), PIN)
    assert card.codes == [PIN]
    assert all(map(signature_holds, report.formatted))
    assert [lot.number for lot in report.formatted] == ["000", "001", "002", "003", "004"]
    assert report.unformatted == ()
    assert series.started
    assert signature_holds(series.format(one_lot(9)))
    assert card.codes == [PIN]
    assert report.sentence.en == "5 lot(s) formatted"


def test_the_first_lot_needs_the_code() -> None:
    card = CardInReader()
    with pytest.raises(SsvError, match="first lot") as caught:
        card.series().format(one_lot())
    assert caught.value.code == SsvCode.CODE_LOST
    assert card.codes == []


@pytest.mark.parametrize(
    "code", [SsvCode.GALSS_PROTOCOL, SsvCode.INCONSISTENT_MESSAGE, SsvCode.READER_SYNCHRONISATION, SsvCode.PS_ABSENT]
)
def test_these_errors_break_the_series(code: SsvCode) -> None:
    card = CardInReader({"002": SsvError(code)})
    series = card.series()
    report = series.run(five(), PIN)
    assert [lot.number for lot in report.formatted] == ["000", "001"]
    assert [lot.number for lot in report.unformatted] == ["002", "003", "004"]
    assert report.error is not None
    assert report.error.code == code
    assert report.broken
    assert not series.started
    assert f"{code:04X}" in report.sentence.fr
    assert "002, 003, 004" in report.sentence.en
    assert "with the code" in report.sentence.en
    with pytest.raises(SsvError, match="first lot"):
        series.format(report.unformatted[0])
    rest = series.run(report.unformatted, PIN)
    assert card.codes == [PIN, PIN]
    assert [lot.number for lot in rest.formatted] == ["002", "003", "004"]


def test_an_unknown_resource_does_not_break_it() -> None:
    card = CardInReader({"002": SsvError(SsvCode.UNKNOWN_RESOURCE)})
    series = card.series()
    report = series.run(five(), PIN)
    assert [lot.number for lot in report.unformatted] == ["002", "003", "004"]
    assert not report.broken
    assert series.started
    assert "without the code" in report.sentence.en
    rest = series.run(report.unformatted)
    assert card.codes == [PIN]
    assert all(map(signature_holds, rest.formatted))


def test_the_lot_of_another_does_not_break_it() -> None:
    practice = Practice()
    series = LotSeries.on(_cps(practice), practice.clock)
    series.format(one_lot(), PIN)
    report = series.run([lot_of("992000018")])
    assert report.error is not None
    assert not report.broken
    assert signature_holds(series.format(one_lot(9)))


def test_a_withdrawn_card_breaks_the_series_of_a_real_reader() -> None:
    practice = Practice()
    series = LotSeries.on(_cps(practice), practice.clock)
    assert signature_holds(series.format(one_lot(), PIN))
    practice.cps_slot.remove()
    report = series.run([one_lot(5)])
    assert report.error is not None
    assert report.error.code == SsvCode.PS_ABSENT
    assert report.broken


def test_a_wrong_code_opens_no_series() -> None:
    practice = Practice()
    series = LotSeries.on(_cps(practice), practice.clock)
    report = series.run([one_lot()], "0000")
    assert report.error is not None
    assert report.error.code == SsvCode.WRONG_CODE
    assert not series.started
    assert practice.tries() == 2


@pytest.mark.parametrize("family", ["cps3", "cps4"])
def test_a_series_on_each_family_of_card(family: str) -> None:
    practice = Practice(cps=cps_data(family=family) if family == "cps4" else None)
    report = LotSeries.on(_cps(practice), practice.clock).run(five(), PIN)
    assert len(report.formatted) == 5
    assert all(map(signature_holds, report.formatted))


def test_a_break_lets_the_reader_go() -> None:
    card = CardInReader({"001": SsvError(SsvCode.READER_SYNCHRONISATION)})
    series = card.series()
    series.run(five(), PIN)
    assert card.paused == 1
    series.pause()
    series.end()
    assert card.paused == 1


# -- a series at the desk of a workstation ----------------------------------------------------------------------------


def by_itself(practice: Practice) -> bool:
    """Whether another software finds the professional's card free."""
    try:
        other = practice.service.establish().connect(CPS_SLOT)
    except ScardError:
        return False
    other.disconnect()
    return True


@pytest.mark.parametrize("family", [{}, {"family": "cps4"}], ids=["cps3", "cps4"])
def test_the_desk_holds_the_reader_for_the_series(family: dict[str, str]) -> None:
    practice = Practice(cps=cps_data(**family))
    series = LotSeries.at(practice.desk)
    assert by_itself(practice)
    report = series.run(five(), PIN)
    assert all(map(signature_holds, report.formatted))
    assert not by_itself(practice)
    series.pause()
    assert by_itself(practice)
    assert series.started
    assert signature_holds(series.format(one_lot(9)))
    series.end()
    assert by_itself(practice)
    assert not series.started


def test_a_refused_code_lets_the_reader_go() -> None:
    practice = Practice()
    report = LotSeries.at(practice.desk).run(five(), "9999")
    assert report.error is not None
    assert report.error.code == SsvCode.WRONG_CODE
    assert practice.tries() == 2
    assert by_itself(practice)


def test_after_a_pause_another_card_gets_no_code() -> None:
    practice = Practice()
    series = LotSeries.at(practice.desk)
    series.format(one_lot(), PIN)
    series.pause()
    other = card_of(cps_data("infirmier"))
    practice.cps_slot.remove()
    practice.cps_slot.insert(other)
    with pytest.raises(SsvError, match="another card") as caught:
        series.format(one_lot(9), PIN)
    assert caught.value.code == SsvCode.CODE_LOST
    assert not series.started
    assert other.state().secrets["pin"].tries_left == 3  # type: ignore[attr-defined]
    assert by_itself(practice)


@pytest.mark.parametrize("family", [{}, {"family": "cps4"}], ids=["cps3", "cps4"])
def test_after_a_pause_a_card_that_lost_its_code_breaks_the_series(family: dict[str, str]) -> None:
    practice = Practice(cps=cps_data(**family))
    series = LotSeries.at(practice.desk)
    series.format(one_lot(), PIN)
    series.pause()
    practice.cps_slot.remove()
    with pytest.raises(SsvError) as caught:
        series.format(one_lot(9))
    assert caught.value.code == SsvCode.PS_ABSENT
    assert not series.started


def test_after_a_pause_the_card_that_was_out_has_no_code() -> None:
    practice = Practice()
    series = LotSeries.at(practice.desk)
    series.format(one_lot(), PIN)
    series.pause()
    practice.cps_slot.remove()
    practice.cps_slot.insert(practice.cps_card)
    with pytest.raises(SsvError, match="no longer has its code") as caught:
        series.format(one_lot(9))
    assert caught.value.code == SsvCode.CODE_LOST
    assert not series.started
    assert by_itself(practice)
