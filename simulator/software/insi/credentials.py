"""The assertion that a card signs, kept as long as it is good: a code is not asked for each search."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.x509.oid import NameOID

from bifente.ground.clock import Clock
from bifente.simulator.formats.insi import ProfessionalAssertion, professional_assertion
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xmldsig.certificates import certificate_of
from bifente.simulator.software.card_signer import CardSigner

LIFETIME = timedelta(hours=1)
Meets = Callable[[], AbstractContextManager[CardSigner]]
"""Meets the card: presents its code, and lets it go afterwards."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an assertion says beyond who signs, where it is not what the card says. ``situation``: which practice."""

    situation: int | None = None
    billing: str | None = None
    sector: str | None = None
    speciality: str = ""


class CardCredential:
    """An assertion by a card. ``meets`` is called when one is made."""

    def __init__(
        self,
        meets: Meets,
        clock: Clock,
        identifier: Callable[[], str],
        said: Said | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        self._meets = meets
        self._clock = clock
        self._identifier = identifier
        self._said = said or Said()
        self._lifetime = lifetime
        self._made: tuple[XmlElement, ProfessionalAssertion] | None = None
        self.signed = 0
        """How often the card signed."""

    def security(self) -> XmlElement:
        """Return the assertion, made anew where there is none or it is too old. Raise SsvError."""
        if self._made is None or self._clock.now() - self._made[1].issued >= self._lifetime:
            self._made = self._make()
        return deepcopy(self._made[0])

    def renew(self) -> None:
        """Make the next call have an assertion of its own: as a Vitale is read (INSI-T-1_01)."""
        self._made = None

    def _make(self) -> tuple[XmlElement, ProfessionalAssertion]:
        with self._meets() as card:
            said = self.told(card)
            made = professional_assertion(said, card)
        self.signed += 1
        return made, said

    def told(self, card: CardSigner) -> ProfessionalAssertion:
        """Return what an assertion made now says."""
        certificate = certificate_of(card.certificate)
        holder: list[Any] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        where = card.situation(self._said.situation)
        sector = (where.sector or "") if where is not None else ""
        return ProfessionalAssertion(
            f"_{self._identifier()}",
            self._clock.now(),
            certificate.subject.rfc4514_string(),
            str(holder[0].value) if holder else "",
            card.billing(self._said.situation) if self._said.billing is None else self._said.billing,
            sector if self._said.sector is None else self._said.sector,
            self._said.speciality,
            card.kind,
        )
