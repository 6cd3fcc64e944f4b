"""Every reason to refuse a secured sheet, each proven by breaking one thing; and the parts exported for OpenSSL."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import (
    AT,
    CPS_SLOT,
    LATER,
    PIN,
    Practice,
    anchors,
    codes,
    cps_data,
    keys,
    lists,
    vitale_data,
)

from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CardSignature, SecuredInvoice, SecuringMode, Signer
from bifente.simulator.formats.fse.securing.exporting import export
from bifente.simulator.formats.fse.securing.modes import wants
from bifente.simulator.formats.fse.securing.verifying import Anchors, Verifier, reasons, verify
from bifente.simulator.pki.authority import Pki, Revocation
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.pki.vitale_authority import VitaleAuthority, signature_serial
from bifente.simulator.software.billing.securing.cards import Right, sign_as_professional


@cache
def good(mode: SecuringMode = SecuringMode.SECURED) -> SecuredInvoice:
    return Practice().secured(mode)


def signature_by(
    certificate: x509.Certificate,
    key: rsa.RSAPrivateKey,
    signer: Signer,
    content: bytes | None = None,
    moment: str = "20260303090000",
) -> CardSignature:
    value = key.sign(good().content if content is None else content, padding.PKCS1v15(), hashes.SHA256())
    return CardSignature(signer, certificate.public_bytes(serialization.Encoding.DER), value, moment)


def professional_by(moment: str = "20260303090000", content: bytes | None = None, **overrides: Any) -> SecuredInvoice:
    """The good sheet, its professional's signature made by another card."""
    card = cps_data(**overrides)
    key = keys().key("card/signature")
    return replace(
        good() if content is None else replace(good(), content=content),
        professional=signature_by(card.certificates["signature"], key, Signer.PROFESSIONAL, content, moment),
    )


def moved(secured: SecuredInvoice, moment: str) -> SecuredInvoice:
    assert secured.insured
    assert secured.professional
    return replace(
        secured,
        insured=replace(secured.insured, moment=moment),
        professional=replace(secured.professional, moment=moment),
    )


def test_a_good_sheet_has_no_reason_against_it() -> None:
    assert codes(good()) == []
    assert codes(good(), LATER, *lists(cps_data(), vitale_data())) == []


# -- the content and the signatures ------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_byte_of_the_content_changed_is_refused(data: st.DataObject) -> None:
    content = bytearray(good().content)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    found = codes(replace(good(), content=bytes(content)))
    assert found == ["content-unreadable"] or found.count("content-altered") == 2 - found.count("signature-unexpected")


def test_a_content_that_is_still_a_sheet_is_told_altered_and_named() -> None:
    sheet = parse(good().content)
    other = canonical(replace(sheet, number=sheet.number + 1))
    found = verify(replace(good(), content=other), LATER, anchors())
    assert {(item.code, item.invoice, item.place) for item in found} == {
        ("content-altered", sheet.number + 1, "insured"),
        ("content-altered", sheet.number + 1, "professional"),
    }
    assert all(item.label == reasons()[item.code].fr for item in found)


@pytest.mark.parametrize("signer", ["insured", "professional"])
@pytest.mark.parametrize("change", [lambda v: v[:-1] + bytes([v[-1] ^ 1]), lambda v: b"", lambda v: v + b"\0", bytes])
def test_an_altered_signature(signer: str, change: Callable[[bytes], bytes]) -> None:
    before = getattr(good(), signer)
    changed = bytes(256) if change is bytes else change(before.value)
    assert codes(replace(good(), **{signer: replace(before, value=changed)})) == ["signature-altered"]


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA512()])  # noqa: S303 - to be refused
def test_another_hash_function_is_none_of_ours(algorithm: hashes.HashAlgorithm) -> None:
    value = keys().key("card/signature").sign(good().content, padding.PKCS1v15(), algorithm)
    assert good().professional
    weak = replace(good(), professional=replace(good().professional, value=value))  # type: ignore[type-var]
    assert codes(weak) == ["signature-altered"]


