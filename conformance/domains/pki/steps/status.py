"""The status of a card's certificates, and what happens to the card."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.facets import Personalisation
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.pki.certificates import CardRole, read_certificate
from bifente.conformance.domains.pki.part import By, PkiOfScene
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import CardStep, Observation, Observes
from bifente.conformance.targets.base import GuardRefusalError
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.pki.judging import Purpose
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError
from bifente.simulator.services.pki import Incident

GOOD = "good"
STATUSES = frozenset({GOOD, *(refusal.key for refusal in CertificateRefusal)})


class CheckStatus(CardStep):
    """Judge a certificate of the card for a purpose, its status asked of the PKI over HTTP as the certificate says."""

    name: ClassVar[str] = "check-status"
    title: ClassVar[Text] = Text("Contrôler l'état d'un certificat", "Check the status of a certificate")
    shorthand: ClassVar[str] = "by"
    success: ClassVar[tuple[str, str]] = ("status", GOOD)
    observes: ClassVar[Observes] = {"status": ChoiceMatcher(STATUSES), "detail": ValueMatcher()}

    certificate: CardRole = Field(default="authentication", description="which one of the card's two")
    by: By = Field(default="ocsp", description="how its status is asked")
    purpose: Literal["own", "client", "signature"] = Field(
        default="own", description="what it is wanted for; own: what the certificate is made for"
    )
    soft: bool = Field(default=False, description="accept it where its status cannot be had")

    def run(self, act: Act) -> Observation:
        """Judge it."""
        found = read_certificate(act, self.certificate)
        purposes = {"client": Purpose.CLIENT, "signature": Purpose.SIGNATURE}
        own = Purpose.SIGNATURE if self.certificate == "signature" else Purpose.CLIENT
        judge = act.scene.part(PkiOfScene).judge(self.by, purposes.get(self.purpose, own), soft=self.soft)
        try:
            if found is None:
                raise CertificateRefusedError(CertificateRefusal.UNREADABLE)
            judge.judge([found])
        except CertificateRefusedError as refused:
            values = {"status": refused.refusal.key, "detail": refused.detail}
            return Observation(values, (("certificat", refused.text),))
        return Observation({"status": GOOD, "detail": ""})


class ReportCard(CardStep):
    """Report a card as lost, stolen or damaged: all its certificates are revoked, at once for OCSP, in the lists as
    they are next published; what the holder then does is told.
    """

    name: ClassVar[str] = "report-card"
    title: ClassVar[Text] = Text(
        "Déclarer la carte perdue, volée ou endommagée", "Report the card lost, stolen or damaged"
    )
    shorthand: ClassVar[str] = "what"
    success: ClassVar[tuple[str, str]] = ("left", "0")
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("reason", "revoked", "left", "then")}

    what: Literal["lost", "stolen", "damaged"] = Field(description="what happened to it")

    def run(self, act: Act) -> Observation:
        """Revoke its certificates. Raise GuardRefusalError for a real card."""
        made = act.card.made_as(PersonalisedCard)
        if made is None:
            raise GuardRefusalError(Personalisation.lacking)
        incident = Incident[self.what.upper()]
        pki = act.scene.part(PkiOfScene)
        serials = [one.serial_number for one in made.certificates.values()]
        lines = pki.service.register.revoke(made.authority, serials, act.bench.now(), incident.reason)
        words = {"lost": "perdue", "stolen": "volée", "damaged": "endommagée"}
        act.scene.changed(act.role, Text(f"carte déclarée {words[self.what]}", f"card reported {self.what}"))
        values = {"reason": lines[0].reason.value, "revoked": len(lines), "then": incident.then.fr}
        values["left"] = len(made.certificates) - len(lines)
        return Observation(values, (("ensuite", incident.then),))
