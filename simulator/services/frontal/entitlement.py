"""Whether a sheet that was well signed asks for what its insured and its professional are entitled to.

Everything is held against the reference file, field by field; the reasons are those of ``reasons.yaml``, with the
reject code of the field where one is known (sources#noemie).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bifente.simulator.formats.fse.model import CareBeneficiary, Insurance, Invoice, Rejection, WorkAccident
from bifente.simulator.services.frontal.reasons import rejection
from bifente.simulator.services.frontal.reference import ReferenceFile
from bifente.simulator.tarification.tables import ACTS

_SAME: Mapping[str, tuple[str, ...]] = {
    "insured-otherwise": ("nir", "nir_key", "certified_nir", "test"),
    "body-otherwise": ("regime", "caisse", "centre"),
    "beneficiary-otherwise": ("birth", "rank", "quality", "name"),
}
"""What must be as the file has it, by the reason that it is not."""
_CLAIMED = {"ald": "exoneration-not-on-file", "c2s": "cover-not-on-file", "alsace_moselle": "cover-not-on-file"}
"""What may not be claimed unless the file has it."""
_BY_FILE = {"4": "ald"}
"""Exoneration codes that the file must bear out, and by what; 7 goes with an act, whose rule it is."""
_PENSION, _SPECIAL = "5", "3"
_INSURED = 0
_MEN = frozenset("137")
"""The first digit of the NIR of a man, of the provisional and foreign forms too (sources#identifiers)."""
_KILOMETRES = frozenset({"IK", "IKM"})
_NEWBORN_DAYS = 30
"""For so many days from the birth the special exoneration is everybody's (sources#vitale-card)."""
_OF_TREATING = frozenset({"T", "R"})
"""The letters of the care path that the treating doctor alone bills under, or who replaces him on his sheets."""
_REFERRED = "O"
"""The letter of a patient whom the treating doctor sent: to somebody else, and there is one."""


def entitlement_reasons(sheet: Invoice, reference: ReferenceFile) -> Iterator[Rejection]:
    """Why a sheet asks for what the file does not bear out."""
    yield from _of_the_insured(sheet, reference)
    yield from _of_the_professional(sheet, reference)
    if reference.complete and sheet.prescriber is not None and not reference.knows_number(sheet.prescriber.billing_id):
        yield rejection("prescriber-unknown", sheet.number, sheet.prescriber.billing_id)


def _of_the_insured(sheet: Invoice, reference: ReferenceFile) -> Iterator[Rejection]:
    told = sheet.beneficiary
    days = sorted({act.on for act in sheet.acts} or {sheet.on})
    people = reference.insured(told.card_serial, days[0])
    if not people:
        if reference.complete:
            yield rejection("insured-unknown", sheet.number, told.card_serial)
        return
    if reference.opposed(told.card_serial, sheet.on):
        yield rejection("card-opposed", sheet.number, told.card_serial)
    known = _nearest(told, people)
    for code, fields in _SAME.items():
        if wrong := [name for name in fields if getattr(told, name) != getattr(known, name)]:
            yield rejection(code, sheet.number, ", ".join(wrong))
    yield from _covers(sheet, known)
    if told.exoneration == _SPECIAL and not _newborn(sheet) and _SPECIAL not in reference.agreements(told.card_serial):
        yield rejection("exoneration-not-on-file", sheet.number, told.exoneration)
    if sheet.insurance is Insurance.MATERNITE and not _maternity(told, reference.maternity(told.card_serial)):
        yield rejection("maternity-not-on-file", sheet.number, told.card_serial)
    treating = reference.treating(told.card_serial)
    if treating is not None and _belied(sheet, treating):
        yield rejection("care-path-otherwise", sheet.number, sheet.care_path)
    yield from _journeys(sheet, reference.home_km(told.card_serial))
    for day in days:
        then = _nearest(told, reference.insured(told.card_serial, day) or people)
        if not _entitled(then, day) and _entitled(told, day):
            yield rejection("rights-not-on-file", sheet.number, str(day))
    if sheet.insurance is Insurance.AT_MP and sheet.accident is not None and sheet.accident.number:
        yield from _accident(sheet, sheet.accident, reference.accidents(told.card_serial))


def _belied(sheet: Invoice, treating: str) -> bool:
    """Whether the file has another treating doctor than a care path says, or none."""
    own = sheet.professional.rpps == treating
    return (sheet.care_path in _OF_TREATING and not own) or (sheet.care_path == _REFERRED and (own or not treating))


def _journeys(sheet: Invoice, home_km: int | None) -> Iterator[Rejection]:
    """Kilometres are those to the patient's home and back, once for each visit of a day.

    What the nomenclature takes off them is left out: it is not the same for all professions.
    """
    if home_km is None:
        return
    for day in sorted({act.on for act in sheet.acts}):
        lines = [act for act in sheet.acts if act.on == day and act.code in ACTS]
        driven = [act for act in lines if act.code in _KILOMETRES]
        visits = {code for act in driven for code in ACTS[act.code].accompanies}
        journeys = sum(act.quantity for act in lines if act.code in visits)
        told = sum(act.quantity for act in driven)
        if told > 2 * home_km * journeys:
            yield rejection("kilometres-otherwise", sheet.number, f"{day}: {told} km")


def _accident(sheet: Invoice, told: WorkAccident, known: Mapping[str, date | None]) -> Iterator[Rejection]:
    if told.number not in known:
        yield rejection("accident-not-on-file", sheet.number, told.number)
    elif known[told.number] not in (None, told.on):
        yield rejection("accident-otherwise", sheet.number, str(told.on))


def _covers(sheet: Invoice, known: CareBeneficiary) -> Iterator[Rejection]:
    told = sheet.beneficiary
    for field, code in _CLAIMED.items():
        if getattr(told, field) and not getattr(known, field):
            yield rejection(code, sheet.number, field)
    if told.exoneration in _BY_FILE and not told.ald and not getattr(known, _BY_FILE[told.exoneration]):
        yield rejection("exoneration-not-on-file", sheet.number, told.exoneration)
    if told.exoneration == _PENSION and known.exoneration != _PENSION:
        yield rejection("exoneration-not-on-file", sheet.number, told.exoneration)
    if told.complementary is not None and told.complementary != known.complementary:
        yield rejection("complementary-otherwise", sheet.number, told.complementary.id)


def _of_the_professional(sheet: Invoice, reference: ReferenceFile) -> Iterator[Rejection]:
    told = sheet.professional
    numbers = reference.numbers(told.rpps)
    if numbers is None:
        if reference.complete:
            yield rejection("professional-unknown", sheet.number, told.rpps)
        return
    own = numbers.get(told.billing_id)
    if own is None:
        yield rejection("number-of-another", sheet.number, told.billing_id)
        return
    if told.specialty != own.specialty:
        yield rejection("specialty-otherwise", sheet.number, told.specialty)
    if told.may_sign_invoice and not own.may_sign_invoice:
        yield rejection("right-not-on-file", sheet.number, told.billing_id)


def _maternity(who: CareBeneficiary, declared: bool | None) -> bool:
    """Whether a maternity may be billed: one declared, or, where the body does not know, not of a man insured."""
    if declared is not None:
        return declared
    return who.quality != _INSURED or who.nir[:1] not in _MEN


def _newborn(sheet: Invoice) -> bool:
    """Whether every act is of the first days of a life; of a birth that is not known in full none is."""
    birth = sheet.beneficiary.birth
    try:
        born = date(int(birth[:4]), int(birth[4:6]), int(birth[6:8]))
    except ValueError:
        return False
    return all((act.on - born).days <= _NEWBORN_DAYS for act in sheet.acts)


def _nearest(told: CareBeneficiary, people: Sequence[CareBeneficiary]) -> CareBeneficiary:
    """The person of the card whom a sheet means: as many of birth, rank, quality and first name as agree."""
    return max(
        people,
        key=lambda one: (
            (told.birth == one.birth) + (told.rank == one.rank) + (told.quality == one.quality),
            told.first_name == one.first_name,
        ),
    )


def _entitled(who: CareBeneficiary, day: date) -> bool:
    return any(start <= day and (end is None or day <= end) for start, end in who.rights)