@pytest.mark.parametrize("mode", SecuringMode)
@pytest.mark.parametrize("signer", Signer)
def test_a_signature_missing_for_its_mode(mode: SecuringMode, signer: Signer) -> None:
    expected = ["signature-missing"] if signer in wants(mode) else []
    assert codes(replace(good(mode), **{str(signer): None})) == expected


@pytest.mark.parametrize("mode", [SecuringMode.NOT_SECURED, SecuringMode.WITHOUT_VITALE, SecuringMode.DEGRADED])
def test_a_signature_that_the_mode_does_not_want(mode: SecuringMode) -> None:
    assert codes(replace(good(mode), insured=good().insured)) == ["signature-unexpected"]


def test_signatures_in_each_other_s_place() -> None:
    assert good().insured
    assert good().professional
    swapped = SecuredInvoice(good().content, good().professional, good().insured)
    assert codes(swapped) == ["signature-unexpected"] * 2
    assert good().insured
    assert good().professional
    told = SecuredInvoice(
        good().content,
        replace(good().professional, signer=Signer.INSURED),  # type: ignore[type-var]
        replace(good().insured, signer=Signer.PROFESSIONAL),  # type: ignore[type-var]
    )
    assert {"certificate-unknown-issuer", "signer-other-vitale", "signer-other-professional"} <= set(codes(told))


def test_paper_goes_with_degraded_sheets_only() -> None:
    assert codes(replace(good(), paper=True)) == ["paper-unexpected"]
    assert codes(replace(good(SecuringMode.DEGRADED), paper=False)) == ["paper-missing"]


# -- the certificates --------------------------------------------------------------------------------------------------


def test_a_certificate_of_another_authority_with_the_same_names() -> None:
    class Others:
        def key(self, name: str, size: int = 2048) -> rsa.RSAPrivateKey:
            return keys().key("card/other" if name.startswith("authority/") else name, size)

    strange = Pki(Others())
    from bifente.simulator.cards.cpx.loading import shipped_templates
    from bifente.simulator.cards.cpx.personalise import personalise

    card = personalise(shipped_templates()["medecin-generaliste"], keys(), at=AT.date(), pki=strange)
    forged = signature_by(card.certificates["signature"], keys().key("card/signature"), Signer.PROFESSIONAL)
    assert codes(replace(good(), professional=forged)) == ["certificate-unknown-issuer"]
    vitale = VitaleAuthority(Others())
    own = vitale.certify_signature(
        vitale_data().serial,
        keys().key("card/signature").public_key(),
        Validity(date(2025, 1, 1), date(2027, 1, 1)),
    )
    forged = signature_by(own, keys().key("card/signature"), Signer.INSURED)
    assert codes(replace(good(), insured=forged)) == ["certificate-unknown-issuer"]


def test_no_authority_at_all_is_nobody() -> None:
    found = verify(good(), LATER, Anchors((), ()))
    assert [item.code for item in found] == ["certificate-unknown-issuer"] * 2


def test_an_expired_certificate_counts_at_the_signature_not_at_the_reading() -> None:
    end = cps_data().certificates["signature"].not_valid_after_utc
    assert codes(good(), end + timedelta(days=3000)) == []
    late = moved(good(), f"{end + timedelta(days=3000):%Y%m%d%H%M%S}")
    found = codes(late, end + timedelta(days=4000))
    assert found == ["certificate-expired", "certificate-expired"]


def test_an_expired_card_s_signature() -> None:
    card = cps_data(lifecycle="expired")
    forged = signature_by(card.certificates["signature"], keys().key("card/signature"), Signer.PROFESSIONAL)
    assert codes(replace(good(), professional=forged)) == ["certificate-expired"]


def test_a_certificate_not_yet_valid() -> None:
    start = cps_data().certificates["signature"].not_valid_before_utc
    assert "certificate-not-yet-valid" in codes(moved(good(), f"{start - timedelta(days=1):%Y%m%d%H%M%S}"))


