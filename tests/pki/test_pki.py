from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from asn1crypto import core
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtensionOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki import revocation, subjects
from bifente.simulator.pki.authority import Authority, Branch, CertificateLevel, Pki, Publication, Revocation
from bifente.simulator.pki.certificate_profiles import KeyUsageBit, Profile, Validity
from bifente.simulator.pki.keystore import KeySource

OpenSsl = Callable[..., subprocess.CompletedProcess[str]]
VALIDITY = Validity(date(2025, 1, 1), date(2027, 12, 31))
FORT = (CertificateLevel.FORT, Branch.PERSONNES)
AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
DOCTOR = subjects.person(title="Médecin", surname="TESTMEDECIN", given_name="GENERALISTE", national_id="899900000011")


@pytest.fixture(scope="session")
def authority(pki: Pki) -> Authority:
    return pki.authority(CertificateLevel.FORT, Branch.PERSONNES)


@pytest.fixture(scope="session")
def public_key(shared_keys: KeySource) -> RSAPublicKey:
    return shared_keys.key("card/x/signature").public_key()


def pem(*items: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in items)


def issue(
    authority: Authority, key: RSAPublicKey, profile: Profile = profiles.SIGNATURE, /, **more: object
) -> x509.Certificate:
    arguments: dict[str, object] = {"subject": DOCTOR, "public_key": key, "validity": VALIDITY, "profile": profile}
    return authority.issue(**{**arguments, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("branch", Branch)
@pytest.mark.parametrize("level", CertificateLevel)
def test_nine_authorities_with_test_names(pki: Pki, openssl: OpenSsl, level: CertificateLevel, branch: Branch) -> None:
    authority, root = pki.authority(level, branch), pki.root(level)
    prefix = "OU=IGC-SANTE TEST,OU=0002 187512751,O=ASIP-SANTE,C=FR"
    assert authority.name.rfc4514_string() == f"CN=TEST AC IGC-SANTE {level.name} {branch.name},{prefix}"
    assert root.name.rfc4514_string() == f"CN=TEST AC RACINE IGC-SANTE {level.name},{prefix}"
    assert authority.stem == f"ACI-{level.value}-{branch.value}-TEST"
    assert authority.chain == (authority.certificate, root.certificate)
    result = openssl(
        "verify", "-x509_strict", "-CAfile", "root", "ca", root=pem(root.certificate), ca=pem(authority.certificate)
    )
    assert result.returncode == 0, result.stderr
    assert pki.authority(level, branch) is authority


def test_no_authority_but_test_ones(pki: Pki) -> None:
    for level in CertificateLevel:
        for authority in (pki.root(level), *(pki.authority(level, branch) for branch in Branch)):
            assert "CN=TEST AC " in authority.name.rfc4514_string()
            assert "OU=IGC-SANTE TEST" in authority.name.rfc4514_string()


def test_openssl_accepts_the_chain_and_refuses_another(
    pki: Pki, authority: Authority, public_key: RSAPublicKey, openssl: OpenSsl
) -> None:
    certificate = issue(authority, public_key)
    good = openssl(
        "verify", "-x509_strict", "-attime", str(int(AT.timestamp())), "-CAfile", "chain", "card",
        chain=pem(*authority.chain), card=pem(certificate),
    )  # fmt: skip
    assert good.returncode == 0, good.stderr
    other = openssl(
        "verify",
        "-CAfile",
        "other",
        "card",
        other=pem(*pki.authority(CertificateLevel.STANDARD, Branch.PERSONNES).chain),
    )
    assert other.returncode != 0
    late = openssl("verify", "-attime", str(int((AT + timedelta(days=900)).timestamp())), "-CAfile", "chain", "card")
    assert "expired" in late.stderr


def test_subject_ends_in_one_rdn_of_three(authority: Authority, public_key: RSAPublicKey, openssl: OpenSsl) -> None:
    certificate = issue(authority, public_key)
    parsed = asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    rdns = list(parsed.subject.chosen)
    assert [len(rdn) for rdn in rdns] == [1, 1, 3]
    assert {item["type"].native for item in rdns[2]} == {"given_name", "surname", "common_name"}
    shown = openssl(
        "x509", "-in", "card", "-noout", "-subject", "-nameopt", "RFC2253,utf8,-esc_msb", card=pem(certificate)
    )
    assert shown.stdout.strip().split("=", 1)[1].split(",")[0].count("+") == 2
    assert "title=Médecin" in shown.stdout


def test_signature_certificate_as_decoded_official_ones(
    authority: Authority, public_key: RSAPublicKey, openssl: OpenSsl
) -> None:
    marks = [
        profiles.product_category(profiles.ProductCategory.TEST_CARD),
        profiles.profession(10),
        profiles.specialities(["SM26"]),
        profiles.card_type(0),
        profiles.card_id("8025000001", "9900000001"),
    ]
    certificate = issue(authority, public_key, private_extensions=marks)
    text = openssl("x509", "-in", "card", "-noout", "-text", card=pem(certificate)).stdout
    for expected in (
        "Signature Algorithm: sha256WithRSAEncryption",
        "Public-Key: (2048 bit)",
        "X509v3 Key Usage: critical\n                Non Repudiation\n",
        "E-mail Protection\n",
        "X509v3 Private Key Usage Period: \n",
        "Not Before: Jan  1 00:00:00 2025 GMT, Not After: Dec 31 23:59:59 2027 GMT",
        "Policy: 1.2.250.1.213.1.7.2.1.1.1.1\n                  CPS: http://igc-sante.esante.gouv.fr/PC",
        "URI:http://igc-sante.esante.gouv.fr/CRL/ACI-FO-PP-TEST.crl",
        "URI:ldap://annuaire-igc.esante.gouv.fr/CN=TEST%20AC%20IGC-SANTE%20FORT%20PERSONNES,OU=",
        "X509v3 Freshest CRL",
        "OCSP - URI:http://ocsp.esante.gouv.fr",
        "CA Issuers - URI:http://igc-sante.esante.gouv.fr/AC%20TEST/ACI-FO-PP-TEST.cer",
    ):
        assert expected in text, expected
    values = {item.oid.dotted_string: item.value.value for item in certificate.extensions if _private(item)}
    assert {oid: value.hex() for oid, value in values.items()} == {
        "1.2.250.1.71.1.2.5": "040180",
        "1.2.250.1.71.1.2.7": "02010a",
        "1.2.250.1.71.4.2.5": "30060c04534d3236",
        "1.2.250.1.71.1.2.2": "020100",
        "1.2.250.1.71.1.2.3": "1315" + b"8025000001/9900000001".hex(),
    }
    assert core.PrintableString.load(values["1.2.250.1.71.1.2.3"]).native == "8025000001/9900000001"


def _private(extension: x509.Extension[x509.ExtensionType]) -> bool:
    return extension.oid.dotted_string.startswith("1.2.250.1.71.")


def test_key_usage_is_a_parameter(authority: Authority, public_key: RSAPublicKey) -> None:
    def bits(profile: Profile) -> set[str]:
        found = issue(authority, public_key, profile).extensions.get_extension_for_class(x509.KeyUsage)
        assert found.critical
        names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_cert_sign")
        return {name for name in names if getattr(found.value, name)}

    assert bits(profiles.SIGNATURE) == {"content_commitment"}
    assert bits(profiles.AUTHENTICATION) == {"digital_signature"}
    assert bits(profiles.ORGANISATION_SEAL) == {"digital_signature", "content_commitment"}
    other = profiles.AUTHENTICATION.with_key_uses({KeyUsageBit.DIGITAL_SIGNATURE, KeyUsageBit.KEY_ENCIPHERMENT})
    assert bits(other) == {"digital_signature", "key_encipherment"}


def test_the_same_request_gives_the_same_certificate(
    shared_keys: KeySource, authority: Authority, public_key: RSAPublicKey
) -> None:
    first = issue(authority, public_key)
    again = issue(Pki(shared_keys).authority(*FORT), public_key)
    assert first.public_bytes(serialization.Encoding.DER) == again.public_bytes(serialization.Encoding.DER)
    others = [
        issue(authority, public_key, profiles.AUTHENTICATION),
        issue(authority, public_key, validity=Validity(date(2025, 1, 1), date(2027, 12, 30))),
        issue(authority, shared_keys.key("card/x/authentication").public_key()),
        issue(authority, public_key, private_extensions=[profiles.profession(21)]),
    ]
    serials = {first.serial_number, *(other.serial_number for other in others)}
    assert len(serials) == 5
    assert all(0 < serial < 1 << 127 for serial in serials)


def test_a_certificate_that_an_authority_remembers_is_never_that_of_another_request(
    shared_keys: KeySource, public_key: RSAPublicKey
) -> None:
    authority = Pki(shared_keys).authority(*FORT)
    first = issue(authority, public_key)
    assert issue(authority, public_key) is first
    other = subjects.person(title="Médecin", surname="TESTMEDECIN", given_name="AUTRE", national_id="899900000011")
    requests: list[dict[str, object]] = [
        {"subject": other},
        {"public_key": shared_keys.key("card/x/authentication").public_key()},
        {"validity": Validity(VALIDITY.start, VALIDITY.end - timedelta(days=1))},
        {"profile": replace(profiles.SIGNATURE, extended=())},
        {"profile": replace(profiles.SIGNATURE, key_usage_period=not profiles.SIGNATURE.key_usage_period)},
        {"private_extensions": [profiles.profession(21)]},
        {"private_extensions": [profiles.profession(10)]},
    ]
    for request in requests:
        found = issue(authority, public_key, **request)
        fresh = issue(Pki(shared_keys).authority(*FORT), public_key, **request)
        assert found == fresh != first
    elsewhere = issue(Pki(shared_keys, Publication(web="http://igc.test")).authority(*FORT), public_key)
    assert elsewhere != first


def test_what_an_authority_remembers_is_bounded(shared_keys: KeySource, public_key: RSAPublicKey) -> None:
    authority = Pki(shared_keys).authority(*FORT)
    first = issue(authority, public_key)
    for day in range(256):
        issue(authority, public_key, validity=Validity(VALIDITY.start, VALIDITY.start + timedelta(days=day)))
    again = issue(authority, public_key)
    assert again == first
    assert again is not first


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2049, 12, 31), timezones=st.just(UTC))


