"""Enveloped XML signatures (W3C XMLDSig) by a card's key: made and verified by signxml, refused with an explanation."""

from bifente.simulator.formats.xmldsig.explaining import Difference, XmlDigest, explain_digest, explain_value
from bifente.simulator.formats.xmldsig.refusals import XmlSignatureError, XmlSignatureRefusal
from bifente.simulator.formats.xmldsig.signing import SIGNATURE_METHOD, XmlSigner, signed_with
from bifente.simulator.formats.xmldsig.verifying import SignatureRules, VerifiedXml, verified_enveloped

__all__ = [
    "SIGNATURE_METHOD",
    "Difference",
    "SignatureRules",
    "VerifiedXml",
    "XmlDigest",
    "XmlSignatureError",
    "XmlSignatureRefusal",
    "XmlSigner",
    "explain_digest",
    "explain_value",
    "signed_with",
    "verified_enveloped",
]
