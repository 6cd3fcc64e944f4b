"""The DMP by its messages: each cell of the matrix through the wire, refusals with their remedy, nothing half kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from dmp_bench import HOSPITAL, PDF, DmpLab
from external import external, listed, needs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from bifente.simulator.formats.cda import CdaSchema
from bifente.simulator.formats.dmp.demographics import PersonTraits
from bifente.simulator.formats.dmp.habilitations import AuthorisationAction, AuthorisationFilter, AuthorisationRole
from bifente.simulator.formats.vihf import AccessPurpose
from bifente.simulator.formats.xds.model import Confidentiality, confidentiality
from bifente.simulator.formats.xds.names import DocumentStatus, ReturnType
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.services.dmp.errors import error_table
from bifente.simulator.services.dmp.rights import DmpGrant, Operation, rights
from bifente.simulator.serving.calling import in_process
from bifente.simulator.software.lps.client import (
    BASE,
    DmpAccess,
    DmpClient,
    DmpReply,
    DmpRequest,
    find_documents,
    get_documents,
)
from bifente.simulator.software.lps.submission import LpsDocument, prepare

pytestmark = pytest.mark.long

DENIED = "DMPAccessDeniedByRightsService"
NORMAL, GLASS, CENTRE = DmpAccess(), DmpAccess(AccessPurpose.EMERGENCY, "urgence"), DmpAccess(AccessPurpose.REGULATION)


def column(lab: DmpLab, name: str) -> DmpClient:
    """A client that stands in a column of the matrix."""
    who, access = {
        "A": (lab.nurse, NORMAL),
        "B": (lab.nurse, CENTRE),
        "C": (lab.nurse, GLASS),
        "D": (lab.doctor, NORMAL),
        "E": (lab.doctor, CENTRE),
        "F": (lab.doctor, GLASS),
        "G": (lab.occupational, NORMAL),
        "H": (lab.doctor, NORMAL),
        "I": (lab.doctor, GLASS),
        "J": (lab.secretary, NORMAL),
        "K": (lab.structure, NORMAL),
        "L": (lab.structure, CENTRE),
    }[name]
    party = who.structure if name in "JKL" else who.id
    lab.record.authorisations.add(party)
    if name in "HI":
        lab.record.authorisations.declare_treating(who.id)
    lab.record.wishes.masked_in_urgency = True
    client = lab.client(who)
    client.access = access
    return client


def visibility(lab: DmpLab, client: DmpClient, hidden: frozenset[Confidentiality], *codes: Confidentiality) -> DmpReply:
    entry = lab.fed(client.user, visibility=hidden).entry
    return client.set_entry(lab.patient, replace(entry, confidentiality=tuple(confidentiality(one) for one in codes)))


def moved(lab: DmpLab, client: DmpClient, status: DocumentStatus) -> DmpReply:
    return client.set_status(lab.patient, lab.fed(client.user).entry.id, DocumentStatus.APPROVED, status)


N, MASKED, HIDDEN = Confidentiality.NORMAL, Confidentiality.MASKED, Confidentiality.HIDDEN_FROM_PATIENT
ACTS: dict[Operation, Callable[[DmpLab, DmpClient], DmpReply]] = {
    Operation.EXISTENCE: lambda lab, client: client.existence(lab.patient)[0],
    Operation.ADD_AUTHORISATION: lambda lab, client: client.authorise(lab.patient, AuthorisationAction.ADD),
    Operation.REMOVE_AUTHORISATION: lambda lab, client: client.authorise(lab.patient, AuthorisationAction.REMOVE),
    Operation.GIVE_UP_TREATING: lambda lab, client: client.authorise(
        lab.patient, AuthorisationAction.REMOVE, AuthorisationRole.TREATING
    ),
    Operation.FIND_PATIENT: lambda lab, client: client.find(PersonTraits("TESTPATIENT")),
    Operation.READ_DATA: lambda lab, client: client.data(lab.patient)[0],
    Operation.LIST_AUTHORISED: lambda lab, client: client.authorised(lab.patient, AuthorisationFilter.ALL),
    Operation.SEARCH: lambda lab, client: client.search(lab.patient, find_documents(lab.patient)),
    Operation.REFERENCE: lambda lab, client: client.search(
        lab.patient, get_documents("1.2.3", returns=ReturnType.REFERENCES)
    ),
    Operation.FETCH: lambda lab, client: client.fetch(lab.patient, lab.fed(lab.colleague).entry.unique_id),
    Operation.FETCH_SPECIAL: lambda lab, client: client.fetch(
        lab.patient, lab.fed(lab.colleague, visibility=frozenset({HIDDEN})).entry.unique_id
    ),
}
FEEDERS: dict[Operation, Callable[[DmpLab, DmpClient], DmpReply]] = {
    Operation.MASK: lambda lab, client: visibility(lab, client, frozenset(), N, MASKED),
    Operation.UNMASK: lambda lab, client: visibility(lab, client, frozenset({MASKED}), N),
    Operation.SHOW: lambda lab, client: visibility(lab, client, frozenset({HIDDEN}), N),
    Operation.ARCHIVE: lambda lab, client: moved(lab, client, DocumentStatus.ARCHIVED),
    Operation.DELETE: lambda lab, client: moved(lab, client, DocumentStatus.DELETED),
}


@pytest.mark.parametrize("name", "ABCDEFGHIJKL")
@pytest.mark.parametrize("operation", [*ACTS, *FEEDERS])
def test_the_service_does_what_the_matrix_says(lab: DmpLab, operation: Operation, name: str) -> None:
    """On a document of one's own, or of a colleague to fetch; an access that a mode allows needs no authorisation."""
    client = column(lab, name)
    reply = {**ACTS, **FEEDERS}[operation](lab, client)
    if rights().direct.grant(operation, name) is DmpGrant.NO:
        assert reply.code == DENIED, reply
    else:
        assert reply.ok, reply


