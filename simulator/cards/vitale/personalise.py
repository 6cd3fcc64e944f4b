"""From a template to a Vitale card: its groups, its files, its certificate, whom it opens itself to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from cryptography import x509

from bifente.ground.extensions import Reference
from bifente.ground.identifiers import nir_key
from bifente.simulator.cards.families import family_named, layout
from bifente.simulator.cards.family import FamilyImage
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.vitale import contents
from bifente.simulator.cards.vitale.loading import with_overrides
from bifente.simulator.cards.vitale.spans import Period, TemplatePeriod
from bifente.simulator.cards.vitale.template import VitaleState, VitaleTemplate
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.pki.authority import Pki, Revocation
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.vitale_authority import VitaleAuthority
from bifente.simulator.zones import Group, named

_EXPIRED = TemplatePeriod(start=-5, end=-1)
#: An opposed card was opposed this long after its issue.
OPPOSED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class VitaleMaterial:
    """One Vitale in the making: all that is known of it before its image is filled."""

    template: VitaleTemplate
    layout: Layout
    groups: tuple[Group, ...]
    valid: Period
    day: date
    keys: KeySource
    authority: VitaleAuthority
    pki: Pki


Filled = tuple[FamilyImage, Mapping[str, x509.Certificate]]
"""What gives a card life, and its own certificates by the names of their keys."""
Fill = Callable[[VitaleMaterial], Filled]
"""How a family, in its module ``image``, turns the material into a card."""


@dataclass(frozen=True)
class PersonalisedVitale:
    """A Vitale ready to be inserted, and all that is known of it.

    ``groups`` are those of its zones in their order, the protected coverage (106) included; ``certificates`` its own,
    by the name of its key (none for a Vitale 1); ``revocations`` what the authority must list (an opposed card).
    ``day`` is the one at which it is seen.
    """

    template: VitaleTemplate
    layout: Layout = field(repr=False)
    image: FamilyImage = field(repr=False)
    valid: Period
    day: date
    groups: tuple[Group, ...] = field(repr=False)
    certificates: Mapping[str, x509.Certificate] = field(repr=False)
    authority: VitaleAuthority = field(repr=False)
    revocations: tuple[Revocation, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificate of the laboratory's authority for Vitale cards."""
        return self.authority.chain

    @property
    def serial(self) -> str:
        """The serial number of the card, 8 or 9 digits."""
        return self.template.card.serial

    @property
    def opposed(self) -> bool:
        """Whether the card is on the list of opposed cards."""
        return bool(self.revocations)

    def facts(self) -> dict[str, Any]:
        """What a scenario may refer to, as plain data. Numbers and names are laboratory values."""
        template, insured = self.template, self.template.insured
        return {
            "template": f"vitale/{template.id}",
            "family": template.family,
            "type": "VITALE",
            "mark": template.card.mark,
            "serial": self.serial,
            "state": str(template.card.state),
            "issue_date": self.valid.start,
            "expiry_date": self.valid.end,
            "nir": insured.nir,
            "nir_key": nir_key(insured.nir),
            "body": {"regime": insured.regime, "caisse": insured.caisse, "centre": insured.centre},
            "management": insured.management,
            "family_name": template.beneficiaries[0].name,
            "given_name": template.beneficiaries[0].first_name,
            "names": [person.name for person in template.beneficiaries],
            "beneficiaries": [
                {
                    "family_name": person.name,
                    "given_name": person.first_name,
                    "birth_date": person.born,
                    "rank": str(person.rank),
                    "quality": person.quality,
                    "nir": contents.nir_of(person, insured)[:13],
                    "nir_key": contents.nir_of(person, insured)[13:],
                    "number": contents.nir_of(person, insured),
                    "rights": any(span.at(self.day).holds(self.day) for span in person.rights),
                }
                for person in template.beneficiaries
            ],
            "rights": [
                any(span.at(self.day).holds(self.day) for span in person.rights) for person in template.beneficiaries
            ],
            "groups": [{"id": group.id, **named(group)} for group in self.groups],
        }


def personalise_vitale(
    template: VitaleTemplate,
    keys: KeySource,
    *,
    at: date,
    overrides: Mapping[str, Any] | None = None,
    pki: Pki | None = None,
    interface: Interface | None = None,
) -> PersonalisedVitale:
    """Make the card of a template as it is at ``at`` (the day of the bench's clock).

    ``overrides`` replaces values of the template; ``pki`` are the authorities of the professionals' cards it is to
    believe, by default those made from ``keys``. The same template, keys and year give the same card, byte for byte.
    Raises TemplateError for bad overrides, KeyStoreError, and ValueError if the whole does not fit on the card.
    """
    if interface not in (None, Interface.CONTACT):
        raise ValueError(f"a {template.family} has no {interface} interface")
    if overrides:
        template = with_overrides(template, overrides)
    rules, authority = layout(template.family), VitaleAuthority(keys)
    valid = (_EXPIRED if template.card.state is VitaleState.EXPIRED else template.card.valid).at(at)
    groups = contents.groups(template, valid, at)
    fill: Reference[Fill] = Reference(f"{family_named(template.family).package}.image:fill")
    image, certificates = fill.get()(
        VitaleMaterial(template, rules, groups, valid, at, keys, authority, pki or Pki(keys))
    )
    opposed = template.card.state is VitaleState.OPPOSED
    # A card without certificate is opposed all the same.
    listed = {int(template.card.serial), *(certificate.serial_number for certificate in certificates.values())}
    return PersonalisedVitale(
        template=template,
        layout=rules,
        image=image,
        valid=valid,
        day=at,
        groups=groups,
        certificates=certificates,
        authority=authority,
        revocations=tuple(Revocation(number, valid.start + OPPOSED_AFTER) for number in sorted(listed) if opposed),
    )
