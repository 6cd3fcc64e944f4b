"""From a template to what its card says: the groups of the zones, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bifente.ground.identifiers import nir_key
from bifente.simulator.cards.vitale.spans import Period, stamp
from bifente.simulator.cards.vitale.template import BeneficiaryData, Insured, VitaleTemplate
from bifente.simulator.zones import Group, check_order, make

_NO_KEY = "00"
_NO_SERVICE = "00"
_HOLDER_IS_INSURED = "A"


def groups(template: VitaleTemplate, valid: Period, day: date) -> tuple[Group, ...]:
    """The groups of the card as they are on a day, those of the coverage included, in the order of the zones.

    Raises ValueError for a value that its field cannot hold.
    """
    found = (*_head(template, valid, day), *(group for who in _people(template) for group in _of(*who, day)))
    check_order(found)
    return found


def nir_of(person: BeneficiaryData, insured: Insured) -> str:
    """The 15 characters under which a person is insured: the person's own NIR if certified, else the insured's."""
    nir = person.nir or insured.nir
    return nir + nir_key(nir)


def _people(template: VitaleTemplate) -> Iterator[tuple[BeneficiaryData, str | None]]:
    """Each person and the certified NIR the card gives."""
    for index, person in enumerate(template.beneficiaries):
        yield person, person.nir or (template.insured.nir if index == 0 else None)


def _head(template: VitaleTemplate, valid: Period, day: date) -> Iterator[Group]:
    insured = template.insured
    yield make(
        101,
        {
            "card-type": template.card.mark,
            "serial-number": template.card.serial,
            "validity-end": stamp(valid.end),
            "holder-id-type": _HOLDER_IS_INSURED,
            "nir": insured.nir,
            "nir-key": nir_key(insured.nir),
            "regime": insured.regime,
            "caisse": insured.caisse,
            "centre": insured.centre,
            "management-code": insured.management,
        },
    )
    if template.service:
        period = template.service.period.at(day)
        yield make(102, {"service-code": template.service.code, "start": stamp(period.start), "end": stamp(period.end)})
    if template.accident:
        accident = template.accident
        yield make(103, {"at-body": accident.body, "at-bgdh-code": accident.bgdh, "at-id": accident.id})


def _of(person: BeneficiaryData, nir: str | None, day: date) -> Iterator[Group]:
    service = person.service.period.at(day) if person.service else None
    address = {f"address-{rank}": line for rank, line in enumerate(person.address, 1)}
    yield make(
        104,
        {
            "usual-name": person.name,
            "birth-name": person.birth_name or "",
            "first-name": person.first_name,
            **address,
            "certified-nir": nir or "",
            "certified-nir-key": nir_key(nir) if nir else _NO_KEY,
            "birth-date": f"{person.born}0000",
            "birth-rank": str(person.rank),
            "quality": person.quality,
            "service-code": person.service.code if person.service else _NO_SERVICE,
            "service-start": stamp(service.start) if service else "",
            "service-end": stamp(service.end) if service else "",
        },
    )
    for right in (span.at(day) for span in person.rights):
        yield make(105, {"start": stamp(right.start), "end": stamp(right.end)})
    for item in person.coverage:
        period = item.period.at(day)
        yield make(
            106,
            {
                "start": stamp(period.start),
                "end": stamp(period.end),
                "ald-code": item.ald,
                "situation-code": item.situation,
            },
        )
    yield from _complementary(person, day)


def _complementary(person: BeneficiaryData, day: date) -> Iterator[Group]:
    if mutuelle := person.mutuelle:
        yield make(
            107,
            {
                "mutuelle-id": mutuelle.id,
                "guarantees": mutuelle.guarantees,
                "treatment-indicator": mutuelle.indicator,
                "service-type": mutuelle.service_type,
                "services": mutuelle.services,
                "sts-code": mutuelle.sts,
            },
        )
        for period in (span.at(day) for span in mutuelle.periods):
            yield make(108, {"start": stamp(period.start), "end": stamp(period.end)})
    if amc := person.amc:
        valid = amc.valid.at(day)
        yield make(
            109,
            {
                "b2-number": amc.b2_number,
                "edi-number": amc.edi_number,
                "member-number": amc.member,
                "treatment-indicator": amc.indicator,
                "validity-start": stamp(valid.start),
                "validity-end": stamp(valid.end),
                "routing-code": amc.routing,
                "host-id": amc.host,
                "domain": amc.domain,
                "sts-code": amc.sts,
                "service-type": amc.service_type,
                "services": amc.services,
            },
        )
    if person.common_zone is not None:
        yield make(111, {"common-zone": person.common_zone})
