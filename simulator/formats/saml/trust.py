"""Whose certificates are believed for signing assertions, and from when to when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from bifente.ground.text import Text


class SignerRefusal(StrEnum):
    """Why a certificate may not sign."""

    UNTRUSTED = "certificate-untrusted"
    EXPIRED = "certificate-expired"
    NOT_YET = "certificate-not-yet"
    REVOKED = "certificate-revoked"
    NOT_FOR_SIGNING = "certificate-not-for-signing"

    @property
    def sentence(self) -> Text:
        """Return the reason in words."""
        return _SENTENCES[self]


_SENTENCES: Mapping[SignerRefusal, Text] = {
    SignerRefusal.UNTRUSTED: Text(
        "le certificat n'est pas émis par une autorité de l'IGC-Santé attendue ici",
        "the certificate does not come from an IGC-Santé authority that is expected here",
    ),
    SignerRefusal.EXPIRED: Text(
        "le certificat a expiré : renouveler la carte", "the certificate has expired: renew the card"
    ),
    SignerRefusal.NOT_YET: Text(
        "le certificat n'est pas encore valide : vérifier l'horloge du poste",
        "the certificate is not valid yet: check the workstation's clock",
    ),
    SignerRefusal.REVOKED: Text("le certificat est révoqué", "the certificate is revoked"),
    SignerRefusal.NOT_FOR_SIGNING: Text(
        "ce certificat n'est pas de signature (nonRepudiation) : signer avec la clé de signature, pas celle "
        "d'authentification",
        "this is no signature certificate (nonRepudiation): sign with the signature key, not the authentication key",
    ),
}


class SignerError(ValueError):
    """A certificate that may not sign."""

    def __init__(self, refusal: SignerRefusal, detail: str = "") -> None:
        self.refusal = refusal
        self.detail = detail
        super().__init__(refusal.sentence.en + (f" ({detail})" if detail else ""))


class SignerTrust:
    """The authorities that certify signers. ``revoked`` tells whether a certificate is, at a time."""

    def __init__(
        self,
        authorities: Iterable[x509.Certificate],
        revoked: Callable[[x509.Certificate, datetime], bool] = lambda certificate, at: False,
    ) -> None:
        self._authorities = {one.subject.public_bytes(): one for one in authorities}
        self._revoked = revoked

    def check(self, certificate: x509.Certificate, at: datetime) -> None:
        """Raise SignerError for a certificate that may not sign at ``at`` (aware)."""
        authority = self._authorities.get(certificate.issuer.public_bytes())
        if authority is None:
            raise SignerError(SignerRefusal.UNTRUSTED)
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            raise SignerError(SignerRefusal.UNTRUSTED, "its signature is not the authority's") from None
        if at > certificate.not_valid_after_utc:
            raise SignerError(SignerRefusal.EXPIRED, f"{certificate.not_valid_after_utc:%Y-%m-%d}")
        if at < certificate.not_valid_before_utc:
            raise SignerError(SignerRefusal.NOT_YET, f"{certificate.not_valid_before_utc:%Y-%m-%d}")
        if not _signs(certificate):
            raise SignerError(SignerRefusal.NOT_FOR_SIGNING)
        if self._revoked(certificate, at):
            raise SignerError(SignerRefusal.REVOKED)


def _signs(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return usage.content_commitment
