"""What the practice knows of a patient beside the DMP: identity, consent, opposition. It decides what may be sent."""

from __future__ import annotations

from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.formats.vihf import InsIdentifier
from bifente.simulator.software.identity.status import IdentityError, TrustStatus


class ConsentError(ValueError):
    """Something that the patient, or the identity, does not allow; nothing was sent. ``text`` in both languages."""

    def __init__(self, rule: str, text: Text) -> None:
        self.rule = rule
        self.text = text
        super().__init__(text.en)


@dataclass(slots=True)
class PatientChart:
    """One patient of the practice. ``consents`` to consultation, ``opposes`` feeding: the DMP knows neither."""

    ins: InsIdentifier
    family: str
    given: str
    sex: str
    birth: str
    status: TrustStatus = TrustStatus.QUALIFIEE
    consents: bool | None = None
    opposes: bool = False

    def check_known(self) -> None:
        """Raise ConsentError unless the INS may leave the practice: the rule of identities, told as a refusal here."""
        try:
            self.status.check_leaves()
        except IdentityError as error:
            said = error.refusal.sentence
            raise ConsentError("identity", Text(f"{said.fr} ({error.detail})", f"{said.en} ({error.detail})")) from None

    def check_feeding(self) -> None:
        """Raise ConsentError where the patient opposes feeding (SEED-DMP-06)."""
        self.check_known()
        if self.opposes:
            raise ConsentError(
                "opposition",
                Text(
                    "le patient s'oppose à l'alimentation : ni ajout ni remplacement",
                    "the patient opposes feeding: no addition, no replacement",
                ),
            )

    def check_consent(self) -> None:
        """Raise ConsentError without the patient's consent to consultation (SEED-DMP-05, DMPI-EX_0_3-1010)."""
        self.check_known()
        if not self.consents:
            raise ConsentError(
                "consent",
                Text(
                    "le consentement du patient n'est pas recueilli : le demander avant TD0.3",
                    "the patient's consent was not asked for: ask before TD0.3",
                ),
            )
