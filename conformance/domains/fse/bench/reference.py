"""The reference file of the bench's front end: what the templates of the cards say, whatever is made of the cards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.domains.fse.bench.relying_party import RelyingParty
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.cpx.template import BillingData
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.formats.fse.model import CareBeneficiary
from bifente.simulator.services.frontal.reference import BillingNumber
from bifente.simulator.software.billing.beneficiary import beneficiary_of
from bifente.simulator.tarification.tables import usual_specialty
from bifente.simulator.zones import named

_PERSON, _ACCIDENT = 104, 103
_SIGNS_INVOICES, _SIGNS_LOTS = 1, 2
"""Bits of the signing rights of a billing situation (SV-FSE-23)."""


class TemplateReference:
    """What a body knows of the cards met in a scenario and of the professionals of the bench."""

    def __init__(self, party: RelyingParty) -> None:
        self._party = party
        self.declared: str | None = None
        """The RPPS number of the treating doctor of every insured, empty for none; None: the body does not know."""
        self.pregnancy: bool | None = None
        """Whether a pregnancy is declared for every insured; None: the body does not know."""
        self.specialty: str | None = None
        """The specialty code of every professional; None: the usual one of each number."""
        self.agreed: frozenset[str] = frozenset()
        """The exoneration codes that the body agreed to."""
        self.accident_day: date | None = None
        """The day that was declared of the accident on the card; None: the body does not know."""
        self.distance: int | None = None
        """Kilometres from the practice to every insured's home; None: the body does not know."""

    @property
    def complete(self) -> bool:
        """Whether every card met was made by the bench: of others it knows nothing."""
        return all(card.made_as(PersonalisedCard) or card.made_as(PersonalisedVitale) for card in self._met())

    def insured(self, serial: str, on: date) -> Sequence[CareBeneficiary] | None:
        """Return those whom a card covers on a day, None for a card that was not met."""
        vitale = self._vitale(serial)
        if vitale is None:
            return None
        people = sum(group.id == _PERSON for group in vitale.groups)
        return [beneficiary_of(vitale.groups, who, on) for who in range(1, people + 1)]

    def accidents(self, serial: str) -> Mapping[str, date | None]:
        """Return the accidents at work on a card by number, with the day that the scenario declared."""
        vitale = self._vitale(serial)
        found = (named(group) for group in (vitale.groups if vitale else ()) if group.id == _ACCIDENT)
        return {number: self.accident_day for fields in found if (number := fields["at-id"])}

    def home_km(self, serial: str) -> int | None:
        """Return the distance that the scenario's body knows."""
        return self.distance

    def treating(self, serial: str) -> str | None:
        """Return the treating doctor that the scenario declared."""
        return self.declared

    def agreements(self, serial: str) -> frozenset[str]:
        """Return the exoneration codes that the scenario's body agreed to."""
        return self.agreed

    def maternity(self, serial: str) -> bool | None:
        """Return whether the scenario declared a pregnancy."""
        return self.pregnancy

    def opposed(self, serial: str, on: date) -> bool:
        """Return whether a card is on the list of opposition."""
        return serial in self._party.opposed

    def numbers(self, rpps: str) -> Mapping[str, BillingNumber] | None:
        """Return the billing numbers of a professional: of the cards met under that RPPS, else of the templates."""
        met = [one.template for one in self._professionals() if one.template.holder.rpps == rpps]
        known = met or [one for one in shipped_templates().values() if one.holder.rpps == rpps]
        if not known:
            return None
        return {line.billing_id: _number(line, self.specialty) for template in known for line in template.billing}

    def knows_number(self, billing_id: str) -> bool:
        """Return whether a billing number is somebody's of the bench."""
        templates = [*shipped_templates().values(), *(one.template for one in self._professionals())]
        return any(line.billing_id == billing_id for template in templates for line in template.billing)

    def _vitale(self, serial: str) -> PersonalisedVitale | None:
        found = (card.made_as(PersonalisedVitale) for card in self._met())
        return next((one for one in found if one is not None and one.serial == serial), None)

    def _professionals(self) -> Iterable[PersonalisedCard]:
        found = (card.made_as(PersonalisedCard) for card in self._met())
        return [one for one in found if one is not None]

    def _met(self) -> Sequence[SeatedCard]:
        return self._party.meet()


def _number(line: BillingData, specialty: str | None) -> BillingNumber:
    rights = line.signing_rights or 0
    return BillingNumber(
        specialty or usual_specialty(line.billing_id) or "", bool(rights & _SIGNS_INVOICES), bool(rights & _SIGNS_LOTS)
    )