@settings(max_examples=20, deadline=None)
@given(MOMENTS | st.builds(datetime.now, st.just(UTC)), st.sampled_from(ocsp.OCSPCertStatus), st.booleans())
def test_an_answer_is_of_the_moment_that_is_said(
    pki: Pki, at: datetime, status: ocsp.OCSPCertStatus, nonce: bool
) -> None:
    authority, day = pki.authority(*FORT), at.replace(microsecond=0)
    asked = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=bytes(20),
        issuer_key_hash=bytes(20),
        serial_number=7,
        algorithm=hashes.SHA1(),  # noqa: S303
        cert_status=status,
        this_update=day,
        next_update=day + timedelta(hours=1),
        revocation_time=day if status is ocsp.OCSPCertStatus.REVOKED else None,
        revocation_reason=None,
    )
    if nonce:
        asked = asked.add_extension(x509.OCSPNonce(b"n" * 16), critical=False)
    answer = authority.answer(asked, at)
    assert (answer.produced_at_utc, answer.this_update_utc) == (day, day)
    assert answer.next_update_utc == day + timedelta(hours=1)
    assert answer.certificate_status is status
    assert revocation.answered_by(answer, authority.certificate, at)
    whole = asn1_ocsp.OCSPResponse.load(answer.public_bytes(serialization.Encoding.DER), strict=True)
    assert whole["response_bytes"]["response"].parsed["tbs_response_data"]["produced_at"].native == day


