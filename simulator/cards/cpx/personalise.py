"""From a template to a card: keys, certificates and files put together, the life of the card applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.ground.extensions import Reference
from bifente.simulator.cards.cpx import elementary
from bifente.simulator.cards.cpx.business import (
    Activity,
    Billing,
    BillingSituation,
    BusinessObject,
    CardIdentity,
    HolderData,
    HolderName,
    HolderProfession,
    LanguagePreference,
    Languages,
)
from bifente.simulator.cards.cpx.dates import REVOKED_AFTER, UPDATED_AFTER, Calendar, calendar
from bifente.simulator.cards.cpx.description import HolderDataKind, description
from bifente.simulator.cards.cpx.directories import Directories, common_files, object_file
from bifente.simulator.cards.cpx.loading import with_overrides
from bifente.simulator.cards.cpx.material import Material
from bifente.simulator.cards.cpx.template import MODE_CODES, Certificate, Lifecycle, Template, layout_of
from bifente.simulator.cards.families import family_named
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage, Interface
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Authority, Branch, Pki, Revocation
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.pki.keystore import KeySource

#: The keys of the holder, and their certificates, by the name the layout gives the keys.
ROLES = ("signature", "authentication")
TECHNICAL = "technical"
"""The key of the card itself, which serves without contact and without a code."""
CERTIFICATE_FILES: Mapping[str, str] = {
    "signature": "EF.C.SIG",
    "authentication": "EF.C.AUT",
    TECHNICAL: "EF.C.TECH",
}
"""Where each certificate lies, by the names of the layout."""

_PROFILES: Mapping[str, Profile] = {
    "signature": profiles.SIGNATURE,
    "authentication": profiles.AUTHENTICATION,
    TECHNICAL: profiles.AUTHENTICATION,
}
_LANGUAGES: Mapping[str, type[Languages]] = {"object": Languages, "preference": LanguagePreference}
OwnFiles = Callable[[Material], Mapping[str, bytes]]
"""Gives the files that one family alone has."""
#: Tries left in each state that is not a fresh one (CARD-CPS3-16).
_TRIES_LEFT: Mapping[Lifecycle, Mapping[str, int]] = {
    Lifecycle.PIN_BLOCKED: {"pin": 0},
    Lifecycle.PUK_EXHAUSTED: {"pin": 0, "puk": 0},
}


@dataclass(frozen=True)
class PersonalisedCard:
    """A card ready to be inserted, and all that is known of it.

    ``objects`` are its business objects by their name on the card; ``chain`` the certificates above its own, issuer
    first; ``revocations`` what its ``authority`` must list for the card to be refused (empty unless revoked).
    """

    template: Template
    layout: Layout = field(repr=False)
    image: CardImage = field(repr=False)
    calendar: Calendar
    objects: Mapping[str, BusinessObject | HolderData] = field(repr=False)
    certificates: Mapping[str, x509.Certificate] = field(repr=False)
    authority: Authority = field(repr=False)
    revocations: tuple[Revocation, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The issuing authority's certificate, then its root's."""
        return self.authority.chain

    @property
    def token_label(self) -> str:
        """The label clients show."""
        return description(self.template.family).token.label.format(number=self.template.card.number)

    @property
    def serial(self) -> str:
        """The eight digits of EF.SN, by which clients know the card: those of the template, moved by the family."""
        return description(self.template.family).serial.number(self.template.card.serial)

    @property
    def activities(self) -> Mapping[int, Activity]:
        """Exercise situations by their number on the card."""
        return {item.number: _activity(item) for item in self.template.activities}

    def facts(self) -> dict[str, Any]:
        """What a scenario may refer to, as plain data. ``code`` and ``unblocking_code`` are secrets."""
        template = self.template
        return {
            "template": template.id,
            "family": template.family,
            "type": str(template.card.type),
            "code": template.codes.pin,
            "unblocking_code": template.codes.puk,
            "serial": self.serial,
            "card_number": template.card.number,
            "token_label": self.token_label,
            "issue_date": self.calendar.card.start,
            "expiry_date": self.calendar.card.end,
            "national_id": template.national_id,
            "rpps": template.holder.rpps,
            "family_name": template.holder.family_name,
            "given_name": template.holder.given_names[0] if template.holder.given_names else None,
            "practice_name": template.holder.practice_name or template.holder.family_name,
            "profession": template.holder.profession.code if template.holder.profession else None,
            "speciality": template.holder.speciality,
            "lifecycle": str(template.lifecycle),
            "activities": {number: item.model_dump(exclude_none=True) for number, item in self.activities.items()},
            "billing": {item.number: item.model_dump(exclude_none=True) for item in template.billing},
            "certificates": {
                role: {
                    "serial_number": f"{certificate.serial_number:X}",
                    "start": certificate.not_valid_before_utc,
                    "end": certificate.not_valid_after_utc,
                }
                for role, certificate in self.certificates.items()
            },
        }


