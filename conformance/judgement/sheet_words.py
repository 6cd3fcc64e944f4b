"""Care sheets, lots and returns told in words, line by line: what a support desk reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from cryptography import x509

from bifente.simulator.fse.canonical import parse
from bifente.simulator.fse.errors import FseError
from bifente.simulator.fse.model import (
    Act,
    Arl,
    ArlKind,
    Dre,
    Insurance,
    Invoice,
    Lot,
    LotKind,
    Outcome,
    Payment,
    Person,
    Proof,
    Rejection,
    Rsp,
    RspLine,
    SecuredInvoice,
    SecuringMode,
    Signature,
    Signer,
    State,
)
from bifente.simulator.sentence import Sentence
from bifente.simulator.services.frontal.reasons import reasons

Line: TypeAlias = tuple[int, Sentence | None, Sentence]
"""How deep it stands, its label, its words."""

MODEL = Sentence(
    "BIFENTE LABORATOIRE : format de laboratoire (modélisé), sans valeur hors du banc",
    "BIFENTE LABORATOIRE: laboratory format (modelled), worth nothing outside the bench",
)
"""What is said of everything in our format."""

MODES = {
    SecuringMode.NOT_SECURED: Sentence("non sécurisée", "not secured"),
    SecuringMode.WITHOUT_VITALE: Sentence("SESAM sans Vitale", "SESAM without Vitale"),
    SecuringMode.VISIT: Sentence("en visite", "on a visit"),
    SecuringMode.SECURED: Sentence("sécurisée", "secured"),
    SecuringMode.DESYNCHRONISED: Sentence("désynchronisée", "desynchronised"),
    SecuringMode.DEGRADED: Sentence("dégradée", "degraded"),
}
STATES = {
    State.PENDING: Sentence("en attente", "pending"),
    State.VALIDATED: Sentence("validée", "validated"),
    State.SENT: Sentence("envoyée", "sent"),
    State.ACCEPTED: Sentence("acceptée", "accepted"),
    State.REJECTED: Sentence("rejetée", "rejected"),
    State.PAID: Sentence("payée", "paid"),
    State.PAYMENT_REJECTED: Sentence("paiement rejeté", "payment rejected"),
    State.PAPER: Sentence("duplicata papier", "paper duplicate"),
}
_INSURANCES = {
    Insurance.MALADIE: Sentence("maladie", "sickness"),
    Insurance.MATERNITE: Sentence("maternité", "maternity"),
    Insurance.AT_MP: Sentence("accident du travail, maladie professionnelle", "accident at work, occupational disease"),
}
_PAYMENTS = {
    Payment.DIRECT: Sentence("paiement direct par l'assuré", "paid directly by the insured"),
    Payment.TIERS_PAYANT: Sentence("tiers payant", "third-party payment"),
}
_PROOFS = {
    Proof.NONE: Sentence("aucun", "none"),
    Proof.DOCUMENT: Sentence("document", "document"),
    Proof.ONLINE: Sentence("consultation en ligne", "online consultation"),
    Proof.VITALE: Sentence("carte Vitale", "Vitale card"),
}
_OUTCOMES = {
    Outcome.PAID: Sentence("payé", "paid"),
    Outcome.PARTLY_PAID: Sentence("payé en partie", "partly paid"),
    Outcome.REJECTED: Sentence("rejeté", "rejected"),
}
_SIGNERS = {
    Signer.INSURED: Sentence("Signature de l'assuré", "Insured's signature"),
    Signer.PROFESSIONAL: Sentence("Signature du professionnel", "Professional's signature"),
}
_LOTS = {
    LotKind.FSE: Sentence("feuilles de soins", "care sheets"),
    LotKind.DRE: Sentence("demandes (DRE)", "claims (DRE)"),
}
_NONE = Sentence("aucune", "none")


def same(text: str) -> Sentence:
    """What reads alike in both languages."""
    return Sentence(text, text)


def euros(cents: int) -> Sentence:
    """``23,00 €`` or ``€23.00``."""
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return Sentence(f"{sign}{whole},{rest:02} €", f"{sign}€{whole}.{rest:02}")


def both(form: str, *parts: Sentence) -> Sentence:
    """The same form filled in both languages."""
    return Sentence(form.format(*(part.fr for part in parts)), form.format(*(part.en for part in parts)))


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
        Sentence(
            f"Feuille de soins {invoice.number} du {invoice.on}, mode {int(invoice.mode)} ({mode.fr})",
            f"Care sheet {invoice.number} of {invoice.on}, mode {int(invoice.mode)} ({mode.en})",
        ),
    )
    deeper = depth + 1
    if invoice.rectifies is not None:
        yield deeper, Sentence("Remplace la feuille", "Replaces the sheet"), same(str(invoice.rectifies))
    yield (
        deeper,
        Sentence("Professionnel", "Professional"),
        same(f"{who.name} {who.first_name}, {who.billing_id}, RPPS {who.rpps}, situation {who.situation}"),
    )
    if invoice.substitute is not None:
        yield deeper, Sentence("Remplaçant", "Substitute"), _person(invoice.substitute)
    if invoice.prescriber is not None:
        day = f", {invoice.prescribed_on}" if invoice.prescribed_on else ""
        yield deeper, Sentence("Prescripteur", "Prescriber"), same(f"{_person(invoice.prescriber).fr}{day}")
    yield (
        deeper,
        Sentence("Bénéficiaire", "Beneficiary"),
        same(f"{cared.name} {cared.first_name}, {cared.nir} {cared.nir_key}, {cared.birth}, {cared.rank}"),
    )
    yield (
        deeper,
        Sentence("Organisme d'affiliation", "Insured with"),
        same(f"{cared.regime} {cared.caisse} {cared.centre}"),
    )
    if marks := tuple(_marks(invoice)):
        yield deeper, Sentence("Situation", "Situation"), both(", ".join("{}" for _ in marks), *marks)
    if cared.complementary is not None:
        amc = cared.complementary
        kind = Sentence("mutuelle", "mutuelle") if amc.mutuelle else Sentence("AMC", "AMC")
        yield deeper, Sentence("Complémentaire", "Complementary"), both(f"{{}} {amc.id}, {amc.indicator}", kind)
    yield deeper, Sentence("Destinataire", "Destination body"), same(invoice.body)
    yield deeper, Sentence("Nature d'assurance", "Insurance"), _INSURANCES[invoice.insurance]
    if invoice.accident is not None:
        yield deeper, Sentence("Accident", "Accident"), same(f"{invoice.accident.on} {invoice.accident.number}")
    if invoice.pregnancy_on is not None:
        yield deeper, Sentence("Grossesse", "Pregnancy"), same(f"{invoice.pregnancy_on}")
    yield deeper, Sentence("Règlement", "Payment"), _PAYMENTS[invoice.payment]
    yield deeper, Sentence("Justificatif des droits", "Proof of rights"), _PROOFS[invoice.proof]
    yield deeper, Sentence("Parcours de soins", "Care path"), same(invoice.care_path)
    for act in invoice.acts:
        yield deeper, Sentence("Acte", "Act"), _act(act)
    yield deeper, Sentence("Total", "Total"), euros(invoice.total)
    yield deeper, Sentence("Part AMO demandée", "AMO part asked"), euros(invoice.amo.asked)
    yield deeper, Sentence("Part AMC demandée", "AMC part asked"), euros(invoice.amc.asked)
    yield (
        deeper,
        Sentence("À la charge du patient au cabinet", "Paid by the patient at the desk"),
        euros(invoice.patient),
    )


def _marks(invoice: Invoice) -> Iterator[Sentence]:
    cared = invoice.beneficiary
    if cared.ald:
        yield same("ALD")
    if cared.c2s:
        yield same("C2S")
    if cared.alsace_moselle:
        yield same("Alsace-Moselle")
    if cared.exoneration != "0":
        yield Sentence(f"exonération {cared.exoneration}", f"exoneration {cared.exoneration}")
    if cared.apcv:
        yield same("apCV")
    if cared.test and invoice.professional.test:
        yield Sentence("cartes de test", "test cards")


def _person(person: Person) -> Sentence:
    return same(f"{person.name} {person.first_name}, {person.billing_id}")


def _act(act: Act) -> Sentence:
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
        yield depth, Sentence("Contenu illisible", "Unreadable content"), same(str(error))
    for signer, signature in (
        (Signer.INSURED, secured.insured),
        (Signer.PROFESSIONAL, secured.professional),
    ):
        yield depth + 1, _SIGNERS[signer], _NONE if signature is None else _signature(signature)
    if secured.paper:
        yield (
            depth + 1,
            Sentence("Papier", "Paper"),
            Sentence("un formulaire signé accompagne la feuille", "a signed form goes along with the sheet"),
        )


def _signature(signature: Signature) -> Sentence:
    try:
        certificate = x509.load_der_x509_certificate(signature.certificate)
        owner = certificate.subject.rfc4514_string()
    except ValueError:
        return Sentence("certificat illisible", "unreadable certificate")
    moment = signature.moment
    when = f"{moment[:4]}-{moment[4:6]}-{moment[6:8]} {moment[8:10]}:{moment[10:12]}:{moment[12:]} UTC"
    return Sentence(f"{owner}, {when} (heure du poste)", f"{owner}, {when} (the workstation's time)")


def _dre(dre: Dre, depth: int) -> Iterator[Line]:
    what = (
        Sentence(
            f"DRE {dre.number} du {dre.on}, feuille {dre.invoice}",
            f"Claim {dre.number} of {dre.on}, sheet {dre.invoice}",
        )
        if dre.cancels is None
        else Sentence(
            f"DRE d'annulation {dre.number} du {dre.on}, annule la DRE {dre.cancels}",
            f"Cancellation claim {dre.number} of {dre.on}, cancels claim {dre.cancels}",
        )
    )
    yield depth, None, what
    yield depth + 1, Sentence("Complémentaire", "Complementary"), same(f"{dre.amc.id}, {dre.amc.indicator}")
    yield depth + 1, Sentence("Part AMC demandée", "AMC part asked"), euros(dre.asked)


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
        Sentence("Signature du lot", "Signature of the lot"),
        _NONE if lot.signature is None else _signature(lot.signature),
    )
    for secured in lot.invoices:
        yield from _secured(secured, depth + 1)
    for dre in lot.dres:
        yield from _dre(dre, depth + 1)


def _arl(arl: Arl, depth: int) -> Iterator[Line]:
    kind = (
        Sentence("ARL positif", "Positive ARL")
        if arl.kind is ArlKind.POSITIVE
        else Sentence("ARL négatif : le lot est rejeté", "Negative ARL: the lot is rejected")
    )
    yield depth, None, both(f"{{}}, {arl.return_id}, {arl.on}", kind)
    yield depth + 1, Sentence("Lot", "Lot"), both(f"{arl.lot} ({{}}), {arl.lot_on}", _LOTS[arl.lot_kind])
    yield depth + 1, Sentence("Fichier", "File"), same(arl.file)
    yield depth + 1, Sentence("SHA-256 du fichier reçu", "SHA-256 of the file received"), same(arl.received)
    yield depth + 1, Sentence("Émetteur et organisme", "Sender and body"), same(f"{arl.sender}, {arl.body}")
    for rejection in arl.rejections:
        yield depth + 1, Sentence("Motif", "Reason"), rejection_words(rejection)


def rejection_words(rejection: Rejection) -> Sentence:
    """A reason, with the sheet and the place it speaks of."""
    sheet = (
        Sentence("", "")
        if rejection.invoice is None
        else Sentence(f", feuille {rejection.invoice}", f", sheet {rejection.invoice}")
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
        Sentence(
            f"RSP {rsp.return_id} du {rsp.on}, virement {rsp.transfer}",
            f"RSP {rsp.return_id} of {rsp.on}, transfer {rsp.transfer}",
        ),
    )
    yield depth + 1, Sentence("Émetteur et organisme", "Sender and body"), same(f"{rsp.sender}, {rsp.body}")
    for line in rsp.lines:
        yield depth + 1, Sentence("Feuille", "Sheet"), _line(line)
    yield depth + 1, Sentence("Total payé", "Total paid"), euros(rsp.total)


def _line(line: RspLine) -> Sentence:
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