def test_revocation_lists(authority: Authority, public_key: RSAPublicKey, openssl: OpenSsl) -> None:
    good, bad = issue(authority, public_key), issue(authority, public_key, profiles.AUTHENTICATION)
    revoked = [Revocation(bad.serial_number, date(2026, 2, 1), x509.ReasonFlags.key_compromise)]
    now = datetime.now(UTC)

    def check(revocations: list[Revocation], when: datetime) -> tuple[int, str]:
        crl = authority.crl(revocations, at=when)
        seconds = str(int(when.timestamp()))
        result = openssl(
            "verify", "-crl_check", "-attime", seconds, "-CAfile", "chain", "-CRLfile", "crl", "bad",
            chain=pem(*authority.chain), crl=pem(crl), bad=pem(bad), good=pem(good),
        )  # fmt: skip
        other = openssl("verify", "-crl_check", "-attime", seconds, "-CAfile", "chain", "-CRLfile", "crl", "good")
        assert other.returncode == 0, other.stderr
        return result.returncode, result.stderr

    assert check(revoked, AT)[0] != 0
    assert "certificate revoked" in check(revoked, AT)[1]
    assert check([], AT)[0] == 0
    assert check(revoked, datetime(2026, 1, 31, tzinfo=UTC))[0] == 0, "not revoked yet"
    crl = authority.crl(revoked, at=now)
    text = openssl("crl", "-in", "crl", "-noout", "-text", crl=pem(crl)).stdout
    assert "Key Compromise" in text
    assert "X509v3 CRL Number" in text
    assert crl.next_update_utc is not None
    assert crl.next_update_utc > now
    with pytest.raises(x509.ExtensionNotFound):
        crl.extensions.get_extension_for_oid(ExtensionOID.DELTA_CRL_INDICATOR)
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    delta = authority.crl(revoked, at=now + timedelta(hours=1), base=number)
    assert delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number == number
    assert delta.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > number


