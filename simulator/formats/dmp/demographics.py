"""TD0.2, TD0.5, TD1.3 and TD1.4: asked and answered in HL7 v3 (PRPA_IN201305 to 201316)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from bifente.simulator.formats.dmp import names
from bifente.simulator.formats.dmp.names import HL7, DmpReason
from bifente.simulator.formats.dmp.transmission import (
    MessageId,
    add,
    message,
    path,
    put_id,
    stamp,
    typed,
    value_at,
)

_Element = etree._Element


class Hl7Error(ValueError):
    """A message that is not what it should be. One sentence."""


@dataclass(frozen=True, slots=True)
class PersonTraits:
    """Who a patient is; ``birth`` is ``YYYYMMDD``."""

    family: str = ""
    given: str = ""
    sex: str = ""
    birth: str = ""
    telecoms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemographicsQuery:
    """What is asked: ``reason`` a code of the DMP, ``patient`` (oid, number)."""

    id: MessageId
    query: MessageId
    reason: str
    patient: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PatientFound:
    """What TD0.2 and TD1.3a tell. ``flags`` are boolean markers by code; ``closing`` is (date, reason, motive)."""

    found: bool
    status: str = ""
    ids: tuple[tuple[str, str], ...] = ()
    traits: PersonTraits = field(default_factory=PersonTraits)
    authorisation: str = ""
    treating: bool | None = None
    flags: tuple[tuple[str, bool], ...] = ()
    closing: tuple[str, str, str] = ("", "", "")
    match: int | None = None

    def flag(self, name: str) -> bool | None:
        """Return a marker, None if it is not told."""
        return dict(self.flags).get(name)


def query(
    identifier: MessageId, query_id: MessageId, at: datetime, reason: DmpReason, oid: str, number: str
) -> _Element:
    """Return a PRPA_IN201307UV02: existence (TD0.2) or administrative data (TD1.3a)."""
    root = message("PRPA_IN201307UV02", identifier, at, to_dmp=True)
    act = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "reasonCode", code=reason.value, codeSystem=names.REASONS)
    asked = add(act, "queryByParameter")
    put_id(asked, "queryId", query_id)
    add(asked, "statusCode", code="new")
    patient = add(add(asked, "parameterList"), "patientIdentifier")
    add(patient, "value", root=oid, extension=number)
    add(patient, "semanticsText").text = "Patient.id"
    return root


def read_query(root: _Element) -> DemographicsQuery:
    """Return what a PRPA_IN201307UV02 asks. Raise Hl7Error."""
    asked = root.find(path("controlActProcess/queryByParameter"))
    if asked is None:
        raise Hl7Error("queryByParameter is missing")
    patients = asked.findall(path("parameterList/patientIdentifier/value"))
    if len(patients) != 1:
        raise Hl7Error(f"one patientIdentifier is expected, there are {len(patients)}")
    return DemographicsQuery(
        MessageId.of(root.find(path("id"))),
        MessageId.of(asked.find(path("queryId"))),
        value_at(root, "controlActProcess/reasonCode", "code"),
        (patients[0].get("root", ""), patients[0].get("extension", "")),
    )


def answer(identifier: MessageId, at: datetime, asked: DemographicsQuery, found: PatientFound) -> _Element:
    """Return a PRPA_IN201308UV02."""
    root = message("PRPA_IN201308UV02", identifier, at, to_dmp=False)
    if found.authorisation:
        line = add(root, "attentionLine")
        add(line, "keyWordText", code="AUTORISATION", codeSystem=names.AUTHORISATION_KEY)
        typed(line, "CV", code=found.authorisation, codeSystem=names.AUTHORISATION_VALUES)
    if found.treating is not None:
        line = add(root, "attentionLine")
        add(line, "keyWordText", code="STATUT_MT", codeSystem=names.TREATING_KEY)
        typed(line, "BL", value=_boolean(found.treating))
    _acknowledge(root, asked.id)
    act = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "reasonCode", code=asked.reason, codeSystem=names.REASONS)
    if found.found:
        registration = _registration(act)
        patient = add(add(registration, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
        _patient(patient, found)
        _custodian(registration)
        if any(found.closing):
            on, reason, motive = found.closing
            event = add(add(act, "reasonOf", typeCode="RSON"), "detectedIssueEvent", classCode="ALRT", moodCode="EVN")
            add(event, "code", code=reason, codeSystem=names.CLOSING_REASONS)
            add(event, "text").text = f"{on} {motive}".strip()
    ack = add(act, "queryAck")
    put_id(ack, "queryId", asked.query)
    add(ack, "queryResponseCode", code="OK" if found.found else "NF")
    return root


def read_answer(root: _Element) -> PatientFound:
    """Return what a PRPA_IN201308UV02 tells. Raise Hl7Error."""
    code = value_at(root, "controlActProcess/queryAck/queryResponseCode", "code")
    if code not in ("OK", "NF"):
        raise Hl7Error(f"queryResponseCode {code!r} is neither OK nor NF")
    patient = root.find(path("controlActProcess/subject/registrationEvent/subject1/patient"))
    lines = {
        value_at(line, "keyWordText", "code"): line.find(path("value")) for line in root.iterfind(path("attentionLine"))
    }
    authorisation, treating = lines.get("AUTORISATION"), lines.get("STATUT_MT")
    text = root.findtext(path("controlActProcess/reasonOf/detectedIssueEvent/text"), "")
    on, _space, motive = text.partition(" ")
    return PatientFound(
        found=code == "OK",
        status="" if patient is None else value_at(patient, "statusCode", "code"),
        ids=() if patient is None else _ids(patient),
        traits=PersonTraits() if patient is None else _traits(patient),
        authorisation="" if authorisation is None else authorisation.get("code", ""),
        treating=None if treating is None else treating.get("value") == "true",
        flags=() if patient is None else _flags(patient),
        closing=(on, value_at(root, "controlActProcess/reasonOf/detectedIssueEvent/code", "code"), motive),
    )


@dataclass(frozen=True, slots=True)
class PatientSearch:
    """TD0.5: what is looked for."""

    id: MessageId
    query: MessageId
    traits: PersonTraits


def search(identifier: MessageId, query_id: MessageId, at: datetime, traits: PersonTraits) -> _Element:
    """Return a PRPA_IN201305UV02."""
    root = message("PRPA_IN201305UV02", identifier, at, to_dmp=True)
    act = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "code", code="PRPA_TE201305UV02", codeSystem=names.INTERACTIONS)
    asked = add(act, "queryByParameter")
    put_id(asked, "queryId", query_id)
    add(asked, "statusCode", code="new")
    listed = add(asked, "parameterList")
    for tag, value, semantics in (
        ("livingSubjectAdministrativeGender", traits.sex, "LivingSubject.administrativeGender"),
        ("livingSubjectBirthTime", traits.birth, "LivingSubject.birthTime"),
    ):
        if value:
            one = add(listed, tag)
            add(one, "value", **({"code": value} if tag.endswith("Gender") else {"value": value}))
            add(one, "semanticsText").text = semantics
    one = add(listed, "livingSubjectName")
    name = add(one, "value")
    if traits.family:
        add(name, "family").text = traits.family
    if traits.given:
        add(name, "given").text = traits.given
    add(one, "semanticsText").text = "LivingSubject.name"
    return root


def read_search(root: _Element) -> PatientSearch:
    """Return what a PRPA_IN201305UV02 looks for. Raise Hl7Error."""
    asked = root.find(path("controlActProcess/queryByParameter"))
    listed = None if asked is None else asked.find(path("parameterList"))
    if asked is None or listed is None:
        raise Hl7Error("queryByParameter/parameterList is missing")
    traits = PersonTraits(
        (listed.findtext(path("livingSubjectName/value/family")) or "").strip(),
        (listed.findtext(path("livingSubjectName/value/given")) or "").strip(),
        value_at(listed, "livingSubjectAdministrativeGender/value", "code"),
        value_at(listed, "livingSubjectBirthTime/value", "value"),
    )
    if not traits.family:
        raise Hl7Error("livingSubjectName has no family name")
    return PatientSearch(MessageId.of(root.find(path("id"))), MessageId.of(asked.find(path("queryId"))), traits)


def search_answer(identifier: MessageId, at: datetime, asked: PatientSearch, found: Iterable[PatientFound]) -> _Element:
    """Return a PRPA_IN201306UV02, each candidate with how well it matches."""
    listed = tuple(found)
    root = message("PRPA_IN201306UV02", identifier, at, to_dmp=False)
    acknowledged = add(root, "acknowledgement")
    add(acknowledged, "typeCode", code="AA")
    put_id(add(acknowledged, "targetMessage"), "id", asked.id)
    act = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "code", code="PRPA_TE201306UV02", codeSystem=names.INTERACTIONS)
    for one in listed:
        registration = _registration(act, "active")
        patient = add(add(registration, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
        for oid, number in one.ids:
            add(patient, "id", root=oid, extension=number)
        add(patient, "statusCode", code=one.status)
        _person(patient, one.traits)
        seen = add(
            add(patient, "subjectOf1", typeCode="SBJ"), "queryMatchObservation", classCode="COND", moodCode="EVN"
        )
        add(seen, "code", code="POURCENTAGE")
        typed(seen, "INT", value=str(one.match or 0))
        _custodian(registration)
    ack = add(act, "queryAck")
    put_id(ack, "queryId", asked.query)
    add(ack, "queryResponseCode", code="OK" if listed else "NF")
    add(ack, "resultTotalQuantity", value=str(len(listed)))
    add(ack, "resultCurrentQuantity", value=str(len(listed)))
    add(ack, "resultRemainingQuantity", value="0")
    echo = add(act, "queryByParameter")
    put_id(echo, "queryId", asked.query)
    add(echo, "statusCode", code="new")
    name = add(add(echo, "parameterList"), "livingSubjectName")
    add(add(name, "value"), "family").text = asked.traits.family
    add(name, "semanticsText").text = "LivingSubject.name"
    return root


def read_search_answer(root: _Element) -> tuple[PatientFound, ...]:
    """Return the candidates of a PRPA_IN201306UV02."""
    return tuple(
        PatientFound(
            True,
            value_at(patient, "statusCode", "code"),
            _ids(patient),
            _traits(patient),
            match=int(value_at(patient, "subjectOf1/queryMatchObservation/value", "value") or 0),
        )
        for patient in root.iterfind(path("controlActProcess/subject/registrationEvent/subject1/patient"))
    )


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """TD1.3b and TD1.4: what is to change, and why; ``author`` is (person, structure)."""

    id: MessageId
    reason: str
    patient: tuple[str, str]
    traits: PersonTraits
    closing_reason: str = ""
    motive: str = ""
    author: tuple[str, str] = ("", "")


def change(identifier: MessageId, at: datetime, wanted: ChangeRequest) -> _Element:
    """Return a PRPA_IN201314UV02."""
    root = message("PRPA_IN201314UV02", identifier, at, to_dmp=True)
    act = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "reasonCode", code=wanted.reason, codeSystem=names.REASONS)
    subject = add(act, "subject", typeCode="SUBJ", contextConductionInd="false")
    request = add(subject, "registrationRequest", classCode="REG", moodCode="RQO")
    add(request, "statusCode", code="active")
    patient = add(add(request, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    add(patient, "id", root=wanted.patient[0], extension=wanted.patient[1])
    add(patient, "statusCode", code="terminated" if wanted.reason == DmpReason.CLOSE else "active")
    _person(patient, wanted.traits)
    person, structure = wanted.author
    assigned = add(add(request, "author", typeCode="AUT"), "assignedEntity", classCode="ASSIGNED")
    add(assigned, "id", root=names.PERSONS, extension=person)
    organisation = add(assigned, "representedOrganization", classCode="ORG", determinerCode="INSTANCE")
    add(organisation, "id", root=names.STRUCTURES, extension=structure)
    add(organisation, "contactParty", classCode="CON")
    if wanted.closing_reason:
        event = add(add(act, "reasonOf", typeCode="RSON"), "detectedIssueEvent", classCode="ALRT", moodCode="EVN")
        add(event, "code", code=wanted.closing_reason, codeSystem=names.CLOSING_REASONS)
        if wanted.motive:
            add(event, "text").text = wanted.motive
    return root


def read_change(root: _Element) -> ChangeRequest:
    """Return what a PRPA_IN201314UV02 wants. Raise Hl7Error."""
    patient = root.find(path("controlActProcess/subject/registrationRequest/subject1/patient"))
    if patient is None or not _ids(patient):
        raise Hl7Error("registrationRequest/subject1/patient with an id is missing")
    return ChangeRequest(
        MessageId.of(root.find(path("id"))),
        value_at(root, "controlActProcess/reasonCode", "code"),
        _ids(patient)[0],
        _traits(patient),
        value_at(root, "controlActProcess/reasonOf/detectedIssueEvent/code", "code"),
        root.findtext(path("controlActProcess/reasonOf/detectedIssueEvent/text"), ""),
        (
            value_at(root, "controlActProcess/subject/registrationRequest/author/assignedEntity/id", "extension"),
            value_at(
                root,
                "controlActProcess/subject/registrationRequest/author/assignedEntity/representedOrganization/id",
                "extension",
            ),
        ),
    )


def changed(identifier: MessageId, at: datetime, wanted: ChangeRequest, status: str, traits: PersonTraits) -> _Element:
    """Return a PRPA_IN201314UV02_Response that holds an acceptance (PRPA_IN201315UV02)."""
    response = etree.Element(f"{{{names.GDP}}}PRPA_IN201314UV02_Response", nsmap={"gdp": names.GDP, None: HL7})  # type: ignore[dict-item]
    root = message("PRPA_IN201315UV02", identifier, at, to_dmp=False)
    response.append(root)
    _acknowledge(root, wanted.id)
    act = add(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(act, "reasonCode", code=wanted.reason, codeSystem=names.REASONS)
    registration = _registration(act)
    patient = add(add(registration, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    add(patient, "id", root=wanted.patient[0], extension=wanted.patient[1])
    add(patient, "statusCode", code=status)
    _person(patient, traits)
    _custodian(registration)
    return response


def read_changed(response: _Element) -> str:
    """Return the status of the record after a change. Raise Hl7Error where it was not accepted."""
    root = response.find(f"{{{HL7}}}PRPA_IN201315UV02")
    if root is None:
        raise Hl7Error("the change was not accepted")
    return value_at(root, "controlActProcess/subject/registrationEvent/subject1/patient/statusCode", "code")


def _acknowledge(root: _Element, target: MessageId) -> None:
    put_id(add(add(root, "acknowledgement", typeCode="AA"), "targetMessage"), "id", target)


def _registration(act: _Element, status: str = "completed") -> _Element:
    subject = add(act, "subject", contextConductionInd="false", typeCode="SUBJ")
    registration = add(subject, "registrationEvent", classCode="REG", moodCode="EVN")
    add(registration, "statusCode", code=status)
    return registration


def _custodian(registration: _Element) -> None:
    assigned = add(add(registration, "custodian", typeCode="CST"), "assignedEntity", classCode="ASSIGNED")
    add(assigned, "id", root=names.DMP_DEVICE)


def _patient(patient: _Element, found: PatientFound) -> None:
    for oid, number in found.ids:
        add(patient, "id", root=oid, extension=number)
    add(patient, "statusCode", code=found.status)
    _person(patient, found.traits)
    for name, value in found.flags:
        observation = add(
            add(patient, "subjectOf", typeCode="SBJ"), "administrativeObservation", classCode="OBS", moodCode="EVN"
        )
        system = names.ACCOUNT if name == "COMPTE_INTERNET_OUVERT" else names.MARKERS
        add(observation, "code", code=name, codeSystem=system)
        typed(observation, "BL", value=_boolean(value))


def _person(patient: _Element, traits: PersonTraits) -> None:
    person = add(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE")
    name = add(person, "name")
    add(name, "given").text = traits.given
    add(name, "family", qualifier="BR").text = traits.family
    for telecom in traits.telecoms:
        add(person, "telecom", value=telecom)
    if traits.sex:
        add(person, "administrativeGenderCode", code=traits.sex)
    if traits.birth:
        add(person, "birthTime", value=traits.birth)


def _ids(patient: _Element) -> tuple[tuple[str, str], ...]:
    return tuple((one.get("root", ""), one.get("extension", "")) for one in patient.iterfind(path("id")))


def _traits(patient: _Element) -> PersonTraits:
    return PersonTraits(
        patient.findtext(path("patientPerson/name/family")) or "",
        patient.findtext(path("patientPerson/name/given")) or "",
        value_at(patient, "patientPerson/administrativeGenderCode", "code"),
        value_at(patient, "patientPerson/birthTime", "value"),
        tuple(one.get("value", "") for one in patient.iterfind(path("patientPerson/telecom"))),
    )


def _flags(patient: _Element) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (value_at(one, "code", "code"), value_at(one, "value", "value") == "true")
        for one in patient.iterfind(path("subjectOf/administrativeObservation"))
    )


def _boolean(value: bool) -> str:
    return "true" if value else "false"


__all__ = [
    "ChangeRequest",
    "DemographicsQuery",
    "Hl7Error",
    "PatientFound",
    "PatientSearch",
    "PersonTraits",
    "answer",
    "change",
    "changed",
    "query",
    "read_answer",
    "read_change",
    "read_changed",
    "read_query",
    "read_search",
    "read_search_answer",
    "search",
    "search_answer",
    "stamp",
]
