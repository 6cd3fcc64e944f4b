"""TD0.x and TD1.x by command: existence, authorisations, lists, administrative data, closing, web access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.simulator.formats.dmp import habilitations
from bifente.simulator.formats.dmp.demographics import PatientFound, PersonTraits, read_search_answer
from bifente.simulator.formats.dmp.habilitations import (
    AuthorisationAction,
    AuthorisationFilter,
    AuthorisationRole,
    ListDate,
)
from bifente.simulator.formats.vihf import InsIdentifier
from bifente.simulator.middleware.dmpconnect.conventions import malformed, number, structure, text
from bifente.simulator.software.connect.connector import DmpConnector
from bifente.simulator.software.connect.values import (
    AUTHORISATIONS,
    INS_TYPES,
    ConnectSex,
    OwnAuthorisation,
    RecordState,
)
from bifente.simulator.software.lps.chart import PatientChart

_Said = Mapping[str, Any]
_LISTS = {1: AuthorisationFilter.ALL, 2: AuthorisationFilter.ACTIVE, 3: AuthorisationFilter.FORBIDDEN}
PAGES = (
    "TableauDeBord",
    "DossierPatient",
    "GestionDMPPatient",
    "Documents",
    "ParcoursDeSoins",
    "HistoriqueAcces",
    "Parametrages",
    "VolontesEtDroits",
)


def practise(connector: DmpConnector, said: _Said) -> _Said:
    """Set the place of practice."""
    connector.practise(said)
    return {}


def enter(connector: DmpConnector, said: _Said) -> _Said:
    """Set the access mode."""
    connector.enter(said)
    return {}


def hide(connector: DmpConnector, said: _Said) -> _Said:
    """Open or end a secret connection."""
    connector.hide(said)
    return {}


def existence(connector: DmpConnector, said: _Said) -> _Said:
    """TD0.2."""
    patient = connector.patient(said)
    reply, found = connector.client.existence(patient)
    connector.well(reply)
    if found is None or not found.found:
        return {
            "ExistingTestAnswer": {
                "i_dmpStatus": int(RecordState.NOT_FOUND),
                "i_userAuthorization": int(OwnAuthorisation.ERROR),
            },
            "i_treatingPhysician": 0,
        }
    closed = found.status != "active"
    own = OwnAuthorisation.ERROR if closed else AUTHORISATIONS.get(found.authorisation, OwnAuthorisation.ERROR)
    return {
        "ExistingTestAnswer": {
            "AdminData": {
                "Ins": _ins(patient.ins),
                "s_birthday": found.traits.birth,
                "s_patientGivenName": found.traits.given,
                "s_patientName": found.traits.family,
            },
            "i_dmpStatus": int(RecordState.CLOSED if closed else RecordState.EXISTS),
            "i_sex": int(ConnectSex.of(found.traits.sex)),
            "i_userAuthorization": int(own),
            "i_webAccessIsOpen": int(bool(found.flag("COMPTE_INTERNET_OUVERT"))),
            "s_closingDate": found.closing[0],
            "s_closingMessage": " ".join(part for part in found.closing[1:] if part),
        },
        "i_treatingPhysician": int(bool(found.treating)),
    }


def authorise(connector: DmpConnector, said: _Said) -> _Said:
    """TD0.3."""
    action = {1: AuthorisationAction.ADD, 2: AuthorisationAction.REMOVE}.get(number(said, "i_action", 0))
    if action is None:
        raise malformed("i_action: 1 add, 2 remove")
    role = AuthorisationRole.TREATING if number(said, "i_setTreatingPhysician", 0) else None
    connector.well(connector.client.authorise(connector.patient(said), action, role))
    return {}


def accessible(connector: DmpConnector, said: _Said) -> _Said:
    """TD0.4."""
    wanted = text(said, "s_type", "")
    if wanted not in ("", *ListDate):
        raise malformed(f"s_type: {', '.join(ListDate)}")
    reply = connector.well(
        connector.client.patients(ListDate(wanted) if wanted else None, text(said, "s_date", "") if wanted else "")
    )
    listed = habilitations.read_patients(reply.content) if reply.content is not None else ()
    return {
        "AccessibleDmps": [
            {
                "s_ins": one.ids[0][1] if one.ids else "",
                "s_patientName": one.family,
                "s_patientGivenName": one.given,
                "s_birthday": one.birth,
                "s_lastAccessDate": one.last_access,
                "s_lastUpdateDate": one.last_update,
                "s_lastAddDate": one.last_add,
                "i_treatingPhysician": int(one.treating),
            }
            for one in listed
        ]
    }


def find(connector: DmpConnector, said: _Said) -> _Said:
    """TD0.5."""
    name, sex = text(said, "s_name", ""), number(said, "i_sex", ConnectSex.UNKNOWN)
    if len(name) < 2 or sex not in {*ConnectSex}:
        raise malformed("s_name has two characters at least; i_sex: 1 unknown, 2 male, 3 female")
    traits = PersonTraits(name, text(said, "s_givenName", ""), ConnectSex(sex).letter, text(said, "s_birthday", ""))
    reply = connector.well(connector.client.find(traits))
    found = read_search_answer(reply.content) if reply.content is not None else ()
    return {
        "Patients": [
            {
                "s_ins": one.ids[0][1] if one.ids else "",
                "s_name": one.traits.family,
                "s_given": one.traits.given,
                "s_birthday": one.traits.birth,
                "i_sex": int(ConnectSex.of(one.traits.sex)),
                "i_matchPercentage": one.match or 0,
            }
            for one in found
        ]
    }


def pages(connector: DmpConnector, said: _Said) -> _Said:
    """TD0.9: the addresses; nothing is asked."""
    tail = f"/{connector.patient(said).ins.whole}" if said.get("s_ins") or said.get("Ins") else ""
    return {"Urls": [f"{connector.web}/AccesDirect/{page}{tail}" for page in PAGES]}


def set_pages(connector: DmpConnector, said: _Said) -> _Said:
    """Set the address below which the pages are; empty for the usual one."""
    connector.web = text(said, "s_url", "").rstrip("/") or connector.reach.web
    return {}


def data(connector: DmpConnector, said: _Said) -> _Said:
    """TD1.3a."""
    patient = connector.patient(said)
    reply, found = connector.client.data(patient)
    connector.well(reply)
    return {} if found is None else {"DmpAdministrativeData": _administrative(patient.ins, found)}


def change(connector: DmpConnector, said: _Said) -> _Said:
    """TD1.3b."""
    told = structure(structure(said, "DmpAdministrativeData"), "PatientData")
    patient = connector.named(connector.patient(told))
    contact = structure(structure(told, "ExtendedContactDetails"), "ContactDetails")
    phones = [text(contact, key, "") for key in ("s_mobilePhone", "s_landlinePhone")]
    telecoms = [f"tel:{one}" for one in phones if one]
    if mail := text(contact, "s_mail", ""):
        telecoms.append(f"mailto:{mail}")
    connector.well(connector.client.change(patient, tuple(telecoms)))
    return {}


def close(connector: DmpConnector, said: _Said) -> _Said:
    """TD1.4."""
    patient: PatientChart = connector.named(connector.patient(said))
    connector.well(connector.client.close(patient, text(said, "s_reason", "FERMETURE_DEMANDE_PATIENT")))
    return {}


def authorised(connector: DmpConnector, said: _Said) -> _Said:
    """TD1.6."""
    mode = _LISTS.get(number(said, "i_authorizationType", 1))
    if mode is None:
        raise malformed("i_authorizationType: 1 all, 2 authorised, 3 denied")
    reply = connector.well(connector.client.authorised(connector.patient(said), mode))
    listed = habilitations.read_authorised(reply.content) if reply.content is not None else ()
    return {
        "AuthorizationList": [
            {
                "s_nationalId": one.id,
                "s_nationalIdType": one.id_type,
                "s_name": one.family,
                "s_given": one.given,
                "s_specialityCode": one.speciality,
                "s_authorizationStart": one.start,
                "s_lastActionDate": one.last,
                "i_authorizationType": 2 if one.mode is AuthorisationFilter.FORBIDDEN else 1,
                "i_generalPractitionner": int(one.treating),
            }
            for one in listed
        ]
    }


def parameters(connector: DmpConnector, said: _Said) -> _Said:
    """What the DMP says of minors and of visibilities that go together."""
    told = connector.parameters()
    return {
        "i_minorsManagement": int(told["GestionMineurs"]),
        "i_majorityAge": int(told["AgeMajorite"]),
        "i_visibilityCumul": int(told["CumulVisibilite"]),
    }


def majority(connector: DmpConnector, said: _Said) -> _Said:
    """The age of majority."""
    return {"i_majorityAge": int(connector.parameters()["AgeMajorite"])}


def _administrative(ins: InsIdentifier, found: PatientFound) -> _Said:
    telecoms = {one.partition(":")[0]: one.partition(":")[2] for one in found.traits.telecoms}
    civil = {"s_name": found.traits.family, "s_given": found.traits.given}
    return {
        "PatientData": {
            "Ins": _ins(ins),
            "ExtendedCivilStatus": {
                "CivilStatus": civil,
                "i_sex": int(ConnectSex.of(found.traits.sex)),
                "s_birthDay": found.traits.birth,
                "s_birthName": found.traits.family,
            },
            "ExtendedContactDetails": {
                "ContactDetails": {"s_mobilePhone": telecoms.get("tel", ""), "s_mail": telecoms.get("mailto", "")}
            },
        },
        "PatientOppositions": {
            "i_brisDeGlaceOpposition": int(bool(found.flag("OPPOSITION_BRIS_DE_GLACE"))),
            "i_centre15Opposition": int(bool(found.flag("OPPOSITION_ACCES_URGENCE"))),
        },
        "i_guardian": 1,
    }


def _ins(ins: InsIdentifier) -> _Said:
    letters = {oid: letter for letter, oid in INS_TYPES.items()}
    return {"s_ins": ins.whole, "s_insType": letters.get(ins.oid, "")}  # type: ignore[call-overload]
