"""Names of attributes and code systems of a VIHF (sources#dmp-messages)."""

from __future__ import annotations

STRUCTURE = "Identifiant_Structure"
SECTOR = "Secteur_Activite"
SUBJECT_ID = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
VERSION = "VIHF_Version"
MODE = "Authentification_mode"
MODE_AS_SOME = "Authentification_Mode"
"""As DRIMbox spells it (sources#dmp-clients)."""
PATIENT = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
RESOURCE = "Ressource_URN"
PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
REASON = "Mode_Acces_Raison"
CONFIDENTIALITY = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"
LPS_ID, LPS_NAME, LPS_VERSION, LPS_HOMOLOGATION = "LPS_ID", "LPS_Nom", "LPS_Version", "LPS_ID_HOMOLOGATION_DMP"

PROFESSIONS = "1.2.250.1.71.1.2.7"
SPECIALITIES = "1.2.250.1.71.4.2.5"
ACCESS_PURPOSES = "1.2.250.1.213.1.1.4.248"
OTHER_ROLES = frozenset({"1.2.250.1.213.1.1.4.6", "1.2.250.1.213.1.1.5.5"})
"""Where AUTOMATE and SECRETARIAT_MEDICAL come from (TRE and JDV_J65)."""
TRACE_CONFIDENTIALITY = "1.2.250.1.213.1.1.5.97"
SECTORS = "1.2.250.1.71.4.2.4"

SECRET_CONNECTION = "INVISIBLE_REPRESENTANTS_LEGAUX"  # noqa: S105 - a code
URN_DMP = "urn:dmp"
CURRENT = "3.0"
