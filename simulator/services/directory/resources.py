"""FHIR resources of entries, in the shape of the Annuaire Santé version 2 (sources#annuaire-sante).

Which resources there are, their parameters and that an inactive one keeps three elements is documented; the elements
themselves follow FHIR R4 and the public examples, and are modelled where these say nothing.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from bifente.simulator.services.directory.entries import SINCE, DirectoryEntry, PracticePlace, Register

Resource = dict[str, Any]
_TYPES = "http://interopsante.org/CodeSystem/v2-0203"
RPPS, ADELI, NATIONAL = "https://rpps.esante.gouv.fr", "https://adeli.esante.gouv.fr", "urn:oid:1.2.250.1.71.4.2.1"
FINESS = "https://finess.esante.gouv.fr"
_CARD = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-smartcard"
UNKNOWN_EXTENSION = "https://annuaire.sante.fr/fhir/StructureDefinition/extension-2019-12"


@lru_cache(maxsize=1024)
def practitioner(entry: DirectoryEntry, *, december: bool = False) -> Resource:
    """Return a Practitioner, to be read alone; an inactive one keeps its id, identifiers and state (ANNUAIRE-05).

    ``december``: with the extension that made servers refuse certain physicians in December 2019.
    """
    identifiers = [_identifier("IDNPS", NATIONAL, entry.national_id)]
    if entry.rpps:
        identifiers.append(_identifier("RPPS", RPPS, entry.rpps))
    if entry.adeli:
        identifiers.append(_identifier("ADELI", ADELI, entry.adeli))
    found: Resource = {
        "resourceType": "Practitioner",
        "id": entry.identifier,
        "meta": _meta(entry.changed),
        "identifier": identifiers,
        "active": entry.active,
    }
    if not entry.active:
        return found
    found["name"] = [{"use": "official", "family": entry.family, "given": list(entry.given)}]
    if entry.card_number:
        found["extension"] = [
            {
                "url": _CARD,
                "extension": [
                    {"url": "type", "valueCode": entry.card_type},
                    {"url": "number", "valueString": entry.card_number},
                ],
            }
        ]
    if entry.mailbox:
        found["telecom"] = [{"system": "email", "value": entry.mailbox, "use": "work"}]
    if entry.profession:
        code = {"system": "urn:oid:1.2.250.1.71.1.2.7", "code": entry.profession, "display": entry.profession_title}
        found["qualification"] = [{"code": {"coding": [code]}}]
    if december and entry.profession == "10":
        found["modifierExtension"] = [{"url": UNKNOWN_EXTENSION, "valueBoolean": True}]
    return found


def roles(entry: DirectoryEntry) -> list[Resource]:
    """Return a PractitionerRole for each exercise situation."""
    return [_role(entry, place) for place in entry.places]


def _role(entry: DirectoryEntry, place: PracticePlace) -> Resource:
    found: Resource = {
        "resourceType": "PractitionerRole",
        "id": f"005-{entry.rpps}-{place.number}",
        "meta": _meta(entry.changed),
        "identifier": [{"system": RPPS, "value": f"{entry.rpps}-{place.number}"}],
        "active": entry.active,
    }
    if entry.active:
        found["practitioner"] = {"reference": f"Practitioner/{entry.identifier}"}
        found["organization"] = {"reference": f"Organization/{organization_id(place)}"}
        found["code"] = [{"coding": [{"system": "urn:oid:1.2.250.1.71.4.2.4", "code": place.sector}]}]
    return found


def organization_id(place: PracticePlace) -> str:
    """Return the id of the Organization of a situation."""
    return f"001-{place.structure_id}"


def organization(place: PracticePlace, department: str) -> Resource:
    """Return an Organization."""
    return {
        "resourceType": "Organization",
        "id": organization_id(place),
        "meta": _meta(SINCE),
        "identifier": [_identifier("FINEG", FINESS, place.structure_id)],
        "active": True,
        "name": place.structure,
        "address": [{"postalCode": f"{department}000", "country": "FR"}],
    }


def everything(register: Register, kind: str, *, december: bool = False) -> list[Resource]:
    """Return every resource of a kind."""
    if kind == "Practitioner":
        return [practitioner(entry, december=december) for entry in register]
    if kind == "PractitionerRole":
        return [role for entry in register for role in roles(entry)]
    if kind == "Organization":
        places = [organization(place, entry.department) for entry in register for place in entry.places]
        return list({one["id"]: one for one in places}.values())
    return []


def outcome(severity: str, code: str, said: str) -> Resource:
    """Return the OperationOutcome of a refusal (ANNUAIRE-03)."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": said}],
    }


def _meta(changed: datetime) -> Resource:
    return {"versionId": "1", "lastUpdated": changed.isoformat(timespec="milliseconds")}


def _identifier(kind: str, system: str, value: str) -> Resource:
    return {
        "use": "official",
        "type": {"coding": [{"system": _TYPES, "code": kind}]},
        "system": system,
        "value": value,
    }
