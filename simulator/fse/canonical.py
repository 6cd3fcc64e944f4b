"""The canonical form of a care sheet: the bytes that are signed, as a zone of the SSV interface.

The groups of sesam-vitale.md 3.6 hold what they are known to hold, our own (from 9000) the rest, and the first one
says that it is a laboratory format. There is one form for a sheet and one sheet for a form: ``parse`` refuses every
byte that ``canonical`` would not write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from simulator.fse.catalogue import FORMAT_NAME, FORMAT_VERSION, group_type
from simulator.fse.errors import FseError
from simulator.fse.model import (
    Accident,
    Act,
    Beneficiary,
    Complementary,
    Insurance,
    Invoice,
    Nomenclature,
    Payment,
    Person,
    Professional,
    Proof,
    SecuringMode,
    Share,
    Structure,
)
from simulator.zones import Group, ZoneError, decode, encode, fault

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

#: The longest form read, the most acts and periods of rights: bounds of ours, well above what a sheet needs.
MAX_FORM = 16_384
MAX_ACTS = 99
MAX_PERIODS = 9
MAX_CENTS = 999_999_999
MAX_NUMBER = 999_999_999
_OPERATION = "1"
_HOLDER_ID = "A"
_COEFFICIENT = re.compile(r"(0|[1-9][0-9]{0,4})(\.[0-9]{0,3}[1-9])?")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")

_INSURANCE = {Insurance.MALADIE: "MALADIE", Insurance.MATERNITE: "MATERNITE", Insurance.AT_MP: "ATMP"}
_PAYMENT = {Payment.DIRECT: "D", Payment.TIERS_PAYANT: "TP"}
#: The digits of the AMO proof as public clients show them (sesam-vitale.md 5); 3 is not known.
_PROOF = {Proof.NONE: "0", Proof.DOCUMENT: "1", Proof.ONLINE: "2", Proof.VITALE: "4"}
_NOMENCLATURE = {Nomenclature.NGAP: "NGAP", Nomenclature.CCAM: "CCAM"}


def canonical(invoice: Invoice) -> bytes:
    """The one form of a sheet, rules of billing apart. Raises FseError for a value that its field cannot hold."""
    try:
        data = encode(_groups(invoice))
    except ZoneError as error:
        raise FseError(f"byte {error.offset}", error.expected, error.cure) from error
    if len(data) > MAX_FORM:
        raise FseError("the sheet", f"its form has {len(data)} bytes, at most {MAX_FORM} are admitted", "split it")
    return data


def parse(data: bytes) -> Invoice:
    """The sheet of a form. Raises FseError, with the place, for anything that ``canonical`` would not have written."""
    if len(data) > MAX_FORM:
        raise FseError(
            f"byte {MAX_FORM}", f"a form ends here at the latest, this one has {len(data)} bytes", "split it"
        )
    try:
        groups = decode(data)
    except ZoneError as error:
        raise FseError(f"byte {error.offset}", error.expected, error.cure) from error
    invoice = _Reader(groups).invoice()
    _same(groups, tuple(_groups(invoice)))
    return invoice


def _same(read: Sequence[Group], written: Sequence[Group]) -> None:
    for rank, (one, other) in enumerate(zip(read, written, strict=False), start=1):
        if one.id != other.id:
            raise FseError(f"group at rank {rank}", f"group {one.id} is misplaced", f"group {other.id} comes here")
        for name, mine, theirs in zip(_names(one.id), one.fields, other.fields, strict=False):
            if mine != theirs:
                raise FseError(
                    f"{_called(one.id)}, {name}", f"{_shown(mine)} is not its only form", f"write {_shown(theirs)}"
                )
    if len(read) != len(written):
        raise FseError(f"group at rank {min(len(read), len(written)) + 1}", "too many groups or too few", "remake it")


# -- writing ----------------------------------------------------------------------------------------------------------


def _groups(invoice: Invoice) -> Iterator[Group]:
    professional, beneficiary = invoice.professional, invoice.beneficiary
    yield _group(9000, {"format-name": FORMAT_NAME, "format-version": FORMAT_VERSION})
    yield _group(
        1110,
        {
            "invoice-number": _number("number", invoice.number, 1, MAX_NUMBER),
            "operation-nature": _OPERATION,
            "date": _date("on", invoice.on),
            "logical-number": _number("professional.situation", professional.situation, 0, 99),
            "rectified-number": _optional(lambda it: _number("rectifies", it, 1, MAX_NUMBER), invoice.rectifies),
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


def _beneficiary_groups(beneficiary: Beneficiary) -> Iterator[Group]:
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
            "insurance": _INSURANCE[_member("insurance", Insurance, invoice.insurance)],
            "payment": _PAYMENT[_member("payment", Payment, invoice.payment)],
            "proof": _PROOF[_member("proof", Proof, invoice.proof)],
            "care-path": invoice.care_path,
            "destination-regime": invoice.body[:2],
            "amo-asked": _number("amo.asked", invoice.amo.asked, 0, MAX_CENTS),
            "amc-asked": _number("amc.asked", invoice.amc.asked, 0, MAX_CENTS),
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


def _act(place: str, act: Act) -> Group:
    return _group(
        9010,
        {
            "nomenclature": _NOMENCLATURE[_member(f"{place}, nomenclature", Nomenclature, act.nomenclature)],
            "code": act.code,
            "date": _date(f"{place}, on", act.on),
            "quantity": _number(f"{place}, quantity", act.quantity, 0, 99),
            "coefficient": _coefficient(f"{place}, coefficient", act.coefficient),
            "base": _number(f"{place}, base", act.base, 0, MAX_CENTS),
            "amount": _number(f"{place}, amount", act.amount, 0, MAX_CENTS),
            "rate": _number(f"{place}, rate", act.rate, 0, 100),
        },
        place,
    )


def _group(number: int, values: Mapping[str, str], place: str = "") -> Group:
    known = group_type(number)
    assert known is not None, number  # noqa: S101 - ours or a group of 3.6
    for field in known.fields:
        if problem := fault(field, values.get(field.name, "")):
            raise FseError(
                f"{place or _called(number)}, {field.name}", problem, "correct it, in upper case without accents"
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
    if not _COEFFICIENT.fullmatch(text):
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


# -- reading ----------------------------------------------------------------------------------------------------------


class _Fields:
    """The fields of one group, by name."""

    def __init__(self, group: Group, rank: int) -> None:
        self._place = f"{_called(group.id)} at rank {rank}"
        names = _names(group.id)
        if len(names) != len(group.fields):
            raise FseError(
                self._place, f"it has {len(names)} fields, not {len(group.fields)}", "write empty ones as 00"
            )
        self._values = dict(zip(names, group.fields, strict=True))

    def place(self, name: str) -> str:
        return f"{self._place}, {name}"

    def text(self, name: str) -> str:
        value = self._values[name]
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise FseError(self.place(name), f"{_shown(value)} is no ASCII", "write ASCII characters") from None

    def number(self, name: str) -> int:
        text = self.text(name)
        if not _NUMBER.fullmatch(text):
            raise FseError(self.place(name), f"{text[:20]!r} is no whole number of 9 digits or less", "no leading zero")
        return int(text)

    def coefficient(self, name: str) -> Decimal:
        text = self.text(name)
        if not _COEFFICIENT.fullmatch(text):
            raise FseError(self.place(name), f"{text[:20]!r} is no coefficient", "a decimal without needless zeros")
        return Decimal(text)

    def digits(self, name: str) -> str:
        """The 8 digits of a date that may be of a lunar month."""
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{8}0000", text):
            raise FseError(self.place(name), f"{text[:20]!r} must be YYYYMMDD0000", "correct it")
        return text[:8]

    def date(self, name: str) -> date:
        text = self.digits(name)
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise FseError(self.place(name), f"{text} is no date", "write YYYYMMDD0000") from None

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        return read(name) if self._values[name] else None

    def flag(self, name: str) -> bool:
        return self.one_of(name, {False: "0", True: "1"})

    def one_of(self, name: str, forms: Mapping[T, str]) -> T:
        text = self.text(name)
        for value, form in forms.items():
            if form == text:
                return value
        raise FseError(self.place(name), f"{text[:20]!r} is unknown", f"one of: {', '.join(forms.values())}")


class _Reader:
    """The groups of a form, taken in their order."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = groups
        self._next = 0

    def invoice(self) -> Invoice:
        head = self._take(9000)
        head.one_of("format-name", {"": FORMAT_NAME})
        head.one_of("format-version", {"": FORMAT_VERSION})
        sheet, professional, person = self._take(1110), self._take(1120), self._take(1130)
        structure, substitute, individual = self._maybe(1140), self._maybe(1150), self._maybe(1160)
        amo, amc = self._take(1310), self._maybe(1321)
        nature, card, identity = self._take(9001), self._take(9002), self._take(9003)
        rights = tuple((it.date("start"), it.maybe("end", it.date)) for it in self._several(9004, MAX_PERIODS))
        more = self._take(9005) if substitute else None
        prescription, accident, maternity = self._maybe(9006), self._maybe(9007), self._maybe(9008)
        contract = self._take(9009) if amc else None
        acts = tuple(_read_act(fields) for fields in self._several(9010, MAX_ACTS))
        self._end()
        return Invoice(
            number=sheet.number("invoice-number"),
            on=sheet.date("date"),
            mode=nature.one_of("securing-mode", {mode: str(int(mode)) for mode in SecuringMode}),
            professional=_read_professional(professional, card, structure, sheet.number("logical-number")),
            beneficiary=Beneficiary(
                nir=person.text("nir"),
                nir_key=person.text("nir-key"),
                name=identity.text("surname"),
                first_name=identity.text("first-name"),
                birth=person.digits("birth-date"),
                rank=person.number("birth-rank"),
                quality=person.number("quality"),
                regime=amo.text("regime"),
                caisse=amo.text("caisse"),
                centre=amo.text("centre"),
                card_serial=identity.text("card-serial"),
                certified_nir=individual.text("nir") + individual.text("nir-key") if individual else "",
                exoneration=identity.text("exoneration"),
                alsace_moselle=identity.flag("alsace-moselle"),
                c2s=identity.flag("c2s"),
                ald=identity.flag("ald"),
                rights=rights,
                complementary=_read_complementary(amc, contract),
                apcv=identity.flag("apcv"),
                test=identity.flag("test-card"),
                coverage=person.text("coverage"),
            ),
            insurance=nature.one_of("insurance", _INSURANCE),
            payment=nature.one_of("payment", _PAYMENT),
            proof=nature.one_of("proof", _PROOF),
            care_path=nature.text("care-path"),
            acts=acts,
            amo=Share(nature.number("amo-asked")),
            amc=Share(nature.number("amc-asked")),
            body=nature.text("destination-regime") + amo.text("destination-body") + amo.text("computer-centre"),
            prescriber=_read_person(prescription, prescription) if prescription else None,
            prescribed_on=prescription.maybe("date", prescription.date) if prescription else None,
            substitute=_read_person(substitute, more) if substitute else None,
            accident=Accident(accident.date("date"), accident.text("number")) if accident else None,
            pregnancy_on=maternity.date("date") if maternity else None,
            rectifies=sheet.maybe("rectified-number", sheet.number),
        )

    def _maybe(self, number: int) -> _Fields | None:
        if self._next == len(self._groups) or self._groups[self._next].id != number:
            return None
        self._next += 1
        return _Fields(self._groups[self._next - 1], self._next)

    def _take(self, number: int) -> _Fields:
        found = self._maybe(number)
        if found is None:
            there = f"group {self._groups[self._next].id} is" if self._next < len(self._groups) else "the form ends"
            raise FseError(f"group at rank {self._next + 1}", f"{there} here", f"{_called(number)} is expected")
        return found

    def _several(self, number: int, most: int) -> Iterator[_Fields]:
        for _ in range(most):
            found = self._maybe(number)
            if found is None:
                return
            yield found

    def _end(self) -> None:
        if self._next < len(self._groups):
            raise FseError(
                f"group at rank {self._next + 1}",
                f"{_called(self._groups[self._next].id)} is unknown, misplaced or one too many",
                "leave it out or put it in its place",
            )


