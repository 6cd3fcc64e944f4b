"""Templates of Vitale cards: who is insured, with whom, with which rights. YAML in, checked data out.

All that could pass for a real person is refused (BENCH-01, SV-ID-03): the NIR has the month 19, the fund is 349 or 999,
names say TEST or SPECIMEN, serial numbers lie in the laboratory's own range. There is no field for medical data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bifente.ground.identifiers import NIR, nir_key
from bifente.ground.text import Text
from bifente.simulator.cards.families import layout
from bifente.simulator.cards.template import FidelityNote, Loc
from bifente.simulator.cards.vitale.spans import TemplatePeriod
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.zones import GROUPS, fault

MAX_BENEFICIARIES = 19
"""Most people on one card (SV-VITALE-05)."""
FAMILIES = ("vitale1", "vitale2")
"""The families of cards that these templates make."""

_NIR_BODY = re.compile(r"[0-9]{5}([0-9]{2}|2[AB])[0-9]{6}")
_TEST_BODIES = {("349", "0349")}
_SEEN_ON_TEST_CARDS = frozenset(
    {
        *("01 053 1234", "01 110 0000", "01 751 1234", "02 110 0000", "02 345 3520", "04 120 3490", "04 220 1234"),
        *("04 400 1234", "05 051 0000", "05 053 0000", "09 100 1234", "09 751 1234", "18 751 1234"),
    }
)
"""Bodies of the GIE's public test cards (sources#vitale-test-cards): NIR and names still mark whose the card is."""
_TEST_CAISSES_OF_GENERAL_SCHEME = {"999"}
_SERIAL_DIGITS = {"vitale1": 8, "vitale2": 9}


class VitaleState(StrEnum):
    """The state in which the card is handed out."""

    ACTIVE = "active"
    EXPIRED = "expired"
    OPPOSED = "opposed"


