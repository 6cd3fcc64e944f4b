"""An enveloped signature verified on what was received: where it stands first, then what signxml says of it.

Only what was signed is given back, parsed anew from its canonical form: nothing else can be read by mistake.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidInput, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xmldsig.certificates import certificate_of
from bifente.simulator.formats.xmldsig.explaining import explain_digest, explain_value
from bifente.simulator.formats.xmldsig.refusals import XmlSignatureError, XmlSignatureRefusal

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{NS['ds']}enveloped-signature"
_IDS = ("ID", "Id", "id", qname("xml:id"))
_SMALLEST_KEY = 2048


_METHODS = frozenset({SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512})
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


@dataclass(frozen=True, slots=True)
class SignatureRules:
    """What a signature may be made of. SHA-1 stands behind a switch: samples of 2019 and 2020 have it, none since."""

    sha1: bool = False

    @property
    def methods(self) -> frozenset[SignatureMethod]:
        """Return the ways to sign."""
        return _METHODS | {SignatureMethod.RSA_SHA1} if self.sha1 else _METHODS

    @property
    def digests(self) -> frozenset[DigestAlgorithm]:
        """Return the ways to digest."""
        return _DIGESTS | {DigestAlgorithm.SHA1} if self.sha1 else _DIGESTS


# Few certificates sign all day, and few days stand in them.
@lru_cache(maxsize=64)
def accepted(rules: SignatureRules, references: int, at: datetime) -> SignatureConfiguration:
    """Return the rules as signxml has them, for a number of references, the certificate looked at as on a day."""
    return SignatureConfiguration(
        location="./",
        expect_references=references,
        signature_methods=rules.methods,
        digest_algorithms=rules.digests,
        verification_time=at,
    )


@dataclass(frozen=True, slots=True)
class VerifiedXml:
    """What was signed: parsed anew from its ``canonical`` form, its Signature gone. ``certificate`` is not judged."""

    content: XmlElement
    canonical: bytes = field(repr=False)
    certificate: x509.Certificate


def verified_enveloped(element: XmlElement, rules: SignatureRules | None = None) -> VerifiedXml:
    """Return what the signature inside ``element`` signs, which is that element. Raise XmlSignatureError.

    ``element`` is where it was received: its whole document is looked at, for a second one that could pass for it.
    """
    rules = rules or SignatureRules()
    signature = _only_signature(element)
    _check_unique(element)
    _check_form(signature, element, rules)
    certificate = _certificate(signature)
    # Whether it is in force is the reader's to judge, by the bench's clock.
    configuration = accepted(rules, 1, certificate.not_valid_before_utc)
    try:
        alone = etree.tostring(element, with_tail=False)
        result = XMLVerifier().verify(alone, x509_cert=certificate, id_attribute="ID", expect_config=configuration)
    except InvalidDigest:
        explained = explain_digest(element, signature)
        raise XmlSignatureError(XmlSignatureRefusal.DIGEST, explained.short, explained) from None
    except InvalidSignature:
        explained = explain_value(signature, certificate)
        raise XmlSignatureError(XmlSignatureRefusal.VALUE, explained.short, explained) from None
    except etree.DocumentInvalid as error:
        raise XmlSignatureError(XmlSignatureRefusal.FORM, _schema(error)) from None
    except (InvalidInput, SignXMLException, ValueError, Base64Error) as error:
        raise XmlSignatureError(XmlSignatureRefusal.FORM, type(error).__name__) from None
    if not isinstance(result, VerifyResult) or result.signed_xml is None:
        raise XmlSignatureError(XmlSignatureRefusal.FORM)
    if result.signed_xml.tag != element.tag or result.signed_xml.get("ID") != element.get("ID"):
        raise XmlSignatureError(XmlSignatureRefusal.WRAPPED)
    return VerifiedXml(result.signed_xml, result.signed_data, certificate)


def _only_signature(element: XmlElement) -> XmlElement:
    found = list(element.iter(qname("ds:Signature")))
    if not found:
        raise XmlSignatureError(XmlSignatureRefusal.MISSING)
    if len(found) > 1 or found[0].getparent() is not element:
        raise XmlSignatureError(XmlSignatureRefusal.PLACE)
    return found[0]


def _check_unique(element: XmlElement) -> None:
    """Refuse a document where another element has the same name or identifier: one could pass for the other."""
    identifier = element.get("ID")
    if not identifier:
        raise XmlSignatureError(XmlSignatureRefusal.FORM, "no ID")
    for other in element.getroottree().getroot().iter(etree.Element):
        if other is element:
            continue
        if other.tag == element.tag:
            raise XmlSignatureError(XmlSignatureRefusal.WRAPPED, f"a second {etree.QName(other).localname}")
        if identifier in other.values() and any(other.get(name) == identifier for name in _IDS):
            raise XmlSignatureError(XmlSignatureRefusal.WRAPPED, "another element has the same identifier")


def _check_form(signature: XmlElement, element: XmlElement, rules: SignatureRules) -> None:
    info = _one(signature, "ds:SignedInfo")
    if signature.find(qname("ds:Object")) is not None:
        raise XmlSignatureError(XmlSignatureRefusal.WRAPPED, "the signature holds an Object")
    references = info.findall(qname("ds:Reference"))
    if len(references) != 1:
        raise XmlSignatureError(XmlSignatureRefusal.WRAPPED, f"{len(references)} references")
    if references[0].get("URI") != f"#{element.get('ID')}":
        raise XmlSignatureError(XmlSignatureRefusal.WRAPPED, "the reference is to another element")
    if _one(info, "ds:CanonicalizationMethod").get("Algorithm") != EXCLUSIVE:
        raise XmlSignatureError(XmlSignatureRefusal.TRANSFORM, "SignedInfo is not in exclusive c14n")
    transforms = [
        one.get("Algorithm") for one in references[0].iterfind(f"{qname('ds:Transforms')}/{qname('ds:Transform')}")
    ]
    if transforms != [ENVELOPED, EXCLUSIVE]:
        raise XmlSignatureError(XmlSignatureRefusal.TRANSFORM)
    method = _one(info, "ds:SignatureMethod").get("Algorithm")
    digest = _one(references[0], "ds:DigestMethod").get("Algorithm")
    if method not in {one.value for one in rules.methods} or digest not in {one.value for one in rules.digests}:
        raise XmlSignatureError(XmlSignatureRefusal.ALGORITHM, _shown(method, digest))


def _certificate(signature: XmlElement) -> x509.Certificate:
    path = "/".join(qname(name) for name in ("ds:KeyInfo", "ds:X509Data", "ds:X509Certificate"))
    found = signature.findall(path)
    if not found:
        raise XmlSignatureError(XmlSignatureRefusal.KEY_INFO)
    try:
        certificate = certificate_of(b64decode("".join((found[0].text or "").split()), validate=True))
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise XmlSignatureError(XmlSignatureRefusal.KEY_INFO, "it cannot be read") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST_KEY:
        raise XmlSignatureError(XmlSignatureRefusal.ALGORITHM, f"an RSA key of {_SMALLEST_KEY} bits at least")
    return certificate


def _one(parent: XmlElement, name: str) -> XmlElement:
    found = parent.findall(qname(name))
    if len(found) != 1:
        raise XmlSignatureError(XmlSignatureRefusal.FORM, f"{len(found)} {name.partition(':')[2]}")
    return found[0]


def _schema(error: etree.DocumentInvalid) -> str:
    """Where the schema of XMLDSig stops, without values."""
    lines = [entry.line for entry in error.error_log]  # type: ignore[attr-defined]
    return f"line {lines[-1]} of the signature" if lines else ""


def _shown(*algorithms: str | None) -> str:
    return ", ".join((one or "none").rpartition("#")[2][:40] for one in algorithms)