def personalise(
    template: Template,
    keys: KeySource,
    *,
    at: date,
    overrides: Mapping[str, Any] | None = None,
    pki: Pki | None = None,
    interface: Interface | None = None,
) -> PersonalisedCard:
    """Make the card of a template as it is at ``at`` (the day of the bench's clock).

    ``overrides`` replaces values of the template (``{"codes": {"pin": "0000"}}``). ``pki`` shares the authorities of
    a bench; by default they are made from ``keys``. ``interface`` is the one the card is reached by, if not the
    template's. The same template, keys and year give the same card, byte for
    byte. Raises TemplateError for bad overrides, KeyStoreError, and BusinessError if some text does not fit.
    """
    if interface is not None:
        given = overrides or {}
        overrides = {**given, "options": {**given.get("options", {}), "interface": str(interface)}}
    if overrides:
        template = with_overrides(template, overrides)
    days = calendar(template, at)
    authority = (pki or Pki(keys)).authority(template.level, Branch.PERSONNES)
    rules = layout_of(template)
    private_keys = {
        role: keys.key(f"card/{template.family}/{template.card.serial}/{role}", template.certificates.key_size)
        for role in rules.keys
    }
    certificates = {role: _certificate(template, role, authority, key, days) for role, key in private_keys.items()}
    objects = _objects(template, rules, days)
    image = rules.fill(
        contents=_contents(template, rules, days, private_keys, certificates, objects),
        codes={"pin": template.codes.pin.encode("ascii"), "puk": template.codes.puk.encode("ascii")},
        keys=dict(private_keys),
        interface=template.options.interface,
        tries_left=_TRIES_LEFT.get(template.lifecycle),
        consent=("signature",) if template.options.pin_consumed_by_signature else (),
        atr=template.options.atr,
    )
    revoked = template.lifecycle is Lifecycle.REVOKED
    return PersonalisedCard(
        template=template,
        layout=rules,
        image=image,
        calendar=days,
        objects=objects,
        certificates=certificates,
        authority=authority,
        revocations=tuple(
            Revocation(
                certificate.serial_number, days.card.start + REVOKED_AFTER, x509.ReasonFlags.cessation_of_operation
            )
            for certificate in certificates.values()
            if revoked
        ),
    )


def _certificate(
    template: Template, role: str, authority: Authority, key: RSAPrivateKey, days: Calendar
) -> x509.Certificate:
    # The card's own certificate lives as long as it, and names nobody: whoever comes near reads it (modelled).
    own = role == TECHNICAL
    given = Certificate() if own else getattr(template.certificates, role)
    profile = _PROFILES[role] if given.key_usage is None else _PROFILES[role].with_key_uses(given.key_usage)
    validity: Validity = days.card if own else getattr(days, role)
    holder = template.holder
    marks = [
        profiles.product_category(profiles.ProductCategory.TEST_CARD),
        profiles.card_type(template.rule.code),
        profiles.card_id(elementary.ISSUER, template.card.number),
    ]
    if holder.profession and not own:
        marks.append(profiles.profession(holder.profession.code))
    if holder.speciality and not own:
        marks.append(profiles.specialities([holder.speciality]))
    return authority.issue(
        subject=subjects.card(template.card.number) if own else _subject(template),
        public_key=key.public_key(),
        validity=validity,
        profile=profile,
        private_extensions=marks,
    )


def _subject(template: Template) -> x509.Name:
    """Both certificates of a card carry this one name (PKI-05)."""
    holder, structure = template.holder, template.structure
    title, national_id = template.certificate_title, template.national_id
    names = {"surname": holder.family_name or "", "given_name": (holder.given_names or ("",))[0]}
    if structure is None:
        return subjects.person(title=title, national_id=national_id, **names)
    place = {"structure": structure.name, "structure_id": structure.id, "department": structure.department}
    if holder.nominative:
        return subjects.employee(title=title, national_id=national_id, **names, **place)
    return subjects.anonymous_employee(title=title, national_id=national_id, pseudonym=holder.pseudonym or "", **place)


