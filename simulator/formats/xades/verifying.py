"""The signature of a submission verified: only what signxml says was signed is read, its manifest against the bytes.

Signatures of other builders are taken too: the reference to the manifest itself, as the official sample has it, or to
the Object around it; XAdES of any version, a document's digest over its bytes or over its canonical form.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography import x509
from lxml import etree
from signxml.exceptions import InvalidDigest, InvalidSignature, SignXMLException
from signxml.verifier import VerifyResult, XMLVerifier

from bifente.simulator.formats.soap.names import qname
from bifente.simulator.formats.soap.xml import XmlElement, XmlLimits, XmlRefusedError, parsed
from bifente.simulator.formats.xmldsig.certificates import certificate_of
from bifente.simulator.formats.xmldsig.explaining import explain_value
from bifente.simulator.formats.xmldsig.verifying import SignatureRules, accepted

_DIGESTS = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_CANONICAL = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": (False, False),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": (False, True),
    "http://www.w3.org/2001/10/xml-exc-c14n#": (True, False),
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": (True, True),
}
LARGEST = 1_048_576
"""Bytes of the largest signature document that is read."""


class SubmissionSignatureError(ValueError):
    """A signature document that does not hold. One sentence: reference, expected and actual digest where it is one."""


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One document of the manifest: its uniqueId, digest and how it was computed."""

    unique_id: str
    method: str
    digest: bytes
    transforms: tuple[str, ...] = ()

    def problem(self, content: bytes) -> str | None:
        """Return why these bytes are not what was signed, None if they are."""
        data = content
        for transform in self.transforms:
            if transform not in _CANONICAL:
                return f"urn:oid:{self.unique_id}: transform {transform[:80]} is not known"
            exclusive, comments = _CANONICAL[transform]
            try:
                root = parsed(data, XmlLimits(size=67_108_864, depth=200, nodes=2_000_000), instructions=True)
            except XmlRefusedError as error:
                return f"urn:oid:{self.unique_id}: {error}"
            data = etree.tostring(root.getroottree(), method="c14n", exclusive=exclusive, with_comments=comments)
        actual = hashlib.new(self.method, data).digest()
        if actual == self.digest:
            return None
        shown = ", ".join(self.transforms) or "none"
        return (
            f"reference urn:oid:{self.unique_id}, transforms {shown}, {self.method}: {_text(self.digest)} expected, "
            f"{_text(actual)} found over {len(data)} bytes"
        )


@dataclass(frozen=True, slots=True)
class SubmissionSignature:
    """A signature that holds: who signed, and the manifest, the submission's own line included."""

    certificate: x509.Certificate
    lines: Mapping[str, ManifestLine]

    def check(self, submission: str, documents: Mapping[str, bytes]) -> None:
        """Raise SubmissionSignatureError unless it covers this set, all these documents and nothing else."""
        missing = [one for one in (submission, *documents) if one not in self.lines]
        if missing:
            raise SubmissionSignatureError(f"the manifest does not name urn:oid:{missing[0]}")
        more = [one for one in self.lines if one != submission and one not in documents]
        if more:
            raise SubmissionSignatureError(f"the manifest names urn:oid:{more[0]}, which is not in the submission")
        for unique_id, content in documents.items():
            if problem := self.lines[unique_id].problem(content):
                raise SubmissionSignatureError(problem)


def verified_submission(data: bytes, *, sha1: bool = False) -> SubmissionSignature:
    """Return a signature document that holds; its certificate is not judged. Raise SubmissionSignatureError."""
    try:
        root = parsed(data, XmlLimits(size=LARGEST))
    except XmlRefusedError as error:
        raise SubmissionSignatureError(f"the signature document is not read: {error}") from None
    if root.tag != qname("ds:Signature") or len(list(root.iter(qname("ds:Signature")))) != 1:
        raise SubmissionSignatureError("the signature document is not one ds:Signature")
    certificate = _certificate(root)
    signed = _signed(root, data, certificate, sha1=sha1)
    manifests = [one for part in signed for one in part.iter(qname("ds:Manifest"))]
    if len(manifests) != 1 or len(list(root.iter(qname("ds:Manifest")))) != 1:
        raise SubmissionSignatureError("the signature does not cover exactly one Manifest")
    if not any(etree.QName(one).localname == "SignedProperties" for part in signed for one in part.iter(etree.Element)):
        raise SubmissionSignatureError("the signature does not cover XAdES SignedProperties")
    return SubmissionSignature(certificate, _lines(manifests[0], sha1=sha1))


