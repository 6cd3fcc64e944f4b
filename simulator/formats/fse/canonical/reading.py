"""Reading a care sheet: the groups of a form in their order, and nothing that would not be written so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifente.simulator.formats.fse.canonical.fields import Fields
from bifente.simulator.formats.fse.canonical.forms import (
    INSURANCE,
    MAX_ACTS,
    MAX_FORM,
    MAX_PERIODS,
    NOMENCLATURE,
    PAYMENT,
    PROOF,
    called,
    names_of,
    shown,
)
from bifente.simulator.formats.fse.canonical.writing import groups_of
from bifente.simulator.formats.fse.catalogue import FORMAT_NAME, FORMAT_VERSION
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    BillingStructure,
    CareAct,
    CareBeneficiary,
    Complementary,
    Invoice,
    PayerShare,
    Person,
    Professional,
    SecuringMode,
    WorkAccident,
)
from bifente.simulator.zones import Group, ZoneError, decode


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
    _same(groups, tuple(groups_of(invoice)))
    return invoice


def _same(read: Sequence[Group], written: Sequence[Group]) -> None:
    for rank, (one, other) in enumerate(zip(read, written, strict=False), start=1):
        if one.id != other.id:
            raise FseError(f"group at rank {rank}", f"group {one.id} is misplaced", f"group {other.id} comes here")
        for name, mine, theirs in zip(names_of(one.id), one.fields, other.fields, strict=False):
            if mine != theirs:
                raise FseError(
                    f"{called(one.id)}, {name}", f"{shown(mine)} is not its only form", f"write {shown(theirs)}"
                )
    if len(read) != len(written):
        raise FseError(f"group at rank {min(len(read), len(written)) + 1}", "too many groups or too few", "remake it")


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
            beneficiary=CareBeneficiary(
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
            insurance=nature.one_of("insurance", INSURANCE),
            payment=nature.one_of("payment", PAYMENT),
            proof=nature.one_of("proof", PROOF),
            care_path=nature.text("care-path"),
            acts=acts,
            amo=PayerShare(nature.number("amo-asked")),
            amc=PayerShare(nature.number("amc-asked")),
            body=nature.text("destination-regime") + amo.text("destination-body") + amo.text("computer-centre"),
            prescriber=_read_person(prescription, prescription) if prescription else None,
            prescribed_on=prescription.maybe("date", prescription.date) if prescription else None,
            substitute=_read_person(substitute, more) if substitute else None,
            accident=WorkAccident(accident.date("date"), accident.text("number")) if accident else None,
            pregnancy_on=maternity.date("date") if maternity else None,
            rectifies=sheet.maybe("rectified-number", sheet.number),
        )

    def _maybe(self, number: int) -> Fields | None:
        if self._next == len(self._groups) or self._groups[self._next].id != number:
            return None
        self._next += 1
        return Fields(self._groups[self._next - 1], self._next)

    def _take(self, number: int) -> Fields:
        found = self._maybe(number)
        if found is None:
            there = f"group {self._groups[self._next].id} is" if self._next < len(self._groups) else "the form ends"
            raise FseError(f"group at rank {self._next + 1}", f"{there} here", f"{called(number)} is expected")
        return found

    def _several(self, number: int, most: int) -> Iterator[Fields]:
        for _ in range(most):
            found = self._maybe(number)
            if found is None:
                return
            yield found

    def _end(self) -> None:
        if self._next < len(self._groups):
            raise FseError(
                f"group at rank {self._next + 1}",
                f"{called(self._groups[self._next].id)} is unknown, misplaced or one too many",
                "leave it out or put it in its place",
            )


def _read_professional(fields: Fields, card: Fields, structure: Fields | None, situation: int) -> Professional:
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
        structure=BillingStructure(
            structure.text("structure-id-type"),
            structure.text("structure-id"),
            structure.text("structure-id-key"),
            structure.text("structure-name"),
        )
        if structure
        else None,
    )


def _read_complementary(amc: Fields | None, contract: Fields | None) -> Complementary | None:
    if amc is None or contract is None:
        return None
    return Complementary(
        id=amc.text("body-number"),
        member=amc.text("member-number"),
        indicator=amc.text("treatment-indicator"),
        mutuelle=contract.flag("mutuelle"),
    )


def _read_person(fields: Fields, more: Fields | None) -> Person | None:
    billing_id = fields.text("billing-id") + fields.text("billing-id-key")
    if not billing_id:
        return None
    return Person(billing_id, fields.text("surname"), fields.text("first-name"), more.text("specialty") if more else "")


def _read_act(fields: Fields) -> CareAct:
    return CareAct(
        nomenclature=fields.one_of("nomenclature", NOMENCLATURE),
        code=fields.text("code"),
        on=fields.date("date"),
        quantity=fields.number("quantity"),
        coefficient=fields.coefficient("coefficient"),
        base=fields.number("base"),
        amount=fields.number("amount"),
        rate=fields.number("rate"),
        association=fields.number("association") if fields.text("association") else 0,
        modifiers=fields.text("modifiers"),
    )
