"""Clinical documents: ours valid to the official schema, the official examples taken, every damaged one refused."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from external import external, listed, needs
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bifente.simulator.formats.cda import (
    CdaBody,
    CdaError,
    CdaHeader,
    CdaOrganisation,
    CdaPatient,
    CdaPerson,
    CdaSchema,
    read_cda,
    write_cda,
)
from bifente.simulator.formats.cda.schema import ENVIRONMENT, CdaSchemaError

EXAMPLES = listed("cda-examples/*.xml")
ORGANISATION = CdaOrganisation("499900000011008", "CABINET TEST")
AUTHOR = CdaPerson("899900000011", "TESTMEDECIN", "GENERALISTE", "G15_10/SM26", "Médecin", ORGANISATION)
PATIENT = CdaPatient("180191305500101", "1.2.250.1.213.1.4.10", "TESTPATIENT", "ANNE MARIE", "F", "19801901", "51215")
HEADER = CdaHeader(
    "1.2.250.1.999.1.2", "1.2.250.1.999.1", 1, "11488-4", "Consultation", "Note", "20260101120000+0000", PATIENT, AUTHOR
)
BODY = CdaBody("application/pdf", b"%PDF-1.4 nothing")


@cache
def schema() -> CdaSchema:
    return CdaSchema(external("cda", "CDA_extended.xsd"))


def test_what_is_written_is_read() -> None:
    found = read_cda(write_cda(replace(HEADER, replaces="1.2.3^7"), BODY))
    assert (found.id, found.set_id, found.version, found.code) == (
        "1.2.250.1.999.1.2",
        "1.2.250.1.999.1",
        "1",
        "11488-4",
    )
    assert found.patient_ids == (("1.2.250.1.213.1.4.10", "180191305500101"),)
    assert found.author_ids == (("1.2.250.1.71.4.2.1", "899900000011"),)
    assert (found.author_organisations, found.custodian) == (("499900000011008",), "499900000011008")
    assert found.replaces == ("1.2.3^7",)
    assert found.body == BODY


@given(
    title=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=40),
    content=st.binary(max_size=200),
    version=st.integers(1, 999),
)
def test_any_title_and_file_come_back(title: str, content: bytes, version: int) -> None:
    found = read_cda(write_cda(replace(HEADER, title=title, version=version), replace(BODY, content=content)))
    assert (found.title, found.version, found.body) == (
        title.strip(),
        str(version),
        CdaBody("application/pdf", content),
    )


@pytest.mark.parametrize("level", ["N", "R", "V"])
def test_ours_is_valid_to_the_official_schema(level: str) -> None:
    document = write_cda(replace(HEADER, confidentiality=level, replaces="1.2.3"), BODY)
    assert read_cda(document, schema()).confidentiality == level


@needs(EXAMPLES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_official_example_is_taken(path: Path) -> None:
    alone = read_cda(path.read_bytes())
    assert read_cda(path.read_bytes(), schema()) == alone
    assert alone.patient_ids[0][1]


# What is done to a document, and what our own structural checks say of it.
DAMAGES: dict[str, tuple[Callable[[str], str], str]] = {
    "cut": (lambda text: text[: len(text) // 2], "well-formed"),
    "no-id": (lambda text: re.sub(r"<id [^>]*/>", "", text, count=1), "id is missing"),
    "no-patient": (lambda text: re.sub(r"<recordTarget.*?</recordTarget>", "", text, flags=re.S), "recordTarget"),
    "no-author": (lambda text: re.sub(r"<author\b.*?</author>", "", text, flags=re.S), "author is missing"),
    "no-custodian": (lambda text: re.sub(r"<custodian.*?</custodian>", "", text, flags=re.S), "custodian"),
    "no-type-id": (lambda text: re.sub(r"<typeId [^>]*/>", "", text), "typeId"),
    "other-type-id": (lambda text: text.replace('"POCD_HD000040"', '"POCD_HD000041"'), "POCD_HD000040"),
    "no-code": (lambda text: re.sub(r"<code [^>]*?(/>|>.*?</code>)", "", text, count=1, flags=re.S), "code is missing"),
    "two-titles": (lambda text: text.replace("<effectiveTime", "<title>x</title><effectiveTime", 1), "more than 1"),
    "stranger": (lambda text: text.replace("<recordTarget", "<patientTarget/><recordTarget", 1), "no place"),
    "order": (
        lambda text: re.sub(r"(<title>.*?</title>)(.*?)(<recordTarget)", r"\2\1\3", text, count=1, flags=re.S),
        "too late",
    ),
    "time": (lambda text: re.sub(r'(<effectiveTime value=")\d{4}', r"\1year", text, count=1), "is no time"),
    "oid": (lambda text: re.sub(r'(<id [^>]*root=")[\d.]+', r"\g<1>1.2.03.x", text, count=1), "is no OID"),
    "attribute": (lambda text: text.replace("<recordTarget", '<recordTarget colour="red"', 1), "colour"),
    "null": (lambda text: text.replace("<recordTarget", '<recordTarget nullFlavor="LOST"', 1), "LOST"),
    "no-body": (lambda text: re.sub(r"<component>.*</component>", "<component/>", text, flags=re.S), "component holds"),
    "two-components": (
        lambda text: text.replace("</ClinicalDocument>", "<component><nonXMLBody/></component></ClinicalDocument>"),
        "more than 1",
    ),
    "version": (
        lambda text: re.sub(r'<versionNumber value="\d+"', '<versionNumber value="last"', text),
        "is no number",
    ),
    "root": (lambda text: text.replace("ClinicalDocument", "MedicalDocument"), "not a ClinicalDocument"),
    "namespace": (lambda text: text.replace('"urn:hl7-org:v3"', '"urn:hl7-org:v2"'), "not a ClinicalDocument"),
    "doctype": (lambda text: re.sub(r"(<ClinicalDocument)", '<!DOCTYPE a [<!ENTITY b "c">]>\\1', text, count=1), "DTD"),
    "entity": (
        lambda text: re.sub(r"(<ClinicalDocument)", '<!DOCTYPE a SYSTEM "file:///etc/passwd">\\1', text, count=1),
        "DTD",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_document_is_refused_without_the_schema(name: str) -> None:
    change, said = DAMAGES[name]
    text = write_cda(HEADER, BODY).decode()
    assert change(text) != text
    with pytest.raises(CdaError, match=re.escape(said)):
        read_cda(change(text).encode())


@pytest.mark.parametrize("name", [name for name in DAMAGES if name not in ("cut", "doctype", "entity")])
def test_the_schema_tells_the_line(name: str) -> None:
    text = write_cda(HEADER, BODY).decode().replace("><", ">\n<")
    with pytest.raises(CdaError) as refused:
        read_cda(DAMAGES[name][0](text).encode(), schema())
    # The schema asks for no identifier of its own form, no known year and no custom null flavour everywhere.
    assert any(one.line for one in refused.value.problems)


@needs(EXAMPLES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_damaged_example_is_refused(path: Path) -> None:
    """Four damages each, drawn by the name of the example: all are met over the whole."""
    text = path.read_text(encoding="utf-8-sig")
    for name in random.Random(path.stem).sample(sorted(DAMAGES), 4):
        damaged = DAMAGES[name][0](text)
        if damaged != text:
            with pytest.raises(CdaError):
                read_cda(damaged.encode(), schema())


def _nodes(root: etree._Element) -> list[etree._Element]:
    return [one for one in root.iter("{urn:hl7-org:v3}*") if one.getparent() is not None]


def _cut(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_nodes(root))
    one.getparent().remove(one)  # type: ignore[union-attr]


def _rename(root: etree._Element, chance: random.Random) -> None:
    chance.choice(_nodes(root)).tag = "{urn:hl7-org:v3}stranger"


def _swap(root: etree._Element, chance: random.Random) -> None:
    many = [one for one in _nodes(root) if one.getnext() is not None and one.getnext().tag != one.tag]  # type: ignore[union-attr]
    one = chance.choice(many)
    one.addprevious(one.getnext())  # type: ignore[arg-type]


def _twice(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_nodes(root))
    one.addnext(deepcopy(one))


def _attribute(root: etree._Element, chance: random.Random) -> None:
    chance.choice(_nodes(root)).set("colour", "red")


def _value(root: etree._Element, chance: random.Random) -> None:
    many = [(one, name) for one in _nodes(root) for name in one.attrib if name in _TYPED]
    one, name = chance.choice(many)
    one.set(name, "? ?")


def _namespace(root: etree._Element, chance: random.Random) -> None:
    one = chance.choice(_nodes(root))
    one.tag = etree.QName("urn:example", etree.QName(one).localname)  # type: ignore[assignment]


@cache
def _judge() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(external("cda", "CDA_extended.xsd"))))


_TYPED = ("root", "classCode", "moodCode", "typeCode", "determinerCode", "nullFlavor", "inversionInd", "value")
WAYS = (_cut, _rename, _swap, _twice, _attribute, _value, _namespace)


@needs(EXAMPLES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_whatever_the_schema_refuses_is_refused_at_its_line(path: Path) -> None:
    """Each way of damaging, anywhere in the document; the judge beside ours is the schema alone, by lxml."""
    judge = _judge()
    chance, seen = random.Random(path.stem), 0
    for way in WAYS:
        root = etree.fromstring(path.read_bytes())
        way(root, chance)
        damaged = etree.tostring(root)
        if judge.validate(etree.fromstring(damaged)):
            continue
        seen += 1
        with pytest.raises(CdaError) as refused:
            read_cda(damaged, schema())
        lines = [one.line for one in refused.value.problems if one.schema]
        assert lines, way
        assert all(0 < line <= damaged.count(b"\n") + 1 for line in lines), way
    assert seen >= 3


def test_a_body_that_is_no_base64_is_refused_at_its_line() -> None:
    text = re.sub(r"(B64\">)[^<]*", r"\1?!", write_cda(HEADER, BODY).decode())
    with pytest.raises(CdaError, match=r"line 2: nonXMLBody/text says B64"):
        read_cda(text.encode())


def test_too_large_a_document_is_not_read() -> None:
    with pytest.raises(CdaError, match="too long"):
        read_cda(write_cda(HEADER, BODY), largest=100)


def test_a_schema_that_is_none_says_what_to_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.xsd"
    broken.write_text("<a/>")
    monkeypatch.setenv(ENVIRONMENT, str(broken))
    with pytest.raises(CdaSchemaError, match=ENVIRONMENT):
        CdaSchema.from_environment()
    monkeypatch.delenv(ENVIRONMENT)
    assert CdaSchema.from_environment() is None