@pytest.mark.parametrize("name", "ABCDEFGHIJKL")
def test_feeding_follows_the_matrix(lab: DmpLab, name: str) -> None:
    client = column(lab, name)
    operation = Operation.FEED_AS_EMPLOYEE if name == "J" else Operation.FEED
    reply = client.feed(lab.patient, lab.prepared(client.user))
    assert reply.ok is (rights().direct.grant(operation, name) is not DmpGrant.NO)


@pytest.mark.parametrize("name", "ABCDEFGHI")
@pytest.mark.parametrize("allowed", [True, False])
def test_a_masked_document(lab: DmpLab, name: str, allowed: bool) -> None:
    """Notes 6 and 7: one's own in normal mode, another's in urgency if the patient allowed it."""
    client = column(lab, name)
    lab.record.wishes.masked_in_urgency = allowed
    own = lab.fed(client.user, visibility=frozenset({MASKED}))
    other = lab.fed(lab.colleague, visibility=frozenset({MASKED}))
    found = rights().direct.grant(Operation.FETCH_MASKED, name)
    seen = {one.entry.unique_id: client.fetch(lab.patient, one.entry.unique_id).ok for one in (own, other)}
    wanted = {
        DmpGrant.NO: (False, False),
        DmpGrant.YES: (True, True),
        DmpGrant.OWN: (True, False),
        DmpGrant.IF_ALLOWED_IN_URGENCY: (allowed, allowed),
    }[found]
    assert tuple(seen.values()) == wanted


def test_every_refusal_has_cause_and_remedy() -> None:
    for row in error_table().values():
        assert all((row.cause.fr, row.cause.en, row.remedy.fr, row.remedy.en, row.source)), row.code


def test_a_fault_is_soap_1_2_with_its_subcode_and_remedy(lab: DmpLab) -> None:
    reply = lab.client().search(lab.patient, find_documents(lab.patient))
    assert (reply.http, reply.code) == (400, DENIED)
    assert reply.content is not None
    assert reply.content.tag == "{http://www.w3.org/2003/05/soap-envelope}Fault"
    assert "TD0.3" in reply.reason


def test_a_certificate_out_of_its_time_does_not_sign(lab: DmpLab) -> None:
    old = profiles.Validity(lab.clock.now().date().replace(year=2020), lab.clock.now().date().replace(year=2022))
    user = lab.card("899900000060", "TESTVIEUX", "10", "SM26", {HOSPITAL: "SA01"}, validity=old)
    assert lab.client(user).existence(lab.patient)[0].code == "DMPInvalidCertificate"
    user = lab.card("899900000060", "TESTCLE", "10", "SM26", {HOSPITAL: "SA01"}, profile=profiles.AUTHENTICATION)
    assert lab.client(user).existence(lab.patient)[0].code == "DMPInvalidCertificate"


def test_an_answer_of_a_fetch_is_mtom_even_when_it_is_a_fault(lab: DmpLab) -> None:
    seen: list[str] = []

    class Watching:
        def __init__(self) -> None:
            self._caller = in_process(lab.service.application)

        def request(self, *args: object, **named: object) -> object:
            answer = self._caller.request(*args, **named)  # type: ignore[arg-type]
            seen.append(answer.headers["content-type"])
            return answer

    client = lab.client()
    client.caller = Watching()  # type: ignore[assignment]
    assert client.fetch(lab.patient, "1.2.3").code == DENIED
    lab.authorise()
    assert client.fetch(lab.patient, "1.2.3").code == "XDSDocumentUniqueIdError"
    assert all(one.startswith("multipart/related") for one in seen)


