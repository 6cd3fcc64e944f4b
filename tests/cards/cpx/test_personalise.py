from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from bifente.ground.identifiers import RPPS
from bifente.simulator.cards.cpx import business, pkcs15
from bifente.simulator.cards.cpx.describe import describe
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import ROLES, PersonalisedCard, personalise
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage, ElementaryFile
from bifente.simulator.pki.keystore import KeyStore

CardMaker = Callable[..., PersonalisedCard]
AT = date(2026, 3, 3)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
SECONDS = str(int(NOON.timestamp()))
LAYOUT = Layout.load("cps3")
TEMPLATES = sorted(shipped_templates())


def files(image: CardImage) -> dict[str, bytes]:
    return {
        file.name: file.content
        for root in image.volumes.values()
        for file in root.walk()
        if isinstance(file, ElementaryFile)
    }


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(*items: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in items)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_gives_a_card_openssl_accepts(make: CardMaker, openssl: Any, name: str) -> None:
    card = make(name)
    for role in ROLES:
        certificate = card.certificates[role]
        result = openssl(
            "verify", "-x509_strict", "-crl_check", "-attime", SECONDS, "-CAfile", "chain", "-CRLfile", "crl", "card",
            chain=pem(*card.chain), card=pem(certificate), crl=pem(card.authority.crl(card.revocations, at=NOON)),
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        key = next(key for key in card.image.keys if key.name == role)
        assert certificate.public_key() == key.private_key.public_key()
    assert card.certificates["signature"].subject == card.certificates["authentication"].subject
    assert card.certificates["signature"].serial_number != card.certificates["authentication"].serial_number


@pytest.mark.parametrize("name", TEMPLATES)
def test_everything_is_marked_test(make: CardMaker, name: str) -> None:
    card = make(name)
    for certificate in card.certificates.values():
        category = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.2.250.1.71.1.2.5"))
        assert category.value.value == b"\x04\x01\x80"  # type: ignore[attr-defined]
        assert "TEST AC IGC-SANTE" in certificate.issuer.rfc4514_string()
        assert any(mark in certificate.subject.rfc4514_string() for mark in ("TEST", "SPECIMEN"))
    if (rpps := card.template.holder.rpps) is not None:
        RPPS.check(rpps)
        assert card.template.national_id.startswith("899")
    assert card.template.card.number.startswith("99")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_file_a_client_follows_is_there(make: CardMaker, name: str) -> None:
    card = make(name)
    content = files(card.image)
    by_path = {LAYOUT.path(file): body for file, body in content.items()}
    assert len(content["EF.DIR"]) == 101
    assert len(content["EF.ATR"]) == 57
    assert len(content["EF.SN"]) == 12
    assert "EF_ACTUA" not in content
    for entry in pkcs15.load(pkcs15.ObjectDirectory, content["EF.ODF"]):
        assert entry.chosen["path"].native in by_path
    certificates = [
        by_path[entry["type_attributes"]["value"]["path"].native]
        for entry in pkcs15.load(pkcs15.CertificateObject, content["EF.CDF"])
    ]
    assert certificates == [der(card.certificates[role]) for role in ROLES]
    listed = pkcs15.load(pkcs15.DataObject, content["EF.DODF"])
    for entry in listed:
        label = entry["common"]["label"].native
        assert business.decode(label, by_path[entry["type_attributes"]["path"].native]) == card.objects[label]
    assert len(listed) == 5 + len(card.template.activities)
    assert ("CPS_SIT_FACT" in content) is bool(card.template.billing)


def test_serial_numbers_are_all_different(make: CardMaker) -> None:
    serials = {files(make(name).image)["EF.SN"] for name in TEMPLATES}
    assert len(serials) == len(TEMPLATES)


def test_activities_keep_their_numbers(make: CardMaker) -> None:
    card = make()
    content = files(card.image)
    present = [name for name in content if name.startswith("CPS_ACTIVITY_")]
    assert present == ["CPS_ACTIVITY_01_PS", "CPS_ACTIVITY_02_PS", "CPS_ACTIVITY_05_PS"]
    assert list(card.activities) == [1, 2, 5]
    activity = business.decode("CPS_ACTIVITY_05_PS", content["CPS_ACTIVITY_05_PS"])
    assert isinstance(activity, business.Activity)
    assert (activity.mode, activity.sector, activity.structure_id) == (0, "SA07", "10B0000022")
    assert content["CPS_INFO_PS"][-4:] == b"SM26"


def test_professional_and_employee_subjects(make: CardMaker) -> None:
    def rdns(name: str) -> list[set[str]]:
        parsed = asn1_x509.Certificate.load(der(make(name).certificates["authentication"]))
        return [{item["type"].native for item in rdn} for rdn in parsed.subject.chosen]

    names = {"given_name", "surname", "common_name"}
    place = [{"country_name"}, {"state_or_province_name"}, {"organization_name"}, {"organizational_unit_name"}]
    assert rdns("medecin-generaliste") == [{"country_name"}, {"title"}, names]
    assert rdns("cpe-nominative") == [*place, {"title"}, names]
    assert rdns("cpe-non-nominative") == [*place, {"title"}, {"pseudonym", "common_name"}]
    subject = make("cpe-non-nominative").certificates["signature"].subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "30B0000022/CPET0001"
    assert subject.get_attributes_for_oid(NameOID.TITLE)[0].value == "Carte de service santé ou social"


def test_card_type_codes(make: CardMaker) -> None:
    oid = x509.ObjectIdentifier("1.2.250.1.71.1.2.2")
    codes = {
        name: make(name).certificates["signature"].extensions.get_extension_for_oid(oid).value.value[-1]  # type: ignore[attr-defined]
        for name in ("medecin-generaliste", "cpf-etudiant", "cde-directeur", "cpe-nominative", "cpa")
    }
    assert list(codes.values()) == [0, 1, 2, 2, 3]


def test_life_never_updated_and_updated(make: CardMaker) -> None:
    assert "EF_ACTUA" not in files(make().image)
    updated = files(make(lifecycle="updated").image)["EF_ACTUA"]
    assert updated.hex().upper() == "EC12810720250131120000820720250131120500"
    assert files(make(lifecycle="damaged-update").image)["EF_ACTUA"].hex() == "ec12810700000000000000820700000000000000"
    assert files(make(lifecycle="empty-update").image)["EF_ACTUA"] == b""


@pytest.mark.parametrize(
    ("state", "pin", "puk"),
    [("never-updated", None, None), ("pin-blocked", 0, None), ("puk-exhausted", 0, 0), ("expired", None, None)],
)
def test_life_codes(make: CardMaker, state: str, pin: int | None, puk: int | None) -> None:
    secrets = {secret.name: secret.tries_left for secret in make(lifecycle=state).image.secrets}
    assert secrets == {"pin": pin, "puk": puk}


def test_life_expired(make: CardMaker, openssl: Any) -> None:
    card = make(lifecycle="expired")
    assert card.calendar.card.end == date(2025, 12, 31)
    result = openssl(
        "verify", "-attime", SECONDS, "-CAfile", "chain", "card",
        chain=pem(*card.chain), card=pem(card.certificates["signature"]),
    )  # fmt: skip
    assert "certificate has expired" in result.stderr
    identity = business.decode("CPS_ID_CARD", files(card.image)["CPS_ID_CARD"])
    assert identity.expiry_date == date(2025, 12, 31)  # type: ignore[union-attr]


def test_life_revoked(make: CardMaker, openssl: Any) -> None:
    card = make(lifecycle="revoked")
    crl = card.authority.crl(card.revocations, at=NOON)
    for role in ROLES:
        result = openssl(
            "verify", "-crl_check", "-attime", SECONDS, "-CAfile", "chain", "-CRLfile", "crl", "card",
            chain=pem(*card.chain), card=pem(card.certificates[role]), crl=pem(crl),
        )  # fmt: skip
        assert "certificate revoked" in result.stderr


def test_dates_two_ends_a_month_apart_and_steady_over_a_year(make: CardMaker) -> None:
    card = make()
    assert (card.calendar.card.start, card.calendar.card.end) == (date(2025, 1, 1), date(2027, 12, 31))
    assert card.calendar.signature.end == date(2027, 12, 31)
    assert card.calendar.authentication.end == date(2027, 11, 30)
    assert files(make(at=date(2026, 1, 1)).image) == files(make(at=date(2026, 12, 31)).image)
    given = make(
        card={"issued": date(2024, 2, 1), "expires": date(2027, 1, 31)},
        certificates={"authentication": {"start": date(2024, 2, 1), "end": date(2026, 6, 30)}},
    )
    assert given.calendar.signature == given.calendar.card
    assert given.certificates["authentication"].not_valid_after_utc.date() == date(2026, 6, 30)
    assert given.calendar.card.end == date(2027, 1, 31)


def test_options(make: CardMaker) -> None:
    plain = make(options={"include_pukdf": False})
    assert not {"EF.PuKDF", "EF.PuKDF.CL", "EF.PUK.TECH"} & set(files(plain.image))
    assert not any(key.consent for key in plain.image.keys)
    other = make(options={"pin_consumed_by_signature": True, "interface": "contactless"})
    content = files(other.image)
    assert content["EF.ODF"] != files(plain.image)["EF.ODF"]
    assert [entry["common"]["label"].native for entry in pkcs15.load(pkcs15.KeyObject, content["EF.PuKDF"])] == [
        "CPS_PUB_SIG",
        "CPS_PUB_AUT",
    ]
    assert asn1_keys.RSAPublicKey.load(content["EF.PUK.SIG"], strict=True)["public_exponent"].native == 65537
    assert {key.name: key.consent for key in other.image.keys} == {
        "signature": True,
        "authentication": False,
        "technical": False,
    }
    assert other.image.atr == LAYOUT.atr["contactless"].value  # type: ignore[index]


def test_key_usage_and_key_size_of_a_template(make: CardMaker) -> None:
    card = make(
        certificates={
            "key_size": 1024,
            "level": "standard",
            "authentication": {"key_usage": ["digital_signature", "key_encipherment"]},
        }
    )
    usage = card.certificates["authentication"].extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.content_commitment) == (True, True, False)
    sizes = [
        entry["type_attributes"]["modulus_length"].native
        for entry in pkcs15.load(pkcs15.KeyObject, files(card.image)["EF.PrKDF"])
    ]
    assert sizes == [1024, 1024]
    assert "STANDARD PERSONNES" in card.certificates["signature"].issuer.rfc4514_string()


