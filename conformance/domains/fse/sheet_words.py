"""Care sheets, lots and returns told in words, line by line: what a support desk reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from cryptography import x509

from bifente.ground.text import Text
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import (
    Arl,
    ArlKind,
    CardSignature,
    CareAct,
    Dre,
    Insurance,
    Invoice,
    Lot,
    LotKind,
    Payment,
    PaymentOutcome,
    Person,
    Proof,
    Rejection,
    Rsp,
    RspLine,
    SecuredInvoice,
    SecuringMode,
    SheetState,
    Signer,
)
from bifente.simulator.services.frontal.reasons import reasons

Line: TypeAlias = tuple[int, Text | None, Text]
"""How deep it stands, its label, its words."""

MODEL = Text(
    "BIFENTE LABORATOIRE : format de laboratoire (modélisé), sans valeur hors du banc",
    "BIFENTE LABORATOIRE: laboratory format (modelled), worth nothing outside the bench",
)
"""What is said of everything in our format."""

MODES = {
    SecuringMode.NOT_SECURED: Text("non sécurisée", "not secured"),
    SecuringMode.WITHOUT_VITALE: Text("SESAM sans Vitale", "SESAM without Vitale"),
    SecuringMode.VISIT: Text("en visite", "on a visit"),
    SecuringMode.SECURED: Text("sécurisée", "secured"),
    SecuringMode.DESYNCHRONISED: Text("désynchronisée", "desynchronised"),
    SecuringMode.DEGRADED: Text("dégradée", "degraded"),
}
STATES = {
    SheetState.PENDING: Text("en attente", "pending"),
    SheetState.VALIDATED: Text("validée", "validated"),
    SheetState.SENT: Text("envoyée", "sent"),
    SheetState.ACCEPTED: Text("acceptée", "accepted"),
    SheetState.REJECTED: Text("rejetée", "rejected"),
    SheetState.PAID: Text("payée", "paid"),
    SheetState.PAYMENT_REJECTED: Text("paiement rejeté", "payment rejected"),
    SheetState.PAPER: Text("duplicata papier", "paper duplicate"),
}
_INSURANCES = {
    Insurance.MALADIE: Text("maladie", "sickness"),
    Insurance.MATERNITE: Text("maternité", "maternity"),
    Insurance.AT_MP: Text("accident du travail, maladie professionnelle", "accident at work, occupational disease"),
}
_PAYMENTS = {
    Payment.DIRECT: Text("paiement direct par l'assuré", "paid directly by the insured"),
    Payment.TIERS_PAYANT: Text("tiers payant", "third-party payment"),
}
_PROOFS = {
    Proof.NONE: Text("aucun", "none"),
    Proof.DOCUMENT: Text("document", "document"),
    Proof.ONLINE: Text("consultation en ligne", "online consultation"),
    Proof.VITALE: Text("carte Vitale", "Vitale card"),
}
_OUTCOMES = {
    PaymentOutcome.PAID: Text("payé", "paid"),
    PaymentOutcome.PARTLY_PAID: Text("payé en partie", "partly paid"),
    PaymentOutcome.REJECTED: Text("rejeté", "rejected"),
    PaymentOutcome.REVERSED: Text("repris", "taken back"),
}
_SIGNERS = {
    Signer.INSURED: Text("Signature de l'assuré", "Insured's signature"),
    Signer.PROFESSIONAL: Text("Signature du professionnel", "Professional's signature"),
}
_LOTS = {
    LotKind.FSE: Text("feuilles de soins", "care sheets"),
    LotKind.DRE: Text("demandes (DRE)", "claims (DRE)"),
}
_NONE = Text("aucune", "none")


def same(text: str) -> Text:
    """What reads alike in both languages."""
    return Text(text, text)


def euros(cents: int) -> Text:
    """``23,00 €`` or ``€23.00``."""
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return Text(f"{sign}{whole},{rest:02} €", f"{sign}€{whole}.{rest:02}")


def both(form: str, *parts: Text) -> Text:
    """The same form filled in both languages."""
    return Text(form.format(*(part.fr for part in parts)), form.format(*(part.en for part in parts)))


def told(thing: object, depth: int = 0) -> Iterator[Line]:
    """The lines of anything of ours: sheet, secured sheet, claim, lot, ARL or RSP."""
    for kind, tell in _TOLD.items():
        if isinstance(thing, kind):
            yield from tell(thing, depth)
            return
    raise TypeError(f"nothing is known to say of a {type(thing).__name__}")


def _invoice(invoice: Invoice, depth: int) -> Iterator[Line]:
    who, cared = invoice.professional, invoice.beneficiary
    mode = MODES[invoice.mode]
    yield (
        depth,
        None,
        Text(
            f"Feuille de soins {invoice.number} du {invoice.on}, mode {int(invoice.mode)} ({mode.fr})",
            f"Care sheet {invoice.number} of {invoice.on}, mode {int(invoice.mode)} ({mode.en})",
        ),
    )
    deeper = depth + 1
    if invoice.rectifies is not None:
        yield deeper, Text("Remplace la feuille", "Replaces the sheet"), same(str(invoice.rectifies))
    yield (
        deeper,
        Text("Professionnel", "Professional"),
        same(f"{who.name} {who.first_name}, {who.billing_id}, RPPS {who.rpps}, situation {who.situation}"),
    )
    if invoice.substitute is not None:
        yield deeper, Text("Remplaçant", "Substitute"), _person(invoice.substitute)
    if invoice.prescriber is not None:
        day = f", {invoice.prescribed_on}" if invoice.prescribed_on else ""
        yield deeper, Text("Prescripteur", "Prescriber"), same(f"{_person(invoice.prescriber).fr}{day}")
    yield (
        deeper,
        Text("Bénéficiaire", "Beneficiary"),
        same(f"{cared.name} {cared.first_name}, {cared.nir} {cared.nir_key}, {cared.birth}, {cared.rank}"),
    )
    yield (
        deeper,
        Text("Organisme d'affiliation", "Insured with"),
        same(f"{cared.regime} {cared.caisse} {cared.centre}"),
    )
    if marks := tuple(_marks(invoice)):
        yield deeper, Text("Situation", "Situation"), both(", ".join("{}" for _ in marks), *marks)
    if cared.complementary is not None:
        amc = cared.complementary
        kind = Text("mutuelle", "mutuelle") if amc.mutuelle else Text("AMC", "AMC")
        yield deeper, Text("Complémentaire", "Complementary"), both(f"{{}} {amc.id}, {amc.indicator}", kind)
    yield deeper, Text("Destinataire", "Destination body"), same(invoice.body)
    yield deeper, Text("Nature d'assurance", "Insurance"), _INSURANCES[invoice.insurance]
    if invoice.accident is not None:
        yield deeper, Text("Accident", "Accident"), same(f"{invoice.accident.on} {invoice.accident.number}")
    if invoice.pregnancy_on is not None:
        yield deeper, Text("Grossesse", "Pregnancy"), same(f"{invoice.pregnancy_on}")
    yield deeper, Text("Règlement", "Payment"), _PAYMENTS[invoice.payment]
    yield deeper, Text("Justificatif des droits", "Proof of rights"), _PROOFS[invoice.proof]
    yield deeper, Text("Parcours de soins", "Care path"), same(invoice.care_path)
    for act in invoice.acts:
        yield deeper, Text("Acte", "CareAct"), _act(act)
    yield deeper, Text("Total", "Total"), euros(invoice.total)
    yield deeper, Text("Part AMO demandée", "AMO part asked"), euros(invoice.amo.asked)
    yield deeper, Text("Part AMC demandée", "AMC part asked"), euros(invoice.amc.asked)
    yield (
        deeper,
        Text("À la charge du patient au cabinet", "Paid by the patient at the desk"),
        euros(invoice.patient),
    )


def _marks(invoice: Invoice) -> Iterator[Text]:
    cared = invoice.beneficiary
    if cared.ald:
        yield same("ALD")
    if cared.c2s:
        yield same("C2S")
    if cared.alsace_moselle:
        yield same("Alsace-Moselle")
    if cared.exoneration != "0":
        yield Text(f"exonération {cared.exoneration}", f"exoneration {cared.exoneration}")
    if cared.apcv:
        yield same("apCV")
    if cared.test and invoice.professional.test:
        yield Text("cartes de test", "test cards")


def _person(person: Person) -> Text:
    return same(f"{person.name} {person.first_name}, {person.billing_id}")


def _act(act: CareAct) -> Text:
    coefficient = f" {act.coefficient}" if act.coefficient != Decimal(1) else ""
    return both(
        f"{act.code}{coefficient} ({act.nomenclature.upper()}) × {act.quantity}, {act.on}, base {{}}, {{}}, "
        f"{act.rate} %",
        euros(act.base),
        euros(act.amount),
    )


def _secured(secured: SecuredInvoice, depth: int) -> Iterator[Line]:
    try:
        yield from _invoice(parse(secured.content), depth)
    except FseError as error:
        yield depth, Text("Contenu illisible", "Unreadable content"), same(str(error))
    for signer, signature in (
        (Signer.INSURED, secured.insured),
        (Signer.PROFESSIONAL, secured.professional),
    ):
        yield depth + 1, _SIGNERS[signer], _NONE if signature is None else _signature(signature)
    if secured.paper:
        yield (
            depth + 1,
            Text("Papier", "Paper"),
            Text("un formulaire signé accompagne la feuille", "a signed form goes along with the sheet"),
        )


def _signature(signature: CardSignature) -> Text:
    try:
        certificate = x509.load_der_x509_certificate(signature.certificate)
        owner = certificate.subject.rfc4514_string()
    except ValueError:
        return Text("certificat illisible", "unreadable certificate")
    moment = signature.moment
    when = f"{moment[:4]}-{moment[4:6]}-{moment[6:8]} {moment[8:10]}:{moment[10:12]}:{moment[12:]} UTC"
    return Text(f"{owner}, {when} (heure du poste)", f"{owner}, {when} (the workstation's time)")


def _dre(dre: Dre, depth: int) -> Iterator[Line]:
    what = (
        Text(
            f"DRE {dre.number} du {dre.on}, feuille {dre.invoice}",
            f"Claim {dre.number} of {dre.on}, sheet {dre.invoice}",
        )
        if dre.cancels is None
        else Text(
            f"DRE d'annulation {dre.number} du {dre.on}, annule la DRE {dre.cancels}",
            f"Cancellation claim {dre.number} of {dre.on}, cancels claim {dre.cancels}",
        )
    )
    yield depth, None, what
    yield depth + 1, Text("Complémentaire", "Complementary"), same(f"{dre.amc.id}, {dre.amc.indicator}")
    yield depth + 1, Text("Part AMC demandée", "AMC part asked"), euros(dre.asked)


def _lot(lot: Lot, depth: int) -> Iterator[Line]:
    count = len(lot.invoices) + len(lot.dres)
    yield (
        depth,
        None,
        both(
            f"Lot {lot.number} ({{}}), {lot.on}, {lot.sender} → {lot.body}, {count}",
            _LOTS[lot.kind],
        ),
    )
    yield (
        depth + 1,
        Text("Signature du lot", "Signature of the lot"),
        _NONE if lot.signature is None else _signature(lot.signature),
    )
    for secured in lot.invoices:
        yield from _secured(secured, depth + 1)
    for dre in lot.dres:
        yield from _dre(dre, depth + 1)


def _arl(arl: Arl, depth: int) -> Iterator[Line]:
    kind = (
        Text("ARL positif", "Positive ARL")
        if arl.kind is ArlKind.POSITIVE
        else Text("ARL négatif : le lot est rejeté", "Negative ARL: the lot is rejected")
    )
    yield depth, None, both(f"{{}}, {arl.return_id}, {arl.on}", kind)
    if arl.lot_on == date.min:  # a file of which not even the lots can be told
        yield depth + 1, Text("Lot", "Lot"), Text("aucun que l'on puisse lire", "none that can be read")
    else:
        yield depth + 1, Text("Lot", "Lot"), both(f"{arl.lot} ({{}}), {arl.lot_on}", _LOTS[arl.lot_kind])
    yield depth + 1, Text("Fichier", "File"), same(arl.file)
    yield depth + 1, Text("SHA-256 du fichier reçu", "SHA-256 of the file received"), same(arl.received)
    if arl.sender or arl.body:
        yield depth + 1, Text("Émetteur et organisme", "Sender and body"), same(f"{arl.sender}, {arl.body}")
    for rejection in arl.rejections:
        yield depth + 1, Text("Motif", "Reason"), rejection_words(rejection)


def rejection_words(rejection: Rejection) -> Text:
    """A reason, with the sheet and the place it speaks of."""
    sheet = (
        Text("", "")
        if rejection.invoice is None
        else Text(f", feuille {rejection.invoice}", f", sheet {rejection.invoice}")
    )
    place = f" ({rejection.place})" if rejection.place else ""
    # A return carries French words; of a reason of ours both languages are known.
    known = reasons().get(rejection.code)
    label = known.label if known and known.label.fr == rejection.label else same(rejection.label)
    return both("{} {}{}{}", same(rejection.code), label, sheet, same(place))


def _rsp(rsp: Rsp, depth: int) -> Iterator[Line]:
    yield (
        depth,
        None,
        Text(
            f"RSP {rsp.return_id} du {rsp.on}, virement {rsp.transfer}",
            f"RSP {rsp.return_id} of {rsp.on}, transfer {rsp.transfer}",
        ),
    )
    yield depth + 1, Text("Émetteur et organisme", "Sender and body"), same(f"{rsp.sender}, {rsp.body}")
    for line in rsp.lines:
        yield depth + 1, Text("Feuille", "Sheet"), _line(line)
    yield depth + 1, Text("Total payé", "Total paid"), euros(rsp.total)


def _line(line: RspLine) -> Text:
    words = both(
        f"{line.invoice}, {line.payer} : {{}}, {{}} / {{}}",
        _OUTCOMES[line.outcome],
        euros(line.paid),
        euros(line.asked),
    )
    return words if line.rejection is None else both("{} — {}", words, rejection_words(line.rejection))


_TOLD: dict[type, Callable[[Any, int], Iterator[Line]]] = {
    Invoice: _invoice,
    SecuredInvoice: _secured,
    Dre: _dre,
    Lot: _lot,
    Arl: _arl,
    Rsp: _rsp,
}


def plain(value: Any) -> Any:
    """Anything of ours as JSON holds it: bytes as hexadecimal, dates and decimals as text, a secured sheet with its
    sheet beside its content.
    """
    if isinstance(value, SecuredInvoice):
        fields_of = {"content": value.content, "insured": value.insured, "professional": value.professional}
        return {
            **_sheet(value.content),
            **{name: plain(item) for name, item in fields_of.items()},
            "paper": value.paper,
        }
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name.replace("_", "-"): plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _sheet(content: bytes) -> dict[str, Any]:
    try:
        return {"invoice": plain(parse(content))}
    except FseError as error:
        return {"invoice": None, "unreadable": str(error)}
