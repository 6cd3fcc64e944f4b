"""Who signs in a scenario: the card in a slot by its own host, or a laboratory key for people without a card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.scene import Act
from bifente.conformance.scenario.step import ImpossibleStepError
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import CERTIFICATE_FILES
from bifente.simulator.formats.vihf import AuthenticationMode
from bifente.simulator.formats.xmldsig import XmlSigner
from bifente.simulator.formats.xmldsig.certificates import certificate_of
from bifente.simulator.formats.xmldsig.signing import SoftwareSigner
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.software.lps.identity import SECRETARY, LpsUser, shown_names

SUCCESS = 0x9000
#: DigestInfo of SHA-256 up to the hash (RFC 8017, section 9.2, note 1).
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class CardRefusedError(Exception):
    """The card did not sign. ``sw`` is what it answered."""

    def __init__(self, sw: int) -> None:
        self.sw = sw
        super().__init__(f"the card answered {sw:04X}")


@dataclass(slots=True)
class HostSigner:
    """A card as a signer, reached as the run reaches it: in process or through PC/SC. ``asked`` counts signatures."""

    act: Callable[[], Act]
    certificate: bytes = field(repr=False)
    key: str = "signature"
    asked: int = 0

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content. Raise CardRefusedError, ScardError."""
        self.asked += 1
        host = self.act().host
        if self.key == "signature":
            answer = host.sign(self.key, "sha256", content)
        else:
            # The key that answers challenges signs any DigestInfo: so the classic mistake is made.
            answer = host.authenticate(self.key, _SHA256_INFO + hashlib.sha256(content).digest())
        if answer.sw != SUCCESS:
            raise CardRefusedError(answer.sw)
        return answer.data


def of_card(act: Act, acting: Callable[[], Act], key: str, location: int | None) -> LpsUser:
    """Return the holder of the card in a slot, in one of its practice locations. Raise CardRefusedError."""
    read = act.host.read(act.card.path(CERTIFICATE_FILES[key]))
    if read.sw != SUCCESS:
        raise CardRefusedError(read.sw)
    return user_from(act.card.facts, HostSigner(acting, read.data, key), location)


def user_from(facts: Mapping[str, Any], signer: XmlSigner, location: int | None) -> LpsUser:
    """Return the holder that a card's facts tell of, who signs by a signer. Raise ImpossibleStepError."""
    places: Mapping[int, Mapping[str, Any]] = facts.get("activities", {})
    place = places.get(location) if location is not None else next((places[one] for one in sorted(places)), None)
    if location is not None and place is None:
        raise ImpossibleStepError(
            Text(f"la carte n'a pas de situation {location}", f"the card has no practice location {location}")
        )
    place = place or {"structure-id": "", "structure": "", "sector": ""}
    certificate = certificate_of(signer.certificate)
    names = {one.oid.dotted_string: str(one.value) for one in certificate.subject}
    family, given = shown_names(
        facts.get("family-name") or "",
        facts.get("given-name") or "",
        names.get("2.5.4.10", ""),
        names.get("2.5.4.3", ""),
    )
    profession = facts.get("profession")
    made = facts.get("certificates", {})
    shown = made.get("authentication")
    return LpsUser(
        id=facts["national-id"],
        family=family,
        given=given,
        profession=str(profession) if profession else "",
        speciality=facts.get("speciality") or "",
        structure=str(place["structure-id"] or ""),
        structure_name=str(place["structure"] or ""),
        sector=str(place["sector"] or ""),
        signer=signer,
        role=None if profession else SECRETARY,
        presented=(shown,) if shown is not None else (),
    )


# -- people without a card ---------------------------------------------------------------------------------------------

LABORATORY_KEY = "dmp/laboratory"
"""The key of all people without a card."""
STRUCTURE_ID, STRUCTURE_NAME, STRUCTURE_SECTOR = "10B0000014", "HOPITAL SPECIMEN", "SA01"
#: Profession, speciality, national id of further professionals of the laboratory.
PEOPLE: Mapping[str, tuple[str, str, str]] = {
    "colleague": ("10", "SM26", "899900000110"),
    "treating-doctor": ("10", "SM26", "899900000128"),
    "occupational-physician": ("10", "SM25", "899900000136"),
    "nurse": ("60", "", "899900000144"),
    "pharmacist": ("21", "PAC00", "899900000151"),
}


def laboratory_user(workshop: Workshop, who: str, today: date, air: str = "") -> LpsUser:
    """Return a person, or a structure, whose keys lie in software: ``structure``, or one of ``PEOPLE``.

    ``air``: the primary method of who speaks through the structure under reinforced indirect authentication.
    """
    validity = Validity(date(today.year - 1, 1, 1), date(today.year + 2, 12, 31))
    profession, speciality, national_id = PEOPLE.get(who, ("10", "SM26", "agent-0042"))
    family, given = (f"TEST{who.replace('-', '').upper()}", "SPECIMEN")
    if who == "structure" or air:
        signer, shown = _structure(workshop, validity)
        mode = AuthenticationMode.REINFORCED if air else AuthenticationMode.INDIRECT
    else:
        signer, shown = _person(workshop, family, given, national_id, int(profession), speciality, validity)
        mode = AuthenticationMode.DIRECT
    return LpsUser(
        national_id,
        family,
        given,
        profession,
        speciality,
        STRUCTURE_ID,
        STRUCTURE_NAME,
        STRUCTURE_SECTOR,
        signer,
        mode=mode,
        declaration=air,
        presented=(shown,),
    )


# The same from one scenario to the next: each costs two RSA signatures.


@lru_cache(maxsize=32)
def _person(
    workshop: Workshop, family: str, given: str, national_id: str, profession: int, speciality: str, validity: Validity
) -> tuple[SoftwareSigner, x509.Certificate]:
    subject = subjects.person(title="Professionnel", surname=family, given_name=given, national_id=national_id)
    more = [profiles.card_type(0), profiles.profession(profession)]
    if speciality:
        more.append(profiles.specialities([speciality]))
    return _pair(workshop, Branch.PERSONNES, CertificateLevel.FORT, subject, profiles.SIGNATURE, validity, more)


@lru_cache(maxsize=8)
def _structure(workshop: Workshop, validity: Validity) -> tuple[SoftwareSigner, x509.Certificate]:
    subject = subjects.organisation(
        name=STRUCTURE_NAME, structure_id=STRUCTURE_ID, department="Paris (75)", common_name="Cachet"
    )
    seal = profiles.ORGANISATION_SEAL
    return _pair(workshop, Branch.ORGANISATIONS, CertificateLevel.ELEMENTAIRE, subject, seal, validity, [])


def _pair(
    workshop: Workshop,
    branch: Branch,
    level: CertificateLevel,
    subject: x509.Name,
    profile: Profile,
    validity: Validity,
    more: list[Any],
) -> tuple[SoftwareSigner, x509.Certificate]:
    authority, key = workshop.pki.authority(level, branch), workshop.keys.key(LABORATORY_KEY)
    issued = [
        authority.issue(
            subject=subject,
            public_key=key.public_key(),
            validity=validity,
            profile=one,
            private_extensions=more,
        )
        for one in (
            profile,
            profiles.AUTHENTICATION if branch is Branch.PERSONNES else profiles.ORGANISATION_AUTHENTICATION,
        )
    ]
    return SoftwareSigner(key, issued[0].public_bytes(Encoding.DER)), issued[1]
