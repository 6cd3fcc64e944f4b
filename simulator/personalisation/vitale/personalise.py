"""From a template to a Vitale card: its groups, its files, its certificate, whom it opens itself to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.ground.identifiers import nir_key
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.vitale1 import MemoryImage, write
from bifente.simulator.iso7816.image import Anchor, CardImage
from bifente.simulator.personalisation.template import TYPES, CardType
from bifente.simulator.personalisation.vitale import contents
from bifente.simulator.personalisation.vitale.loading import with_overrides
from bifente.simulator.personalisation.vitale.spans import Period, Span
from bifente.simulator.personalisation.vitale.template import CardState, VitaleTemplate, layout
from bifente.simulator.pki.authority import Branch, Level, Pki, Revocation
from bifente.simulator.pki.certificate_profiles import CARD_TYPE, Validity, card_type
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.vitale_authority import VitaleAuthority
from bifente.simulator.zones import Group, named

PROFESSIONAL = "professional"
"""The role, in the layout of the card, of those to whom the protected data open."""

_EXPIRED = Span(start=-5, end=-1)
_ISSUERS = (Level.FORT, Level.ELEMENTAIRE)
#: An opposed card was opposed this long after its issue.
OPPOSED_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class PersonalisedVitale:
    """A Vitale ready to be inserted, and all that is known of it.

    ``groups`` are those of its zones in their order, the protected coverage (106) included; ``certificates`` its own,
    by the name of its key (none for a Vitale 1); ``revocations`` what the authority must list (an opposed card).
    ``day`` is the one at which it is seen.
    """

    template: VitaleTemplate
    layout: Layout = field(repr=False)
    image: CardImage | MemoryImage = field(repr=False)
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
) -> PersonalisedVitale:
    """Make the card of a template as it is at ``at`` (the day of the bench's clock).

    ``overrides`` replaces values of the template; ``pki`` are the authorities of the professionals' cards it is to
    believe, by default those made from ``keys``. The same template, keys and year give the same card, byte for byte.
    Raises TemplateError for bad overrides, KeyStoreError, and ValueError if the whole does not fit on the card.
    """
    if overrides:
        template = with_overrides(template, overrides)
    rules, authority = layout(template.family), VitaleAuthority(keys)
    valid = (_EXPIRED if template.card.state is CardState.EXPIRED else template.card.valid).at(at)
    groups = contents.groups(template, valid, at)
    certificates: dict[str, x509.Certificate] = {}
    image: CardImage | MemoryImage
    if template.family == "vitale1":
        image = write(rules, groups, atr=template.card.atr)
    else:
        serial = template.card.serial
        own_keys = {name: keys.key(f"card/{template.family}/{serial}/{name}") for name in rules.keys}
        validity = Validity(valid.start, valid.end or date(at.year + 5, 12, 31))
        for name, certify in (("authentication", authority.certify), ("signature", authority.certify_signature)):
            certificates[name] = certify(serial, own_keys[name].public_key(), validity)
        own = {name: certificate.public_bytes(Encoding.DER) for name, certificate in certificates.items()}
        image = rules.fill(
            contents=contents.files(template, rules, groups, valid, own),
            codes={},
            keys=own_keys,
            atr=template.card.atr,
            anchors=anchors(template, pki or Pki(keys)),
        )
    opposed = template.card.state is CardState.OPPOSED
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


def anchors(template: VitaleTemplate, pki: Pki) -> tuple[Anchor, ...]:
    """The authorities of persons whose cards the Vitale believes, and the types of card it opens itself to.

    All of them are held, whatever the types: what keeps an employee out is the type written in the certificate.
    """
    types = {card_type(TYPES[CardType(name)].code).value for name in template.opened_by}
    return tuple(_anchor(pki, level, frozenset(types)) for level in _ISSUERS)


def _anchor(pki: Pki, level: Level, types: frozenset[bytes]) -> Anchor:
    certificate = pki.authority(level, Branch.PERSONNES).certificate
    public_key = certificate.public_key()
    assert isinstance(public_key, RSAPublicKey)  # noqa: S101 - the laboratory issues RSA only
    return Anchor(
        name=certificate.subject.rfc4514_string(),
        issuer=certificate.subject.public_bytes(),
        public_key=public_key,
        role=PROFESSIONAL,
        required={CARD_TYPE.dotted_string: types},
    )
