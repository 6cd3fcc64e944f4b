"""What two good signatures do not prove: each field held against the reference file of the body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from frontal_bench import TODAY, Bench, third_party
from fse_samples import AMC

from bifente.simulator.formats.fse.model import CareAct, CareBeneficiary, Insurance, Nomenclature, Person, WorkAccident
from bifente.simulator.services.frontal.entitlement import entitlement_reasons
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.services.frontal.reasons import reasons
from bifente.simulator.services.frontal.reference import BillingNumber

OPEN = ((date(2020, 1, 1), None),)


@dataclass
class Book:
    """A reference file of one card and one professional."""

    people: list[CareBeneficiary]
    billing: dict[str, dict[str, BillingNumber]]
    complete: bool = True
    lost: set[str] = field(default_factory=set)
    doctor: str | None = None
    agreed: frozenset[str] = frozenset()
    pregnancy: bool | None = None
    at: dict[str, date | None] = field(default_factory=lambda: {"999000015": None})
    distance: int | None = None

    def insured(self, serial: str, on: date) -> Sequence[CareBeneficiary] | None:
        return [one for one in self.people if one.card_serial == serial] or None

    def accidents(self, serial: str) -> Mapping[str, date | None]:
        return self.at

    def home_km(self, serial: str) -> int | None:
        return self.distance

    def treating(self, serial: str) -> str | None:
        return self.doctor

    def agreements(self, serial: str) -> frozenset[str]:
        return self.agreed

    def maternity(self, serial: str) -> bool | None:
        return self.pregnancy

    def opposed(self, serial: str, on: date) -> bool:
        return serial in self.lost

    def numbers(self, rpps: str) -> Mapping[str, BillingNumber] | None:
        return self.billing.get(rpps)

    def knows_number(self, billing_id: str) -> bool:
        return any(billing_id in numbers for numbers in self.billing.values())


@pytest.fixture(scope="module")
def honest() -> Any:
    return Bench().sheet()


@pytest.fixture
def book(honest: Any) -> Book:
    who = honest.professional
    number = BillingNumber(who.specialty, may_sign_invoice=True, may_sign_lot=True)
    return Book([replace(honest.beneficiary, complementary=AMC)], {who.rpps: {who.billing_id: number}})


def codes(sheet: Any, book: Book) -> list[str]:
    return [one.code for one in entitlement_reasons(sheet, book)]


def test_an_honest_sheet_is_borne_out(honest: Any, book: Book) -> None:
    assert codes(honest, book) == []
    assert codes(Bench().sheet(**third_party()), book) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"beneficiary__nir": "2801975349003"}, "insured-otherwise"),
        ({"beneficiary__certified_nir": "280197534900383"}, "insured-otherwise"),
        ({"beneficiary__test": False}, "insured-otherwise"),
        ({"beneficiary__card_serial": "999000077"}, "insured-unknown"),
        ({"beneficiary__caisse": "751"}, "body-otherwise"),
        ({"beneficiary__centre": "1234"}, "body-otherwise"),
        ({"beneficiary__regime": "02"}, "body-otherwise"),
        ({"beneficiary__birth": "20200101"}, "beneficiary-otherwise"),
        ({"beneficiary__rank": 2}, "beneficiary-otherwise"),
        ({"beneficiary__quality": 6}, "beneficiary-otherwise"),
        ({"beneficiary__name": "TESTAUTRE"}, "beneficiary-otherwise"),
        ({"beneficiary__ald": True}, "exoneration-not-on-file"),
        ({"beneficiary__exoneration": "4"}, "exoneration-not-on-file"),
        ({"beneficiary__exoneration": "5"}, "exoneration-not-on-file"),
        ({"beneficiary__c2s": True}, "cover-not-on-file"),
        ({"beneficiary__alsace_moselle": True}, "cover-not-on-file"),
        ({"beneficiary__complementary": replace(AMC, member="1")}, "complementary-otherwise"),
        ({"beneficiary__complementary": replace(AMC, indicator="33")}, "complementary-otherwise"),
        ({"professional__rpps": "99900000029"}, "professional-unknown"),
        ({"professional__billing_id": "991000027"}, "number-of-another"),
        ({"professional__specialty": "03"}, "specialty-otherwise"),
        ({"prescriber": Person("991000068", "TESTX", "X", "01")}, "prescriber-unknown"),
        (
            {"insurance": Insurance.AT_MP, "accident": WorkAccident(TODAY, "999000099")},
            "accident-not-on-file",
        ),
    ],
)
def test_what_the_file_does_not_bear_out_is_told(book: Book, changes: dict[str, Any], reason: str) -> None:
    assert codes(Bench().sheet(**changes), book) == [reason]


def test_rights_that_the_file_does_not_have(honest: Any, book: Book) -> None:
    book.people = [replace(one, rights=((date(2000, 1, 1), date(2001, 1, 1)),)) for one in book.people]
    assert codes(Bench().sheet(beneficiary__rights=OPEN), book) == ["rights-not-on-file"]
    assert codes(Bench().sheet(beneficiary__rights=()), book) == [], (
        "a sheet that claims none is refused at its payment"
    )


def test_a_right_to_sign_that_the_file_does_not_have(honest: Any, book: Book) -> None:
    who = honest.professional
    book.billing[who.rpps][who.billing_id] = BillingNumber(who.specialty, may_sign_invoice=False, may_sign_lot=False)
    assert codes(honest, book) == ["right-not-on-file"]


def test_a_card_reported_lost(honest: Any, book: Book) -> None:
    book.lost.add(honest.beneficiary.card_serial)
    assert codes(honest, book) == ["card-opposed"]


def test_a_file_that_is_not_complete_knows_nothing_of_strangers(honest: Any, book: Book) -> None:
    book.complete = False
    book.people, book.billing = [], {}
    assert codes(Bench().sheet(prescriber=Person("991000068", "TESTX", "X", "01")), book) == []


def test_what_the_file_has_may_be_claimed(honest: Any, book: Book) -> None:
    book.people = [replace(one, ald=True, exoneration="4", c2s=True, alsace_moselle=True) for one in book.people]
    claimed: dict[str, Any] = {"beneficiary__ald": True, "beneficiary__exoneration": "4", "beneficiary__c2s": True}
    assert codes(Bench().sheet(**claimed, beneficiary__alsace_moselle=True), book) == []
    assert codes(honest, book) == [], "less than one is entitled to may be asked"


def test_the_person_of_the_family_is_found(honest: Any, book: Book) -> None:
    first = book.people[0]
    book.people.append(replace(first, first_name="LUC", birth="20110923", quality=6, ald=True, exoneration="4"))
    child: dict[str, Any] = {
        "beneficiary__birth": "20110923",
        "beneficiary__quality": 6,
        "beneficiary__first_name": "LUC",
    }
    assert codes(Bench().sheet(**child, beneficiary__ald=True), book) == []
    assert codes(Bench().sheet(beneficiary__ald=True), book) == ["exoneration-not-on-file"]


def test_the_front_end_refuses_with_the_code_of_the_field(book: Book) -> None:
    bench = Bench(FrontalParameters(reference=book))
    (arl,) = bench.submit(bench.lot(bench.secured(1, beneficiary__certified_nir="280197534900383")))
    told = next(one for one in arl.rejections if one.code == "insured-otherwise")
    assert told.label.endswith("(0250 050)")
    assert reasons()["insured-otherwise"].field == "0250 050"


def test_without_a_file_what_is_signed_is_believed() -> None:
    bench = Bench()
    (arl,) = bench.submit(bench.lot(bench.secured(1)))
    assert arl.rejections == ()


@pytest.mark.parametrize(
    ("doctor", "path", "reasons"),
    [
        (None, "T", []),
        ("99900000011", "T", []),
        ("99900000029", "T", ["care-path-otherwise"]),
        ("99900000029", "R", ["care-path-otherwise"]),
        ("", "T", ["care-path-otherwise"]),
        ("99900000029", "O", []),
        ("99900000011", "O", ["care-path-otherwise"]),  # nobody refers a patient to himself
        ("", "O", ["care-path-otherwise"]),
        (None, "O", []),
        ("", "M", []),
        ("99900000029", "N", []),
        ("99900000029", "S1", []),
    ],
)
def test_the_treating_doctor_is_the_one_of_the_file(
    book: Book, doctor: str | None, path: str, reasons: list[str]
) -> None:
    book.doctor = doctor
    assert codes(Bench().sheet(care_path=path), book) == reasons


@pytest.mark.parametrize(
    ("nir", "quality", "declared", "reasons"),
    [
        ("1801913055001", 0, None, ["maternity-not-on-file"]),
        ("3801913055001", 0, None, ["maternity-not-on-file"]),
        ("1801913055001", 2, None, []),
        ("2801913055001", 0, None, []),
        ("2801913055001", 0, False, ["maternity-not-on-file"]),
        ("1801913055001", 0, True, []),
    ],
)
def test_a_maternity_is_declared_or_at_least_not_of_a_man_insured(
    book: Book, nir: str, quality: int, declared: bool | None, reasons: list[str]
) -> None:
    book.pregnancy = declared
    book.people = [replace(one, nir=nir, quality=quality) for one in book.people]
    claimed: dict[str, Any] = {"beneficiary__nir": nir, "beneficiary__quality": quality}
    sheet = Bench().sheet(insurance=Insurance.MATERNITE, pregnancy_on=TODAY, **claimed)
    assert codes(sheet, book) == reasons


@pytest.mark.parametrize(
    ("declared", "told", "reasons"),
    [
        (TODAY - timedelta(days=3), TODAY - timedelta(days=3), []),
        (TODAY - timedelta(days=3), TODAY - timedelta(days=2), ["accident-otherwise"]),
        (TODAY - timedelta(days=3), TODAY - timedelta(days=400), ["accident-otherwise"]),
        (None, TODAY - timedelta(days=400), []),
    ],
)
def test_the_day_of_an_accident_is_that_of_its_declaration(
    book: Book, declared: date | None, told: date, reasons: list[str]
) -> None:
    book.at = {"999000015": declared}
    accident: dict[str, Any] = {"insurance": Insurance.AT_MP, "accident": WorkAccident(told, "999000015")}
    assert codes(Bench().sheet(**accident), book) == reasons
    unknown: dict[str, Any] = {"insurance": Insurance.AT_MP, "accident": WorkAccident(told, "999000099")}
    assert codes(Bench().sheet(**unknown), book) == ["accident-not-on-file"]


def line(code: str, quantity: int = 1, day: date = TODAY) -> CareAct:
    return CareAct(Nomenclature.NGAP, code, day, quantity, Decimal(1), 61, 61 * quantity, 70)


EARLIER = TODAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("home_km", "acts", "refused"),
    [
        (6, [line("VG"), line("IK", 12)], 0),
        (6, [line("VG"), line("IK", 13)], 1),
        (6, [line("VG"), line("IK", 6), line("IKM", 7)], 1),
        (6, [line("IFD", 2), line("IK", 24)], 0),
        (6, [line("VG"), line("VG"), line("IK", 24)], 0),
        (6, [line("VG", day=EARLIER), line("IK", 12, EARLIER), line("VG"), line("IK", 12)], 0),
        (6, [line("VG", day=EARLIER), line("IK", 13, EARLIER), line("VG"), line("IK", 13)], 2),
        (6, [line("VG", day=EARLIER), line("IK", 24), line("VG")], 1),
        (0, [line("VG"), line("IK", 1)], 1),
        (0, [line("VG")], 0),
        (None, [line("VG"), line("IK", 99)], 0),
    ],
)
def test_kilometres_are_those_to_the_home_and_back(
    book: Book, home_km: int | None, acts: list[CareAct], refused: int
) -> None:
    book.distance = home_km
    sheet = replace(Bench().sheet(), acts=tuple(acts))
    assert codes(sheet, book) == ["kilometres-otherwise"] * refused


def test_the_special_exoneration_is_agreed_to_or_that_of_a_newborn(book: Book) -> None:
    claimed: dict[str, Any] = {"beneficiary__exoneration": "3"}
    assert codes(Bench().sheet(**claimed), book) == ["exoneration-not-on-file"]
    book.agreed = frozenset({"4", "5"})
    assert codes(Bench().sheet(**claimed), book) == ["exoneration-not-on-file"]
    book.agreed = frozenset({"3"})
    assert codes(Bench().sheet(**claimed), book) == []
    book.agreed = frozenset()
    for days, found in ((30, []), (31, ["exoneration-not-on-file"])):
        birth = f"{Bench().sheet().acts[0].on - timedelta(days=days):%Y%m%d}"
        book.people = [replace(one, birth=birth) for one in book.people]
        assert codes(Bench().sheet(**claimed, beneficiary__birth=birth), book) == found