def test_the_tls_client_is_the_signer(lab: DmpLab) -> None:
    from cryptography import x509

    mine = x509.load_der_x509_certificate(lab.doctor.signer.certificate)
    other = x509.load_der_x509_certificate(lab.colleague.signer.certificate)
    for shown, code in ((mine, ""), (other, "DMPInvalidVihf")):
        caller = in_process(lab.service.application, presented=(shown,))
        client = DmpClient(caller, lab.doctor, lab.clock, lab.new_id)
        assert client.existence(lab.patient)[0].code == code


def test_two_documents_of_one_set_are_kept_or_not_together(lab: DmpLab) -> None:
    """A set whose last document is wrong leaves nothing of the others."""
    prepared = lab.prepared()
    second = replace(prepared.submission.entries[0], id="Document02", unique_id="1.2.250.1.999.7.7")
    whole = replace(
        prepared.submission,
        entries=(*prepared.submission.entries, second),
        associations=(
            *prepared.submission.associations,
            replace(prepared.submission.associations[0], id="association9", target="Document02"),
        ),
    )
    broken = replace(prepared, submission=whole, contents={**prepared.contents, "Document02": b"<broken"})
    reply = lab.feed(broken)
    assert reply.code == "DMPInvalidDocument"
    assert len(lab.record.shelf) == 0
    assert lab.feed(prepared).ok


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_scratch_of_a_feeding_is_answered_and_nothing_half_kept(dmp_keys: KeyStore, data: st.DataObject) -> None:
    """Bytes of a right message overwritten anywhere: an answer that is read, and both entries or none."""
    lab = DmpLab(dmp_keys)
    client, prepared = lab.client(), lab.prepared(content=PDF)
    sent: list[DmpRequest] = []

    def scratched(request: DmpRequest) -> DmpRequest:
        at = data.draw(st.integers(0, len(request.body) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=6))
        sent.append(request)
        return replace(request, body=request.body[:at] + piece + request.body[at + len(piece) :])

    client.tampering.request = scratched
    reply = client.feed(lab.patient, prepared)
    assert len(lab.record.shelf) == (2 if reply.ok else 0)
    assert reply.ok or reply.code


def test_a_control_character_of_a_request_is_no_failure_of_ours(lab: DmpLab) -> None:
    """Found by the scratches above: a media type that the fault repeats."""
    client, prepared = lab.client(), lab.prepared()
    client.tampering.request = lambda request: replace(
        request, body=request.body.replace(b"application/xop+xml", b"application\0xop+xml", 1)
    )
    reply = client.feed(lab.patient, prepared)
    assert (reply.http, reply.code) == (400, "Sender")


@pytest.mark.parametrize("path", ["/nowhere", f"{BASE}/nowhere", f"{BASE}/GDP_Service"])
def test_other_addresses_are_told(lab: DmpLab, path: str) -> None:
    answer = in_process(lab.service.application).get(path)
    assert answer.status_code in (404, 405)


EXAMPLES = listed("cda-examples/*.xml")


def adapted(lab: DmpLab, path: Path, unique_id: str) -> bytes:
    """An official example as if it had been written here for this patient: its id, its INS, its replacement gone."""
    root = etree.fromstring(path.read_bytes())
    ours = "{urn:hl7-org:v3}"
    identifier = root.find(f"{ours}id")
    ins = root.find(f"{ours}recordTarget/{ours}patientRole/{ours}id")
    assert identifier is not None
    assert ins is not None
    identifier.set("root", unique_id)
    if "extension" in identifier.attrib:
        del identifier.attrib["extension"]
    ins.set("root", lab.patient.ins.oid)
    ins.set("extension", lab.patient.ins.whole)
    for related in root.findall(f"{ours}relatedDocument[@typeCode='RPLC']"):
        root.remove(related)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@needs(EXAMPLES)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_official_example_is_taken_as_content(lab: DmpLab, path: Path) -> None:
    lab.register.schema = official_schema()
    number = next(lab.number)
    content = adapted(lab, path, f"1.2.250.1.999.2.1.{number}")
    media = "application/pdf" if b"nonXMLBody" in content else ""
    document = LpsDocument(media, b"", cda=content, format_code="" if media else "urn:ans:structured")
    prepared = prepare(lab.doctor, lab.patient, document, number, lab.clock.now())
    reply = lab.feed(prepared)
    assert reply.ok, reply
    kept = lab.record.shelf.by_unique(prepared.unique_id)
    assert kept is not None
    assert kept.content == content


@cache
def official_schema() -> CdaSchema:
    return CdaSchema(external("cda", "CDA_extended.xsd"))
