"""What each page shows and offers, for a visitor and a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bifente.ground.text import Text
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.services.dmp.access import check_open, denied, grant_for, may_see
from bifente.simulator.services.dmp.authorisations import AuthorisationState
from bifente.simulator.services.dmp.documents import StoredDocument
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.services.dmp.rights import Calling, Operation
from bifente.simulator.services.dmp.web.visitor import Visitor

DASHBOARD, SETTINGS = "TableauDeBord", "Parametrages"
PAGES: Mapping[str, str] = {
    DASHBOARD: "Tableau de bord",
    "DossierPatient": "Dossier du patient",
    "GestionDMPPatient": "Gestion du DMP",
    "Documents": "Documents",
    "ParcoursDeSoins": "Parcours de soins",
    "HistoriqueAcces": "Historique des accès",
    SETTINGS: "Paramétrages",
    "VolontesEtDroits": "Volontés et droits",
    "CarnetVaccination": "Carnet de vaccination",
}
"""The pages by the last part of their address."""
FOR_EMPLOYEES = frozenset({"GestionDMPPatient", "VolontesEtDroits"})
"""What a CPE may open: patient information and emergency access (which of the pages these are is ours)."""
_WITHOUT_PATIENT = frozenset({DASHBOARD, SETTINGS})
TRACES, TRACED = 100, timedelta(days=365)
_VACCINATION = frozenset({"11369-6", "87273-9", "82593-5"})
_WORDS = {
    AuthorisationState.VALID: "valide",
    AuthorisationState.NONE: "inexistante",
    AuthorisationState.EXPIRED: "expirée",
    AuthorisationState.FORBIDDEN: "interdite",
}


@dataclass(frozen=True, slots=True)
class WebAction:
    """A button. ``fields`` go with it; ``ask`` names a box to be ticked or a text to be typed first."""

    label: str
    fields: tuple[tuple[str, str], ...]
    ask: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class WebSection:
    """Rows under a heading, and what can be done; ``links`` are texts with an address."""

    heading: str
    rows: tuple[tuple[str, ...], ...] = ()
    actions: tuple[WebAction, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page. ``state`` is ``page``, ``confirm`` where an authorisation is to be confirmed first, or ``settings``."""

    title: str
    sections: tuple[WebSection, ...]
    state: str = "page"


def page(register: DmpRegister, visitor: Visitor, name: str, ins: str) -> WebPage:
    """Return a page. Raise DmpRefusalError for what cannot be opened."""
    title = PAGES.get(name)
    if title is None:
        raise denied(Text(f"page {name[:40]!r} inconnue", f"unknown page {name[:40]!r}"))
    grant_for(Operation.WEB_ACCESS, visitor.requester(), None)
    if visitor.calling is Calling.EMPLOYEE and name not in FOR_EMPLOYEES:
        raise denied(Text("page fermée aux cartes CPE", "page not open to CPE cards"))
    if not visitor.structure or name == SETTINGS:
        return WebPage(PAGES[SETTINGS], (_situations(register, visitor),), "settings")
    if not ins:
        return WebPage(title, tuple(_without_patient(register, visitor, name)))
    record = register.records.get(ins)
    if name == DASHBOARD:
        return WebPage(title, (_existence(visitor, record),))
    return _of_record(visitor, name, title, record)


def _of_record(visitor: Visitor, name: str, title: str, record: MedicalRecord | None) -> WebPage:
    if record is None:
        raise denied(Text("aucun DMP pour cet INS", "no DMP for this INS"))
    check_open(record)
    requester = visitor.requester(record.patient.ins, record.patient.oid)
    state = record.authorisations.state(*requester.parties)
    if state is AuthorisationState.FORBIDDEN:
        raise denied(Text("autorisation d'accès interdite", "forbidden"))
    if state is not AuthorisationState.VALID:
        return WebPage("Confirmer l'accès", (_confirmation(state),), "confirm")
    record.authorisations.used(*requester.parties)
    record.trace(requester, f"TD0.9 {name}")
    return WebPage(title, tuple(_CONTENTS[name](record, requester)))


def _without_patient(register: DmpRegister, visitor: Visitor, name: str) -> Iterable[WebSection]:
    if name not in _WITHOUT_PATIENT:
        yield WebSection("Aucun patient", (("Choisir un patient sur le tableau de bord",),))
        return
    parties = visitor.requester().parties
    mine = [one for one in register.everyone() if one.authorisations.state(*parties) is AuthorisationState.VALID]
    yield WebSection(
        "Mes patients autorisés",
        tuple((one.patient.family, one.patient.given, f"{one.patient.birth:%d/%m/%Y}") for one in mine),
        links=tuple((f"Ouvrir {one.patient.family}", f"DossierPatient/{one.patient.ins}") for one in mine),
    )
    yield WebSection("Autre patient", (("Lire une carte Vitale par le composant CNAM, ou saisir l'INS",),))


def _existence(visitor: Visitor, record: MedicalRecord | None) -> WebSection:
    if record is None:
        return WebSection("Test d'existence", (("DMP", "inexistant"),))
    rows = [
        ("DMP", "ouvert" if record.open else "fermé"),
        ("Patient", f"{record.patient.family} {record.patient.given}"),
    ]
    if record.open:
        state = record.authorisations.state(*visitor.requester().parties)
        rows.append(("Autorisation", _WORDS[state]))
    links = (("Ouvrir le dossier", f"DossierPatient/{record.patient.ins}"),) if record.open else ()
    return WebSection("Test d'existence", tuple(rows), links=links)


