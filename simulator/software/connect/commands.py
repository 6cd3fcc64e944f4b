"""What each command of the DMP does."""

from __future__ import annotations

from collections.abc import Mapping

from bifente.simulator.software.connect import documents, patients
from bifente.simulator.software.connect.connector import Command

COMMANDS: Mapping[str, Command] = {
    "hl_setPracticeLocation": patients.practise,
    "hl_setDmpAccessMode": patients.enter,
    "hl_setConfidentialityLevel": patients.hide,
    "hl_setWebPsRootUrl": patients.set_pages,
    "hl_getMajorityAge": patients.majority,
    "hl_getDmpParameters": patients.parameters,
    "hl_getDirectAuthenticationDMPStatus": patients.existence,
    "hl_updateUserDmpAccessAuthorization": patients.authorise,
    "hl_getAccessibleDMPList": patients.accessible,
    "hl_findPatients": patients.find,
    "hl_getWebPsDmpUrls": patients.pages,
    "hl_getDmpAdministrativeData": patients.data,
    "hl_updateDmpAdministrativeData": patients.change,
    "hl_closeDmp": patients.close,
    "hl_getDmpAuthorizationsList": patients.authorised,
    "hl_sendDocument": documents.send,
    "hl_sendDocuments": documents.send_all,
    "hl_findDocuments": documents.find,
    "hl_getDocumentContent": documents.content,
    "hl_getDocumentContentByUniqueId": documents.content_by_id,
    "hl_updateDocumentVisibility": documents.show,
    "hl_updateDocumentVisibilityByUniqueId": documents.show_by_id,
    "hl_updateDocumentStatus": documents.move,
    "hl_updateDocumentStatusByUniqueId": documents.move_by_id,
    "hl_deleteDocument": documents.delete,
}
