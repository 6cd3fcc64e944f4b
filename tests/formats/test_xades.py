"""The signature of a submission: signxml and xmlsec1 agree that it holds; every change is found and explained."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from signxml.xades.xades import XAdESVerifier
from vihf_samples import NOW, Laboratory

from bifente.simulator.formats.xades import SubmissionSignatureError, sign_submission, verified_submission
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore

LOT, DOCUMENTS = "1.2.9", {"1.2.3": b"<a>one</a>", "1.2.4": b"<b>two</b>"}


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(Pki(KeyStore()))


@pytest.fixture(scope="module")
def signed(laboratory: Laboratory) -> bytes:
    return sign_submission(LOT, DOCUMENTS, laboratory.card(), NOW)


def test_it_holds_and_covers_the_documents(signed: bytes) -> None:
    found = verified_submission(signed)
    found.check(LOT, DOCUMENTS)
    assert "TESTEUR" in found.certificate.subject.rfc4514_string()
    assert b"2026-03-02T09:30:00Z" in signed


def test_the_same_submission_is_the_same_document(signed: bytes, laboratory: Laboratory) -> None:
    assert sign_submission(LOT, DOCUMENTS, laboratory.card(), NOW) == signed
    identifiers = re.findall(rb' Id="([^"]+)"', signed)
    assert len(identifiers) == len(set(identifiers)) > 2


def test_signxml_verifies_it_as_xades(signed: bytes, laboratory: Laboratory) -> None:
    found = verified_submission(signed).certificate
    from signxml.xades.xades import XAdESSignatureConfiguration

    results = XAdESVerifier().verify(
        signed,
        x509_cert=found,
        expect_config=XAdESSignatureConfiguration(verification_time=NOW, location="./", expect_references=3),
    )
    assert len(results) == 3


def test_xmlsec1_verifies_it(signed: bytes, laboratory: Laboratory, tmp_path: Path) -> None:
    document, root, issuer = tmp_path / "s.xml", tmp_path / "root.pem", tmp_path / "issuer.pem"
    document.write_bytes(signed)
    authority = laboratory.persons
    assert authority.issuer is not None
    root.write_bytes(authority.issuer.certificate.public_bytes(Encoding.PEM))
    issuer.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    ids = ("Object", "KeyInfo", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties")
    # The manifest's references are OIDs: nobody but the repository has what they lead to.
    command = ["xmlsec1", "--verify", "--ignore-manifests", *(part for one in ids for part in ("--id-attr:Id", one))]
    command += ["--trusted-pem", str(root), "--untrusted-pem", str(issuer)]
    command += ["--verification-time", f"{NOW:%Y-%m-%d %H:%M:%S}", str(document)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "SignedInfo References (ok/all): 3/3" in done.stderr + done.stdout
    document.write_bytes(signed.replace(b"1.2.4", b"1.2.5"))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    ("lot", "documents", "said"),
    [
        (LOT, {**DOCUMENTS, "1.2.4": b"<b>twO</b>"}, "expected, .* found over 10 bytes"),
        (LOT, {"1.2.3": DOCUMENTS["1.2.3"]}, "which is not in the submission"),
        (LOT, {**DOCUMENTS, "1.2.5": b""}, "does not name urn:oid:1.2.5"),
        ("1.2.8", DOCUMENTS, "does not name urn:oid:1.2.8"),
        (LOT, {"1.2.3": DOCUMENTS["1.2.4"], "1.2.4": DOCUMENTS["1.2.3"]}, "reference urn:oid:1.2.3"),
    ],
)
def test_another_set_than_was_signed(signed: bytes, lot: str, documents: dict[str, bytes], said: str) -> None:
    with pytest.raises(SubmissionSignatureError, match=said):
        verified_submission(signed).check(lot, documents)


OBJECT = rb'<ds:Object Id="object">.*?</ds:Object>'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.replace(b"1.2.4", b"1.2.5"), "does not fit"),
        (lambda data: data.replace(b"2026-03-02", b"2026-03-03"), "does not fit"),
        (lambda data: re.sub(rb"(<ds:SignatureValue>)\S{8}", rb"\1AAAAAAAA", data), "SignedInfo"),
        (lambda data: re.sub(rb"<ds:KeyInfo.*?</ds:KeyInfo>", b"", data, flags=re.S), "no certificate"),
        (lambda data: data.replace(b'URI="#object"', b'URI="http://a/"', 1), "leads out"),
        (lambda data: data.replace(b'URI="#object"', b'URI=""', 1), "leads out"),
        (
            lambda data: re.sub(
                rb'(<ds:Reference URI="#object".*?Algorithm=")[^"]*',
                rb"\1http://www.w3.org/TR/1999/REC-xslt-19991116",
                data,
                count=1,
                flags=re.S,
            ),
            "no canonicalisation",
        ),
        # Wrapping: the signed manifest moved aside, another one where it is looked for.
        (
            lambda data: re.sub(
                OBJECT, lambda found: found[0] + found[0].replace(b"1.2.4", b"1.2.5"), data, flags=re.S
            ),
            "identifier of 2",
        ),
        (
            lambda data: re.sub(
                OBJECT,
                lambda found: found[0] + found[0].replace(b'"object"', b'"other"').replace(b"1.2.4", b"1.2.5"),
                data,
                flags=re.S,
            ),
            "exactly one Manifest",
        ),
        (lambda data: b"<w>" + data.partition(b"?>")[2] + b"</w>", "not one ds:Signature"),
        (lambda data: b'<!DOCTYPE a [<!ENTITY b "c">]>' + data.partition(b"?>")[2], "not read"),
        (lambda data: data[:-40], "not read"),
        (lambda data: b"", "not read"),
    ],
)
def test_a_changed_signature_document(signed: bytes, change: object, said: str) -> None:
    changed = change(signed)  # type: ignore[operator]
    assert changed != signed
    with pytest.raises(SubmissionSignatureError, match=said):
        verified_submission(changed)


def test_sha1_stands_behind_a_switch(signed: bytes) -> None:
    weak = signed.replace(
        b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", b"http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )
    with pytest.raises(SubmissionSignatureError, match="form of XAdES"):
        verified_submission(weak)
    with pytest.raises(SubmissionSignatureError, match="SignedInfo"):
        verified_submission(weak, sha1=True)
