"""Writing a care sheet: the groups of its form, from its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from bifente.simulator.formats.fse.canonical.forms import (
    COEFFICIENT,
    INSURANCE,
    MAX_ACTS,
    MAX_FORM,
    MAX_PERIODS,
    NOMENCLATURE,
    PAYMENT,
    PROOF,
    called,
)
from bifente.simulator.formats.fse.catalogue import FORMAT_NAME, FORMAT_VERSION, group_type
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    CareAct,
    CareBeneficiary,
    Insurance,
    Invoice,
    Nomenclature,
    Payment,
    Person,
    Professional,
    Proof,
    SecuringMode,
)
from bifente.simulator.zones import Group, ZoneError, encode, fault

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

_MAX_CENTS = _MAX_NUMBER = 999_999_999
_OPERATION = "1"
_HOLDER_ID = "A"


def canonical(invoice: Invoice) -> bytes:
    """The one form of a sheet, rules of billing apart. Raises FseError for a value that its field cannot hold."""
    try:
        data = encode(groups_of(invoice))
    except ZoneError as error:
        raise FseError(f"byte {error.offset}", error.expected, error.cure) from error
    if len(data) > MAX_FORM:
        raise FseError("the sheet", f"its form has {len(data)} bytes, at most {MAX_FORM} are admitted", "split it")
    return data


def groups_of(invoice: Invoice) -> Iterator[Group]:
    """The groups of the form, in their order. Raises FseError for a value that its field cannot hold."""
    professional, beneficiary = invoice.professional, invoice.beneficiary
    yield _group(9000, {"format-name": FORMAT_NAME, "format-version": FORMAT_VERSION})
    yield _group(
        1110,
        {
            "invoice-number": _number("number", invoice.number, 1, _MAX_NUMBER),
            "operation-nature": _OPERATION,
            "date": _date("on", invoice.on),
            "logical-number": _number("professional.situation", professional.situation, 0, 99),
            "rectified-number": _optional(lambda it: _number("rectifies", it, 1, _MAX_NUMBER), invoice.rectifies),
        },
    )
    yield from _professional_groups(professional)
    yield from _beneficiary_groups(beneficiary)
    if professional.structure is not None:
        place = professional.structure
        if not place.kind:
            raise FseError("professional.structure.kind", "the type of identifier is empty", "give it, or no structure")
        yield _group(
            1140,
            {
                "structure-id-type": place.kind,
                "structure-id": place.number,
                "structure-id-key": place.key,
                "structure-name": place.name,
            },
        )
    if invoice.substitute is not None:
        yield _group(1150, _person("substitute", invoice.substitute))
    if beneficiary.certified_nir:
        nir, key = _split("beneficiary.certified_nir", beneficiary.certified_nir, 13, 2)
        yield _group(1160, {"nir": nir, "nir-key": key})
    yield _group(
        1310,
        {
            "regime": beneficiary.regime,
            "caisse": beneficiary.caisse,
            "centre": beneficiary.centre,
            "destination-body": _body(invoice.body)[2:5],
            "computer-centre": invoice.body[5:],
        },
    )
    if beneficiary.complementary is not None:
        amc = beneficiary.complementary
        if not amc.id:
            raise FseError("beneficiary.complementary.id", "the number is empty", "give it, or no complementary")
        yield _group(1321, {"body-number": amc.id, "member-number": amc.member, "treatment-indicator": amc.indicator})
    yield from _our_groups(invoice)


def _professional_groups(professional: Professional) -> Iterator[Group]:
    billing_id, key = _split("professional.billing_id", professional.billing_id, 8, 1)
    if len(professional.agreements) != 3:
        raise FseError("professional.agreements", "there are three codes, empty or not", "give three")
    yield _group(
        1120,
        {
            "billing-id": billing_id,
            "billing-id-key": key,
            "surname": professional.name,
            "first-name": professional.first_name,
            "convention-code": professional.convention,
            "specialty": professional.specialty,
            "tariff-zone": professional.tariff_zone,
            "ik-zone": professional.ik_zone,
            "agreement-1": professional.agreements[0],
            "agreement-2": professional.agreements[1],
            "agreement-3": professional.agreements[2],
            "practice-condition": "S" if professional.salaried else "L",
        },
    )


def _beneficiary_groups(beneficiary: CareBeneficiary) -> Iterator[Group]:
    nir, key = _split("beneficiary.nir", beneficiary.nir + beneficiary.nir_key, 13, 2)
    if len(beneficiary.nir) != 13:
        raise FseError("beneficiary.nir", f"{beneficiary.nir!r} must have 13 characters", "give the key apart")
    if not re.fullmatch(r"[0-9]{8}", beneficiary.birth):
        raise FseError("beneficiary.birth", f"{beneficiary.birth!r} must have 8 digits YYYYMMDD", "correct it")
    yield _group(
        1130,
        {
            "id-type": _HOLDER_ID,
            "nir": nir,
            "nir-key": key,
            "birth-date": beneficiary.birth + "0000",
            "birth-rank": _number("beneficiary.rank", beneficiary.rank, 0, 99),
            "quality": _number("beneficiary.quality", beneficiary.quality, 0, 9),
            "coverage": beneficiary.coverage,
        },
    )


def _our_groups(invoice: Invoice) -> Iterator[Group]:
    professional, beneficiary = invoice.professional, invoice.beneficiary
    yield _group(
        9001,
        {
            "securing-mode": str(int(_member("mode", SecuringMode, invoice.mode))),
            "insurance": INSURANCE[_member("insurance", Insurance, invoice.insurance)],
            "payment": PAYMENT[_member("payment", Payment, invoice.payment)],
            "proof": PROOF[_member("proof", Proof, invoice.proof)],
            "care-path": invoice.care_path,
            "destination-regime": invoice.body[:2],
            "amo-asked": _number("amo.asked", invoice.amo.asked, 0, _MAX_CENTS),
            "amc-asked": _number("amc.asked", invoice.amc.asked, 0, _MAX_CENTS),
        },
    )
    yield _group(
        9002,
        {
            "rpps": professional.rpps,
            "card-number": professional.card_number,
            "may-sign-invoice": _flag(professional.may_sign_invoice),
            "may-sign-lot": _flag(professional.may_sign_lot),
            "test-card": _flag(professional.test),
        },
    )
    yield _group(
        9003,
        {
            "surname": beneficiary.name,
            "first-name": beneficiary.first_name,
            "card-serial": beneficiary.card_serial,
            "exoneration": beneficiary.exoneration,
            "alsace-moselle": _flag(beneficiary.alsace_moselle),
            "c2s": _flag(beneficiary.c2s),
            "ald": _flag(beneficiary.ald),
            "apcv": _flag(beneficiary.apcv),
            "test-card": _flag(beneficiary.test),
        },
    )
    _at_most("beneficiary.rights", beneficiary.rights, MAX_PERIODS)
    for start, end in beneficiary.rights:
        last = _optional(lambda it: _date("beneficiary.rights", it), end)
        yield _group(9004, {"start": _date("beneficiary.rights", start), "end": last})
    if invoice.substitute is not None:
        yield _group(9005, {"specialty": invoice.substitute.specialty})
    if invoice.prescriber is not None or invoice.prescribed_on is not None:
        who = invoice.prescriber
        values = {} if who is None else {**_person("prescriber", who), "specialty": who.specialty}
        yield _group(9006, values | {"date": _optional(lambda it: _date("prescribed_on", it), invoice.prescribed_on)})
    if invoice.accident is not None:
        accident = invoice.accident
        yield _group(9007, {"date": _date("accident.on", accident.on), "number": accident.number})
    if invoice.pregnancy_on is not None:
        yield _group(9008, {"date": _date("pregnancy_on", invoice.pregnancy_on)})
    if beneficiary.complementary is not None:
        yield _group(9009, {"mutuelle": _flag(beneficiary.complementary.mutuelle)})
    _at_most("acts", invoice.acts, MAX_ACTS)
    for rank, act in enumerate(invoice.acts, start=1):
        yield _act(f"act {rank}", act)


def _act(place: str, act: CareAct) -> Group:
    return _group(
        9010,
        {
            "nomenclature": NOMENCLATURE[_member(f"{place}, nomenclature", Nomenclature, act.nomenclature)],
            "code": act.code,
            "date": _date(f"{place}, on", act.on),
            "quantity": _number(f"{place}, quantity", act.quantity, 0, 99),
            "coefficient": _coefficient(f"{place}, coefficient", act.coefficient),
            "base": _number(f"{place}, base", act.base, 0, _MAX_CENTS),
            "amount": _number(f"{place}, amount", act.amount, 0, _MAX_CENTS),
            "rate": _number(f"{place}, rate", act.rate, 0, 100),
            "association": _number(f"{place}, association", act.association, 0, 9) if act.association else "",
            "modifiers": act.modifiers,
        },
        place,
    )


def _group(number: int, values: Mapping[str, str], place: str = "") -> Group:
    known = group_type(number)
    assert known is not None, number  # noqa: S101 - ours or a group of 3.6
    for field in known.fields:
        if problem := fault(field, values.get(field.name, "")):
            raise FseError(
                f"{place or called(number)}, {field.name}", problem, "correct it, in upper case without accents"
            )
    return Group(number, tuple(values.get(field.name, "").encode("ascii") for field in known.fields))


def _person(place: str, person: Person) -> dict[str, str]:
    billing_id, key = _split(f"{place}.billing_id", person.billing_id, 8, 1)
    return {"billing-id": billing_id, "billing-id-key": key, "surname": person.name, "first-name": person.first_name}


def _split(place: str, value: str, head: int, tail: int) -> tuple[str, str]:
    if len(value) != head + tail:
        raise FseError(place, f"{value!r} must have {head + tail} characters, key included", "give them all")
    return value[:head], value[head:]


def _body(value: str) -> str:
    if not re.fullmatch(r"[0-9]{9}", value):
        raise FseError("body", f"{value!r} must have 9 digits: régime 2, caisse 3, centre 4", "correct it")
    return value


def _number(place: str, value: int, low: int, high: int) -> str:
    if type(value) is not int or not low <= value <= high:
        raise FseError(place, f"{value!r} must be a whole number from {low} to {high}", "correct it")
    return str(value)


def _coefficient(place: str, value: Decimal) -> str:
    text = f"{value:f}" if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 9 else "?"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if not COEFFICIENT.fullmatch(text):
        raise FseError(place, f"{value!r} must be a decimal from 0 to 99999, at most 4 decimals", "correct it")
    return text


def _date(place: str, value: date) -> str:
    if type(value) is not date:
        raise FseError(place, f"{value!r} must be a date without time", "give a date")
    return value.isoformat().replace("-", "") + "0000"


def _member(place: str, kind: type[E], value: E) -> E:
    if not isinstance(value, kind):
        raise FseError(place, f"{value!r} is no {kind.__name__}", f"one of: {', '.join(kind.__members__)}")
    return value


def _optional(written: Callable[[T], str], value: T | None) -> str:
    return "" if value is None else written(value)


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _at_most(place: str, values: Sequence[object], most: int) -> None:
    if len(values) > most:
        raise FseError(place, f"{len(values)} of them, at most {most} are admitted", "split the sheet")
