"""The certificates that a step may show: those of the card, and others that a service must tell apart from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.pki.part import PkiOfScene
from bifente.simulator.cards.cpx.personalise import CERTIFICATE_FILES
from bifente.simulator.cards.host import OK, CardHost
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Authority, Branch, CertificateLevel
from bifente.simulator.pki.certificate_profiles import Profile, Validity
from bifente.simulator.serving.handshake.card_key import CardTlsKey
from bifente.simulator.serving.handshake.keys import SoftKey, TlsIdentity

CardRole = Literal["authentication", "signature"]
Shown = Literal[
    "authentication",
    "signature",
    "none",
    "structure",
    "seal",
    "same-names-other-keys",
    "marked-real",
    "self-made",
    "signed-by-the-card",
    "of-another-card",
]
_REAL_CARD = b"\x04\x01\x00"
_DAY = timedelta(days=1)


def read_certificate(act: Act, role: CardRole) -> x509.Certificate | None:
    """Return a certificate as the card has it, None if it cannot be read."""
    answer = act.host.read(act.card.path(CERTIFICATE_FILES[role]))
    try:
        return x509.load_der_x509_certificate(answer.data) if answer.sw == OK else None
    except ValueError:
        return None


def identity(act: Act, host: CardHost, shown: Shown) -> TlsIdentity | None:
    """Return what a client shows and signs with; None for nothing."""
    if shown == "none":
        return None
    pki = act.scene.part(PkiOfScene)
    if shown in {"structure", "seal"}:
        profile = profiles.ORGANISATION_AUTHENTICATION if shown == "structure" else profiles.ORGANISATION_SEAL
        return _structure(pki, profile)
    if shown in get_args(CardRole):
        found = read_certificate(act, "signature" if shown == "signature" else "authentication")
        if found is None:
            raise LookupError(shown)
        return TlsIdentity((found,), CardTlsKey(host, shown))
    own = read_certificate(act, "authentication")
    if own is None:
        raise LookupError(shown)
    return TlsIdentity(_altered(act, pki, own, shown), CardTlsKey(host))


def _structure(pki: PkiOfScene, profile: Profile) -> TlsIdentity:
    key = pki.workshop.keys.key("structure/1990000001")
    today = pki.clock.now().date()
    issued = pki.authorities.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS).issue(
        subject=subjects.organisation(
            name="CABINET TEST BIFENTE",
            structure_id="1990000001",
            department="Paris (75)",
            common_name="cabinet.bifente.test",
        ),
        public_key=key.public_key(),
        validity=Validity(today - 30 * _DAY, today + 365 * _DAY),
        profile=profile,
    )
    return TlsIdentity((issued,), SoftKey(key))


def _altered(act: Act, pki: PkiOfScene, own: x509.Certificate, shown: Shown) -> tuple[x509.Certificate, ...]:
    """Return certificates for the key of the card which a service must refuse, with the chain they claim."""
    public = own.public_key()
    assert isinstance(public, RSAPublicKey)  # noqa: S101 - the laboratory issues RSA alone
    ours = pki.authorities.authority(CertificateLevel.FORT, Branch.PERSONNES)
    if shown == "of-another-card":
        other = pki.workshop.keys.key("structure/1990000001").public_key()
        return (_issued(act, ours, own, other),)
    if shown == "marked-real":
        real = x509.UnrecognizedExtension(profiles.PRODUCT_CATEGORY, _REAL_CARD)
        return (_issued(act, ours, own, public, real),)
    if shown == "same-names-other-keys":
        stranger = pki.foreign.authority(CertificateLevel.FORT, Branch.PERSONNES)
        return (_issued(act, stranger, own, public), *stranger.chain)
    # A certificate that a key without any authority signed; behind the card's own, as if the card were an authority.
    key = pki.workshop.keys.key("foreign/nobody")
    made = (
        x509.CertificateBuilder()
        .subject_name(own.subject)
        .issuer_name(own.subject)
        .public_key(public)
        .serial_number(1)
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(own.not_valid_after_utc)
        .sign(key, own.signature_hash_algorithm)  # type: ignore[arg-type]
    )
    return (made, own) if shown == "signed-by-the-card" else (made,)


def _issued(
    act: Act, authority: Authority, like: x509.Certificate, key: RSAPublicKey, *more: x509.UnrecognizedExtension
) -> x509.Certificate:
    today = act.bench.now().date()
    return authority.issue(
        subject=like.subject,
        public_key=key,
        validity=Validity(today - _DAY, today + _DAY),
        profile=profiles.AUTHENTICATION,
        private_extensions=more,
    )
