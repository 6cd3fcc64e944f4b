"""The DMP's own messages: valid to the official schemas, read back, refused in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from external import external
from lxml import etree

from bifente.simulator.formats.dmp import demographics as hl7
from bifente.simulator.formats.dmp import habilitations as own
from bifente.simulator.formats.dmp.demographics import ChangeRequest, Hl7Error, PatientFound, PersonTraits
from bifente.simulator.formats.dmp.habilitations import (
    AuthorisationAction,
    AuthorisationFilter,
    AuthorisationRole,
    AuthorisedParty,
    FunctionalStatus,
    ListDate,
    ListedPatient,
)
from bifente.simulator.formats.dmp.names import HL7, DmpReason
from bifente.simulator.formats.dmp.transmission import MessageId

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ID, QUERY = MessageId("1.2.3", "a"), MessageId("1.2.4", "b")
TRAITS = PersonTraits("TESTPATIENT", "ANNE", "F", "19800101", ("tel:0102030405",))
ASKED = hl7.query(ID, QUERY, NOW, DmpReason.EXISTENCE, "1.2.250.1.213.1.4.10", "180191305500101")
FOUND = PatientFound(
    True,
    "terminated",
    (("1.2.250.1.213.1.4.10", "180191305500101"),),
    TRAITS,
    "VALIDE",
    True,
    (("RATTACHEMENT_ENS", False), ("COMPTE_INTERNET_OUVERT", True)),
    ("20260101000000", "FERMETURE_DEMANDE_PATIENT", "Mon espace santé"),
)
CHANGE = ChangeRequest(ID, "FERM", FOUND.ids[0], TRAITS, "FERMETURE_DEMANDE_PATIENT", "x", ("899900000011", "4999"))
SEARCH = hl7.search(ID, QUERY, NOW, PersonTraits("TEST", "ANNE", "F", "19800101"))
CANDIDATE = PatientFound(True, "active", FOUND.ids, PersonTraits("TEST", "ANNE", "F", "19800101"), match=90)


@pytest.mark.parametrize(
    ("year", "element"),
    [
        ("2009", ASKED),
        ("2009", hl7.answer(ID, NOW, hl7.read_query(ASKED), FOUND)),
        ("2009", hl7.answer(ID, NOW, hl7.read_query(ASKED), PatientFound(False))),
        ("2009", hl7.change(ID, NOW, CHANGE)),
        ("2009", hl7.changed(ID, NOW, CHANGE, "terminated", TRAITS)[0]),
        ("2008", SEARCH),
        ("2008", hl7.search_answer(ID, NOW, hl7.read_search(SEARCH), [CANDIDATE])),
        ("2008", hl7.search_answer(ID, NOW, hl7.read_search(SEARCH), [])),
    ],
)
def test_valid_to_the_official_schema(year: str, element: etree._Element) -> None:
    name = etree.QName(element).localname
    path = external("dmp", "schema", "HL7V3", f"NE{year}", "multicacheschemas", f"{name}.xsd")
    judge = etree.XMLSchema(etree.parse(str(path)))
    assert judge.validate(element), judge.error_log


def test_read_back() -> None:
    asked = hl7.read_query(ASKED)
    assert (asked.reason, asked.patient) == ("TEST_EXST", FOUND.ids[0])
    assert hl7.read_answer(hl7.answer(ID, NOW, asked, FOUND)) == FOUND
    assert not hl7.read_answer(hl7.answer(ID, NOW, asked, PatientFound(False))).found
    assert hl7.read_change(hl7.change(ID, NOW, CHANGE)) == CHANGE
    assert hl7.read_changed(hl7.changed(ID, NOW, CHANGE, "terminated", TRAITS)) == "terminated"
    answer = hl7.search_answer(ID, NOW, hl7.read_search(SEARCH), [CANDIDATE])
    assert hl7.read_search_answer(answer) == (CANDIDATE,)


@pytest.mark.parametrize("path", ["queryByParameter", "value"])
def test_a_query_without_its_patient_is_refused(path: str) -> None:
    root = etree.fromstring(etree.tostring(ASKED))
    one = root.find(f".//{{{HL7}}}{path}")
    assert one is not None
    parent = one.getparent()
    assert parent is not None
    parent.remove(one)
    with pytest.raises(Hl7Error, match=r"missing|one patientIdentifier"):
        hl7.read_query(root)


def test_authorisations_read_back() -> None:
    asked = own.set_authorisation(AuthorisationAction.ADD, AuthorisationRole.TREATING)
    assert own.read_set_authorisation(asked) == (AuthorisationAction.ADD, AuthorisationRole.TREATING)
    assert own.read_list_authorised(own.list_authorised(AuthorisationFilter.ALL)) is AuthorisationFilter.ALL
    said = FunctionalStatus("DMPOk", "context")
    assert own.read_status(own.status_answer("setAuthorization", said)) == said
    entry = AuthorisedParty("8", "1.2", "N", "P", "2026", "2027", AuthorisationFilter.FORBIDDEN, True, "G15_10/SM26")
    assert own.read_authorised(own.authorised([entry])) == (entry,)
    wanted = (ListDate.LAST_DOCUMENT, "20260101", "899900000011")
    assert own.read_patient_list(own.patient_list(*wanted)) == wanted
    patient = ListedPatient((("1.2", "3"),), "N", "P", "19800101", True, "2026", "2027", "2028")
    assert own.read_patients(own.patients([patient])) == (patient,)


@pytest.mark.parametrize(
    ("read", "tag", "field", "value"),
    [
        (own.read_set_authorisation, "{urn:si-dmp-habilitations}setAuthorization", "action", "DONNE"),
        (own.read_set_authorisation, "{urn:si-dmp-habilitations}setAuthorization", "role", "INFIRMIER"),
        (own.read_list_authorised, "{urn:si-dmp-habilitations}listAuthorizationByPatient", "mode", "TOUS"),
        (own.read_patient_list, "{urn:si-dmp-patients}patientList", "dateType", "LASTAUTHORIZATION"),
        (own.read_patient_list, "{urn:si-dmp-patients}patientList", "startDate", "hier"),
    ],
)
def test_words_that_are_not_of_the_wsdl_are_refused(read: object, tag: str, field: str, value: str) -> None:
    root = etree.Element(tag)
    if field == "role":
        etree.SubElement(root, "{urn:si-dmp-habilitations}action").text = "AJOUT"
    etree.SubElement(root, f"{{{etree.QName(tag).namespace}}}{field}").text = value
    with pytest.raises(Hl7Error):
        read(root)  # type: ignore[operator]