def _objects(template: Template, rules: Layout, days: Calendar) -> dict[str, BusinessObject | HolderData]:
    """The business objects, in the order the card lists them."""
    holder = template.holder
    speciality = holder.speciality
    objects: dict[str, BusinessObject | HolderData] = {}
    if template.holder_data is not HolderDataKind.ABSENT:
        objects[HolderData.NAME] = HolderData(content=bytes(rules.size(HolderData.NAME) or 0))
    objects |= {
        CardIdentity.NAME: CardIdentity(
            issuer=elementary.ISSUER,
            card_number=template.card.number,
            card_type=f"{template.rule.code:02X}",
            issue_date=days.card.start,
            expiry_date=days.card.end,
        ),
        HolderName.NAME: HolderName(
            civility=holder.civility,
            family_name=holder.family_name,
            birth_name=holder.birth_name,
            given_names=holder.given_names,
            given_name=holder.given_names[0] if holder.given_names else None,
        ),
        Languages.NAME: _LANGUAGES[description(template.family).language](language=template.language),
        HolderProfession.NAME: HolderProfession(
            profession=f"{holder.profession.code:02}" if holder.profession else None,
            national_id=template.national_id,
            practice_name=holder.practice_name or holder.family_name,
            # The field has four characters; where a longer code goes is unknown, so it is in the certificate only.
            speciality=speciality if speciality and len(speciality) == 4 else None,
        ),
    }
    for item in template.activities:
        objects[Activity.NAME.format(item.number)] = _activity(item)
    if template.billing:
        objects[Billing.NAME] = Billing(
            situations=tuple(BillingSituation(**item.model_dump()) for item in template.billing)
        )
    return objects


def _activity(item: Any) -> Activity:
    return Activity(**{**item.model_dump(exclude={"number"}), "mode": MODE_CODES[item.mode]})


def _contents(
    template: Template,
    rules: Layout,
    days: Calendar,
    private_keys: Mapping[str, RSAPrivateKey],
    certificates: Mapping[str, x509.Certificate],
    objects: Mapping[str, BusinessObject | HolderData],
) -> dict[str, bytes]:
    """The bytes of every file, by its name in the layout."""
    described = description(template.family)
    sizes = tuple((role, key.key_size) for role, key in private_keys.items())
    with_public_keys = template.with_public_keys
    dated = described.token.dated or template.options.dated
    number = described.serial.number(template.card.serial)
    last_update = _midday(days.card.start) if dated else None
    contents = {
        "EF.SN": elementary.serial_number(number, described.serial.key(number)),
        "EF.TokenInfo": Directories(rules, described).token_info(template.card.number, last_update),
        **common_files(rules, sizes, contactless=False, with_public_keys=with_public_keys),
    }
    if described.contactless is not None:
        token = described.contactless
        second = Directories(rules, described, token)
        held = tuple(name for name in token.data_objects if name in objects)
        contents |= {
            f"EF.TokenInfo{token.suffix}": second.token_info(template.card.number, last_update),
            f"EF.DODF{token.suffix}": object_file(rules, held, contactless=True),
            **common_files(rules, sizes, contactless=True, with_public_keys=with_public_keys),
        }
    for files in described.key_pairs:
        role = files.key
        contents[files.certificate_file] = certificates[role].public_bytes(serialization.Encoding.DER)
        if with_public_keys:
            contents[files.public_file] = (
                private_keys[role]
                .public_key()
                .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
            )
    contents |= {name: item.encode() for name, item in objects.items()}
    own: Reference[OwnFiles] = Reference(f"{family_named(template.family).package}.files:files")
    contents |= own.get()(Material(template, rules, contents, updated=_midday(days.card.start + UPDATED_AFTER)))
    # Clients add the objects of other volumes by themselves (CARD-CPS3-32, CARD-CPS4-26).
    listed = tuple(name for name in rules.names(rules.main) if name in contents and name.startswith("CPS"))
    contents["EF.DODF"] = object_file(rules, listed, contactless=False)
    return contents


def _midday(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
