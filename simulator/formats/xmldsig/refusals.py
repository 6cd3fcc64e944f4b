"""Why an XML signature is not believed: a closed set, each with its sentence; what was computed, where it helps."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.simulator.formats.xmldsig.explaining import XmlDigest


class XmlSignatureRefusal(StrEnum):
    """The reasons that lie in the signature and in where it stands."""

    MISSING = "signature-missing"
    PLACE = "signature-place"
    WRAPPED = "signature-wrapped"
    FORM = "signature-form"
    ALGORITHM = "signature-algorithm"
    TRANSFORM = "signature-transform"
    KEY_INFO = "signature-key-info"
    DIGEST = "signature-digest"
    VALUE = "signature-value"

    @property
    def sentence(self) -> Text:
        """Return the reason in words."""
        return _SENTENCES[self]


_SENTENCES: Mapping[XmlSignatureRefusal, Text] = {
    XmlSignatureRefusal.MISSING: Text("l'élément n'est pas signé", "the element is not signed"),
    XmlSignatureRefusal.PLACE: Text(
        "la signature n'est pas l'enfant direct de ce qu'elle signe, ou n'est pas seule",
        "the signature is no direct child of what it signs, or not the only one",
    ),
    XmlSignatureRefusal.WRAPPED: Text(
        "la signature couvre un autre élément que celui qui serait lu (enveloppement de signature)",
        "the signature covers another element than the one that would be read (signature wrapping)",
    ),
    XmlSignatureRefusal.FORM: Text(
        "la signature n'a pas la forme XMLDSig", "the signature has not the form of XMLDSig"
    ),
    XmlSignatureRefusal.ALGORITHM: Text(
        "l'algorithme de signature ou de condensat n'est pas accepté (RSA et SHA-256 attendus)",
        "the algorithm of signature or digest is not accepted (RSA and SHA-256 are expected)",
    ),
    XmlSignatureRefusal.TRANSFORM: Text(
        "les transformations ne sont pas enveloped-signature puis exclusive c14n",
        "the transforms are not enveloped-signature, then exclusive c14n",
    ),
    XmlSignatureRefusal.KEY_INFO: Text(
        "KeyInfo ne porte pas le certificat du signataire (X509Data/X509Certificate)",
        "KeyInfo holds no certificate of the signer (X509Data/X509Certificate)",
    ),
    XmlSignatureRefusal.DIGEST: Text(
        "le contenu n'est plus celui qui a été signé", "the content is no longer the one that was signed"
    ),
    XmlSignatureRefusal.VALUE: Text(
        "la valeur de signature n'est pas celle de SignedInfo sous la clé du certificat",
        "the signature value is not that of SignedInfo under the key of the certificate",
    ),
}


class XmlSignatureError(ValueError):
    """A signature that is not believed. ``explained``: what was computed, and where it first differs."""

    def __init__(self, refusal: XmlSignatureRefusal, detail: str = "", explained: XmlDigest | None = None) -> None:
        self.refusal = refusal
        self.detail = detail
        self.explained = explained
        super().__init__(refusal.sentence.en + (f" ({detail})" if detail else ""))
