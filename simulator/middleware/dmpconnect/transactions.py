"""The commands that go to the DMP, each with its transaction, as the public wrapper names them."""

from __future__ import annotations

from collections.abc import Mapping

OF_THE_DMP: Mapping[str, str] = {
    "hl_setPracticeLocation": "",
    "hl_setDmpAccessMode": "",
    "hl_setConfidentialityLevel": "",
    "hl_setWebPsRootUrl": "",
    "hl_getMajorityAge": "",
    "hl_getDmpParameters": "",
    "hl_getDirectAuthenticationDMPStatus": "TD0.2",
    "hl_updateUserDmpAccessAuthorization": "TD0.3",
    "hl_getAccessibleDMPList": "TD0.4",
    "hl_findPatients": "TD0.5",
    "hl_getWebPsDmpUrls": "TD0.9",
    "hl_getDmpAdministrativeData": "TD1.3a",
    "hl_updateDmpAdministrativeData": "TD1.3b",
    "hl_closeDmp": "TD1.4",
    "hl_getDmpAuthorizationsList": "TD1.6",
    "hl_sendDocument": "TD2.1",
    "hl_sendDocuments": "TD2.1",
    "hl_findDocuments": "TD3.1",
    "hl_getDocumentContent": "TD3.2",
    "hl_getDocumentContentByUniqueId": "TD3.2",
    "hl_updateDocumentVisibility": "TD3.3a",
    "hl_updateDocumentVisibilityByUniqueId": "TD3.3a",
    "hl_updateDocumentStatus": "TD3.3d",
    "hl_updateDocumentStatusByUniqueId": "TD3.3d",
    "hl_deleteDocument": "TD3.3c",
}
"""By name; empty where nothing is sent."""

WITHDRAWN: Mapping[str, str] = {
    "hl_getCertifiedIdentity": "TD0.0",
    "hl_getInsNirFromInsC": "TD0.0",
    "hl_createDmp": "TD1.1",
    "hl_createDmpAndOtp": "TD1.1",
    "hl_createAcknowledgementPdf": "TD1.1",
    "hl_reactivateDmp": "TD1.2",
    "hl_getOtpChannelValue": "TD1.5",
    "hl_getPatientWebAccessPdf": "TD1.5",
}
"""Commands of the wrapper whose transaction the DMP no longer has: refused, nothing is sent."""