def test_a_list_signed_by_another_authority_is_refused(
    pki: Pki, authority: Authority, public_key: RSAPublicKey, openssl: OpenSsl
) -> None:
    foreign = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.PERSONNES)
    result = openssl(
        "verify", "-crl_check", "-attime", str(int(AT.timestamp())), "-CAfile", "chain", "-CRLfile", "crl", "card",
        chain=pem(*authority.chain), crl=pem(foreign.crl([], at=AT)), card=pem(issue(authority, public_key)),
    )  # fmt: skip
    assert "unable to get certificate CRL" in result.stderr


def test_organisations(pki: Pki, public_key: RSAPublicKey, openssl: OpenSsl) -> None:
    authority = pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS)
    subject = subjects.organisation(
        name="HOPITAL SPECIMEN", structure_id="10B0000014", department="Rhône (69)", common_name="TEST LPS"
    )
    for profile, expected in (
        (profiles.ORGANISATION_AUTHENTICATION, "TLS Web Client Authentication"),
        (profiles.ORGANISATION_SEAL, "Digital Signature, Non Repudiation"),
    ):
        certificate = issue(
            authority, public_key, profile, subject=subject,
            private_extensions=[profiles.product_category(profiles.ProductCategory.TEST_SOFTWARE)],
        )  # fmt: skip
        text = openssl("x509", "-in", "card", "-noout", "-text", card=pem(certificate)).stdout
        assert expected in text
        result = openssl(
            "verify", "-attime", str(int(AT.timestamp())), "-CAfile", "chain", "card", chain=pem(*authority.chain)
        )
        assert result.returncode == 0, result.stderr
    assert subject.rfc4514_string() == "CN=TEST LPS,OU=10B0000014,O=HOPITAL SPECIMEN,ST=Rhône (69),C=FR"


def test_addresses_are_the_bench_s_if_it_serves_them(shared_keys: KeySource, public_key: RSAPublicKey) -> None:
    here = Publication(web="http://127.0.0.1:8080", ocsp="http://127.0.0.1:8081", ldap="ldap://127.0.0.1:8082")
    certificate = issue(Pki(shared_keys, here).authority(CertificateLevel.FORT, Branch.PERSONNES), public_key)
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert b"esante.gouv.fr" not in der
    assert b"http://127.0.0.1:8080/CRL/ACI-FO-PP-TEST.crl" in der


def test_a_validity_runs_forward() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Validity(date(2026, 1, 2), date(2026, 1, 1))
