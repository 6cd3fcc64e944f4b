"""What a user does at a workstation, and what the user sees of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bifente.ground.text import Text


class Journey(StrEnum):
    """One thing that a user sets out to do; the value is the word of files and commands."""

    READ_CPS = "lecture-cps"
    READ_VITALE = "lecture-vitale"
    SHEET = "fse"
    LOTS = "lots"
    AMELI = "ameli-pro"
    DMP_WEB = "dmp-web"
    DMP_SOFTWARE = "dmp-logiciel"
    ASSOCIATION = "association"

    @property
    def label(self) -> Text:
        """The journey in words."""
        return _TITLES[self]


_TITLES = {
    Journey.READ_CPS: Text("lire la CPS dans le logiciel", "read the CPS in the software"),
    Journey.READ_VITALE: Text("lire la carte Vitale dans le logiciel", "read the Vitale in the software"),
    Journey.SHEET: Text("faire et signer une feuille de soins", "make and sign a care sheet"),
    Journey.LOTS: Text("signer et télétransmettre les lots", "sign and transmit the lots"),
    Journey.AMELI: Text("ouvrir Ameli Pro et y lire la Vitale", "open Ameli Pro and read the Vitale there"),
    Journey.DMP_WEB: Text("ouvrir le DMP dans le navigateur", "open the DMP in the browser"),
    Journey.DMP_SOFTWARE: Text("ouvrir le DMP depuis le logiciel", "open the DMP from the software"),
    Journey.ASSOCIATION: Text("associer la CPS au logiciel", "associate the CPS with the software"),
}


class JourneyStep(StrEnum):
    """One step of a journey; the value is its word in records."""

    START = "start"
    REACH_READER = "reach-reader"
    LOAD_SSV = "load-ssv"
    READ_CPS = "read-cps"
    READ_VITALE = "read-vitale"
    MAKE_SHEET = "make-sheet"
    SIGN_SHEET = "sign-sheet"
    SIGN_LOT = "sign-lot"
    SEND_LOT = "send-lot"
    RECEIVE_ARL = "receive-arl"
    LOAD_CRYPTOLIB = "load-cryptolib"
    FIND_CARD = "find-card"
    PRESENT_CODE = "present-code"
    READ_CERTIFICATE = "read-certificate"
    SIGN = "sign"
    ASSOCIATE = "associate"
    OPEN_PAGE = "open-page"
    FIND_COMPONENT = "find-component"
    READ_FOR_PAGE = "read-for-page"
    CALL_CONNECTOR = "call-connector"
    CALL_DMP = "call-dmp"

    @property
    def label(self) -> Text:
        """The step in words."""
        return _STEPS[self]


_STEPS = {
    JourneyStep.START: Text("démarrer", "start"),
    JourneyStep.REACH_READER: Text(
        "passer par la liaison du logiciel au lecteur", "go through the software's link to the reader"
    ),
    JourneyStep.LOAD_SSV: Text("charger les fonctions SESAM-Vitale", "load the SESAM-Vitale functions"),
    JourneyStep.READ_CPS: Text("lire la CPS", "read the CPS"),
    JourneyStep.READ_VITALE: Text("lire la Vitale", "read the Vitale"),
    JourneyStep.MAKE_SHEET: Text("faire la feuille", "make the sheet"),
    JourneyStep.SIGN_SHEET: Text("signer la feuille par les deux cartes", "sign the sheet by both cards"),
    JourneyStep.SIGN_LOT: Text("signer le lot par la CPS", "sign the lot by the CPS"),
    JourneyStep.SEND_LOT: Text("envoyer le lot", "send the lot"),
    JourneyStep.RECEIVE_ARL: Text("recevoir l'accusé de la caisse", "receive the insurer's acknowledgement"),
    JourneyStep.LOAD_CRYPTOLIB: Text("charger la Cryptolib", "load the Cryptolib"),
    JourneyStep.FIND_CARD: Text("trouver la CPS par la Cryptolib", "find the CPS by the Cryptolib"),
    JourneyStep.PRESENT_CODE: Text("présenter le code porteur", "present the holder code"),
    JourneyStep.READ_CERTIFICATE: Text("lire le certificat de la CPS", "read the certificate of the CPS"),
    JourneyStep.SIGN: Text("signer par la clé de la CPS", "sign by the key of the CPS"),
    JourneyStep.ASSOCIATE: Text("enregistrer l'association de la CPS", "keep the association of the CPS"),
    JourneyStep.OPEN_PAGE: Text("ouvrir le site par la CPS", "open the site by the CPS"),
    JourneyStep.FIND_COMPONENT: Text("trouver le composant CNAM", "find the CNAM component"),
    JourneyStep.READ_FOR_PAGE: Text("lire la Vitale pour la page", "read the Vitale for the page"),
    JourneyStep.CALL_CONNECTOR: Text("joindre le connecteur local", "reach the local connector"),
    JourneyStep.CALL_DMP: Text("interroger le DMP", "ask the DMP"),
}


@dataclass(frozen=True, slots=True)
class JourneyFailure:
    """Where a journey stopped: its ``step``, the ``component`` that failed, the ``code`` it gave and its own words."""

    step: JourneyStep
    component: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """What came of one journey. ``text`` is what the user reads, in the software's own words; empty if it worked.

    ``steps`` are those that went well, in order. Two symptoms are alike (``same``) when a user could not tell them
    apart: what failed and what is read agree.
    """

    journey: Journey
    text: Text
    failure: JourneyFailure | None
    steps: tuple[JourneyStep, ...]

    @property
    def works(self) -> bool:
        """Whether the journey came to its end."""
        return self.failure is None

    def same(self, other: Symptom) -> bool:
        """Whether a user sees the same in both."""
        return (self.journey, self.works, self.text) == (other.journey, other.works, other.text)
