"""A care sheet from what the SSV read: the zones of LireCartePS and LireDroitsVitale (or of an apCV), and the acts.

Nothing is made up: what neither the zones nor the user give is an FseError that names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bifente.ground.identifiers import RPPS
from bifente.simulator.fse.bodies import body_of
from bifente.simulator.fse.errors import FseError
from bifente.simulator.fse.model import (
    Accident,
    Beneficiary,
    Complementary,
    Insurance,
    Invoice,
    Payment,
    Person,
    Professional,
    Proof,
    SecuringMode,
    Structure,
)
from bifente.simulator.fse.pricing import ActRequest, price
from bifente.simulator.fse.tables import SERVICES, SITUATIONS, usual_specialty
from bifente.simulator.zones import Group, OrderError, ZoneError, check_order, decode, named

Fields = Mapping[str, str]

_NO_DATE = "0" * 12
_RPPS = "8"
_SALARIED, _SUBSTITUTE = "1", "4"
_TEST_CARD = "T"
_NO_ALD, _ALD_EXONERATION, _NO_EXONERATION = "0", "4", "0"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the software knows of its professional where the card says nothing (group 2, fields left empty)."""

    specialty: str = ""
    convention: str = ""
    tariff_zone: str = ""
    ik_zone: str = ""


@dataclass(frozen=True, slots=True)
class Care:
    """What the professional tells of the care given, beside the acts. ``accident_number`` may come from the Vitale."""

    insurance: Insurance = Insurance.MALADIE
    payment: Payment = Payment.DIRECT
    care_path: str = ""
    prescriber: Person | None = None
    prescribed_on: date | None = None
    substitute: Person | None = None
    accident_on: date | None = None
    accident_number: str = ""
    pregnancy_on: date | None = None
    rectifies: int | None = None
    exoneration: str | None = None
    """An exoneration code that the card does not tell (3, 5, 7; 0 for none); None: the one of the card."""


@dataclass(frozen=True, slots=True)
class _People:
    """Someone on a Vitale: group 104 and those that follow it."""

    identity: Fields
    groups: Mapping[int, Sequence[Fields]] = field(default_factory=dict)

    def all(self, number: int) -> Sequence[Fields]:
        return self.groups.get(number, ())


def laboratory_settings(billing_id: str) -> Settings:
    """Settings for a card of this bench, whose group 2 is silent: the usual specialty of its profession, an agreed
    professional, zones as seen on test cards (sources#professional-codes). Raises FseError for an unknown profession.
    """
    specialty = usual_specialty(billing_id)
    if specialty is None:
        raise FseError("billing number", f"{billing_id!r} tells no profession that is known", "give the settings")
    return Settings(specialty, convention="1", tariff_zone="30", ik_zone="01")


def invoice_from(
    ps_zone: bytes,
    vitale_zone: bytes,
    acts: Iterable[ActRequest],
    *,
    number: int,
    on: date,
    situation: int,
    who: int = 1,
    care: Care | None = None,
    settings: Settings | None = None,
    mode: SecuringMode = SecuringMode.SECURED,
    proof: Proof | None = None,
    card_number: str = "",
    test: bool | None = None,
    apcv: bool = False,
) -> Invoice:
    """A sheet for the beneficiary of rank ``who`` on the card (from 1), under the situation of that number.

    ``settings`` fill what the card leaves empty: see ``laboratory_settings``. ``card_number`` and ``test`` describe the
    professional's card, of which the zones say nothing; without ``test`` an RPPS of the laboratory makes a test card.
    ``proof``: without it the card, or a document in degraded mode and without Vitale.
    The sheet is priced but not judged (``rules.examine``). Raises FseError for what is missing or malformed.
    """
    told = care or Care()
    professional = professional_from(ps_zone, situation, settings=settings, card_number=card_number, test=test)
    groups = _groups(vitale_zone, "vitale", "the zone of the Vitale")
    beneficiary = _beneficiary(groups, who, on, apcv, told)
    if _practice_mode(ps_zone, situation) == _SUBSTITUTE and told.substitute is None:
        raise FseError("substitute", "the situation is that of a substitute", "give the substitute")
    priced = price(acts, beneficiary, insurance=told.insurance, payment=told.payment, care_path=told.care_path)
    return Invoice(
        number=number,
        on=on,
        mode=mode,
        professional=professional,
        beneficiary=beneficiary,
        insurance=told.insurance,
        payment=told.payment,
        proof=proof or _proof(mode),
        care_path=told.care_path,
        acts=priced.acts,
        amo=priced.amo,
        amc=priced.amc,
        body=body_of(beneficiary.regime, beneficiary.caisse, beneficiary.centre),
        prescriber=told.prescriber,
        prescribed_on=told.prescribed_on,
        substitute=told.substitute,
        accident=_accident(groups, told),
        pregnancy_on=told.pregnancy_on,
        rectifies=told.rectifies,
    )


