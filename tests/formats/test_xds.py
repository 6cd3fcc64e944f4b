"""XDS.b metadata: what is written is read, valid to the official schemas; what is wrong is told with its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from external import external
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bifente.simulator.formats.xds import names, reading, writing
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.formats.xds.model import (
    Association,
    CodedEntry,
    Confidentiality,
    DocumentAuthor,
    DocumentEntry,
    QueryRequest,
    RegistryError,
    Submission,
    SubmissionSet,
    confidentiality,
    patient_key,
)
from bifente.simulator.formats.xds.names import AssociationKind, DocumentStatus, ResponseStatus, StoredQuery

PATIENT = "180191305500101^^^&1.2.250.1.213.1.4.10&ISO^NH"
CODE = CodedEntry("11488-4", "2.16.840.1.113883.6.1", "Consultation")
AUTHOR = DocumentAuthor("899900000011^NOM^PRENOM", ("CABINET^^^^^^^^^499900000011008",), "", "G15_10/SM26^x^1.2")
ENTRY = DocumentEntry(
    id="Document01",
    unique_id="1.2.250.1.999.1.1",
    patient_id=PATIENT,
    mime="text/xml",
    class_code=CODE,
    type_code=CODE,
    format_code=CODE,
    facility=CODE,
    practice=CODE,
    confidentiality=(confidentiality(Confidentiality.NORMAL), confidentiality(Confidentiality.MASKED)),
    authors=(AUTHOR,),
    creation_time="20260101120000",
    title="Compte rendu",
    size=12,
    hash="ab",
)
LOT = SubmissionSet(
    "SubmissionSet01", "1.2.250.1.999.2.1", "1.2.250.1.999.2", PATIENT, "20260101120000", CODE, (AUTHOR,)
)
TIE = Association("as1", AssociationKind.HAS_MEMBER, LOT.id, ENTRY.id, (("SubmissionSetStatus", "Original"),))
WHOLE = Submission((LOT,), (ENTRY,), (TIE,))

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=12).map(
    lambda text: text.strip() or "x"
)
codes = st.builds(CodedEntry, words, words, words)
entries = st.builds(
    replace,
    st.just(ENTRY),
    title=words,
    comments=words,
    type_code=codes,
    confidentiality=st.lists(codes, min_size=1, max_size=3).map(tuple),
    event_codes=st.lists(codes, max_size=3).map(tuple),
    status=st.sampled_from(DocumentStatus),
    source_patient_info=st.lists(words, max_size=3).map(tuple),
    version=st.integers(1, 99),
)


def written(submission: Submission) -> etree._Element:
    return etree.fromstring(etree.tostring(writing.submit_objects(submission)))


@given(entries)
def test_any_entry_comes_back(entry: DocumentEntry) -> None:
    whole = replace(WHOLE, entries=(entry,))
    assert reading.submission(written(whole)) == whole


@given(st.lists(words, min_size=1, max_size=4), words)
def test_any_query_comes_back(values: list[str], single: str) -> None:
    asked = QueryRequest(
        StoredQuery.FIND_DOCUMENTS.value,
        "LeafClass",
        (("$XDSDocumentEntryPatientId", (f"o'{single}",)), ("$XDSDocumentEntryStatus", tuple(values))),
        frozenset({"$XDSDocumentEntryStatus"}),
    )
    assert reading.query(etree.fromstring(etree.tostring(writing.query(asked)))) == asked


@pytest.mark.parametrize(
    ("schema", "element"),
    [
        ("lcm.xsd", writing.submit_objects(WHOLE)),
        ("query.xsd", writing.query_response(ResponseStatus.SUCCESS, WHOLE)),
        ("query.xsd", writing.query_response(ResponseStatus.SUCCESS, references=["urn:uuid:1"])),
        ("query.xsd", writing.query(QueryRequest(StoredQuery.GET_DOCUMENTS.value, "ObjectRef", (("$a", ("b",)),)))),
        ("rs.xsd", writing.registry_response(ResponseStatus.FAILURE, [RegistryError("XDSRepositoryBusy", "x", "y")])),
    ],
)
def test_it_is_valid_to_the_official_schema(schema: str, element: etree._Element) -> None:
    judge = etree.XMLSchema(etree.parse(str(external("dmp", "schema", "ebRS", schema))))
    assert judge.validate(element), judge.error_log


def without(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for one in root.findall(path, names.NAMESPACES):
            parent = one.getparent()
            assert parent is not None
            parent.remove(one)

    return change


def with_attribute(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for one in root.findall(path, names.NAMESPACES)[:1]:
            one.set(name, value)

    return change


def twice(path: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        one = root.find(path, names.NAMESPACES)
        assert one is not None
        one.addnext(etree.fromstring(etree.tostring(one)))

    return change


ENTRY_PATH, SET_PATH = ".//rim:ExtrinsicObject", ".//rim:RegistryPackage"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("rim:RegistryObjectList"), "no RegistryObjectList"),
        (without(f"{ENTRY_PATH}/rim:Classification[@classificationScheme='{names.TYPE_CODE}']"), "typeCode is missing"),
        (
            without(f"{ENTRY_PATH}/rim:Classification[@classificationScheme='{names.CONFIDENTIALITY}']"),
            "confidentialityCode",
        ),
        (
            without(f"{ENTRY_PATH}/rim:Classification[@classificationScheme='{names.ENTRY_AUTHOR}']"),
            "author is missing",
        ),
        (without(f"{ENTRY_PATH}/rim:ExternalIdentifier"), "is missing"),
        (without(f"{ENTRY_PATH}/rim:Slot[@name='creationTime']"), "creationTime is missing"),
        (without(f"{SET_PATH}/rim:Classification"), "is no submission set"),
        (without(f"{SET_PATH}/rim:Slot"), "submissionTime is missing"),
        (with_attribute(ENTRY_PATH, "id", ""), "has no id"),
        (with_attribute(ENTRY_PATH, "status", "Lost"), "status 'Lost'"),
        (with_attribute(".//rim:Association", "associationType", "urn:x"), "is not known"),
        (with_attribute(".//rim:Association", "targetObject", ""), "both needed"),
        (
            with_attribute(
                f".//rim:ExternalIdentifier[@identificationScheme='{names.ENTRY_UNIQUE_ID}']", "value", "1.02"
            ),
            "is no OID",
        ),
        (twice(f"{ENTRY_PATH}/rim:Slot[@name='size']"), "there twice"),
        (twice(f"{ENTRY_PATH}/rim:ExternalIdentifier"), "there twice"),
        (twice(f"{ENTRY_PATH}/rim:Classification[@classificationScheme='{names.TYPE_CODE}']"), "there 2 times"),
    ],
)
def test_what_is_wrong_is_told(change: Callable[[etree._Element], None], said: str) -> None:
    root = written(WHOLE)
    change(root)
    with pytest.raises(MetadataError, match=said) as refused:
        reading.submission(root)
    assert refused.value.code == "XDSRegistryMetadataError"


@pytest.mark.parametrize("value", ["Approved", "'a' 'b'", "('a'", "('a',b)", "'a"])
def test_values_of_a_query_are_quoted(value: str) -> None:
    root = writing.query(QueryRequest(StoredQuery.FIND_DOCUMENTS.value, "LeafClass", (("$x", ("a",)),)))
    found = root.find(".//rim:Value", names.NAMESPACES)
    assert found is not None
    found.text = value
    with pytest.raises(MetadataError, match="like this") as refused:
        reading.query(root)
    assert refused.value.code == "XDSStoredQueryParamNumber"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (PATIENT, ("180191305500101", "1.2.250.1.213.1.4.10")),
        (PATIENT + "^^20100907", ("180191305500101", "1.2.250.1.213.1.4.10")),
        (PATIENT.removesuffix("^NH"), (PATIENT.removesuffix("^NH"), "")),
        ("180191305500101", ("180191305500101", "")),
        (PATIENT.replace("ISO", "ISA"), (PATIENT.replace("ISO", "ISA"), "")),
        (PATIENT.replace("^NH", "^PI"), (PATIENT.replace("^NH", "^PI"), "")),
    ],
)
def test_a_patient_identifier(text: str, key: tuple[str, str]) -> None:
    assert patient_key(text) == key


def test_errors_and_references_come_back() -> None:
    lines = (RegistryError("XDSRepositoryBusy", "wait", "1.2"), RegistryError("XDSTooManyResults", "so many"))
    assert reading.registry_errors(writing.registry_response(ResponseStatus.FAILURE, lines)) == lines
    assert reading.references(writing.query_response(ResponseStatus.SUCCESS, references=["a", "b"])) == ("a", "b")


def test_a_fetch_names_documents() -> None:
    wanted = (("1.2", "1.3"), ("1.2", "1.4"))
    assert reading.retrieve(writing.retrieve(wanted)) == wanted
    with pytest.raises(MetadataError, match="no DocumentRequest"):
        reading.retrieve(writing.retrieve(()))