def _signed(root: XmlElement, data: bytes, certificate: x509.Certificate, *, sha1: bool) -> list[XmlElement]:
    references = root.findall(f"{qname('ds:SignedInfo')}/{qname('ds:Reference')}")
    for one in references:
        if not (one.get("URI") or "").startswith("#"):
            raise SubmissionSignatureError("a reference leads out of the signature document")
        for transform in one.iterfind(f"{qname('ds:Transforms')}/{qname('ds:Transform')}"):
            if transform.get("Algorithm") not in _CANONICAL:
                raise SubmissionSignatureError("a transform of the signature is no canonicalisation")
    targets = [one.get("URI", "")[1:] for one in references]
    _check_ids(root, targets)
    # Whether it is in force is the service's to judge, by the clock of the bench.
    configuration = accepted(SignatureRules(sha1), len(references), certificate.not_valid_before_utc)
    try:
        # From the bytes: signxml takes a Signature out of a tree that it is given.
        found = XMLVerifier().verify(data, x509_cert=certificate, expect_config=configuration, validate_schema=False)
    except InvalidDigest as error:
        raise SubmissionSignatureError(f"a digest of SignedInfo does not fit: {str(error)[:200]}") from None
    except InvalidSignature:
        raise SubmissionSignatureError(explain_value(root, certificate).short) from None
    except (SignXMLException, ValueError, TypeError, etree.LxmlError) as error:
        raise SubmissionSignatureError(f"the signature has not the form of XAdES ({type(error).__name__})") from None
    results: Iterable[VerifyResult] = found if isinstance(found, list) else [found]
    return [one.signed_xml for one in results if one.signed_xml is not None]


def _check_ids(root: XmlElement, targets: list[str]) -> None:
    """Each reference leads to one element, within this signature."""
    for target in targets:
        found = [one for one in root.iter(etree.Element) if target in (one.get("Id"), one.get("ID"), one.get("id"))]
        if len(found) != 1 or not target:
            raise SubmissionSignatureError(f"#{target[:60]} is the identifier of {len(found)} elements")


def _certificate(root: XmlElement) -> x509.Certificate:
    path = "/".join(qname(name) for name in ("ds:KeyInfo", "ds:X509Data", "ds:X509Certificate"))
    found = root.findall(path)
    if not found:
        raise SubmissionSignatureError("KeyInfo holds no certificate")
    try:
        return certificate_of(b64decode("".join((found[0].text or "").split()), validate=True))
    except (ValueError, Base64Error):
        raise SubmissionSignatureError("the certificate of KeyInfo cannot be read") from None


def _lines(manifest: XmlElement, *, sha1: bool) -> Mapping[str, ManifestLine]:
    lines: dict[str, ManifestLine] = {}
    for one in manifest.iterfind(qname("ds:Reference")):
        uri = one.get("URI") or ""
        unique_id = uri.removeprefix("urn:oid:")
        if unique_id == uri or unique_id in lines:
            raise SubmissionSignatureError("the manifest names a document twice, or not by urn:oid:")
        method, value = one.find(qname("ds:DigestMethod")), one.findtext(qname("ds:DigestValue")) or ""
        name = _DIGESTS.get("" if method is None else method.get("Algorithm") or "")
        if name is None or (name == "sha1" and not sha1):
            raise SubmissionSignatureError(f"the digest method of {uri[:80]} is not accepted (SHA-256 is expected)")
        try:
            digest = b64decode("".join(value.split()), validate=True)
        except (ValueError, Base64Error):
            raise SubmissionSignatureError(f"the digest of {uri[:80]} is no base64") from None
        transforms = tuple(
            two.get("Algorithm") or "" for two in one.iterfind(f"{qname('ds:Transforms')}/{qname('ds:Transform')}")
        )
        lines[unique_id] = ManifestLine(unique_id, name, digest, transforms)
    return lines


def _text(digest: bytes) -> str:
    return b64encode(digest).decode("ascii")