@pytest.mark.parametrize("card", ["cps", "vitale"])
def test_a_certificate_revoked_before_the_signature_and_after(card: str) -> None:
    data: Any = cps_data() if card == "cps" else vitale_data()
    serial = data.certificates["signature"].serial_number
    day = AT.date()
    before = data.authority.crl([Revocation(serial, day - timedelta(days=1))], at=LATER)
    after = data.authority.crl([Revocation(serial, day + timedelta(days=1))], at=LATER + timedelta(days=2))
    assert codes(good(), LATER, before) == ["certificate-revoked"]
    assert codes(good(), LATER + timedelta(days=3), after) == []


def test_an_opposed_vitale_is_revoked_for_signatures_too() -> None:
    opposed = vitale_data("carte-opposee")
    practice = Practice(vitale=opposed)
    assert codes(practice.secured(), LATER, *lists(opposed)) == ["certificate-revoked"]
    numbers = {line.serial_number for line in opposed.revocations}
    assert numbers == {int(opposed.serial), signature_serial(opposed.serial)}


def test_a_revoked_cps_signs_and_is_refused() -> None:
    revoked = cps_data(lifecycle="revoked")
    assert codes(Practice(revoked).secured(), LATER, *lists(revoked)) == ["certificate-revoked"]


def test_a_list_of_nobody_is_not_taken() -> None:
    key = keys().key("card/other")
    builder = x509.CertificateRevocationListBuilder(cps_data().authority.name, AT, AT + timedelta(days=7))
    with pytest.raises(ValueError, match="signed by no authority"):
        Verifier(anchors(), [builder.sign(key, hashes.SHA256())])


@pytest.mark.parametrize("signer", Signer)
def test_a_key_that_is_for_challenges_signs_no_sheet(signer: Signer) -> None:
    data: Any = cps_data() if signer is Signer.PROFESSIONAL else vitale_data()
    wrong = signature_by(data.certificates["authentication"], keys().key("card/authentication"), signer)
    assert codes(replace(good(), **{str(signer): wrong})) == ["certificate-wrong-use"]


def test_a_key_for_both_is_not_one_to_sign_with() -> None:
    mixed = cps_data(certificates={"signature": {"key_usage": ["digital_signature", "non_repudiation"]}})
    wrong = signature_by(mixed.certificates["signature"], keys().key("card/signature"), Signer.PROFESSIONAL)
    assert codes(replace(good(), professional=wrong)) == ["certificate-wrong-use"]


def test_a_certificate_that_is_none() -> None:
    assert good().insured
    broken = replace(good().insured, certificate=b"\x30\x03\x02\x01\x01")  # type: ignore[type-var]
    assert codes(replace(good(), insured=broken)) == ["certificate-unreadable"]


def test_a_key_that_is_too_short_is_none() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    own = VitaleAuthority(keys()).certify_signature(
        vitale_data().serial, key.public_key(), Validity(date(2025, 1, 1), date(2027, 1, 1))
    )
    short = signature_by(own, key, Signer.INSURED)
    assert codes(replace(good(), insured=short)) == ["certificate-unreadable"]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_byte_of_a_certificate_changed_is_refused(data: st.DataObject) -> None:
    signer = data.draw(st.sampled_from(["insured", "professional"]))
    before = getattr(good(), signer)
    raw = bytearray(before.certificate)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert codes(replace(good(), **{signer: replace(before, certificate=bytes(raw))}))


# -- who signed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", ["cpe-nominative", "cpa", "cde-directeur"])
def test_a_card_of_an_employee(template: str) -> None:
    assert codes(professional_by(template=template)) == ["signer-other-professional", "signer-wrong-card"]


def test_a_student_s_card() -> None:
    found = codes(professional_by(template="cpf-etudiant"))
    assert "signer-wrong-card" in found


@pytest.mark.parametrize("template", ["pharmacien", "medecin-remplacant"])
def test_another_professional(template: str) -> None:
    assert codes(professional_by(template=template)) == ["signer-other-professional"]


def test_the_same_professional_s_other_card() -> None:
    found = codes(professional_by(card={"type": "CPS", "serial": "99000099", "number": "9900000099"}))
    assert found == ["signer-other-professional"]


def test_the_number_of_the_card_and_that_of_the_professional_must_both_be_right() -> None:
    sheet = parse(good().content)
    other = canonical(replace(sheet, professional=replace(sheet.professional, rpps="99900000029")))
    found = [item for item in codes(professional_by(content=other)) if item.startswith("signer")]
    assert found == ["signer-other-professional"]


