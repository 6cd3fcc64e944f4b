"""The beneficiary of a sheet, from the zone of LireDroitsVitale or of an apCV: identity, rights, covers at a date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CareBeneficiary, Complementary
from bifente.simulator.software.billing.card_zones import Fields, capitals, day_of, digits, holds, needed, nir_of
from bifente.simulator.tarification.tables import ALD_CODES, COMPLEMENTARY, QUALITIES, SERVICES, SITUATIONS
from bifente.simulator.zones import Group, named

_TEST_CARD = "T"
_NO_ALD, _ALD_EXONERATION, _NO_EXONERATION = "0", "4", "0"


@dataclass(frozen=True, slots=True)
class _People:
    """Someone on a Vitale: group 104 and those that follow it."""

    identity: Fields
    groups: Mapping[int, Sequence[Fields]] = field(default_factory=dict)

    def all(self, number: int) -> Sequence[Fields]:
        return self.groups.get(number, ())


def beneficiary_of(
    groups: Sequence[Group], who: int, on: date, *, exoneration: str | None = None, apcv: bool = False
) -> CareBeneficiary:
    """Return the beneficiary of rank ``who`` (from 1) of a zone of LireDroitsVitale, as it says at a date of care.

    ``exoneration``: a code told instead of the card's. Raise FseError if there is none of that rank, for what the card
    leaves out, and if the zone was read without a professional's card.
    """
    card = named(groups[0])
    people = _people(groups)
    if not 1 <= who <= len(people):
        raise FseError(f"beneficiary {who}", "nobody has this rank on the card", f"a rank from 1 to {len(people)}")
    person = people[who - 1]
    where = f"beneficiary {who}"
    if exoneration is None and not any(one.all(106) for one in people):
        # Masked without a CPS; a Vitale of the first generation has none at all.
        raise FseError(
            f"{where}, coverage",
            "the zone has no coverage period",
            "read the Vitale with the professional's card, or tell the exoneration",
        )
    coverage = _coverage(person, on, where)
    # Care that has nothing to do with the illness is told by another code than that of the ALD.
    ald = coverage.get("ald-code", _NO_ALD) not in ("", _NO_ALD) and exoneration in (None, _ALD_EXONERATION)
    situation = coverage.get("situation-code", "")
    certified = person.identity["certified-nir"].strip(" 0")
    nir, key = nir_of(card)
    return CareBeneficiary(
        nir=nir,
        nir_key=key,
        name=capitals(needed(person.identity, "usual-name", where)),
        first_name=capitals(person.identity["first-name"]),
        birth=needed(person.identity, "birth-date", where)[:8],
        # A card that tells no rank, or 0, means the first (sources#vitale-card).
        rank=digits(
            {**person.identity, "birth-rank": person.identity["birth-rank"].strip() or "1"}, "birth-rank", where
        )
        or 1,
        quality=digits(person.identity, "quality", where),
        regime=needed(card, "regime", "group 101"),
        caisse=needed(card, "caisse", "group 101"),
        centre=needed(card, "centre", "group 101"),
        card_serial=needed(card, "serial-number", "group 101"),
        certified_nir=person.identity["certified-nir"] + person.identity["certified-nir-key"] if certified else "",
        exoneration=exoneration or (_ALD_EXONERATION if ald else _NO_EXONERATION),
        alsace_moselle=_is_alsace_moselle(situation),
        c2s=_has_c2s(groups, person, on, where),
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


def _coverage(person: _People, on: date, where: str) -> Fields:
    """The coverage at a date; failing that the last one that began, whose exoneration is over: that rights are closed
    is a rule's to find.
    """
    place = f"{where}, coverage"
    begun = [it for it in person.all(106) if (day_of(it, "start", place) or date.min) <= on]
    holding = [it for it in begun if holds(it, "start", "end", on, place)]
    if holding:
        return holding[-1]
    return {**begun[-1], "ald-code": _NO_ALD} if begun else {}


def unknown_codes(groups: Sequence[Group], who: int, on: date) -> tuple[tuple[str, str], ...]:
    """Return what the zone tells of a beneficiary by codes that no table has: the field and the code."""
    person = _people(groups)[who - 1]
    coverage = _coverage(person, on, f"beneficiary {who}")
    families = (named(group) for group in groups if group.id == 102)
    situation = coverage.get("situation-code", "")
    told = [
        ("quality", person.identity["quality"], person.identity["quality"] in QUALITIES.known),
        ("ald-code", code := coverage.get("ald-code", ""), code in ALD_CODES.known),
        ("situation-code", situation, not situation or SITUATIONS.get(situation) is not None),
        *(
            ("service-code", code, not code or _service(code) in SERVICES.known)
            for code in (person.identity["service-code"], *(family["service-code"] for family in families))
        ),
        *(("treatment-indicator", code, code in COMPLEMENTARY.amc) for code in _indicators(person, 109)),
        *(("treatment-indicator", code, code in COMPLEMENTARY.mutuelle) for code in _indicators(person, 107)),
    ]
    return tuple(dict.fromkeys((what, code) for what, code, known in told if not known))


def _indicators(person: _People, number: int) -> Iterable[str]:
    return (code for one in person.all(number) if (code := one["treatment-indicator"]))


def _service(code: str) -> str:
    """An AMO service code in two digits: a test card may tell one (sources#vitale-test-cards)."""
    return code.zfill(2)


def _rights(person: _People, where: str) -> Iterable[tuple[date, date | None]]:
    """The periods of rights; a card that tells none tells them by its coverage, which may be open on either side."""
    place = f"{where}, rights"
    periods = person.all(105)
    for period in periods or person.all(106):
        start = day_of(period, "start", place)
        if start is None and periods:
            raise FseError(place, "a period has no start", "read the card again")
        yield start or date.min, day_of(period, "end", place)


def _complementary(person: _People, on: date, where: str) -> Complementary | None:
    mutuelles, insurers = person.all(107), person.all(109)
    if mutuelles and insurers:
        raise FseError(
            f"{where}, complementary", "a mutuelle and an AMC are both there (F0F0)", "have the card updated"
        )
    place = f"{where}, complementary"
    for amc in insurers:
        if holds(amc, "validity-start", "validity-end", on, place):
            return Complementary(
                amc["b2-number"] or amc["edi-number"], amc["member-number"], amc["treatment-indicator"], mutuelle=False
            )
    for mutuelle in mutuelles:
        periods = person.all(108)
        if not periods or any(holds(it, "start", "end", on, place) for it in periods):
            return Complementary(mutuelle["mutuelle-id"], "", mutuelle["treatment-indicator"], mutuelle=True)
    return None


def _has_c2s(groups: Sequence[Group], person: _People, on: date, where: str) -> bool:
    """By the service of the person, or that of the family, at the date."""
    families = [named(group) for group in groups if group.id == 102]
    return any(
        _service(service["service-code"]) in SERVICES.c2s and holds(service, start, end, on, f"{where}, service")
        for service, start, end in (
            (person.identity, "service-start", "service-end"),
            *((family, "start", "end") for family in families),
        )
    )


def _is_alsace_moselle(situation: str) -> bool:
    known = SITUATIONS.get(situation)
    return known is not None and known.alsace_moselle