def _read_professional(fields: _Fields, card: _Fields, structure: _Fields | None, situation: int) -> Professional:
    return Professional(
        billing_id=fields.text("billing-id") + fields.text("billing-id-key"),
        name=fields.text("surname"),
        first_name=fields.text("first-name"),
        rpps=card.text("rpps"),
        situation=situation,
        specialty=fields.text("specialty"),
        convention=fields.text("convention-code"),
        tariff_zone=fields.text("tariff-zone"),
        ik_zone=fields.text("ik-zone"),
        agreements=(fields.text("agreement-1"), fields.text("agreement-2"), fields.text("agreement-3")),
        card_number=card.text("card-number"),
        may_sign_invoice=card.flag("may-sign-invoice"),
        may_sign_lot=card.flag("may-sign-lot"),
        test=card.flag("test-card"),
        salaried=fields.one_of("practice-condition", {False: "L", True: "S"}),
        structure=Structure(
            structure.text("structure-id-type"),
            structure.text("structure-id"),
            structure.text("structure-id-key"),
            structure.text("structure-name"),
        )
        if structure
        else None,
    )


def _read_complementary(amc: _Fields | None, contract: _Fields | None) -> Complementary | None:
    if amc is None or contract is None:
        return None
    return Complementary(
        id=amc.text("body-number"),
        member=amc.text("member-number"),
        indicator=amc.text("treatment-indicator"),
        mutuelle=contract.flag("mutuelle"),
    )


def _read_person(fields: _Fields, more: _Fields | None) -> Person | None:
    billing_id = fields.text("billing-id") + fields.text("billing-id-key")
    if not billing_id:
        return None
    return Person(billing_id, fields.text("surname"), fields.text("first-name"), more.text("specialty") if more else "")


def _read_act(fields: _Fields) -> Act:
    return Act(
        nomenclature=fields.one_of("nomenclature", _NOMENCLATURE),
        code=fields.text("code"),
        on=fields.date("date"),
        quantity=fields.number("quantity"),
        coefficient=fields.coefficient("coefficient"),
        base=fields.number("base"),
        amount=fields.number("amount"),
        rate=fields.number("rate"),
    )


def _names(number: int) -> tuple[str, ...]:
    known = group_type(number)
    return () if known is None else tuple(known.positions)


def _called(number: int) -> str:
    known = group_type(number)
    return f"group {number} ({known.name})" if known else f"group {number}"


def _shown(value: bytes) -> str:
    return repr(value[:20].decode("ascii", "backslashreplace"))
