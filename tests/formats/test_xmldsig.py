"""Enveloped signatures: what others say of ours, what ours says of broken ones."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier
from vihf_samples import VALID, Laboratory, assertion_in, enveloped, vihf

from bifente.simulator.formats.saml import assertion_element
from bifente.simulator.formats.soap import qname
from bifente.simulator.formats.vihf import assertion_of, signed_vihf
from bifente.simulator.formats.xmldsig import (
    SignatureRules,
    XmlSignatureError,
    XmlSignatureRefusal,
    explain_digest,
    verified_enveloped,
)
from bifente.simulator.formats.xmldsig.certificates import key_info
from bifente.simulator.pki.authority import Pki


@pytest.fixture(scope="module")
def laboratory(pki: Pki) -> Laboratory:
    return Laboratory(pki)


@pytest.fixture(scope="module")
def message(laboratory: Laboratory) -> bytes:
    return enveloped(signed_vihf(vihf(), laboratory.card()))


def test_xmlsec1_verifies_what_we_sign(laboratory: Laboratory, message: bytes, tmp_path: Path) -> None:
    program = shutil.which("xmlsec1")
    if program is None:
        pytest.skip("xmlsec1 is not installed")
    (tmp_path / "message.xml").write_bytes(message)
    trusted = []
    for at, one in enumerate(laboratory.persons.chain):
        (tmp_path / f"{at}.pem").write_bytes(one.public_bytes(Encoding.PEM))
        trusted += ["--trusted-pem", str(tmp_path / f"{at}.pem")]
    command = [program, "--verify", "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", *trusted]
    command += ["--verification-time", "2026-03-02 09:30:00", "message.xml"]
    good = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    (tmp_path / "message.xml").write_bytes(message.replace(b"SM26", b"SM27"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_signxml_verifies_what_we_sign(laboratory: Laboratory, message: bytes) -> None:
    certificate = x509.load_der_x509_certificate(laboratory.card().certificate)
    result = XMLVerifier().verify(
        etree.tostring(assertion_in(message), with_tail=False),
        x509_cert=certificate,
        expect_config=SignatureConfiguration(location="./", verification_time=VALID.not_before),
    )
    assert not isinstance(result, list)
    assert result.signed_xml is not None


def test_what_was_signed_is_given_back_and_nothing_else(laboratory: Laboratory, message: bytes) -> None:
    found = verified_enveloped(assertion_in(message.replace(b"<saml2:Subject>", b"<!-- added --><saml2:Subject>")))
    assert b"added" not in found.canonical
    assert found.content.find(qname("ds:Signature")) is None
    assert found.certificate.public_bytes(Encoding.DER) == laboratory.card().certificate


def test_a_message_indented_around_the_assertion_still_verifies(message: bytes) -> None:
    assert verified_enveloped(assertion_in(message.replace(b"</saml2:Assertion>", b"</saml2:Assertion>\n   ")))


# -- signature wrapping: the eight classic forms (Somorovsky et al., 2012), in a SOAP header ------


def _evil(assertion: etree._Element, identifier: str = "_evil") -> etree._Element:
    evil = deepcopy(assertion)
    evil.set("ID", identifier)
    signature = evil.find(qname("ds:Signature"))
    assert signature is not None
    evil.remove(signature)
    name = evil.find(f"{qname('saml:Subject')}/{qname('saml:NameID')}")
    assert name is not None
    name.text = "899700000099"
    return evil


def _signature(assertion: etree._Element) -> etree._Element:
    found = assertion.find(qname("ds:Signature"))
    assert found is not None
    return found


def _form(number: int, header: etree._Element, good: etree._Element) -> etree._Element:
    """Wrap a message; the element given back is the one that a careless reader would take."""
    evil, identifier = _evil(good), good.get("ID") or ""
    bare = deepcopy(good)
    bare.remove(_signature(bare))
    if number == 1:  # the signed one moved into an Object of its signature, the forged one in its place with it
        moved = _signature(good)
        etree.SubElement(moved, qname("ds:Object")).append(bare)
        evil.insert(1, moved)
        header.replace(good, evil)
    elif number == 2:  # the forged one first, with a detached signature of the other
        header.insert(0, evil)
        evil.insert(1, deepcopy(_signature(good)))
    elif number == 3:  # the forged one as an unsigned brother before it
        header.insert(0, evil)
    elif number == 4:  # the forged one around it
        header.replace(good, evil)
        evil.append(good)
    elif number == 5:  # the forged one has the signature, the signed one stands bare behind it
        evil.insert(1, _signature(good))
        header.replace(good, evil)
        header.append(bare)
    elif number == 6:  # the same, the signed one inside the signature
        moved = _signature(good)
        evil.insert(1, moved)
        header.replace(good, evil)
        moved.append(bare)
    elif number == 7:  # the forged one takes the identifier, the signed one hides in an extension
        evil.set("ID", identifier)
        evil.insert(1, deepcopy(_signature(good)))
        header.replace(good, evil)
        extension = etree.Element("{urn:any}Extensions")
        extension.append(good)
        header.insert(0, extension)
    elif number == 8:  # the same, the signed one in an Object with the identifier
        evil.set("ID", identifier)
        moved = deepcopy(_signature(good))
        etree.SubElement(moved, qname("ds:Object")).append(deepcopy(good))
        evil.insert(1, moved)
        header.replace(good, evil)
    return evil


@pytest.mark.parametrize("number", range(1, 9))
def test_each_form_of_signature_wrapping_is_refused(message: bytes, number: int) -> None:
    good = assertion_in(message)
    header = good.getparent()
    assert header is not None
    taken = _form(number, header, good)
    with pytest.raises(XmlSignatureError) as error:
        verified_enveloped(taken)
    wanted = {XmlSignatureRefusal.WRAPPED, XmlSignatureRefusal.PLACE, XmlSignatureRefusal.MISSING}
    assert error.value.refusal in wanted


def _without(path: str) -> Callable[[etree._Element], None]:
    def change(assertion: etree._Element) -> None:
        node = next(assertion.iter(qname(path)))
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)

    return change


def _set(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    return lambda assertion: next(assertion.iter(qname(path))).set(name, value)


def _text(path: str, value: str) -> Callable[[etree._Element], None]:
    def change(assertion: etree._Element) -> None:
        next(assertion.iter(qname(path))).text = value

    return change


def _doubled(path: str) -> Callable[[etree._Element], None]:
    return lambda assertion: next(assertion.iter(qname(path))).addnext(deepcopy(next(assertion.iter(qname(path)))))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (_without("ds:Signature"), XmlSignatureRefusal.MISSING),
        (_doubled("ds:Signature"), XmlSignatureRefusal.PLACE),
        (_doubled("ds:Reference"), XmlSignatureRefusal.WRAPPED),
        (_set("ds:Reference", "URI", ""), XmlSignatureRefusal.WRAPPED),
        (_set("ds:Reference", "URI", "http://127.0.0.1/"), XmlSignatureRefusal.WRAPPED),
        (_without("ds:Transform"), XmlSignatureRefusal.TRANSFORM),
        (_doubled("ds:Transform"), XmlSignatureRefusal.TRANSFORM),
        (
            _set("ds:Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
            XmlSignatureRefusal.TRANSFORM,
        ),
        (
            _set("ds:CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            XmlSignatureRefusal.TRANSFORM,
        ),
        (
            _set("ds:SignatureMethod", "Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
            XmlSignatureRefusal.ALGORITHM,
        ),
        (
            _set("ds:SignatureMethod", "Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            XmlSignatureRefusal.ALGORITHM,
        ),
        (_set("ds:DigestMethod", "Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1"), XmlSignatureRefusal.ALGORITHM),
        (_without("ds:X509Data"), XmlSignatureRefusal.KEY_INFO),
        (_text("ds:X509Certificate", "AAAA"), XmlSignatureRefusal.KEY_INFO),
        (_text("ds:X509Certificate", "é"), XmlSignatureRefusal.KEY_INFO),
        (_text("ds:SignatureValue", "AAAA"), XmlSignatureRefusal.VALUE),
        (_text("ds:DigestValue", "AAAA"), XmlSignatureRefusal.VALUE),
        (_without("ds:SignatureValue"), XmlSignatureRefusal.FORM),
        (_without("ds:SignedInfo"), XmlSignatureRefusal.FORM),
        (_set("saml:Assertion", "ID", "_other"), XmlSignatureRefusal.WRAPPED),
        (_text("saml:NameID", "899700000099"), XmlSignatureRefusal.DIGEST),
    ],
)
def test_each_part_of_a_signature_counts(
    message: bytes, change: Callable[[etree._Element], None], refusal: XmlSignatureRefusal
) -> None:
    assertion = assertion_in(message)
    change(assertion)
    with pytest.raises(XmlSignatureError) as error:
        verified_enveloped(assertion)
    assert error.value.refusal is refusal


# -- explanations ------


def _failure(assertion: etree._Element) -> XmlSignatureError:
    with pytest.raises(XmlSignatureError) as error:
        verified_enveloped(assertion)
    return error.value


def test_a_changed_text_is_explained_by_its_digests(message: bytes) -> None:
    failure = _failure(assertion_in(message.replace(b"SM26", b"SM27")))
    explained = failure.explained
    assert failure.refusal is XmlSignatureRefusal.DIGEST
    assert explained is not None
    assert explained.reference == "#" + vihf().id
    assert [one.rpartition("#")[2] for one in explained.transforms] == ["enveloped-signature", ""]
    assert explained.expected != explained.actual
    assert explained.difference is None
    assert "changed after it was signed" in explained.text.en


def test_with_what_was_signed_the_first_byte_that_differs_is_told(message: bytes) -> None:
    kept = verified_enveloped(assertion_in(message)).canonical
    changed = assertion_in(message.replace(b"SM26", b"SM27"))
    explained = explain_digest(changed, _signature(changed), kept)
    assert explained.difference is not None
    assert kept[explained.difference.offset :].startswith(b"6")
    assert b"SM26" in explained.difference.signed
    assert b"SM27" in explained.difference.received


def _indented(assertion: etree._Element) -> None:
    etree.indent(assertion, "  ")


def _mojibake(assertion: etree._Element) -> None:
    for node in assertion.iter(etree.Element):
        if node.get("displayName"):
            node.set("displayName", (node.get("displayName") or "").encode().decode("latin-1"))


@pytest.mark.parametrize(("change", "words"), [(_indented, "pretty-printed"), (_mojibake, "UTF-8 was read as Latin-1")])
def test_an_accident_of_the_road_is_found(message: bytes, change: Callable[[etree._Element], None], words: str) -> None:
    kept = verified_enveloped(assertion_in(message)).canonical
    assertion = assertion_in(message)
    signature = deepcopy(_signature(assertion))
    assertion.remove(_signature(assertion))
    change(assertion)
    assertion.insert(1, signature)
    explained = _failure(assertion).explained
    assert explained is not None
    assert explained.difference is not None
    assert words in explained.cause.en
    received = explained.difference.received[: explained.difference.offset]
    assert kept[: explained.difference.offset].endswith(received[:10]) or kept.find(explained.difference.signed) >= 0


@pytest.mark.parametrize("method", [CanonicalizationMethod.CANONICAL_XML_1_0])
def test_a_digest_over_another_canonicalisation_is_found(
    laboratory: Laboratory, method: CanonicalizationMethod
) -> None:
    card = laboratory.card()
    root = assertion_element(assertion_of(vihf()))
    certificate = x509.load_der_x509_certificate(card.certificate)
    signed = XMLSigner(c14n_algorithm=method).sign(
        root, key=laboratory.key, cert=[certificate], reference_uri=vihf().id, id_attribute="ID"
    )
    for node in signed.iter(qname("ds:Transform")):
        if node.get("Algorithm") == method.value:
            node.set("Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")
    info = next(signed.iter(qname("ds:CanonicalizationMethod")))
    info.set("Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")
    explained = explain_digest(signed, next(signed.iter(qname("ds:Signature"))))
    assert "another canonicalisation" in explained.cause.en
    assert explained.difference is not None


def test_a_value_under_another_key_is_said_to_be_so(laboratory: Laboratory, message: bytes) -> None:
    assertion = assertion_in(message)
    node = next(assertion.iter(qname("ds:X509Certificate")))
    node.text = b64encode(laboratory.persons.certificate.public_bytes(Encoding.DER)).decode()
    explained = _failure(assertion).explained
    assert explained is not None
    assert explained.reference == "SignedInfo"
    assert "another key" in explained.cause.en


def test_sha_1_stands_behind_a_switch(laboratory: Laboratory) -> None:
    card = laboratory.card()
    certificate = x509.load_der_x509_certificate(card.certificate)

    class Old(XMLSigner):
        def check_deprecated_methods(self) -> None:
            pass

    signed = Old(
        signature_algorithm="rsa-sha1",
        digest_algorithm="sha1",
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    ).sign(
        assertion_element(assertion_of(vihf())),
        key=laboratory.key,
        cert=[certificate],
        reference_uri=vihf().id,
        id_attribute="ID",
    )
    with pytest.raises(XmlSignatureError) as error:
        verified_enveloped(signed)
    assert error.value.refusal is XmlSignatureRefusal.ALGORITHM
    assert verified_enveloped(signed, SignatureRules(sha1=True))


def test_each_signer_is_told_by_its_own_certificate(laboratory: Laboratory) -> None:
    card, seal = laboratory.card(), laboratory.seal()
    for signer in (card, seal, card):
        received = assertion_in(enveloped(signed_vihf(vihf(), signer)))
        assert verified_enveloped(received).certificate.public_bytes(Encoding.DER) == signer.certificate
        # KeyInfo is not signed: what stands there now is what is told, and then judged.
        other = (seal if signer is card else card).certificate
        for holder in received.iter(qname("ds:X509Certificate")):
            holder.text = b64encode(other).decode("ascii")
        assert verified_enveloped(received).certificate.public_bytes(Encoding.DER) == other


def test_no_certificate_is_signed_with_that_is_none(laboratory: Laboratory) -> None:
    signer = laboratory.card()
    signer.certificate = signer.certificate[:-1]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"."):
            signed_vihf(vihf(), signer)


def test_the_key_info_is_what_signxml_writes_of_a_certificate(laboratory: Laboratory) -> None:
    signer = laboratory.card()
    ours = assertion_element(assertion_of(vihf()))
    certificate = x509.load_der_x509_certificate(signer.certificate)
    theirs = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0).sign(
        ours, key=laboratory.key, cert=[certificate], reference_uri=ours.get("ID"), id_attribute="ID"
    )
    info = theirs.find(f"{qname('ds:Signature')}/{qname('ds:KeyInfo')}")
    assert info is not None
    assert etree.tostring(key_info(signer.certificate), method="c14n", exclusive=True) == etree.tostring(
        info, method="c14n", exclusive=True
    )
