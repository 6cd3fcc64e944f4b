"""An element signed where it stands: enveloped, exclusive c14n, RSA PKCS#1 v1.5, SHA-256, by a card or by a key."""

from __future__ import annotations

from typing import Any, Protocol, cast

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from bifente.simulator.formats.soap.names import qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.xmldsig.certificates import key_info

SIGNATURE_METHOD = SignatureMethod.RSA_SHA256


class XmlSigner(Protocol):
    """Whoever signs: a card, a module, a file. ``certificate`` is DER."""

    @property
    def certificate(self) -> bytes:
        """Return the certificate of the key, DER."""
        ...

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content: RSA PKCS#1 v1.5, SHA-256. May raise what a card refuses."""
        ...


class SoftwareSigner:
    """A key of this process: for structure certificates (CACHET), and for tests."""

    def __init__(self, key: RSAPrivateKey, certificate: bytes) -> None:
        self._key = key
        self.certificate = certificate

    def sign(self, content: bytes) -> bytes:
        """Sign it."""
        return self._key.sign(content, PKCS1v15(), SHA256())


def signed_with(signer: XmlSigner, element: XmlElement, before: XmlElement | None) -> XmlElement:
    """Return a copy of ``element``, signed whole by its ``ID``, the Signature before one of its children.

    At its end for None. What the signer raises comes through.
    """
    placeholder = etree.Element(
        qname("ds:Signature"), {"Id": "placeholder"}, nsmap={"ds": etree.QName(qname("ds:x")).namespace}
    )
    element.insert(len(element) if before is None else element.index(before), placeholder)
    try:
        maker = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SIGNATURE_METHOD,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        key = cast(RSAPrivateKey, SignatureKey(signer))
        holder = key_info(signer.certificate)
        return maker.sign(element, key=key, key_info=holder)
    finally:
        element.remove(placeholder)


class SignatureKey:
    """What signxml asks of a key, done by a signer."""

    def __init__(self, signer: XmlSigner) -> None:
        self._signer = signer

    def sign(self, content: bytes, padding: Any, algorithm: Any) -> bytes:
        """Sign it. Raise TypeError for another padding or hash than a card has here."""
        if not isinstance(padding, PKCS1v15) or not isinstance(algorithm, SHA256):
            raise TypeError("a card signs with RSA PKCS#1 v1.5 and SHA-256 here")
        return self._signer.sign(content)