def test_who_may_not_sign_by_the_sheet_itself() -> None:
    sheet = parse(good().content)
    without = canonical(replace(sheet, professional=replace(sheet.professional, may_sign_invoice=False)))
    assert "signer-no-right" in codes(professional_by(content=without))


def test_the_vitale_of_another() -> None:
    other = vitale_data("famille-trois")
    strange = signature_by(other.certificates["signature"], keys().key("card/signature"), Signer.INSURED)
    assert codes(replace(good(), insured=strange)) == ["signer-other-vitale"]


def test_a_phone_has_no_vitale() -> None:
    sheet = parse(good().content)
    content = canonical(replace(sheet, beneficiary=replace(sheet.beneficiary, apcv=True)))
    data = vitale_data()
    insured = signature_by(data.certificates["signature"], keys().key("card/signature"), Signer.INSURED, content)
    assert codes(replace(professional_by(content=content), insured=insured)) == ["signer-other-vitale"]


# -- the moment --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["20260303100001", "20270101000000", "20260301235959", "99999999999999"])
def test_a_moment_to_come_or_before_the_sheet_or_none(moment: str) -> None:
    assert set(codes(moved(good(), moment))) == {"moment-impossible"}


@pytest.mark.parametrize("moment", ["20260303100000", "20260302000000"])
def test_moments_that_can_be(moment: str) -> None:
    assert codes(moved(good(), moment)) == []


# -- lots --------------------------------------------------------------------------------------------------------------


def test_the_signature_of_any_content_is_judged_alike() -> None:
    practice = Practice()
    signature = sign_as_professional(b"a lot", practice.access.connect(CPS_SLOT), PIN, practice.clock, right=Right.LOT)
    verifier = Verifier(anchors())
    assert list(verifier.signature_reasons(b"a lot", signature, LATER)) == []
    assert [item.code for item in verifier.signature_reasons(b"a  lot", signature, LATER)] == ["content-altered"]


# -- taken apart -------------------------------------------------------------------------------------------------------

OPENSSL = shutil.which("openssl")


def run(folder: Path, line: str) -> bool:
    assert OPENSSL
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, timeout=120, check=False)
    return done.returncode == 0


def authorities() -> list[x509.Certificate]:
    return [*cps_data().chain, *vitale_data().chain]


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
@pytest.mark.parametrize("mode", [SecuringMode.SECURED, SecuringMode.DEGRADED])
def test_openssl_says_yes_to_every_line_and_no_once_a_byte_changed(mode: SecuringMode, tmp_path: Path) -> None:
    written = export(good(mode), tmp_path, authorities())
    assert {path.name for path in written} >= {"content.bin", "professional.sig", "professional.pem", "ca.pem"}
    told = (tmp_path / "VERIFY.txt").read_text("utf-8")
    assert told.startswith("BIFENTE LABORATOIRE")
    lines = [line for line in told.splitlines() if line.startswith("openssl ")]
    assert len(lines) == 3 * len(wants(mode))
    assert all(run(tmp_path, line) for line in lines)
    content = bytearray((tmp_path / "content.bin").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "content.bin").write_bytes(content)
    assert [run(tmp_path, line) for line in lines if " dgst " in line] == [False] * len(wants(mode))


def test_what_has_no_certificate_is_not_exported(tmp_path: Path) -> None:
    assert good().insured
    broken = replace(good(), insured=replace(good().insured, certificate=b"x"))  # type: ignore[type-var]
    with pytest.raises(FseError, match="insured"):
        export(broken, tmp_path)
    late = moved(good(), "20269999999999")
    with pytest.raises(FseError, match="moment"):
        export(late, tmp_path)


def test_the_two_hierarchies_are_kept_apart() -> None:
    """A professional's authority certifies no Vitale, nor the other way round."""
    mixed = Anchors(anchors().insured, anchors().professionals)
    found = verify(good(), LATER, mixed)
    assert [item.code for item in found] == ["certificate-unknown-issuer"] * 2
