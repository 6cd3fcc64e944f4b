"""What the provider says of a professional: the claims of UserInfo by their names on the wire (sources#psc-code)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bifente.simulator.services.psc.model import ExerciseActivity, ListedProfessional
from bifente.simulator.services.psc.parameters import TokenForm

_NAMESPACE = uuid.UUID("5f0f8d0e-6a0c-4a57-9a6b-1d2a9c9f2b11")
"""Ours: subjects are derived from it, always the same ones."""


class AuthMode(StrEnum):
    """How a professional proved who it is; the value is that of the claim ``authMode``."""

    CARD = "CARD"
    MOBILE = "MOBILE"
    BROKER = "IDENTITY_BROKER"


def subject(one: ListedProfessional, form: TokenForm) -> str:
    """Return ``sub``: its form changed, so that a client that keys on it loses its users (PSC-31)."""
    person = str(uuid.uuid5(_NAMESPACE, one.id))
    return person if form is TokenForm.OF_2026 else f"f:{uuid.uuid5(_NAMESPACE, 'realm')}:{one.id}"


def other_ids(one: ListedProfessional) -> list[dict[str, Any]]:
    """Return ``otherIds``."""
    return [{"identifiant": one.id, "origine": one.origin, "qualite": 1}]


def user_information(
    one: ListedProfessional, mode: AuthMode, form: TokenForm, *, short: bool = False
) -> dict[str, Any]:
    """Return the claims of UserInfo; ``short``, or a professional the directory does not have: no word of exercise."""
    claims: dict[str, Any] = {
        "sub": subject(one, form),
        "email_verified": False,
        "SubjectNameID": one.id,
        "preferred_username": one.id,
        "given_name": one.given_name,
        "family_name": one.family_name,
        "UITVersion": "1.0",
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "FAUX",
        "authMode": mode.value,
        "otherIds": other_ids(one),
    }
    if form is TokenForm.OF_2026:
        claims["PSISubjectNameID"] = one.psi
    if short or not one.listed:
        return claims
    first = one.situations[0] if one.situations else None
    return claims | {
        "codeCivilite": one.civility,
        "codeGenreActivite": first.kind if first else "",
        "Secteur_Activite": f"{first.sector}^1.2.250.1.71.4.2.4" if first else "",
        "SubjectOrganization": first.structure if first else "",
        "SubjectOrganizationID": first.structure_id if first else "",
        "SubjectRole": [f"{one.profession}^1.2.250.1.213.1.1.5.5"],
        "SubjectRefPro": {"codeCivilite": one.civility, "exercices": [_exercise(one)]},
    }


def _exercise(one: ListedProfessional) -> Mapping[str, Any]:
    return {
        "codeProfession": one.profession,
        "codeCategorieProfessionnelle": "C",
        "codeCiviliteDexercice": one.civility,
        "nomDexercice": one.family_name,
        "prenomDexercice": one.given_name,
        "codeTypeSavoirFaire": "S",
        "codeSavoirFaire": one.speciality,
        "activities": [_activity(situation) for situation in one.situations],
    }


_EMPTY = (
    "codeSectionPharmacien",
    "numeroFinessetablissementJuridique",
    "enseigneCommercialeSite",
    "complementDestinataire",
    "numeroVoie",
    "codeTypeDeVoie",
    "libelleVoie",
    "bureauCedex",
    "telephone",
    "telephone2",
    "telecopie",
    "adresseEMail",
)


def _activity(one: ExerciseActivity) -> Mapping[str, Any]:
    return {
        "codeModeExercice": one.mode,
        "codeSecteurDactivite": one.sector,
        "codeRole": one.role,
        "codeGenreActivite": one.kind,
        "numeroSiretSite": one.siret,
        "numeroSirenSite": one.siret[:9],
        "numeroFinessSite": one.finess,
        "identifiantTechniqueDeLaStructure": one.structure_id,
        "raisonSocialeSite": one.structure,
        "codePostal": one.postcode,
        "codeCommune": one.town,
        "codePays": "99000",
        "codeDepartement": one.department,
        "ancienIdentifiantDeLaStructure": one.former_id,
        "autoriteDenregistrement": "CNAM/CNAMTS",
        **dict.fromkeys(_EMPTY, ""),
    }
