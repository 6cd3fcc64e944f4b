"""What a reading tells the rules of the professional's card: its end, whose it is, whether its code was presented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from conformance_bench import Lab
from fse_office import CODE, Office

from bifente.conformance.model import CardChoice
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.software.billing.making import Care
from bifente.simulator.software.billing.ordering import Order, made_of
from bifente.simulator.software.billing.reading import CardsReading
from bifente.simulator.tarification.requests import ActRequest


@pytest.fixture
def office(lab: Lab) -> Iterator[Office]:
    office = Office.open(lab)
    yield office
    office.close()


def order_of(office: Office) -> Order:
    return Order((ActRequest("G", office.today),), Care(care_path="T"), office.today, 1, 1, 3, False)


def found(office: Office, reading: CardsReading, today: date | None = None) -> list[str]:
    made = made_of(reading, order_of(office), today or office.today, ())
    return [finding.code for finding in made.findings]


def test_a_reading_tells_whose_card_it_was_and_when_it_ends(office: Office) -> None:
    reading = office.fse.software.read(CODE)
    assert reading.holder is not None
    assert reading.holder.ends == date(office.today.year + 1, 12, 31)
    assert found(office, reading) == []


def test_a_card_read_before_its_end_makes_no_sheet_after_it(office: Office) -> None:
    reading = office.fse.software.read(CODE)
    assert reading.holder is not None
    assert reading.holder.ends is not None
    assert "cps-expired" not in found(office, reading, reading.holder.ends)
    assert "cps-expired" in found(office, reading, reading.holder.ends + timedelta(days=1))


def test_a_card_exchanged_during_the_reading_makes_no_sheet(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between SSV_LireDroitsVitale and what is read for the sheet, a colleague's card comes into the reader."""
    genuine = Ssv.lire_droits_vitale

    def exchanged(library: Ssv, *given: str) -> object:
        answer = genuine(library, *given)
        office.fse.present("cps", CardChoice(template="infirmier"))
        return answer

    monkeypatch.setattr(Ssv, "lire_droits_vitale", exchanged)
    reading = office.fse.software.read(CODE)
    assert reading.complete
    assert found(office, reading) == ["holder-unknown"]
    assert office.fse.software.make(order_of(office)).blocked


def test_a_zone_without_the_code_presented_makes_no_sheet(office: Office) -> None:
    """No reading ends so: SSV_LireCartePS gives no zone then; the rule keeps it so for other ways of reading."""
    reading = office.fse.software.read(CODE)
    refused = replace(reading, ps=replace(reading.ps, code=SsvCode.WRONG_CODE))
    assert found(office, refused) == ["holder-code-missing"]


def test_a_wrong_code_leaves_no_reading_to_make_a_sheet_of(office: Office) -> None:
    assert office.fse.software.read("0000").ps.code == SsvCode.WRONG_CODE
    with pytest.raises(FseError, match="they were not read"):
        office.fse.software.make(order_of(office))
