"""zeep, a client that we did not write, on the official WSDL files and on those that the service serves."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import zeep
from dmp_bench import DmpLab
from external import external
from lxml import etree
from zeep.plugins import HistoryPlugin, Plugin
from zeep.transports import Transport
from zeep.wsa import WsAddressingPlugin

from bifente.simulator.formats.dmp.names import REASONS, REPOSITORY
from bifente.simulator.formats.soap import element, qname
from bifente.simulator.formats.vihf import signed_vihf
from bifente.simulator.formats.xds import writing
from bifente.simulator.formats.xds.model import Association, Submission
from bifente.simulator.formats.xds.names import AssociationKind, DocumentStatus, StoredQuery
from bifente.simulator.serving.calling import in_process
from bifente.simulator.software.lps.client import BASE


class InProcess(Transport):
    """zeep's own transport, its last hop to a service of this process: the same bytes."""

    def __init__(self, lab: DmpLab) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._caller = in_process(lab.service.application)

    def post(self, address: str, message: Any, headers: Any) -> requests.Response:
        path = address if address.startswith("/") else "/" + address.split("/", 3)[-1]
        sent = self._caller.request("POST", path, headers=headers, content=message)
        made = requests.Response()
        made.status_code, made._content = sent.status_code, sent.content
        made.headers.update(sent.headers)
        made.encoding = "utf-8"
        return made


class Addressed(WsAddressingPlugin):  # type: ignore[misc]
    """zeep's own WS-Addressing, where the WSDL does not make zeep add it by itself."""

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> Any:
        if operation.abstract.wsa_action:
            return envelope, http_headers
        return super().egress(envelope, http_headers, operation, binding_options)  # type: ignore[no-untyped-call]


class WithVihf(Plugin):  # type: ignore[misc]
    """Puts an assertion, signed for this call, into wsse:Security."""

    def __init__(self, lab: DmpLab) -> None:
        self._lab = lab

    def egress(self, envelope: Any, http_headers: Any, operation: Any, binding_options: Any) -> Any:
        lab = self._lab
        assertion = signed_vihf(lab.client().vihf(lab.patient), lab.doctor.signer)
        header = envelope.find(qname("env:Header"))
        header.append(element(qname("wsse:Security"), None, [assertion]))
        return envelope, http_headers


@pytest.fixture
def official(lab: DmpLab) -> Any:
    def client(wsdl: str, service: str) -> Any:
        history = HistoryPlugin()  # type: ignore[no-untyped-call]
        made = zeep.Client(  # type: ignore[no-untyped-call]
            str(external("dmp", "wsdl", wsdl)),
            transport=InProcess(lab),
            plugins=[Addressed(), WithVihf(lab), history],
        )
        binding = next(iter(made.wsdl.bindings))
        return made.create_service(binding, f"{BASE}/{service}"), made, history  # type: ignore[no-untyped-call]

    return client


def test_existence(lab: DmpLab, official: Any) -> None:
    """TD0.2 through the HL7 types of the official schema; the answer is parsed by them too."""
    service, _client, _history = official("GestionDossierPatientPartage.wsdl", "GDP_Service")
    device = {"classCode": "DEV", "determinerCode": "INSTANCE", "id": [{"root": "1.2.250.1.213.4.1.1.1"}]}
    value = {"root": lab.patient.ins.oid, "extension": lab.patient.ins.whole}
    answer = service.PatientGetDemographics_PRPA_IN201307UV02(
        ITSVersion="XML_1.0",
        id={"root": "1.2.250.1.999.1", "extension": "a"},
        creationTime={"value": "20260302093000"},
        interactionId={"root": "2.16.840.1.113883.1.6", "extension": "PRPA_IN201307UV02"},
        processingCode={"code": "D"},
        processingModeCode={"code": "T"},
        acceptAckCode={"code": "AL"},
        receiver=[{"typeCode": "RCV", "device": device}],
        sender={"typeCode": "SND", "device": device},
        controlActProcess={
            "classCode": "CACT",
            "moodCode": "EVN",
            "reasonCode": [{"code": "TEST_EXST", "codeSystem": REASONS}],
            "queryByParameter": {
                "queryId": {"root": "1.2.250.1.999.1", "extension": "b"},
                "statusCode": {"code": "new"},
                "parameterList": {"patientIdentifier": [{"value": [value], "semanticsText": "Patient.id"}]},
            },
        },
    )
    assert answer.controlActProcess.queryAck.queryResponseCode.code == "OK"
    (subject,) = answer.controlActProcess.subject
    assert subject.registrationEvent.subject1.patient.statusCode.code == "active"
    assert [line.keyWordText.code for line in answer.attentionLine] == ["AUTORISATION", "STATUT_MT"]
    assert answer.attentionLine[0].value.code == "NON_EXISTE"


def test_authorisation(lab: DmpLab, official: Any) -> None:
    service, _client, _history = official("Habilitations.wsdl", "HabilitationsEndPointImplService")
    answer = service.setAuthorization(action="AJOUT")
    assert answer.status == "DMPOk"
    listed = service.listAuthorizationByPatient(mode="TOUTE")
    assert [one.nationalId for one in listed.listOfAuthorizationByPatient] == [lab.doctor.id]


