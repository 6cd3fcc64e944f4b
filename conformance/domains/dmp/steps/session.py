"""Who is at work, in which mode, on which patient."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmp.forged import DmpForgery
from bifente.conformance.domains.dmp.signers import SUCCESS, CardRefusedError
from bifente.conformance.domains.dmp.steps.base import ANSWERED, DmpStep, DmpTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Code, ImpossibleStepError, Observes
from bifente.ground.text import Text
from bifente.simulator.software.identity.status import TrustStatus
from bifente.simulator.software.lps.client import DmpAccess
from bifente.simulator.software.lps.identity import AUTOMATON

_STATUSES = {
    "provisional": TrustStatus.PROVISOIRE,
    "retrieved": TrustStatus.RECUPEREE,
    "validated": TrustStatus.VALIDEE,
    "qualified": TrustStatus.QUALIFIEE,
}


class ConnectToDmp(DmpStep):
    """Let the holder of the card be at work, its code presented; or a person without a card, or a structure."""

    name: ClassVar[str] = "dmp-connect"
    title: ClassVar[Text] = Text("Se connecter au DMP", "Connect to the DMP")
    shorthand: ClassVar[str] = "code"
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in ("user", "family", "given", "structure", "sector")},
    }

    code: Code | None = Field(default=None, description="the holder code, e.g. $card.code")
    location: int | None = Field(
        default=None, ge=1, le=16, description="number of the practice location, the first one by default"
    )
    key: Literal["signature", "authentication"] = Field(
        default="signature", description="the key that signs; the authentication key is the classic mistake"
    )
    who: Literal[
        "card", "structure", "colleague", "treating-doctor", "occupational-physician", "nurse", "pharmacist"
    ] = Field(default="card", description="the card, or somebody of the laboratory whose key lies in software")
    air: str = Field(
        default="", max_length=120, description="reinforced indirect authentication: the primary method of the person"
    )
    speciality: str | None = Field(default=None, max_length=8, description="another speciality than the card's")
    automaton: bool = Field(default=False, description="in the role AUTOMATE: automatic feeding")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Connect."""
        if self.who == "card":
            opened = act.host.open()
            if opened.sw != SUCCESS:
                raise CardRefusedError(opened.sw)
            if self.code is not None:
                reference = act.card.layout.secrets["pin"].reference
                verified = act.host.verify(reference, self.code.encode())
                if verified.sw != SUCCESS:
                    raise CardRefusedError(verified.sw)
            bench.connect_card(act, self.key, self.location)
        else:
            bench.connect_laboratory(self.who, self.air)
        if self.speciality is not None:
            bench.as_user(speciality=self.speciality)
        if self.automaton:
            bench.as_user(role=AUTOMATON)
        user = bench.user
        return DmpTold(
            {
                "user": user.id,
                "family": user.family,
                "given": user.given,
                "structure": user.structure,
                "sector": user.sector,
            }
        )


class DmpMode(DmpStep):
    """Choose how records are entered from now on: normal, bris de glace with its reason, régulation; secret or not."""

    name: ClassVar[str] = "dmp-mode"
    title: ClassVar[Text] = Text("Choisir le mode d'accès", "Choose the access mode")
    shorthand: ClassVar[str] = "mode"
    observes: ClassVar[Observes] = {"banner": ValueMatcher()}
    success: ClassVar[None] = None

    mode: Literal["normal", "bris-de-glace", "regulation"] = Field(default="normal", description="the access mode")
    reason: str = Field(default="", max_length=500, description="of a bris de glace")
    secret: bool = Field(
        default=False, description="a secret connection: hidden from the legal representatives of a minor"
    )

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Choose it."""
        code = {"normal": "normal", "bris-de-glace": "bris_de_glace", "regulation": "centre_15"}[self.mode]
        if not bench.clients:
            raise ImpossibleStepError(Text("personne n'est connecté : dmp-connect", "nobody is connected: dmp-connect"))
        bench.clients[-1].access = DmpAccess(code, self.reason, self.secret)
        banner = bench.clients[-1].access.banner
        return DmpTold({"banner": None if banner is None else banner.fr})


class DmpChart(DmpStep):
    """Choose a patient, and note in the practice's own chart what the patient said and how sure the identity is."""

    name: ClassVar[str] = "dmp-chart"
    title: ClassVar[Text] = Text("Tenir le dossier local", "Keep the local chart")
    shorthand: ClassVar[str] = "patient"
    observes: ClassVar[Observes] = {name: ValueMatcher() for name in ("status", "consents", "opposes")}
    success: ClassVar[None] = None

    patient: str | None = Field(default=None, max_length=40, description="by the name in bench.dmp.patients")
    consents: bool | None = Field(default=None, description="to consultation")
    opposes: bool | None = Field(default=None, description="feeding")
    identity: Literal["provisional", "retrieved", "validated", "qualified"] | None = Field(
        default=None, description="status of the identity"
    )

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Note it."""
        if self.patient is not None:
            if self.patient not in bench.charts:
                raise ImpossibleStepError(
                    Text(f"pas de patient {self.patient!r} dans bench.dmp", f"no patient {self.patient!r} in bench.dmp")
                )
            bench.patient = bench.charts[self.patient]
            bench.entry = None
        chart = bench.patient
        if self.consents is not None:
            chart.consents = self.consents
        if self.opposes is not None:
            chart.opposes = self.opposes
        if self.identity is not None:
            chart.status = _STATUSES[self.identity]
        return DmpTold({"status": chart.status.value, "consents": chart.consents, "opposes": chart.opposes})


class DmpForge(DmpStep):
    """Break the next message in one named way: it must be refused, and nothing of it kept."""

    name: ClassVar[str] = "dmp-forge"
    title: ClassVar[Text] = Text("Fausser le prochain message", "Break the next message")
    shorthand: ClassVar[str] = "what"
    success: ClassVar[None] = None

    what: DmpForgery = Field(description="what is wrong with it")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Break it."""
        from bifente.conformance.domains.dmp.forging import tampering

        bench.tampering = tampering(act, bench, self.what)
        return DmpTold()
