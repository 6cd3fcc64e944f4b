"""The CPS4 of every template: its bytes, its variants, and what keeps it apart from the CPS3 of the same template."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bifente.ground.identifiers import luhn_sum
from bifente.simulator.cards.cps4 import files as cps4
from bifente.simulator.cards.cpx import business, elementary, pkcs15
from bifente.simulator.cards.cpx.describe import describe
from bifente.simulator.cards.cpx.description import description
from bifente.simulator.cards.cpx.directories import Directories
from bifente.simulator.cards.cpx.loading import load_templates, shipped_templates, with_overrides
from bifente.simulator.cards.cpx.personalise import ROLES, PersonalisedCard, personalise
from bifente.simulator.cards.cpx.template import FAMILIES, Directory
from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.template import TemplateError
from bifente.simulator.iso7816.image import CardImage, ElementaryFile
from bifente.simulator.pki.keystore import KeySource

CardMaker = Callable[..., PersonalisedCard]
AT = date(2026, 3, 3)
LAYOUT = Layout.load("cps4")
WRITTEN = Directories(LAYOUT, description("cps4"))
SIZES = {"signature": 2048, "authentication": 2048}
TEMPLATES = sorted(shipped_templates())
AID = "E828BD080F8025000001FF0010"
FREE = [f"CPS2TER_{name}" for name in ("ATR", "ID", "ICC", "NAME", "LANG", "PSINFO", "DIRAMO")]
SIG, AUT = b"CPS_PRIV_SIG".hex(), b"CPS_PRIV_AUT".hex()


def files(image: CardImage) -> dict[str, bytes]:
    return {
        file.name: file.content
        for root in image.volumes.values()
        for file in root.walk()
        if isinstance(file, ElementaryFile)
    }


def label(text: str) -> str:
    return f"0C{len(text):02X}{text.encode().hex()}"


# The bytes that the real Cryptolib accepted (the project's CPS4 card facts, section 6), but for the token flags: the
# facts write all four bits (03 02 04 40), these follow DER, which drops the zeros; the same client accepts both.
VECTORS: dict[str, tuple[bytes, str]] = {
    "ODF": (
        WRITTEN.object_directory(with_public_keys=True),
        "A00A300804063F0000017001 A10A300804063F0000017002 A40A300804063F0000017003"
        "A70A300804063F0000017004 A80A300804063F0000017005",
    ),
    "ODF without public keys": (
        WRITTEN.object_directory(with_public_keys=False),
        "A00A300804063F0000017001 A40A300804063F0000017003 A70A300804063F0000017004 A80A300804063F0000017005",
    ),
    "TokenInfo": (
        WRITTEN.token_info("9900000001", None),
        "301F 020100 0C034E5850 8011" + b"CPS4v1-9900000001".hex() + "03020640",
    ),
    "TokenInfo with a date": (
        WRITTEN.token_info("9900000001", datetime(2024, 1, 1, tzinfo=UTC)),
        "3030 020100 0C034E5850 8011" + b"CPS4v1-9900000001".hex() + "03020640 850F" + b"20240101000000Z".hex(),
    ),
    "AODF": (
        WRITTEN.authentication_objects(),
        f"302F 3011 {label('Code porteur')} 040102 3003040101"
        "A115 3013 03020348 0A0101 020104 020104 020104 800101"
        f"3031 3013 {label('Code de deblocage')} 3003040102"
        "A115 3013 0302004B 0A0101 020108 020108 020108 800102",
    ),
    "PrKDF": (
        WRITTEN.private_keys(SIZES),
        f"3044 3015 0C0C{SIG} 03020780 040101"
        f"301F 040E{AID}10 0303060040 0101FF 030203B8 020110 A10A 3008 30020400 02020800"
        f"3043 3015 0C0C{AUT} 03020780 040101"
        f"301E 040E{AID}20 03020560 0101FF 030203B8 020120 A10A 3008 30020400 02020800",
    ),
    "CDF": (
        WRITTEN.certificates(),
        f"303F 301D {label('Certificat de Signature CPS')} 3010040E{AID}10 A10C300A300804063F000001C010"
        f"3045 3023 {label(chr(39).join(('Certificat d', 'Authentification CPS')))} 3010040E{AID}20"
        "A10C300A300804063F000001C020",
    ),
    "PuKDF, first entry": (
        WRITTEN.public_keys(SIZES)[:57],
        f"3037 300D {label('CPS_PUB_SIG')} 3014040E{AID}10 03020102 A110300E300804063F000001E01002020800",
    ),
    "DODF": (
        WRITTEN.data_objects(["CPS_DATA", "CPS_ID_CARD", "CPS_ACTIVITY_01_PS"]),
        f"3023 300E {label('CPS_DATA')} 03020640 30050C03435053 A10A300804063F000001D107"
        f"3022 300D {label('CPS_ID_CARD')} 30050C03435053 A10A300804063F000001D100"
        f"3030 301B {label('CPS_ACTIVITY_01_PS')} 03020780 040101 30050C03435053 A10A300804063F000001D110",
    ),
    "EF.SN": (elementary.serial_number("99001234", "5"), "5A0A 8025000001 99001234 5F"),
    "EF.DIR": (
        cps4.application_directory(LAYOUT, Directory.PATH) or b"",
        f"611A 4F0D{AID} 5003435053 51043F000001",
    ),
    "EF.DIR without path": (
        cps4.application_directory(LAYOUT, Directory.WITHOUT_PATH) or b"",
        f"6114 4F0D{AID} 5003435053",
    ),
    "EF.DIR described": (
        cps4.application_directory(LAYOUT, Directory.DESCRIBED) or b"",
        f"6130 4F0D{AID} 5003435053 51043F000001 7314 300804063F0000015031 A00804063F0000015032",
    ),
    "EF.DIR of another application": (
        cps4.application_directory(LAYOUT, Directory.UNKNOWN_APPLICATION) or b"",
        "6119 4F0CA000000063504B43532D3135 5003435053 51043F000001",
    ),
    "CPS_LANG_PS": (business.LanguagePreference(language="fren").encode(), "5F2D04" + b"fren".hex()),
}


@pytest.mark.parametrize("name", VECTORS)
def test_bytes_are_those_the_real_client_accepts(name: str) -> None:
    written, expected = VECTORS[name]
    assert written.hex().upper() == expected.replace(" ", "").upper()


def test_the_sizes_of_the_facts() -> None:
    # Section 6: the laboratory card had two activities of each kind.
    names = ["CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS", *FREE]
    assert all(LAYOUT.is_free(name) for name in names)
    names += ["CPS_ACTIVITY_01_PS", "CPS_ACTIVITY_02_PS", "CPS_SIT_FACT"]
    names += ["CPS2TER_ACTIVITY_01_PS", "CPS2TER_ACTIVITY_02_PS"]
    sizes = [
        len(WRITTEN.object_directory(with_public_keys=True)),
        len(WRITTEN.token_info("9900000001", None)),
        len(WRITTEN.private_keys(SIZES)),
        len(WRITTEN.public_keys(SIZES)),
        len(WRITTEN.certificates()),
        len(WRITTEN.data_objects(names)),
        len(WRITTEN.authentication_objects()),
    ]
    assert sizes == [60, 33, 139, 114, 136, 692, 100]  # the label is longer than that of the laboratory's card


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_gives_a_cps4(make: CardMaker, name: str) -> None:
    card = make(name, family="cps4")
    content = files(card.image)
    by_path = {LAYOUT.path(file): body for file, body in content.items()}
    assert card.image.family == "cps4"
    assert len(content["EF.SN"]) == 12
    for entry in pkcs15.load(pkcs15.ObjectDirectory, content["EF.ODF"]):
        assert entry.chosen["path"].native in by_path
    listed = pkcs15.load(pkcs15.DataObject, content["EF.DODF"])
    labels = [entry["common"]["label"].native for entry in listed]
    assert set(labels) == {name for name in content if name.startswith("CPS")}  # CARD-CPS4-26
    assert sum(label.startswith("CPS2TER_ACTIVITY") for label in labels) == len(card.template.activities)
    assert {*FREE} <= set(labels)  # CL-T3-CPS2TER-FREE
    assert "CPS_DATA" not in content  # CL-SRC-09
    digits = content["EF.SN"][2:].hex().rstrip("f")
    assert luhn_sum(digits) == 0
    for entry in listed:
        body = by_path[entry["type_attributes"]["path"].native]
        if (known := card.objects.get(entry["common"]["label"].native)) is not None:
            assert business.decode(entry["common"]["label"].native, body) == known
    assert make_card(card.image).transmit(bytes.fromhex("01A4040C088025000001FF0100")) == b"\x90\x00"
    assert ("Type", f"{card.template.card.type} (CPS4), TEST") in describe(card)
    assert card.token_label == card.facts()["token_label"] == f"CPS4v1-{card.template.card.number}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_two_cards_of_a_template_share_holder_but_nothing_clients_know_a_card_by(
    make: CardMaker, name: str
) -> None:
    # CARD-CPS4-33
    old, new = make(name), make(name, family="cps4")
    assert files(old.image)["EF.SN"] != files(new.image)["EF.SN"]
    assert old.serial != new.serial
    assert new.facts()["serial"] == new.serial == files(new.image)["EF.SN"][7:11].hex()
    assert ("Serial number", new.serial) in describe(new)
    assert old.facts()["national_id"] == new.facts()["national_id"]


def test_the_two_cards_of_a_template_have_keys_of_their_own(shared_keys: KeySource) -> None:
    class Asked:
        """A source that remembers what it was asked for."""

        def __init__(self) -> None:
            self.names: list[str] = []

        def key(self, name: str, size: int = 2048) -> RSAPrivateKey:
            self.names.append(name)
            return shared_keys.key(name, size)

    asked = {family: Asked() for family in FAMILIES}
    for family, source in asked.items():
        personalise(shipped_templates()["cpa"], source, at=AT, overrides={"family": family})
    own = [{name for name in source.names if name.startswith("card/")} for source in asked.values()]
    assert [len(names) for names in own] == [len(ROLES) + 1, len(ROLES)]  # the CPS3 has a key of its own
    assert not set.intersection(*own)


def test_no_two_cards_of_the_shipped_templates_share_a_serial_number(make: CardMaker) -> None:
    serials = [files(make(name, family=family).image)["EF.SN"] for name in TEMPLATES for family in FAMILIES]
    assert len(set(serials)) == len(TEMPLATES) * len(FAMILIES)
    assert serials == [files(make(name, family=family).image)["EF.SN"] for name in TEMPLATES for family in FAMILIES]


@given(st.from_regex(r"[0-9]{8}", fullmatch=True), st.from_regex(r"[0-9]{8}", fullmatch=True))
def test_serial_numbers_of_a_family_stay_apart_and_leave_those_of_the_other(one: str, two: str) -> None:
    rules = [description(family).serial for family in FAMILIES]
    assert len({rule.number(one) for rule in rules}) == len(FAMILIES)
    for rule in rules:
        assert (rule.number(one) == rule.number(two)) == (one == two)
        assert rule.number(one)[:2] == one[:2]
        assert len(elementary.serial_number(rule.number(one), rule.key(rule.number(one)))) == 12


def test_templates_that_would_share_a_serial_number_in_some_family_are_refused(tmp_path: Any) -> None:
    text = (shipped_templates()["cpa"].model_dump_json(exclude_unset=True)).replace('"cpa"', '"other"')
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(text.replace('"other"', '"another"').replace("99000008", "99400008"))
    with pytest.raises(TemplateError, match=r"card.serial: 99400008 is already used by .*a.yaml"):
        load_templates([tmp_path])


@pytest.mark.parametrize("form", list(Directory))
def test_the_variants_of_ef_dir(make: CardMaker, form: Directory) -> None:
    # CARD-CPS4-08
    card = make(family="cps4", options={"directory": form})
    content = files(card.image)
    assert content.get("EF.DIR") == cps4.application_directory(card.layout, form)
    lost = form in (Directory.ABSENT, Directory.UNKNOWN_APPLICATION)
    home = "3F005015" if lost else "3F000001"
    assert card.layout.path("CPS_DATA") == bytes.fromhex(home + "D107")
    (private, *_) = pkcs15.load(pkcs15.ObjectDirectory, content["EF.ODF"])
    assert private.chosen["path"].native == bytes.fromhex(home + "7001")


def test_the_folder_may_be_anywhere(make: CardMaker) -> None:
    card = make(family="cps4", options={"directory": "absent", "folder": "0001"})
    assert "EF.DIR" not in files(card.image)
    assert card.layout.path("EF.ODF") == bytes.fromhex("3F0000015031")


def test_options(make: CardMaker) -> None:
    plain = files(make(family="cps4").image)
    assert not {"EF.PuKDF", "EF.PUK.SIG", "EF.ATR", "EF_ACTUA"} & set(plain)  # CARD-CPS4-27
    other = make(
        family="cps4",
        options={"include_pukdf": True, "pin_consumed_by_signature": True, "atr": "t1", "dated": True},
    )
    content = files(other.image)
    assert asn1_keys.RSAPublicKey.load(content["EF.PUK.AUT"], strict=True)["public_exponent"].native == 65537
    assert len(content["EF.PUK.SIG"]) == 270
    assert len(content["EF.PuKDF"]) == 114
    assert other.image.atr.hex().upper() == "3B9B188001001225006480040100009044"
    assert content["CPS2TER_ATR"] == other.image.atr
    (info,) = pkcs15.load(pkcs15.StandardTokenInfo, content["EF.TokenInfo"])
    assert info["last_update"].native == datetime(2025, 1, 1, 12, tzinfo=UTC)
    assert {key.name: key.consent for key in other.image.keys} == {"signature": True, "authentication": False}


def test_what_is_a_guess_can_be_another(make: CardMaker) -> None:
    card = make(
        family="cps4",
        options={"cps_data": "modifiable"},
        layout={
            "secrets": {"pin": {"reference": 0x81, "tries": 5}, "puk": {"reference": 0x82}},
            "channels": {0: {"application": "chipdoc"}},
            "volumes": {"chipdoc": [{"name": "CPS_DATA", "size": 100}, {"name": "EF.CDF", "size": 200}]},
        },
    )
    content = files(card.image)
    (pin, puk) = pkcs15.load(pkcs15.AuthenticationObject, content["EF.AODF"])
    assert (pin["type_attributes"]["reference"].native, puk["type_attributes"]["reference"].native) == (0x81, 0x82)
    assert b"\x80\x02\x00\x81" in content["EF.AODF"]
    assert card.image.secrets[0].max_tries == 5
    assert card.image.channels == {0: "chipdoc", 1: None}
    assert (len(content["CPS_DATA"]), len(content["EF.CDF"])) == (100, 200)
    assert business.decode("CPS_DATA", content["CPS_DATA"]) == card.objects["CPS_DATA"]
    assert card.layout.secrets["pin"].fidelity == "modelled"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"family": "cps9"}, "family: must be 'cps3' or 'cps4'"),
    ({"options": {"interface": "contactless"}}, "options.interface: a CPS4 has no such option; it takes include_pukdf"),
    ({"options": {"atr": "t0"}}, "options.atr: a CPS4 has no ATR named t0; known: t1, t1-release-candidate"),
    ({"options": {"directory": "none"}}, "options.directory: must be 'path'"),
    ({"options": {"folder": "501"}}, "options.folder: '501' does not have the form"),
    ({"options": {"folder": "D003"}}, "layout: two files of chipdoc have one path"),
    ({"lifecycle": "updated"}, "lifecycle: a CPS4 is never updated; it may be never-updated, pin-blocked"),
    ({"lifecycle": "empty-update"}, "lifecycle: a CPS4 is never empty-update"),
    ({"certificates": {"key_size": 1024}}, "certificates.key_size: a CPS4 has keys of 2048 bits"),
    ({"codes": {"pin": "12345"}}, "codes.pin: 5 digits given, a CPS4 takes 4"),
    ({"layout": {"secrets": {"pin": {"reference": 2}}}}, "layout: two secrets have one reference"),
    ({"layout": {"secrets": {"pin": {"triez": 2}}}}, "layout.secrets.pin.triez: Extra inputs"),
    ({"layout": {"sekrets": {}}}, "layout.sekrets: Extra inputs"),
    ({"layout": {"volumes": "none"}}, "layout.volumes: Input should be"),
    ({"layout": []}, "layout: must be a valid dictionary"),
    ({"family": "cps3", "options": {"atr": "t1"}}, "options.atr: a CPS3 has no ATR named t1; known: older"),
    ({"family": "cps3", "options": {"directory": "absent"}}, "options.directory: a CPS3 has no such option"),
    ({"family": "cps3", "options": {"dated": True}}, "options.dated: a CPS3 has no such option"),
]


@pytest.mark.parametrize(("overrides", "words"), WRONG)
def test_what_a_family_does_not_have_is_refused_in_words(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(TemplateError) as caught:
        with_overrides(shipped_templates()["medecin-generaliste"], {"family": "cps4", **overrides})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("state", "pin", "puk"),
    [("never-updated", None, None), ("pin-blocked", 0, None), ("puk-exhausted", 0, 0), ("revoked", None, None)],
)
def test_life(make: CardMaker, state: str, pin: int | None, puk: int | None) -> None:
    card = make(family="cps4", lifecycle=state)
    assert {secret.name: secret.tries_left for secret in card.image.secrets} == {"pin": pin, "puk": puk}
    assert bool(card.revocations) == (state == "revoked")


def test_life_expired(make: CardMaker) -> None:
    assert make(family="cps4", lifecycle="expired").calendar.card.end == date(2025, 12, 31)


@pytest.mark.parametrize(
    "data", ["5F2D", "5F2D00", "5F2D0566", "5F2D0266", "5F2D01 66", "5F2D0246520066", "5F2D02FFFF"]
)
def test_malformed_language_preferences(data: str) -> None:
    with pytest.raises(business.BusinessError):
        business.decode("CPS_LANG_PS", bytes.fromhex(data))


def test_both_forms_of_the_language_are_read() -> None:
    for item in (business.Languages(language="fr"), business.LanguagePreference(language="fren")):
        assert business.decode("CPS_LANG_PS", item.encode() + bytes(3)) == item
        assert item.rows("en") == [("Language", item.language)]
