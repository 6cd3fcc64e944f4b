"""A VIHF is accepted whole or refused for a reason: each rule is broken in turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vihf_samples import ISSUER, NOW, SEAL_ISSUER, STRUCTURE, Laboratory, assertion_in, enveloped, sent, vihf

from bifente.ground.identifiers import nir_key
from bifente.simulator.formats.saml import (
    SamlError,
    assertion_element,
    read_assertion,
    same_name,
    signed_assertion,
)
from bifente.simulator.formats.soap import element, qname
from bifente.simulator.formats.vihf import (
    InsIdentifier,
    Vihf,
    VihfContext,
    VihfError,
    VihfRefusal,
    VihfRole,
    VihfRules,
    VihfSoftware,
    assertion_of,
    read_vihf,
    signed_vihf,
    verified_vihf,
)
from bifente.simulator.formats.xmldsig import XmlSignatureRefusal
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.pki.refusals import CertificateRefusal

NUMBER = "2791901001001"
INS = InsIdentifier(NUMBER, nir_key(NUMBER))
PHYSICIAN = VihfRole("10", "1.2.250.1.71.1.2.7", "Médecin")
SPECIALITY = VihfRole("SM26", "1.2.250.1.71.4.2.5")


@pytest.fixture(scope="module")
def laboratory(pki: Pki) -> Laboratory:
    return Laboratory(pki)


def _right(**changes: Any) -> Vihf:
    return vihf(patient=changes.pop("patient", INS.written), **changes)


def test_a_right_vihf_is_accepted_and_reads_back_as_it_was_written(laboratory: Laboratory) -> None:
    said = _right(reason="", confidentiality="INVISIBLE_REPRESENTANTS_LEGAUX", authenticated=NOW)
    found = verified_vihf(sent(laboratory, **_changes(said)), laboratory.context(patient=INS))
    assert found.vihf == said
    assert not found.by_structure


def _changes(said: Vihf) -> dict[str, Any]:
    return {name: getattr(said, name) for name in Vihf.__slots__}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"issued": NOW - timedelta(hours=1, seconds=1)}, VihfRefusal.STALE),
        ({"issued": NOW + timedelta(minutes=5, seconds=1)}, VihfRefusal.FUTURE),
        ({"authenticated": NOW + timedelta(minutes=6)}, VihfRefusal.FUTURE),
        ({"version": "2.0"}, VihfRefusal.VERSION),
        ({"version": ""}, VihfRefusal.VERSION),
        ({"issuer": "CN=899700000099"}, VihfRefusal.ISSUER),
        ({"issuer": ISSUER.replace("AGATHE", "AGNES")}, VihfRefusal.ISSUER),
        ({"subject": "899700000099"}, VihfRefusal.SUBJECT),
        ({"subject": ""}, VihfRefusal.SUBJECT),
        ({"mode": "INDIRECTE"}, VihfRefusal.MODE),
        ({"mode": "INDIRECTE_RENFORCEE"}, VihfRefusal.MODE),
        ({"mode": "directe"}, VihfRefusal.MODE),
        ({"mode": ""}, VihfRefusal.MODE),
        ({"context_class": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"}, VihfRefusal.CONTEXT),
        ({"roles": ()}, VihfRefusal.NO_ROLE),
        ({"roles": (SPECIALITY,)}, VihfRefusal.NO_ROLE),
        ({"roles": (PHYSICIAN,)}, VihfRefusal.NO_SPECIALITY),
        ({"roles": (PHYSICIAN, replace(SPECIALITY, code=""))}, VihfRefusal.NO_SPECIALITY),
        ({"roles": (SPECIALITY, PHYSICIAN)}, VihfRefusal.ROLE),
        ({"roles": (replace(PHYSICIAN, code="21"), SPECIALITY)}, VihfRefusal.ROLE),
        ({"roles": (VihfRole("SECRETARIAT_MEDICAL", "1.2.250.1.213.1.1.5.5"),)}, VihfRefusal.ROLE),
        ({"structure": ""}, VihfRefusal.STRUCTURE),
        ({"structure": "499700000017999"}, VihfRefusal.STRUCTURE),
        ({"sector": ""}, VihfRefusal.SECTOR),
        ({"sector": "SA07"}, VihfRefusal.SECTOR),
        ({"sector": "SA05^1.2.250.1.71.4.2.4"}, VihfRefusal.SECTOR),
        ({"purpose": "urgence"}, VihfRefusal.PURPOSE),
        ({"purpose": "brisDeGlace"}, VihfRefusal.PURPOSE),
        ({"purpose": ""}, VihfRefusal.PURPOSE),
        ({"purpose": "bris_de_glace"}, VihfRefusal.REASON),
        ({"resource": "urn:other"}, VihfRefusal.RESOURCE),
        ({"patient": ""}, VihfRefusal.PATIENT),
        ({"patient": NUMBER}, VihfRefusal.PATIENT),
        ({"patient": INS.written.replace("^NH", "")}, VihfRefusal.PATIENT),
        ({"patient": INS.written.replace(".10", ".12")}, VihfRefusal.PATIENT),
        ({"patient": f"{NUMBER}00^^^&1.2.250.1.213.1.4.10&ISO^NH"}, VihfRefusal.PATIENT),
        ({"patient": INS.written.replace(".10", ".8")}, VihfRefusal.OTHER_PATIENT),
        ({"software": VihfSoftware("1", "Bifente", "1", "")}, VihfRefusal.SOFTWARE),
        ({"software": VihfSoftware("", "Bifente", "1", "x")}, VihfRefusal.SOFTWARE),
        ({"confidentiality": "SECRET"}, VihfRefusal.CONFIDENTIALITY),
    ],
)
def test_each_rule_refuses(laboratory: Laboratory, changes: dict[str, Any], refusal: VihfRefusal) -> None:
    said = _right(**changes)
    with pytest.raises(VihfError) as error:
        verified_vihf(sent(laboratory, **_changes(said)), laboratory.context(patient=INS))
    assert error.value.refusal is refusal
    assert NUMBER not in error.value.sentence.en


def test_bris_de_glace_with_a_reason_and_an_hour_old_at_most(laboratory: Laboratory) -> None:
    said = _right(purpose="bris_de_glace", reason="patient inconscient", issued=NOW - timedelta(hours=1))
    assert verified_vihf(sent(laboratory, **_changes(said)), laboratory.context(patient=INS))


def test_without_a_patient_none_need_be_named(laboratory: Laboratory) -> None:
    assert verified_vihf(sent(laboratory, **_changes(_right(patient=""))), laboratory.context()).vihf.patient == ""


def _by(laboratory: Laboratory, what: str) -> Any:
    yesterday = Validity(date(2020, 1, 1), date(2026, 3, 1))
    tomorrow = Validity(date(2026, 3, 3), date(2027, 1, 1))
    return {
        "untrusted": lambda: laboratory.card(
            authority=laboratory.pki.authority(CertificateLevel.STANDARD, Branch.PERSONNES)
        ),
        "expired": lambda: laboratory.card(validity=yesterday),
        "not-yet": lambda: laboratory.card(validity=tomorrow),
        "authentication": lambda: laboratory.card(profile=profiles.AUTHENTICATION),
    }[what]()


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("untrusted", CertificateRefusal.UNKNOWN_AUTHORITY),
        ("expired", CertificateRefusal.EXPIRED),
        ("not-yet", CertificateRefusal.NOT_YET_VALID),
        ("authentication", CertificateRefusal.WRONG_PURPOSE),
    ],
)
def test_a_certificate_that_may_not_sign(laboratory: Laboratory, what: str, cause: CertificateRefusal) -> None:
    assertion = assertion_in(enveloped(signed_vihf(_right(), _by(laboratory, what))))
    with pytest.raises(VihfError) as error:
        verified_vihf(assertion, laboratory.context(patient=INS))
    assert (error.value.refusal, error.value.cause) == (VihfRefusal.CERTIFICATE, cause)


def test_a_revoked_certificate_and_one_of_a_false_authority(laboratory: Laboratory, shared_keys: Any) -> None:
    assertion = sent(laboratory, patient=INS.written)
    revoked = laboratory.judge(laboratory.pki, lambda certificate, at: at >= NOW)
    with pytest.raises(VihfError) as error:
        verified_vihf(assertion, replace(laboratory.context(), trust=revoked))
    assert error.value.cause is CertificateRefusal.REVOKED
    namesake = laboratory.judge(Pki(OtherKeys(shared_keys, "namesake")))
    with pytest.raises(VihfError) as error:
        verified_vihf(assertion, replace(laboratory.context(), trust=namesake))
    assert error.value.cause is CertificateRefusal.UNKNOWN_AUTHORITY


def test_a_broken_signature_comes_with_its_explanation(laboratory: Laboratory) -> None:
    data = enveloped(signed_vihf(_right(), laboratory.card())).replace(b"SM26", b"SM27")
    with pytest.raises(VihfError) as error:
        verified_vihf(assertion_in(data), laboratory.context(patient=INS))
    assert (error.value.refusal, error.value.cause) == (VihfRefusal.SIGNATURE, XmlSignatureRefusal.DIGEST)
    assert error.value.explained is not None
    assert "le contenu n'est plus celui qui a été signé" in error.value.sentence.fr


def test_there_must_be_one(laboratory: Laboratory) -> None:
    with pytest.raises(VihfError) as error:
        verified_vihf(None, laboratory.context())
    assert error.value.refusal is VihfRefusal.ABSENT


# -- structures, AIR, and builders that differ -----------------------------------------------------------------


def _by_structure(laboratory: Laboratory, **changes: Any) -> Any:
    said = {"issuer": SEAL_ISSUER, "mode": "INDIRECTE", "subject_name": "AGATHE TESTEUR", **changes}
    return assertion_in(enveloped(signed_vihf(_right(**said), laboratory.seal())))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"mode": "INDIRECTE_RENFORCEE", "declaration": "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"}, None),
        ({"mode": "INDIRECTE_RENFORCEE", "declaration": "CONF_EXI_PGSSIS"}, None),
        ({"mode": "INDIRECTE_RENFORCEE"}, VihfRefusal.CONTEXT),
        ({"mode": "INDIRECTE_RENFORCEE", "declaration": "APP_BROWSER_AUTH"}, VihfRefusal.CONTEXT),
        ({"mode": "DIRECTE"}, VihfRefusal.MODE),
        ({"subject_name": ""}, VihfRefusal.ATTRIBUTE),
        ({"roles": (VihfRole("AUTOMATE", "1.2.250.1.213.1.1.4.6"),)}, None),
        ({"roles": (VihfRole("AUTOMATE", "1.2.3"),)}, VihfRefusal.NO_ROLE),
    ],
)
def test_a_structure_signs_for_a_professional(
    laboratory: Laboratory, changes: dict[str, Any], refusal: VihfRefusal | None
) -> None:
    assertion, context = _by_structure(laboratory, **changes), laboratory.context(patient=INS)
    if refusal is None:
        assert verified_vihf(assertion, context).by_structure
        return
    with pytest.raises(VihfError) as error:
        verified_vihf(assertion, context)
    assert error.value.refusal is refusal


@pytest.mark.parametrize(
    ("rules", "accepted"),
    [
        (VihfRules(as_drimbox=True), True),
        (VihfRules(), False),
        (VihfRules(as_drimbox=True, air_simplified=True), False),
    ],
)
def test_drimbox_is_a_parameter(laboratory: Laboratory, rules: VihfRules, accepted: bool) -> None:
    said = _right(
        issuer=SEAL_ISSUER,
        mode="INDIRECTE_RENFORCEE",
        subject_name="AGATHE TESTEUR",
        context_class="urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
        declaration="APP_BROWSER_AUTH",
    )
    written = assertion_of(said)
    spelled = tuple(
        replace(one, name="Authentification_Mode") if one.name == "Authentification_mode" else one
        for one in written.attributes
    )
    assertion = assertion_in(enveloped(signed_assertion(replace(written, attributes=spelled), laboratory.seal())))
    if accepted:
        assert verified_vihf(assertion, laboratory.context(), rules)
    else:
        with pytest.raises(VihfError):
            verified_vihf(assertion, laboratory.context(), rules)


def test_an_attribute_said_twice_or_in_another_form_is_refused() -> None:
    written = assertion_of(_right())
    for attributes in (
        (*written.attributes, written.attributes[0]),
        tuple(replace(one, values=(*one.values, *one.values)) for one in written.attributes),
        tuple(replace(one, values=("text",)) for one in written.attributes),
    ):
        with pytest.raises(VihfError):
            read_vihf(replace(written, attributes=attributes))


@pytest.mark.parametrize(
    "broken",
    [
        b'Version="1.1"',
        b'IssueInstant="2026-03-02T09:30:00"',
        b'IssueInstant="2026-13-02T09:30:00Z"',
        b'IssueInstant="0001-01-01T00:00:00+23:59"',
    ],
)
def test_an_assertion_in_another_form_is_not_read(broken: bytes) -> None:
    from lxml import etree

    root = assertion_element(assertion_of(_right()))
    name, _, value = broken.decode().partition("=")
    root.set(name, value.strip('"'))
    with pytest.raises(SamlError):
        read_assertion(etree.fromstring(etree.tostring(root)))


@pytest.mark.parametrize("name", ["Issuer", "Subject"])
def test_an_assertion_without_its_parts_is_not_read(name: str) -> None:
    root = assertion_element(assertion_of(_right()))
    node = root.find(qname(f"saml:{name}"))
    assert node is not None
    root.remove(node)
    with pytest.raises(SamlError, match="missing"):
        read_assertion(root)
    with pytest.raises(SamlError, match="no SAML"):
        read_assertion(element("{urn:x}Assertion"))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (ISSUER, True),
        ("C=FR, T=Médecin, SN=TESTEUR + GN=AGATHE + CN=899700000017", True),
        ("CN=899700000017+2.5.4.4=#0c0754455354455552+2.5.4.42=#0c06414741544845,2.5.4.12=M\\C3\\A9decin,C=FR", True),
        ('SN2=AGATHE + OID.2.5.4.4=TESTEUR + CN=899700000017, OID.2.5.4.12="Médecin", C=FR', True),
        ("CN=899700000017", False),
        (ISSUER + ",C=FR", False),
        ("", False),
        ("CN=#zz", False),
        ("no name", False),
        ("CN=" + "x" * 4000, False),
    ],
)
def test_names_of_the_field_are_compared_by_what_they_name(text: str, same: bool) -> None:
    subject = subjects.person(title="Médecin", surname="TESTEUR", given_name="AGATHE", national_id="899700000017")
    assert same_name(text, subject) is same


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_name_or_not_and_an_ins_or_not(text: str) -> None:
    same_name(text, subjects.person(title="x", surname="y", given_name="z", national_id="1"))
    with pytest.raises(ValueError, match=r"INS|key|number|OID"):
        InsIdentifier.read(text)


@pytest.mark.parametrize("number", ["2791901001001", "180192B020401", "180192A020401"])
def test_an_ins_goes_there_and_back(number: str) -> None:
    ins = InsIdentifier(number, nir_key(number))
    assert InsIdentifier.read(ins.written) == ins
    assert ins.whole == number + ins.key
    assert STRUCTURE not in ins.written


def test_the_context_of_another_patient_shows_no_number(laboratory: Laboratory) -> None:
    other = InsIdentifier("1791901001001", nir_key("1791901001001"))
    with pytest.raises(VihfError) as error:
        verified_vihf(sent(laboratory, patient=INS.written), VihfContext(NOW, laboratory.trust, other))
    assert error.value.refusal is VihfRefusal.OTHER_PATIENT
    assert other.number not in str(error.value)
