"""A submission signed: a manifest of the digests of its documents, wrapped in a XAdES-BES signature by signxml.

The official sample refers to the manifest itself; signxml refers to the Object around it, which covers the same bytes.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.xmldsig import XmlSigner
from bifente.simulator.formats.xmldsig.certificates import certificate_of
from bifente.simulator.formats.xmldsig.signing import SignatureKey

MANIFEST_ID = "IHEManifest"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


def manifest(submission: str, documents: Mapping[str, bytes]) -> etree._Element:
    """Return the manifest of a submission set: its own line, which has no bytes, then one for each document."""
    root = etree.Element(qname("ds:Manifest"), {"Id": MANIFEST_ID}, nsmap={"ds": NS["ds"]})
    _line(root, submission, b"\0")
    for unique_id, content in documents.items():
        _line(root, unique_id, hashlib.sha256(content).digest())
    return root


def sign_submission(submission: str, documents: Mapping[str, bytes], signer: XmlSigner, at: datetime) -> bytes:
    """Return the signature document of a set, by uniqueIds and bytes. What the signer raises comes through."""
    maker = _Signer(
        method=SignatureConstructionMethod.enveloping,
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        # A reference without transform is digested in inclusive c14n: what signxml adds for SignedProperties has none.
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        data_object_format=XAdESDataObjectFormat("Manifest", "text/xml"),
    )

    def signing_time(properties: etree._Element, sig_root: Any, signing_settings: Any) -> None:
        # signxml asks the machine; ours is the clock that was given.
        etree.SubElement(properties, f"{{{XADES}}}SigningTime").text = at.strftime("%Y-%m-%dT%H:%M:%SZ")

    maker.signed_signature_properties_annotators[0] = signing_time  # type: ignore[assignment]
    certificate = certificate_of(signer.certificate)
    key = cast(RSAPrivateKey, SignatureKey(signer))
    signed = maker.sign(manifest(submission, documents), key=key, cert=[certificate], always_add_key_value=False)
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


class _Signer(XAdESSigner):
    """Its identifiers are counted where signxml draws them: the same submission is the same document."""

    def _get_token(self, length: int = 4) -> str:
        self._counted = getattr(self, "_counted", 0) + 1
        return f"{self._counted:0{2 * length}X}"


def _line(root: etree._Element, unique_id: str, digest: bytes) -> None:
    reference = etree.SubElement(root, qname("ds:Reference"), {"URI": f"urn:oid:{unique_id}"})
    etree.SubElement(reference, qname("ds:DigestMethod"), {"Algorithm": SHA256})
    etree.SubElement(reference, qname("ds:DigestValue")).text = b64encode(digest).decode("ascii")
