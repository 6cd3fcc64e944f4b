"""What a virtual card signs by its own key, verified by xmlsec1 and by signxml: an assertion, and a submission."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.model import CardChoice
from bifente.simulator.formats.pdf import make_pdf_a1
from bifente.simulator.formats.vihf import signed_vihf
from bifente.simulator.formats.xades import verified_submission
from bifente.simulator.pki.authority import Branch, CertificateLevel
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.software.lps.identity import LpsUser
from bifente.simulator.software.lps.submission import LpsDocument, prepare

IDS = {
    "assertion": ("urn:oasis:names:tc:SAML:2.0:assertion:Assertion",),
    "submission": ("Object", "KeyInfo", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"),
}


@dataclass
class Signed:
    user: LpsUser
    bench: DmpBench
    workshop: Workshop

    def trust(self, folder: Path) -> list[str]:
        authority = self.workshop.pki.authority(CertificateLevel.FORT, Branch.PERSONNES)
        root = self.workshop.pki.root(CertificateLevel.FORT)
        for name, one in (("issuer", authority), ("root", root)):
            (folder / f"{name}.pem").write_bytes(one.certificate.public_bytes(Encoding.PEM))
        return ["--trusted-pem", str(folder / "root.pem"), "--untrusted-pem", str(folder / "issuer.pem")]

    def assertion(self) -> bytes:
        client = self.bench.client
        return etree.tostring(signed_vihf(client.vihf(self.bench.patient), self.user.signer))

    def submission(self) -> bytes:
        document = LpsDocument("application/pdf", make_pdf_a1())
        made = prepare(self.user, self.bench.patient, document, self.bench.number(), self.bench.clock.now())
        return made.contents["Signature01"]


@pytest.fixture(params=["cps3", "cps4"])
def signed(request: pytest.FixtureRequest, shared_keys: KeySource) -> Iterator[Signed]:
    workshop = Workshop(shared_keys)
    choice = CardChoice.model_validate({"template": "medecin-generaliste", "family": request.param})
    device = Device.assemble("readers/generic-bislot", {"cps": choice}, workshop)
    scene = Scene(device.bench, random.Random(1), lambda role, told: None, lambda role, what: None)
    act = Act(scene, "cps")
    assert act.host.open().sw == 0x9000
    code = str(act.card.facts["code"]).encode()
    assert act.host.verify(act.card.layout.secrets["pin"].reference, code).sw == 0x9000
    bench = scene.part(DmpBench)
    yield Signed(bench.connect_card(act, "signature", None), bench, workshop)
    scene.close()
    device.close()


@pytest.mark.parametrize("what", IDS)
def test_xmlsec1_verifies_what_the_card_signed(signed: Signed, what: str, tmp_path: Path) -> None:
    program = shutil.which("xmlsec1")
    if program is None:
        pytest.skip("xmlsec1 is not installed")
    document, data = tmp_path / "signed.xml", getattr(signed, what)()
    command = [program, "--verify", "--ignore-manifests"]
    for name in IDS[what]:
        command += [f"--id-attr:{'ID' if what == 'assertion' else 'Id'}", name]
    command += [*signed.trust(tmp_path), str(document)]
    document.write_bytes(data)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # The same bytes with one letter of the holder's changed do not hold.
    word = b"SM26" if what == "assertion" else b"SigningTime>2"
    assert word in data
    document.write_bytes(data.replace(word, word[:-1] + b"1"))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_signxml_verifies_what_the_card_signed(signed: Signed) -> None:
    root = etree.fromstring(signed.assertion())
    config = SignatureConfiguration(location="./")
    pem = signed.user.signer.certificate
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(pem)
    found = XMLVerifier().verify(root, x509_cert=certificate, id_attribute="ID", expect_config=config)
    assert not isinstance(found, list)
    assert etree.QName(found.signed_xml).localname == "Assertion"
    data = signed.submission()
    now = signed.bench.clock.now()
    expected = XAdESSignatureConfiguration(verification_time=now, location="./", expect_references=3)
    results = XAdESVerifier().verify(data, x509_cert=verified_submission(data).certificate, expect_config=expected)
    assert len(results) == 3