def professional_from(
    ps_zone: bytes,
    situation: int,
    *,
    settings: Settings | None = None,
    card_number: str = "",
    test: bool | None = None,
) -> Professional:
    """The professional of a zone of LireCartePS, in the situation of that number. Raises FseError."""
    groups = _groups(ps_zone, "carte-ps", "the zone of the professional's card")
    holder = named(groups[0])
    place = _situation(groups, situation)
    where = f"situation {situation}"
    own = settings or Settings()
    rpps = _needed(holder, "national-id", "group 1") + _needed(holder, "national-id-key", "group 1")
    if holder["national-id-type"] != _RPPS:
        raise FseError("group 1, national-id-type", f"{holder['national-id-type']!r} is no RPPS", "use an RPPS card")
    return Professional(
        billing_id=_needed(place, "billing-id", where) + _needed(place, "billing-id-key", where),
        name=_needed(holder, "surname", "group 1"),
        first_name=holder["first-name"],
        rpps=rpps,
        situation=situation,
        specialty=place["specialty"] or _set(own.specialty, "specialty", where),
        convention=place["convention-code"] or _set(own.convention, "convention", where),
        tariff_zone=place["tariff-zone"] or own.tariff_zone,
        ik_zone=place["ik-zone"] or own.ik_zone,
        agreements=(place["agreement-1"], place["agreement-2"], place["agreement-3"]),
        card_number=card_number,
        may_sign_invoice=place["may-sign-invoice"] == "1",
        may_sign_lot=place["may-sign-lot"] == "1",
        test=re.match(RPPS.test_range, rpps) is not None if test is None else test,
        salaried=place["practice-mode"] == _SALARIED,
        structure=_structure(place),
    )


def beneficiary_from(vitale_zone: bytes, who: int, on: date, *, apcv: bool = False) -> Beneficiary:
    """The beneficiary of rank ``who`` (from 1) of a zone of LireDroitsVitale, as the card says at a date of care.

    Raises FseError if there is none, or if the zone was read without a professional's card.
    """
    return _beneficiary(_groups(vitale_zone, "vitale", "the zone of the Vitale"), who, on, apcv, Care())


# -- the professional -------------------------------------------------------------------------------------------------


def _situation(groups: Sequence[Group], number: int) -> Fields:
    known = {fields["logical-number"]: fields for fields in map(named, groups[1:])}
    if str(number) not in known:
        raise FseError(f"situation {number}", "the card has no such situation", f"one of: {', '.join(known)}")
    return known[str(number)]


def _practice_mode(ps_zone: bytes, situation: int) -> str:
    return _situation(_groups(ps_zone, "carte-ps", "the zone of the professional's card"), situation)["practice-mode"]


def _structure(place: Fields) -> Structure | None:
    if not place["structure-id-type"]:
        return None
    return Structure(
        place["structure-id-type"], place["structure-id"], place["structure-id-key"], place["structure-name"]
    )


def _set(value: str, name: str, where: str) -> str:
    if not value:
        raise FseError(f"{where}, {name}", "the card does not tell it", "set it in the software (Settings)")
    return value


# -- the beneficiary --------------------------------------------------------------------------------------------------


def _beneficiary(groups: Sequence[Group], who: int, on: date, apcv: bool, care: Care) -> Beneficiary:
    card = named(groups[0])
    people = _people(groups)
    if not 1 <= who <= len(people):
        raise FseError(f"beneficiary {who}", "nobody has this rank on the card", f"a rank from 1 to {len(people)}")
    person = people[who - 1]
    where = f"beneficiary {who}"
    if care.exoneration is None and not any(one.all(106) for one in people):
        # Masked without a CPS; a Vitale of the first generation has none at all.
        raise FseError(
            f"{where}, coverage",
            "the zone has no coverage period",
            "read the Vitale with the professional's card, or tell the exoneration",
        )
    coverage = _coverage(person, on)
    # Care that has nothing to do with the illness is told by another code than that of the ALD.
    ald = coverage.get("ald-code", _NO_ALD) not in ("", _NO_ALD) and care.exoneration in (None, _ALD_EXONERATION)
    situation = coverage.get("situation-code", "")
    certified = person.identity["certified-nir"]
    return Beneficiary(
        nir=_needed(card, "nir", "group 101"),
        nir_key=_needed(card, "nir-key", "group 101"),
        name=_needed(person.identity, "usual-name", where),
        first_name=person.identity["first-name"],
        birth=_needed(person.identity, "birth-date", where)[:8],
        rank=_digits(person.identity, "birth-rank", where),
        quality=_digits(person.identity, "quality", where),
        regime=_needed(card, "regime", "group 101"),
        caisse=_needed(card, "caisse", "group 101"),
        centre=_needed(card, "centre", "group 101"),
        card_serial=_needed(card, "serial-number", "group 101"),
        certified_nir=certified + person.identity["certified-nir-key"] if certified else "",
        exoneration=care.exoneration or (_ALD_EXONERATION if ald else _NO_EXONERATION),
        alsace_moselle=_is_alsace_moselle(situation),
        c2s=_has_c2s(groups, person, on),
        ald=ald,
        rights=tuple(_rights(person, where)),
        complementary=_complementary(person, on, where),
        apcv=apcv,
        test=card["card-type"] == _TEST_CARD,
        coverage=coverage.get("ald-code", "") + situation,
    )