def test_facts_for_scenarios(make: CardMaker) -> None:
    facts = make().facts()
    assert facts["code"] == "1234"
    assert facts["activities"][1]["structure"] == "CABINET TEST MEDECIN"
    assert set(facts["activities"]) == {1, 2, 5}
    assert facts["token_label"] == "CPS3v3-9900000001"
    assert make("cpe-non-nominative").facts()["family_name"] is None


@pytest.mark.parametrize("name", TEMPLATES)
def test_described_in_both_languages_without_codes(make: CardMaker, name: str) -> None:
    card = make(name)
    french, english = describe(card, "fr"), describe(card, "en")
    assert len(french) == len(english)
    assert all(label and value for label, value in french + english)
    assert not {"1234", "12345678"} & {value for _, value in french}
    assert ("Code porteur", "1234") in describe(card, "fr", codes=True)
    assert any(value.endswith("TEST") for _, value in english)


def test_same_keys_same_card(tmp_path: Path) -> None:
    template = shipped_templates()["infirmier"]
    folder = tmp_path / "keys"
    first = personalise(template, KeyStore(folder), at=AT)
    again = personalise(template, KeyStore(folder), at=AT)
    assert files(first.image) == files(again.image)
    best = min(_timed(lambda: personalise(template, KeyStore(folder), at=AT)) for _ in range(5))
    print(f"card from a template, keys cached on disk: {best * 1000:.1f} ms (budget 50)")
    other = personalise(template, KeyStore(tmp_path / "other"), at=AT)
    assert der(other.certificates["signature"]) != der(first.certificates["signature"])


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