def _fits(group: int, field: str) -> AfterValidator:
    """Refuse what this field of this group of the zones could not hold."""
    known = GROUPS[group]
    kind = known.fields[known.positions[field]]

    def check(value: str) -> str:
        if problem := fault(kind, value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


def _known_code(group: int, field: str, digits: int = 0) -> AfterValidator:
    """Refuse a code whose meaning the catalogue of zones does not have: a desk could not show it."""
    known = GROUPS[group]
    values = known.fields[known.positions[field]].values

    def check(value: str) -> str:
        if value.zfill(digits) not in values:
            raise ValueError(f"{value!r} is no known code; known: {', '.join(values)}")
        return value

    return AfterValidator(check)


def _marked(value: str) -> str:
    if "TEST" not in value and "SPECIMEN" not in value:
        raise ValueError(f"{value!r} could be real: put TEST or SPECIMEN in it")
    return value


def _nir(value: str) -> str:
    NIR.check(value + (nir_key(value) if _NIR_BODY.fullmatch(value) else ""))
    return value


def _born(value: str) -> str:
    if 1 <= int(value[4:6]) <= 12:
        try:
            date(int(value[:4]), int(value[4:6]), int(value[6:]))
        except ValueError:
            raise ValueError(
                f"{value} is no day: YYYYMMDD, or a month of 00 or above 12 for a birth that is not known in full"
            ) from None
    return value


Nir = Annotated[str, AfterValidator(_nir)]
Name = Annotated[str, _fits(104, "usual-name"), AfterValidator(_marked), Field(min_length=1, max_length=27)]
Service = Annotated[str, _known_code(102, "service-code", digits=2)]
"""Two digits, or one as on the GIE's test cards."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VitaleCardData(_Model):
    """The card itself. ``mark``: T for a test card; R says that it is real, which the templates do to see it refused
    beside a test card, their data staying laboratory data. ``atr`` names one of the family's. ``origin``: genuine; a
    copy, which has the files of a genuine card and a key of its own; foreign, certified by an authority nobody knows.
    """

    serial: Annotated[str, Field(pattern=r"^999[0-9]{5,6}$")]
    mark: Literal["T", "R"] = "T"
    atr: str | None = None
    valid: TemplatePeriod = TemplatePeriod(start=-2, end=2)
    state: VitaleState = VitaleState.ACTIVE
    origin: Literal["genuine", "copied", "foreign"] = "genuine"


class Insured(_Model):
    """Who is insured, and by which body."""

    nir: Nir
    regime: Annotated[str, _fits(101, "regime")]
    caisse: Annotated[str, _fits(101, "caisse")] = "349"
    centre: Annotated[str, _fits(101, "centre")] = "0349"
    management: Annotated[str, _fits(101, "management-code")] = "10"


class FamilyService(_Model):
    """The AMO service of the family or of one beneficiary (00 none, 01 to 03 C2S, 10 leaving it)."""

    code: Service
    period: TemplatePeriod


class AccidentData(_Model):
    """An accident at work: the body that manages it, and its identifier."""

    body: Annotated[str, _fits(103, "at-body")]
    bgdh: Annotated[str, _fits(103, "at-bgdh-code")] = ""
    id: Annotated[str, _fits(103, "at-id")] = ""


class CoverageData(_Model):
    """A coverage code over a period: ALD, and the situation (régime, then the class of rates)."""

    period: TemplatePeriod
    ald: Annotated[str, _known_code(106, "ald-code")] = "0"
    situation: Annotated[str, _fits(106, "situation-code")]


class Mutuelle(_Model):
    """A complementary cover managed with the AMO."""

    id: Annotated[str, _fits(107, "mutuelle-id"), Field(min_length=1)]
    guarantees: Annotated[str, Field(pattern=r"^[ON]{8}$")] = "OOOOOOOO"
    indicator: Annotated[str, _known_code(107, "treatment-indicator")]
    service_type: Annotated[str, _fits(107, "service-type")] = ""
    services: Annotated[str, _fits(107, "services")] = ""
    sts: Annotated[str, _fits(107, "sts-code")] = ""
    periods: Annotated[tuple[TemplatePeriod, ...], Field(max_length=3)] = ()


class Amc(_Model):
    """A complementary cover of its own (AMC), to which a DRE may be sent."""

    b2_number: Annotated[str, _fits(109, "b2-number"), Field(min_length=1)]
    edi_number: Annotated[str, _fits(109, "edi-number")] = ""
    member: Annotated[str, _fits(109, "member-number")] = ""
    indicator: Annotated[str, _known_code(109, "treatment-indicator")]
    valid: TemplatePeriod
    routing: Annotated[str, _fits(109, "routing-code")] = ""
    host: Annotated[str, _fits(109, "host-id")] = ""
    domain: Annotated[str, _fits(109, "domain")] = ""
    sts: Annotated[str, _fits(109, "sts-code")] = ""
    service_type: Annotated[str, _fits(109, "service-type")] = ""
    services: Annotated[str, _fits(109, "services")] = ""


class BeneficiaryData(_Model):
    """A person on the card. ``nir``: the person's own certified number, if there is one; the insured has that of the
    card. ``born``: YYYYMMDD as it is known, so the month may be 00 or above 12.
    """

    name: Name
    birth_name: Name | None = None
    first_name: Annotated[str, _fits(104, "first-name"), Field(min_length=1, max_length=27)]
    address: Annotated[tuple[Annotated[str, _fits(104, "address-1")], ...], Field(max_length=5)] = ()
    nir: Nir | None = None
    born: Annotated[str, Field(pattern=r"^(19|20)[0-9]{6}$"), AfterValidator(_born)]
    rank: Annotated[int, Field(ge=1, le=9)] = 1
    quality: Annotated[str, _known_code(104, "quality")]
    service: FamilyService | None = None
    rights: Annotated[tuple[TemplatePeriod, ...], Field(max_length=3)] = ()
    coverage: Annotated[tuple[CoverageData, ...], Field(max_length=7)] = ()
    mutuelle: Mutuelle | None = None
    amc: Amc | None = None
    common_zone: Annotated[str, _fits(111, "common-zone")] | None = None


class VitaleTemplate(_Model):
    """A Vitale card. The first beneficiary is the insured."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    fidelity: FidelityNote
    family: Literal["vitale1", "vitale2"] = "vitale2"
    card: VitaleCardData
    insured: Insured
    service: FamilyService | None = None
    accident: AccidentData | None = None
    beneficiaries: Annotated[tuple[BeneficiaryData, ...], Field(min_length=1, max_length=MAX_BENEFICIARIES)]
    opened_by: Annotated[tuple[Literal["CPS", "CPF", "CDE", "CPE", "CPA"], ...], Field(min_length=1)] = ("CPS", "CPF")
    """Types of professional's card to which the protected data open: an employee's card (CPE, CPA, CDE) is refused by
    default, the seed texts naming the CPS alone (SEED-VITALE-07). Modelled, hence a parameter."""


def cross_checks(template: VitaleTemplate) -> Iterator[tuple[Loc, str]]:
    """What concerns several fields at once: (where, what is wrong)."""
    yield from _card(template)
    insured = template.insured
    if (insured.caisse, insured.centre) not in _TEST_BODIES and not (
        (insured.regime == "01" and insured.caisse in _TEST_CAISSES_OF_GENERAL_SCHEME)
        or f"{insured.regime} {insured.caisse} {insured.centre}" in _SEEN_ON_TEST_CARDS
    ):
        yield (
            ("insured", "caisse"),
            f"{insured.regime} {insured.caisse} {insured.centre} could be real: caisse 349 with centre 0349, or régime "
            "01 with caisse 999",
        )
    yield from _people(template)
    yield from _spans(template)


def _card(template: VitaleTemplate) -> Iterator[tuple[Loc, str]]:
    card, family = template.card, template.family
    digits = _SERIAL_DIGITS[family]
    if len(card.serial) != digits:
        yield ("card", "serial"), f"{card.serial} has {len(card.serial)} digits, that of a {family} has {digits}"
    others = layout(family).atr[Interface.CONTACT].others
    if card.atr is not None and card.atr not in others:
        yield ("card", "atr"), f"a {family} has no ATR named {card.atr}; known: {', '.join(others)}"
    if card.state is VitaleState.EXPIRED and "valid" in card.model_fields_set:
        yield ("card", "valid"), "an expired card takes its dates from the clock: remove it"


def _people(template: VitaleTemplate) -> Iterator[tuple[Loc, str]]:
    seen: dict[tuple[str, str, int], int] = {}
    for index, person in enumerate(template.beneficiaries):
        at = ("beneficiaries", index)
        if (person.quality == "0") != (index == 0):
            yield (*at, "quality"), "the insured (quality 0) is the first beneficiary, and no other"
        own = person.nir or (template.insured.nir if index == 0 else None)
        if index == 0 and person.nir not in (None, template.insured.nir):
            yield (*at, "nir"), f"the insured has the NIR of the card, {template.insured.nir}"
        if own is not None and own[1:3] != person.born[2:4]:
            yield (*at, "born"), f"born in {person.born[:4]}, while the NIR {own} says year {own[1:3]}"
        key = (own or template.insured.nir, person.born, person.rank)
        if key in seen:
            yield (
                (*at, "rank"),
                f"the same NIR, birth date and rank as beneficiaries.{seen[key]}: the three tell people apart",
            )
        seen.setdefault(key, index)
        for number, item in enumerate(person.coverage):
            if not item.situation.startswith(template.insured.regime):
                yield (
                    (*at, "coverage", number, "situation"),
                    f"{item.situation} does not begin with the régime {template.insured.regime}",
                )


def _spans(template: VitaleTemplate) -> Iterator[tuple[Loc, str]]:
    for loc, span in _all_spans(template, ()):
        if isinstance(span.start, int) == isinstance(span.end, int) or span.end is None:
            try:
                span.at(date(2020, 6, 1))
            except ValueError as error:
                yield loc, "ends before it starts" if isinstance(span.start, int) else str(error)
        else:
            yield loc, "give years around the bench's, or days, not one of each: the two would cross one day"


def _all_spans(item: object, loc: Loc) -> Iterator[tuple[Loc, TemplatePeriod]]:
    if isinstance(item, TemplatePeriod):
        yield loc, item
    elif isinstance(item, BaseModel):
        for name in type(item).model_fields:
            yield from _all_spans(getattr(item, name), (*loc, name))
    elif isinstance(item, tuple):
        for index, one in enumerate(item):
            yield from _all_spans(one, (*loc, index))