def _people(groups: Sequence[Group]) -> Sequence[_People]:
    found: list[tuple[Fields, dict[int, list[Fields]]]] = []
    for group in groups:
        if group.id == 104:
            found.append((named(group), {}))
        elif found:
            found[-1][1].setdefault(group.id, []).append(named(group))
    return [_People(identity, others) for identity, others in found]


def _coverage(person: _People, on: date) -> Fields:
    """The coverage at a date; failing that the last one that began, whose exoneration is over: that rights are closed
    is a rule's to find.
    """
    begun = [it for it in person.all(106) if (_day(it, "start") or date.min) <= on]
    holding = [it for it in begun if _holds(it, "start", "end", on)]
    if holding:
        return holding[-1]
    return {**begun[-1], "ald-code": _NO_ALD} if begun else {}


def _rights(person: _People, where: str) -> Iterable[tuple[date, date | None]]:
    for period in person.all(105):
        start = _day(period, "start")
        if start is None:
            raise FseError(f"{where}, rights", "a period has no start", "read the card again")
        yield start, _day(period, "end")


def _complementary(person: _People, on: date, where: str) -> Complementary | None:
    mutuelles, insurers = person.all(107), person.all(109)
    if mutuelles and insurers:
        raise FseError(
            f"{where}, complementary", "a mutuelle and an AMC are both there (F0F0)", "have the card updated"
        )
    for amc in insurers:
        if _holds(amc, "validity-start", "validity-end", on):
            return Complementary(amc["b2-number"], amc["member-number"], amc["treatment-indicator"], mutuelle=False)
    for mutuelle in mutuelles:
        periods = person.all(108)
        if not periods or any(_holds(it, "start", "end", on) for it in periods):
            return Complementary(mutuelle["mutuelle-id"], "", mutuelle["treatment-indicator"], mutuelle=True)
    return None


def _has_c2s(groups: Sequence[Group], person: _People, on: date) -> bool:
    """By the service of the person, or that of the family, at the date."""
    families = [named(group) for group in groups if group.id == 102]
    return any(
        service["service-code"] in SERVICES.c2s and _holds(service, start, end, on)
        for service, start, end in (
            (person.identity, "service-start", "service-end"),
            *((family, "start", "end") for family in families),
        )
    )


def _is_alsace_moselle(situation: str) -> bool:
    known = SITUATIONS.codes.get(situation[2:])
    return known is not None and known.alsace_moselle


def _accident(groups: Sequence[Group], care: Care) -> Accident | None:
    """The accident told; its number, if it is not told, is the one of the card."""
    if care.accident_on is None:
        return None
    on_card = next((named(group)["at-id"] for group in groups if group.id == 103), "")
    return Accident(care.accident_on, care.accident_number or on_card)


def _proof(mode: SecuringMode) -> Proof:
    without = (SecuringMode.WITHOUT_VITALE, SecuringMode.DEGRADED)
    return Proof.DOCUMENT if mode in without else Proof.VITALE


# -- zones ------------------------------------------------------------------------------------------------------------


def _groups(zone: bytes, order: str, what: str) -> Sequence[Group]:
    try:
        groups = decode(zone)
        check_order(groups, order)
    except ZoneError as error:
        raise FseError(f"{what}, byte {error.offset}", error.expected, error.cure) from error
    except OrderError as error:
        raise FseError(what, str(error), "read the card again") from error
    return groups


def _needed(fields: Fields, name: str, where: str) -> str:
    if not fields[name]:
        raise FseError(f"{where}, {name}", "the card does not tell it", "read the card again, or another one")
    return fields[name]


def _digits(fields: Fields, name: str, where: str) -> int:
    value = _needed(fields, name, where)
    if not re.fullmatch("[0-9]{1,2}", value):
        raise FseError(f"{where}, {name}", f"{value[:20]!r} is no number", "read the card again")
    return int(value)


def _day(fields: Fields, name: str) -> date | None:
    value = fields[name]
    if value in ("", _NO_DATE):
        return None
    try:
        if not re.fullmatch("[0-9]{12}", value):
            raise ValueError
        return date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        raise FseError(name, f"{value[:20]!r} is no date YYYYMMDDHHMM", "read the card again") from None


def _holds(fields: Fields, start: str, end: str, on: date) -> bool:
    first, last = _day(fields, start), _day(fields, end)
    return (first is None or first <= on) and (last is None or on <= last)
