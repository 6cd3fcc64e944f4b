"""Why a signature fails: what was to be hashed, the digest it says, the digest it has, the first byte that differs.

What was signed is not known to whoever verifies. It is looked for: the content as received is put through the accidents
that users of SAML libraries meet (pretty-printing, line ends, a wrong encoding, another canonicalisation ...), and the
form whose digest is the expected one is what was signed. Where none fits, the content itself was changed.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree

from bifente.ground.text import Lang, Text
from bifente.simulator.formats.soap.names import qname
from bifente.simulator.formats.soap.xml import XmlElement, canonical
from bifente.simulator.formats.xmldsig.accidents import CHANGED, copied, what_was_signed

_AROUND = 24
_HASHES: Mapping[str, str] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": "sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": "sha512",
}
# RFC 8017, section 9.2, note 1.
_DIGEST_INFO = {
    bytes.fromhex("3021300906052b0e03021a05000414"): "sha1",
    bytes.fromhex("3031300d060960864801650304020105000420"): "sha256",
    bytes.fromhex("3041300d060960864801650304020205000430"): "sha384",
    bytes.fromhex("3051300d060960864801650304020305000440"): "sha512",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """The first canonical byte that differs, from 0, and what stands around it, signed and received."""

    offset: int
    signed: bytes
    received: bytes


@dataclass(frozen=True, slots=True)
class XmlDigest:
    """One digest that does not fit. ``reference`` is a URI or ``SignedInfo``; digests are base64, or empty."""

    reference: str
    transforms: tuple[str, ...]
    method: str
    expected: str
    actual: str
    cause: Text
    difference: Difference | None = None
    size: int = 0

    @property
    def short(self) -> str:
        """Return one line of it, which reads alike in any language."""
        where = f", +{self.difference.offset}" if self.difference else ""
        return f"{self.reference}: {self.method} {self.actual} ≠ {self.expected or '-'}{where}"

    @property
    def text(self) -> Text:
        """Return all of it, a line for each thing."""
        return Text("\n".join(self._lines("fr")), "\n".join(self._lines("en")))

    def _lines(self, lang: Lang) -> Iterator[str]:
        french = lang == "fr"
        yield f"{'référence' if french else 'reference'} : {self.reference}"
        yield f"{'transformations' if french else 'transforms'} : {', '.join(self.transforms)}"
        yield f"{'attendu' if french else 'expected'} ({self.method}) : {self.expected}"
        yield f"{'calculé' if french else 'actual'} ({self.method}) : {self.actual} ({self.size} bytes)"
        if self.difference is not None:
            yield f"{'premier octet différent' if french else 'first byte that differs'} : {self.difference.offset}"
            yield f"{'signé' if french else 'signed'} : {self.difference.signed!r}"
            yield f"{'reçu' if french else 'received'} : {self.difference.received!r}"
        yield f"cause : {self.cause.get(lang)}"


def explain_digest(element: XmlElement, signature: XmlElement, signed: bytes | None = None) -> XmlDigest:
    """Return why the digest of the only reference does not fit. ``signed``: the canonical bytes, if they were kept."""
    reference = signature.find(f".//{qname('ds:Reference')}")
    transforms: tuple[str, ...] = ()
    algorithm, expected = "", b""
    if reference is not None:
        transforms = tuple((one.get("Algorithm") or "") for one in reference.iter(qname("ds:Transform")))
        method, value = reference.find(qname("ds:DigestMethod")), reference.find(qname("ds:DigestValue"))
        algorithm = "" if method is None else method.get("Algorithm") or ""
        expected = _decoded("" if value is None else value.text or "")
    name = _HASHES.get(algorithm, "sha256")
    content = _without_signature(element)
    return _explained(
        "" if reference is None else reference.get("URI") or "", transforms, name, expected, content, signed
    )


def explain_value(signature: XmlElement, certificate: x509.Certificate, signed: bytes | None = None) -> XmlDigest:
    """Return why the value of a signature is not that of its SignedInfo under the key of a certificate."""
    info, value = signature.find(qname("ds:SignedInfo")), signature.find(qname("ds:SignatureValue"))
    if info is None or value is None:
        raise ValueError("no signature: it has no SignedInfo or no value")
    method = info.find(qname("ds:SignatureMethod"))
    name = _HASHES.get("" if method is None else method.get("Algorithm") or "", "sha256")
    content = etree.fromstring(etree.tostring(info, with_tail=False))
    said, expected = _inside(_decoded(value.text or ""), certificate)
    transforms = (info.find(qname("ds:CanonicalizationMethod")).get("Algorithm") or "",)  # type: ignore[union-attr]
    if not expected:
        actual = hashlib.new(name, canonical(content)).digest()
        return XmlDigest("SignedInfo", transforms, name, "", _b64(actual), OTHER_KEY, size=len(canonical(content)))
    if said != name:
        actual = hashlib.new(name, canonical(content)).digest()
        cause = Text(
            f"la carte a signé un condensat {said}, SignatureMethod annonce {name}",
            f"the card signed a {said} digest, SignatureMethod says {name}",
        )
        return XmlDigest("SignedInfo", transforms, name, _b64(expected), _b64(actual), cause)
    return _explained("SignedInfo", transforms, name, expected, content, signed)


def _explained(
    reference: str,
    transforms: tuple[str, ...],
    name: str,
    expected: bytes,
    content: XmlElement,
    signed: bytes | None,
) -> XmlDigest:
    received = canonical(content)
    actual = hashlib.new(name, received).digest()
    cause, form = CHANGED, signed
    if signed is None:
        cause, form = what_was_signed(content, name, expected)
    difference = None if form is None else first_difference(form, received)
    return XmlDigest(reference, transforms, name, _b64(expected), _b64(actual), cause, difference, size=len(received))


def first_difference(signed: bytes, received: bytes) -> Difference | None:
    """Return where two contents first differ, None if they do not."""
    if signed == received:
        return None
    shorter = min(len(signed), len(received))
    offset = next((at for at in range(shorter) if signed[at] != received[at]), shorter)
    start = max(0, offset - _AROUND)
    return Difference(offset, signed[start : offset + _AROUND], received[start : offset + _AROUND])


OTHER_KEY = Text(
    "la signature a été faite par une autre clé que celle du certificat (clé d'authentification au lieu de la clé de "
    "signature, ou certificat d'une autre carte)",
    "the signature was made by another key than the certificate's (the authentication key instead of the signature "
    "key, or the certificate of another card)",
)


def _without_signature(element: XmlElement) -> XmlElement:
    """A copy without its Signature, as the enveloped transform leaves it: what follows the Signature stays."""
    bare = copied(element)
    for signature in bare.findall(qname("ds:Signature")):
        tail, before = signature.tail or "", signature.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            bare.text = (bare.text or "") + tail
        bare.remove(signature)
    return bare


def _inside(value: bytes, certificate: x509.Certificate) -> tuple[str, bytes]:
    """The digest that a signature value holds under a certificate's key; empty where it holds none."""
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        return "", b""
    try:
        info = key.recover_data_from_signature(value, PKCS1v15(), None)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return "", b""
    return next(((name, info[len(head) :]) for head, name in _DIGEST_INFO.items() if info.startswith(head)), ("", b""))


def _decoded(text: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except (Base64Error, ValueError):
        return b""


def _b64(value: bytes) -> str:
    return b64encode(value).decode("ascii")
