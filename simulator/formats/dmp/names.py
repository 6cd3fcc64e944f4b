"""Actions, identifiers and codes of the DMP's own messages, as the official samples have them."""

from __future__ import annotations

from enum import StrEnum

HL7 = "urn:hl7-org:v3"
GDP = "asip:ci-sis:gdp:2010"
HABILITATIONS = "urn:si-dmp-habilitations"
PATIENTS = "urn:si-dmp-patients"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


class DmpAction(StrEnum):
    """The wsa:Action of each request."""

    DEMOGRAPHICS = "urn:hl7-org:v3:PRPA_IN201307UV02"
    REVISE = "urn:hl7-org:v3:PRPA_IN201314UV02"
    ADD_PATIENT = "urn:hl7-org:v3:PRPA_IN201311UV02"
    FIND_PATIENT = "urn:hl7-org:v3:PRPA_IN201305UV02"
    SET_AUTHORISATION = "urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization"
    LIST_AUTHORISED = "urn:si-dmp-habilitations:HabilitationsEndPoint:listAuthorizationByPatient"
    LIST_PATIENTS = "urn:si-dmp-patients:PatientSpecificEndPoint:patientList"
    PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
    QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
    RETRIEVE = "urn:ihe:iti:2007:RetrieveDocumentSet"
    UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"

    @property
    def answer(self) -> str:
        """Return the action of its answer."""
        return _ANSWERS.get(self, f"{self.value}Response")


_ANSWERS = {
    DmpAction.DEMOGRAPHICS: "urn:hl7-org:v3:PRPA_IN201308UV02",
    DmpAction.REVISE: "urn:hl7-org:v3:PRPA_IN201314ResponseUV02",
    DmpAction.FIND_PATIENT: "urn:hl7-org:v3:PRPA_IN201306UV02",
    DmpAction.UPDATE: "urn:ihe:iti:2010:UpdateDocumentSet-Response",
}

#: What the binding of the official WSDL calls an action that the samples call otherwise.
ALIASES = {
    "urn:hl7-org:v3:setAuthorization": DmpAction.SET_AUTHORISATION,
    "urn:hl7-org:v3:listAuthorizationByPatient": DmpAction.LIST_AUTHORISED,
    "urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorizationRequest": DmpAction.SET_AUTHORISATION,
    "urn:si-dmp-habilitations:HabilitationsEndPoint:listAuthorizationByPatientRequest": DmpAction.LIST_AUTHORISED,
    "urn:si-dmp-patients:PatientSpecificEndPoint:patientListRequest": DmpAction.LIST_PATIENTS,
}

DMP_DEVICE = "1.2.250.1.213.4.1.1.1"
REPOSITORY = "1.2.250.1.213.4.1.1.1.2"
REASONS = "1.2.250.1.213.1.1.4.11"
AUTHORISATION_KEY, AUTHORISATION_VALUES = "1.2.250.1.213.4.1.2.6.1", "1.2.250.1.213.4.1.2.6.2"
TREATING_KEY = "1.2.250.1.213.4.1.2.6.3"
ACCOUNT, MARKERS, CLOSING_REASONS = "1.2.250.1.213.4.1.2.9", "1.2.250.1.213.4.1.2.3", "1.2.250.1.213.4.1.2.4"
INTERACTIONS = "2.16.840.1.113883.1.6"
PERSONS, STRUCTURES = "1.2.250.1.71.4.2.1", "1.2.250.1.71.4.2.2"


class DmpReason(StrEnum):
    """Why demographics are asked for or changed."""

    EXISTENCE = "TEST_EXST"
    READ = "CNSLT_DATA"
    CHANGE = "MODIF_DATA"
    CLOSE = "FERM"
    REACTIVATE = "REAC"
    CREATE = "CREA_RD"
