"""From the material of a Vitale 2 to its image: its files, its keys, its certificates, whom it opens itself to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.simulator.cards.cpx.template import TYPES, CardType
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.vitale import contents as shared
from bifente.simulator.cards.vitale.personalise import Filled, VitaleMaterial
from bifente.simulator.cards.vitale.spans import Period
from bifente.simulator.cards.vitale.template import VitaleTemplate
from bifente.simulator.cards.vitale2 import contents
from bifente.simulator.iso7816.image import Anchor
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import CARD_TYPE, Validity, card_type
from bifente.simulator.pki.vitale_authority import VitaleAuthority
from bifente.simulator.zones import Group

PROFESSIONAL = "professional"
"""The role, in the layout of the card, of those to whom the protected data open."""

_ISSUERS = (CertificateLevel.FORT, CertificateLevel.ELEMENTAIRE)
_COUNTRY = "FR"
_FOREIGN = "ETRANGERE"


def fill(material: VitaleMaterial) -> Filled:
    """Return the image and the card's certificates. Raise ValueError if the whole does not fit on the card."""
    template, rules, valid, keys = material.template, material.layout, material.valid, material.keys
    serial, certificates = template.card.serial, {}
    own_keys = {name: keys.key(f"card/{template.family}/{serial}/{name}") for name in rules.keys}
    validity = Validity(valid.start, valid.end or date(material.day.year + 5, 12, 31))
    authority = material.authority if template.card.origin != "foreign" else VitaleAuthority(keys, label=_FOREIGN)
    for name, certify in (("authentication", authority.certify), ("signature", authority.certify_signature)):
        certificates[name] = certify(serial, own_keys[name].public_key(), validity)
    own = {name: certificate.public_bytes(Encoding.DER) for name, certificate in certificates.items()}
    if template.card.origin == "copied":  # files are copied, private keys are not
        own_keys = {name: keys.key(f"card/{template.family}/{serial}/{name}/copy") for name in rules.keys}
    image = rules.fill(
        contents=files(template, rules, material.groups, valid, own),
        codes={},
        keys=own_keys,
        atr=template.card.atr,
        anchors=anchors(template, material.pki),
    )
    return image, certificates


def files(
    template: VitaleTemplate,
    rules: Layout,
    all_groups: tuple[Group, ...],
    valid: Period,
    certificates: Mapping[str, bytes],
) -> Mapping[str, bytes]:
    """The files of a Vitale 2 by their names in the layout; ``certificates`` are the card's own (DER) by their keys."""
    people = template.beneficiaries
    own = [path[-1] for name, path in rules.paths.items() if len(path) == 3]
    names = [name.removeprefix("EF.") for name, path in rules.paths.items() if len(path) == 3]
    root = [("DIR", rules.paths["EF.DIR"][-1]), ("PAN", rules.paths["EF.PAN"][-1])]
    return {
        "EF.DIR": contents.directory({"MF_VITALE": rules.aids["mf-vitale"], "VITALE": rules.aids["vitale"]}),
        "EF.PAN": contents.account_number(template.card.serial),
        "EF.HOLDERS": contents.holders(
            contents.HolderEntry(person.name, person.first_name, person.born, _COUNTRY) for person in people
        ),
        "EF.POINTERS": contents.pointers(
            [(rules.aids["mf-vitale"], root), (rules.aids["vitale"], list(zip(names, own, strict=True)))]
        ),
        "EF.NIR": contents.numbers(shared.nir_of(person, template.insured) for person in people),
        "EF.CARD": contents.card_start(f"{valid.start:%Y%m%d}"),
        "EF.RIGHTS": contents.rights(all_groups),
        "EF.COVERAGE": contents.coverage(all_groups),
        "EF.C.ICC": certificates["authentication"],
        "EF.C.SIG": certificates["signature"],
    }


def anchors(template: VitaleTemplate, pki: Pki) -> tuple[Anchor, ...]:
    """The authorities of persons whose cards the Vitale believes, and the types of card it opens itself to.

    All of them are held, whatever the types: what keeps an employee out is the type written in the certificate.
    """
    types = {card_type(TYPES[CardType(name)].code).value for name in template.opened_by}
    return tuple(_anchor(pki, level, frozenset(types)) for level in _ISSUERS)


def _anchor(pki: Pki, level: CertificateLevel, types: frozenset[bytes]) -> Anchor:
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