def test_a_refusal_is_a_fault_that_zeep_reads(lab: DmpLab, official: Any) -> None:
    service, _client, _history = official("Habilitations.wsdl", "HabilitationsEndPointImplService")
    lab.record.authorisations.block(lab.doctor.id)
    with pytest.raises(zeep.exceptions.Fault, match="interdite") as refused:
        service.setAuthorization(action="AJOUT")
    assert [etree.QName(one).localname for one in refused.value.subcodes] == ["DMPAccessDeniedByRightsService"]


def slot(name: str, *values: str) -> dict[str, Any]:
    return {"name": name, "ValueList": {"_value_1": [{"Value": value} for value in values]}}


def test_search_fetch_and_delete(lab: DmpLab, official: Any) -> None:
    """TD3.1, TD3.2 and TD3.3c; the document comes back byte for byte."""
    lab.authorise()
    fed = lab.fed()
    registry, client, _history = official("XDS.b_DocumentRegistry.wsdl", "DocumentRegistry_Service")
    # zeep knows no substitution groups, which the ebRIM of an answer is made of: it sends, lxml reads.
    with client.settings(raw_response=True):
        found = registry.DocumentRegistry_RegistryStoredQuery(
            ResponseOption={"returnType": "LeafClass", "returnComposedObjects": True},
            AdhocQuery={
                "id": StoredQuery.FIND_DOCUMENTS.value,
                "Slot": [
                    slot("$XDSDocumentEntryPatientId", f"'{lab.patient.ins.written}'"),
                    slot("$XDSDocumentEntryStatus", f"('{DocumentStatus.APPROVED.value}')"),
                ],
            },
        )
    (entry,) = etree.fromstring(found.content).iter("{*}ExtrinsicObject")
    assert (entry.get("id"), entry.get("status")) == (fed.entry.id, DocumentStatus.APPROVED.value)

    repository, _client, _history = official("XDS.b_DocumentRepository.wsdl", "DocumentRepository_Service")
    answer = repository.DocumentRepository_RetrieveDocumentSet(
        DocumentRequest=[{"RepositoryUniqueId": REPOSITORY, "DocumentUniqueId": fed.entry.unique_id}]
    )
    # zeep puts the part of the MTOM answer where its xop:Include stood.
    (document,) = answer.DocumentResponse
    assert (document.DocumentUniqueId, document.Document) == (fed.entry.unique_id, fed.content)

    envelope = client.create_message(registry, "DocumentRegistry_UpdateDocumentSet", RegistryObjectList={})
    (listed,) = envelope.iter("{*}RegistryObjectList")
    listed.extend(_deletion(lab, fed.entry.id))
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    moved = client.transport.post_xml(f"{BASE}/DocumentRegistry_Service", envelope, headers)
    assert b"ResponseStatusType:Success" in moved.content, moved.content
    assert fed.entry.status is DocumentStatus.DELETED


def _deletion(lab: DmpLab, uuid: str) -> list[Any]:
    """What ITI-57 deletes a document by. zeep builds no substitution groups: the objects are put into its envelope."""
    lot = lab.client()._lot(lab.patient)
    slots = (("OriginalStatus", DocumentStatus.APPROVED.value), ("NewStatus", DocumentStatus.DELETED.value))
    move = Association("association1", AssociationKind.CHANGES_STATUS, lot.id, uuid, slots)
    return list(writing.submit_objects(Submission((lot,), (), (move,)))[0])


def test_feeding_without_mtom_says_so(lab: DmpLab, official: Any) -> None:
    """zeep sends no MTOM: the sentence tells its user what to switch on."""
    repository, _client, _history = official("XDS.b_DocumentRepository.wsdl", "DocumentRepository_Service")
    with pytest.raises(zeep.exceptions.Fault, match="MTOM"):
        repository["DocumentRepository_ProvideAndRegisterDocumentSet-b"](
            SubmitObjectsRequest={"RegistryObjectList": {}}, Document=[{"id": "Document01", "_value_1": b"x"}]
        )
    assert len(lab.record.shelf) == 0


@pytest.mark.parametrize(
    "name",
    [
        "DocumentRegistry_Service",
        "DocumentRepository_Service",
        "GDP_Service",
        "PDQSupplier_Service",
        "HabilitationsEndPointImplService",
        "PatientSpecificEndPointImplService",
    ],
)
def test_zeep_reads_what_the_service_serves(lab: DmpLab, name: str) -> None:
    from io import BytesIO

    served = in_process(lab.service.application).get(f"{BASE}/{name}?wsdl")
    assert served.status_code == 200
    client = zeep.Client(BytesIO(served.content))  # type: ignore[no-untyped-call]
    (service,) = client.wsdl.services.values()
    (port,) = service.ports.values()
    assert port.binding._operations
    assert port.binding_options["address"].endswith(f"{BASE}/{name}")