def _confirmation(state: AuthorisationState) -> WebSection:
    return WebSection(
        "Confirmer l'accès",
        (("Autorisation", _WORDS[state]),),
        (
            WebAction(
                "Déclarer mon autorisation",
                (("do", "authorise"),),
                ("consent", "Le patient, informé, donne son accord à ma consultation"),
            ),
        ),
    )


def _situations(register: DmpRegister, visitor: Visitor) -> WebSection:
    return WebSection(
        "Situation d'exercice par défaut",
        tuple((register.structures.get(one, one), one) for one in visitor.structures),
        tuple(
            WebAction(f"Travailler à {register.structures.get(one, one)}", (("do", "settle"), ("structure", one)))
            for one in visitor.structures
            if one != visitor.structure
        ),
    )


def _summary(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    patient = record.patient
    yield WebSection(
        "Identité",
        (
            ("Nom", patient.family),
            ("Prénom", patient.given),
            ("Né le", f"{patient.birth:%d/%m/%Y}"),
            ("Sexe", patient.sex),
            ("INS", patient.ins),
        ),
    )
    yield WebSection(
        "DMP",
        (
            ("Documents visibles", str(len(list(_visible(record, requester))))),
            ("Médecin traitant", "oui" if requester.id in record.authorisations.treating else "non"),
            ("Mon espace santé", "rattaché" if record.attached else "non rattaché"),
        ),
    )


def _management(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    yield WebSection("Coordonnées", tuple((key, value) for key, value in record.contact.items()) or (("Aucune",),))
    yield WebSection("Compte", (("Mon espace santé", "ouvert" if record.account else "fermé"),))


def _documents(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    grant_for(Operation.SEARCH, requester, record)
    found = list(_visible(record, requester))
    yield WebSection(
        "Documents",
        tuple(_line(record, one) for one in found),
        links=tuple(
            (f"Lire {one.entry.title or one.entry.unique_id}", f"?document={one.entry.unique_id}") for one in found
        ),
    )


def _pathway(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    grant_for(Operation.SEARCH, requester, record)
    found = sorted(_visible(record, requester), key=lambda one: one.entry.service_start, reverse=True)
    years = dict.fromkeys(one.entry.service_start[:4] for one in found)
    for year in years:
        yield WebSection(year, tuple(_line(record, one) for one in found if one.entry.service_start[:4] == year))
    if not years:
        yield WebSection("Parcours", (("Aucun acte",),))


def _history(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    """One year, or a hundred entries; all for the treating doctor, one's own for others."""
    treating = requester.id in record.authorisations.treating
    since = record.clock.now() - TRACED
    seen = [one for one in record.traces if one.at >= since and (treating or one.who == requester.id)]
    yield WebSection(
        "Accès" if treating else "Mes accès",
        tuple((f"{one.at:%d/%m/%Y %H:%M}", one.who, one.action, one.mode.value) for one in seen[-TRACES:][::-1]),
    )


def _wishes(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    wishes = record.wishes
    yield WebSection(
        "Volontés du patient",
        (
            ("Opposition au bris de glace", _yes(wishes.opposes_bris_de_glace)),
            ("Opposition à l'accès du centre 15", _yes(wishes.opposes_urgency)),
            ("Documents masqués en urgence", _yes(wishes.masked_in_urgency)),
        ),
    )
    treating = requester.id in record.authorisations.treating
    if not treating and requester.calling is Calling.EMPLOYEE:
        return
    blocked = record.authorisations.blocked
    actions = [WebAction(f"Débloquer {who}", (("do", "unblock"), ("who", who))) for who in blocked]
    others = [one.party for one in record.authorisations.live() if one.party not in requester.parties]
    actions += [WebAction(f"Bloquer {who}", (("do", "block"), ("who", who))) for who in others]
    yield WebSection(
        "Professionnels bloqués",
        tuple((who, f"{since:%d/%m/%Y}") for who, since in blocked.items()) or (("Aucun",),),
        tuple(actions) if treating else (),
    )


def _vaccinations(record: MedicalRecord, requester: Requester) -> Iterable[WebSection]:
    grant_for(Operation.SEARCH, requester, record)
    found = [one for one in _visible(record, requester) if one.entry.type_code.code in _VACCINATION]
    yield WebSection("Vaccinations", tuple(_line(record, one) for one in found) or (("Aucune note de vaccination",),))


def _visible(record: MedicalRecord, requester: Requester) -> Iterable[StoredDocument]:
    for one in record.shelf.find([DocumentStatus.APPROVED]):
        if one.entry.type_code.code != "E1762" and may_see(requester, record, one):
            yield one


def _line(record: MedicalRecord, one: StoredDocument) -> tuple[str, ...]:
    day = one.entry.creation_time
    hidden = ", ".join(sorted(one.codes(record.clock.now()) - {"N", "R", "V"}))
    return (f"{day[6:8]}/{day[4:6]}/{day[:4]}", one.entry.title, one.entry.type_code.display, one.author, hidden)


def _yes(value: bool) -> str:
    return "oui" if value else "non"


_CONTENTS: Mapping[str, Callable[[MedicalRecord, Requester], Iterable[WebSection]]] = {
    "DossierPatient": _summary,
    "GestionDMPPatient": _management,
    "Documents": _documents,
    "ParcoursDeSoins": _pathway,
    "HistoriqueAcces": _history,
    "VolontesEtDroits": _wishes,
    "CarnetVaccination": _vaccinations,
}
