"""TD0.3, TD0.4 and TD1.6: authorisations and lists, in the DMP's own messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from bifente.simulator.formats.dmp.demographics import Hl7Error
from bifente.simulator.formats.dmp.names import HABILITATIONS, PATIENTS

_Element = etree._Element


class AuthorisationAction(StrEnum):
    """What TD0.3 does."""

    ADD = "AJOUT"
    REMOVE = "SUPPRESSION"


class AuthorisationRole(StrEnum):
    """The role that TD0.3 may be about."""

    TREATING = "MEDECIN_TRAITANT"


class AuthorisationFilter(StrEnum):
    """Which entries TD1.6 wants."""

    ACTIVE = "ACTIVE"
    FORBIDDEN = "INTERDITE"
    ALL = "TOUTE"


class ListDate(StrEnum):
    """What the start date of TD0.4 is about; so spelled."""

    LAST_AUTHORISATION = "LASTAUTORIZATION"
    LAST_DOCUMENT = "LASTDOC"


@dataclass(frozen=True, slots=True)
class FunctionalStatus:
    """A functional answer: ``DMPOk`` and a sentence."""

    status: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class AuthorisedParty:
    """One entry of TD1.6. Times are ``YYYYMMDDhhmmss``."""

    id: str
    id_type: str
    family: str
    given: str
    start: str
    last: str
    mode: AuthorisationFilter
    treating: bool = False
    speciality: str = ""


@dataclass(frozen=True, slots=True)
class ListedPatient:
    """One entry of TD0.4."""

    ids: tuple[tuple[str, str], ...]
    family: str
    given: str
    birth: str
    treating: bool
    last_access: str = ""
    last_update: str = ""
    last_add: str = ""


def set_authorisation(action: AuthorisationAction, role: AuthorisationRole | None = None) -> _Element:
    """Return a setAuthorization."""
    root = _root(HABILITATIONS, "setAuthorization")
    _put(root, "action", action.value)
    if role is not None:
        _put(root, "role", role.value)
    return root


def read_set_authorisation(root: _Element) -> tuple[AuthorisationAction, AuthorisationRole | None]:
    """Return what a setAuthorization wants. Raise Hl7Error."""
    action, role = _text(root, "action"), _text(root, "role")
    try:
        return AuthorisationAction(action), AuthorisationRole(role) if role else None
    except ValueError as error:
        raise Hl7Error(f"setAuthorization: {error}: AJOUT or SUPPRESSION, and MEDECIN_TRAITANT or no role") from None


def status_answer(name: str, answer: FunctionalStatus, namespace: str = HABILITATIONS) -> _Element:
    """Return ``<name>Response`` with a status."""
    root = _root(namespace, f"{name}Response")
    output = _put(root, "output", None)
    _put(output, "status", answer.status)
    if answer.context:
        _put(output, "context", answer.context)
    return root


def read_status(root: _Element) -> FunctionalStatus:
    """Return the status of any answer of these services."""
    return FunctionalStatus(_text(root, "output/status"), _text(root, "output/context"))


def list_authorised(mode: AuthorisationFilter) -> _Element:
    """Return a listAuthorizationByPatient."""
    root = _root(HABILITATIONS, "listAuthorizationByPatient")
    _put(root, "mode", mode.value)
    return root


def read_list_authorised(root: _Element) -> AuthorisationFilter:
    """Return which entries are wanted; without a mode the active ones. Raise Hl7Error."""
    mode = _text(root, "mode")
    try:
        return AuthorisationFilter(mode) if mode else AuthorisationFilter.ACTIVE
    except ValueError:
        raise Hl7Error(f"mode {mode[:20]!r}: ACTIVE, INTERDITE or TOUTE") from None


def authorised(entries: Iterable[AuthorisedParty]) -> _Element:
    """Return the answer of TD1.6."""
    root = _root(HABILITATIONS, "listAuthorizationByPatientResponse")
    output = _put(root, "output", None)
    for one in entries:
        entry = _put(output, "listOfAuthorizationByPatient", None)
        for name, value in (
            ("nationalId", one.id),
            ("nationalIdType", one.id_type),
            ("firstName", one.given),
            ("lastName", one.family),
            ("codeSpeciality", one.speciality),
            ("startOfAuthorization", one.start),
            ("lastActionDate", one.last),
            ("mode", one.mode.value),
            ("specificRight", AuthorisationRole.TREATING.value if one.treating else ""),
        ):
            if value:
                _put(entry, name, value)
    _put(output, "status", "DMPOk")
    return root


def read_authorised(root: _Element) -> tuple[AuthorisedParty, ...]:
    """Return the entries of TD1.6."""
    return tuple(
        AuthorisedParty(
            _text(one, "nationalId"),
            _text(one, "nationalIdType"),
            _text(one, "lastName"),
            _text(one, "firstName"),
            _text(one, "startOfAuthorization"),
            _text(one, "lastActionDate"),
            AuthorisationFilter(_text(one, "mode") or "ACTIVE"),
            _text(one, "specificRight") == AuthorisationRole.TREATING,
            _text(one, "codeSpeciality"),
        )
        for one in root.iter(f"{{{HABILITATIONS}}}listOfAuthorizationByPatient")
    )


def patient_list(date: ListDate | None = None, start: str = "", owner: str = "") -> _Element:
    """Return a patientList."""
    root = _root(PATIENTS, "patientList")
    for name, value in (("startDate", start), ("dateType", date.value if date else ""), ("psOwnerId", owner)):
        if value:
            _put(root, name, value)
    return root


def read_patient_list(root: _Element) -> tuple[ListDate | None, str, str]:
    """Return date kind, start and owner of a patientList. Raise Hl7Error."""
    kind = _text(root, "dateType", PATIENTS)
    try:
        date = ListDate(kind) if kind else None
    except ValueError:
        raise Hl7Error(f"dateType {kind[:20]!r}: LASTAUTORIZATION (so spelled) or LASTDOC") from None
    start = _text(root, "startDate", PATIENTS)
    if start and not (start.isdigit() and len(start) in (8, 14)):
        raise Hl7Error(f"startDate {start[:20]!r} is no date YYYYMMDD or YYYYMMDDhhmmss")
    return date, start, _text(root, "psOwnerId", PATIENTS)


def patients(entries: Iterable[ListedPatient]) -> _Element:
    """Return the answer of TD0.4."""
    root = _root(PATIENTS, "patientListResponse")
    output = _put(root, "output", None)
    for one in entries:
        entry = _put(output, "patientlistData", None)
        for oid, number in one.ids:
            identifier = _put(entry, "patientIdentifier", None)
            _put(identifier, "nationalId", number)
            _put(identifier, "nationalIdType", oid)
        _put(entry, "lastName", one.family)
        _put(entry, "firstName", one.given)
        _put(entry, "dateOfBirth", one.birth)
        _put(entry, "MT", "true" if one.treating else "false")
        _put(entry, "message", "false")
        for name, value in (
            ("lastAccessDate", one.last_access),
            ("lastUpdateDate", one.last_update),
            ("lastAddDate", one.last_add),
        ):
            if value:
                _put(entry, name, value)
    _put(output, "status", "DMPOk")
    return root


def read_patients(root: _Element) -> tuple[ListedPatient, ...]:
    """Return the entries of TD0.4."""
    return tuple(
        ListedPatient(
            tuple(
                (_text(two, "nationalIdType", PATIENTS), _text(two, "nationalId", PATIENTS))
                for two in one.iterfind(f"{{{PATIENTS}}}patientIdentifier")
            ),
            _text(one, "lastName", PATIENTS),
            _text(one, "firstName", PATIENTS),
            _text(one, "dateOfBirth", PATIENTS),
            _text(one, "MT", PATIENTS) == "true",
            _text(one, "lastAccessDate", PATIENTS),
            _text(one, "lastUpdateDate", PATIENTS),
            _text(one, "lastAddDate", PATIENTS),
        )
        for one in root.iter(f"{{{PATIENTS}}}patientlistData")
    )


def _root(namespace: str, tag: str) -> _Element:
    return etree.Element(f"{{{namespace}}}{tag}", nsmap={"d": namespace})


def _put(parent: _Element, tag: str, text: str | None) -> _Element:
    one = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}")
    one.text = text
    return one


def _text(parent: _Element, steps: str, namespace: str = HABILITATIONS) -> str:
    return (parent.findtext("/".join(f"{{{namespace}}}{step}" for step in steps.split("/"))) or "").strip()
