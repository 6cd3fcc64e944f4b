"""Why a VIHF is not accepted, each with the cure. Which fault a service answers is the service's."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.simulator.formats.xmldsig import XmlDigest


class VihfRefusal(StrEnum):
    """A closed set. ``SIGNATURE`` and ``CERTIFICATE`` have a reason of their own in ``VihfError.cause``."""

    ABSENT = "vihf-absent"
    UNREADABLE = "vihf-unreadable"
    SIGNATURE = "vihf-signature"
    CERTIFICATE = "vihf-certificate"
    ISSUER = "vihf-issuer"
    SUBJECT = "vihf-subject"
    STALE = "vihf-stale"
    FUTURE = "vihf-future"
    VERSION = "vihf-version"
    ATTRIBUTE = "vihf-attribute"
    MODE = "vihf-mode"
    CONTEXT = "vihf-context"
    NO_ROLE = "vihf-no-role"
    ROLE = "vihf-role"
    NO_SPECIALITY = "vihf-no-speciality"
    STRUCTURE = "vihf-structure"
    SECTOR = "vihf-sector"
    PURPOSE = "vihf-purpose"
    REASON = "vihf-reason"
    PATIENT = "vihf-patient"
    OTHER_PATIENT = "vihf-other-patient"
    RESOURCE = "vihf-resource"
    SOFTWARE = "vihf-software"
    CONFIDENTIALITY = "vihf-confidentiality"

    @property
    def sentence(self) -> Text:
        """Return the reason in words, its cure with it."""
        return _SENTENCES[self]


_SENTENCES: Mapping[VihfRefusal, Text] = {
    VihfRefusal.ABSENT: Text(
        "il n'y a pas de VIHF : une Assertion SAML dans l'en-tête wsse:Security",
        "there is no VIHF: one SAML Assertion in the header wsse:Security",
    ),
    VihfRefusal.UNREADABLE: Text("le VIHF ne se lit pas", "the VIHF cannot be read"),
    VihfRefusal.SIGNATURE: Text("la signature du VIHF ne tient pas", "the signature of the VIHF does not hold"),
    VihfRefusal.CERTIFICATE: Text(
        "le certificat du VIHF ne peut pas le signer", "the certificate of the VIHF may not sign it"
    ),
    VihfRefusal.ISSUER: Text(
        "Issuer n'est pas le nom du certificat qui signe : y mettre le DN du certificat de signature",
        "Issuer is not the name of the certificate that signs: put the DN of the signature certificate there",
    ),
    VihfRefusal.SUBJECT: Text(
        "NameID n'est pas l'identifiant national du porteur de la carte qui signe",
        "NameID is not the national id of the holder of the card that signs",
    ),
    VihfRefusal.STALE: Text("le VIHF est trop ancien : en faire un autre", "the VIHF is too old: make another one"),
    VihfRefusal.FUTURE: Text(
        "le VIHF vient du futur : mettre l'horloge du poste à l'heure (NTP)",
        "the VIHF comes from the future: set the workstation's clock (NTP)",
    ),
    VihfRefusal.VERSION: Text("VIHF_Version : 3.0 est attendu", "VIHF_Version: 3.0 is expected"),
    VihfRefusal.ATTRIBUTE: Text(
        "un attribut du VIHF est absent, vide ou répété", "an attribute of the VIHF is missing, empty or repeated"
    ),
    VihfRefusal.MODE: Text(
        "Authentification_mode n'est pas celui du certificat : DIRECTE avec une carte, INDIRECTE ou "
        "INDIRECTE_RENFORCEE avec un certificat de structure",
        "Authentification_mode is not that of the certificate: DIRECTE with a card, INDIRECTE or INDIRECTE_RENFORCEE "
        "with a structure certificate",
    ),
    VihfRefusal.CONTEXT: Text(
        "AuthnContext n'est pas celui attendu (SmartcardPKI ; en AIR la méthode première dans AuthnContextDecl)",
        "AuthnContext is not the expected one (SmartcardPKI; with AIR the first method in AuthnContextDecl)",
    ),
    VihfRefusal.NO_ROLE: Text(
        "le VIHF ne dit pas la profession (rôle, OID 1.2.250.1.71.1.2.7)",
        "the VIHF does not say the profession (role, OID 1.2.250.1.71.1.2.7)",
    ),
    VihfRefusal.ROLE: Text(
        "la profession du VIHF n'est pas celle du certificat", "the profession of the VIHF is not the certificate's"
    ),
    VihfRefusal.NO_SPECIALITY: Text(
        "aucune spécialité dans le VIHF : obligatoire pour médecin (10) et pharmacien (21), OID 1.2.250.1.71.4.2.5",
        "no speciality in the VIHF: mandatory for a physician (10) and a pharmacist (21), OID 1.2.250.1.71.4.2.5",
    ),
    VihfRefusal.STRUCTURE: Text(
        "PS et structure non liés : Identifiant_Structure doit être un Struct_IdNat lu sur la carte",
        "professional and structure are not linked: Identifiant_Structure must be a Struct_IdNat read on the card",
    ),
    VihfRefusal.SECTOR: Text(
        "Secteur_Activite n'est pas celui de la structure choisie",
        "Secteur_Activite is not that of the chosen structure",
    ),
    VihfRefusal.PURPOSE: Text(
        "mode d'accès inconnu : normal, bris_de_glace ou centre_15 (TRE_R248)",
        "unknown access mode: normal, bris_de_glace or centre_15 (TRE_R248)",
    ),
    VihfRefusal.REASON: Text(
        "bris de glace sans motif : Mode_Acces_Raison est obligatoire",
        "bris de glace without a reason: Mode_Acces_Raison is mandatory",
    ),
    VihfRefusal.PATIENT: Text(
        "resource-id n'est pas un INS : <matricule et clé>^^^&<OID>&ISO^NH",
        "resource-id is no INS: <number and key>^^^&<OID>&ISO^NH",
    ),
    VihfRefusal.OTHER_PATIENT: Text(
        "l'INS du VIHF n'est pas celui de la demande", "the INS of the VIHF is not that of the request"
    ),
    VihfRefusal.RESOURCE: Text("Ressource_URN : urn:dmp est attendu", "Ressource_URN: urn:dmp is expected"),
    VihfRefusal.SOFTWARE: Text(
        "le logiciel ne se nomme pas : LPS_ID, LPS_Nom, LPS_Version, LPS_ID_HOMOLOGATION_DMP",
        "the software does not name itself: LPS_ID, LPS_Nom, LPS_Version, LPS_ID_HOMOLOGATION_DMP",
    ),
    VihfRefusal.CONFIDENTIALITY: Text(
        "code de connexion secrète inconnu : INVISIBLE_REPRESENTANTS_LEGAUX (JDV_J64)",
        "unknown code of a secret connection: INVISIBLE_REPRESENTANTS_LEGAUX (JDV_J64)",
    ),
}


class VihfError(ValueError):
    """A VIHF that is not accepted. ``cause``: why, of a signature or a certificate; ``explained``: its digests."""

    def __init__(
        self,
        refusal: VihfRefusal,
        detail: str = "",
        cause: Enum | None = None,
        explained: XmlDigest | None = None,
        why: Text | None = None,
    ) -> None:
        self.refusal = refusal
        self.detail = detail
        self.cause = cause
        self.explained = explained
        self._why = why
        super().__init__(self.sentence.en)

    @property
    def sentence(self) -> Text:
        """Return all of it in words: what, why, which."""
        said, why = self.refusal.sentence, self._why
        more = f" ({self.detail})" if self.detail else ""
        if why is None:
            return Text(f"{said.fr}{more}", f"{said.en}{more}")
        return Text(f"{said.fr} : {why.fr}{more}", f"{said.en}: {why.en}{more}")
