"""Vitale templates: what they refuse, what the cards they make say, and that neither could be a person's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from bifente.ground.identifiers import NIR
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.families import family_of
from bifente.simulator.cards.template import TemplateError
from bifente.simulator.cards.vitale.describe import describe
from bifente.simulator.cards.vitale.loading import load_vitale, parse_vitale, shipped_vitale
from bifente.simulator.cards.vitale.opposition import OppositionError, OppositionList, opposition
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale, personalise_vitale
from bifente.simulator.cards.vitale.spans import TemplatePeriod
from bifente.simulator.cards.vitale1.memory import MemoryImage
from bifente.simulator.cards.vitale2 import contents as card_contents
from bifente.simulator.iso7816.image import CardImage, DedicatedFile, ElementaryFile
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.zones import Group, check_order, decode, encode, named

AT = date(2026, 3, 3)
NAMES = {
    "accident-du-travail",
    "ald",
    "alsace-moselle",
    "amc-dre",
    "assure-seul",
    "c2s",
    "c2s-amc",
    "carte-expiree",
    "carte-opposee",
    "ccip",
    "copiee",
    "crpcen",
    "date-lunaire",
    "dix-neuf-beneficiaires",
    "droits-fermes",
    "etrangere",
    "famille-trois",
    "jumeaux",
    "marquee-reelle",
    "msa",
    "msa-ald",
    "mutuelle",
    "nir-corse",
    "regime-999",
    "sncf",
    "sortant-c2s",
    "vitale-1",
}

FAMILY: dict[str, Any] = {
    "id": "family",
    "title": {"fr": "Famille", "en": "Family"},
    "fidelity": {"mark": "modelled", "note": {"fr": "essai", "en": "trial"}},
    "family": "vitale2",
    "card": {"serial": "999009999"},
    "insured": {"nir": "1801975349002", "regime": "01"},
    "beneficiaries": [
        {
            "name": "TESTFAMILLE",
            "first_name": "PAUL",
            "born": "19800312",
            "quality": "0",
            "rights": [{"start": -1, "end": 1}],
            "coverage": [{"period": {"start": -1, "end": 1}, "situation": "0100"}],
        },
        {"name": "TESTFAMILLE", "first_name": "LUC", "born": "20110923", "quality": "6"},
    ],
}

Maker = Callable[..., PersonalisedVitale]


@pytest.fixture(scope="session")
def vitale(shared_keys: KeySource, pki: Pki) -> Maker:
    def make(template: str = "famille-trois", at: date = AT, **overrides: Any) -> PersonalisedVitale:
        return personalise_vitale(shipped_vitale()[template], shared_keys, at=at, overrides=overrides or None, pki=pki)

    return make


def changed(path: str, value: object) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(FAMILY)
    *folders, last = (int(part) if part.isdigit() else part for part in path.split("."))
    item: Any = data
    for folder in folders:
        item = item.setdefault(folder, {}) if isinstance(item, dict) else item[folder]
    item[last] = value
    return data


def complaint(data: object) -> str:
    with pytest.raises(TemplateError) as caught:
        parse_vitale(data, "here.yaml")
    return str(caught.value)


# -- what a template may not say ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("insured.nir", "1800175349002", "could be a real one"),
        ("insured.nir", "180197534900", "must be 15 characters"),
        ("insured.nir", "18019753490023", "must be 15 characters"),
        ("insured.nir", "18019X5349002", "must be 15 characters"),
        ("insured.caisse", "751", "could be real"),
        ("insured.centre", "0101", "could be real"),
        ("insured.caisse", "34", "caisse"),
        ("insured.regime", "1", "regime"),
        ("card.serial", "123456789", "card.serial"),
        ("card.serial", "99900999", "has 8 digits"),
        ("card.serial", 999009999, "put it in quotes"),
        ("card.mark", "X", "card.mark"),
        ("card.atr", "42", "known: 43, 44"),
        ("card.state", "lost", "card.state"),
        ("beneficiaries", [], "beneficiaries"),
        ("beneficiaries.0.name", "DUPONT", "put TEST or SPECIMEN"),
        ("beneficiaries.1.birth_name", "DURAND", "put TEST or SPECIMEN"),
        ("beneficiaries.0.name", "Testé", "must be upper-case ASCII"),
        ("beneficiaries.0.quality", "6", "the insured (quality 0) is the first"),
        ("beneficiaries.1.quality", "0", "the insured (quality 0) is the first"),
        ("beneficiaries.1.quality", "Z", "no known code"),
        ("beneficiaries.0.born", "19810312", "says year 80"),
        ("beneficiaries.0.born", "19800230", "is no day"),
        ("beneficiaries.0.born", "1980031", "form"),
        ("beneficiaries.0.nir", "1801975349003", "the insured has the NIR of the card"),
        ("beneficiaries.1.rank", 0, "greater than or equal to 1"),
        ("beneficiaries.1.rank", 10, "less than or equal to 9"),
        ("beneficiaries.0.rights", [{"start": 1, "end": -1}], "ends before it starts"),
        ("beneficiaries.0.rights", [{"start": "2020-01-02", "end": "2020-01-01"}], "ends before it starts"),
        ("beneficiaries.0.rights", [{"start": -1, "end": "2030-01-01"}], "not one of each"),
        ("beneficiaries.0.rights", [{"start": 0}] * 4, "at most 3"),
        ("beneficiaries.0.coverage", [{"period": {"start": 0}, "situation": "0200"}], "does not begin with the régime"),
        ("beneficiaries.0.coverage", [{"period": {"start": 0}, "situation": "01"}], "situation"),
        ("beneficiaries.0.coverage", [{"period": {"start": 0}, "ald": "7", "situation": "0100"}], "no known code"),
        ("beneficiaries.0.amc", {"b2_number": "99999349", "indicator": "99", "valid": {"start": 0}}, "no known code"),
        ("beneficiaries.0.mutuelle", {"id": "1", "guarantees": "YES", "indicator": "00"}, "guarantees"),
        ("beneficiaries.0.disease", "none", "unknown key"),
        ("beneficiaries.0.blood_group", "O", "unknown key"),
        ("service", {"code": "04", "period": {"start": 0}}, "no known code"),
        ("opened_by", [], "opened_by"),
        ("opened_by", ["ANYBODY"], "opened_by"),
        ("family", "vitale3", "family"),
    ],
)
def test_mistakes_are_told_at_their_place(path: str, value: object, words: str) -> None:
    told = complaint(changed(path, value))
    assert words in told
    assert told.startswith("here.yaml: ")
    assert path.split(".")[0] in told


def test_twins_without_a_rank_of_their_own_are_told() -> None:
    data = copy.deepcopy(FAMILY)
    data["beneficiaries"].append(data["beneficiaries"][1])
    assert "beneficiaries.2.rank: the same NIR, birth date and rank as beneficiaries.1" in complaint(data)
    data["beneficiaries"][2] = {**data["beneficiaries"][1], "rank": 2}
    assert len(parse_vitale(data, "here.yaml").beneficiaries) == 3


def test_twenty_people_are_one_too_many() -> None:
    child = FAMILY["beneficiaries"][1]
    many = [FAMILY["beneficiaries"][0], *({**child, "born": f"2011{month:02d}01"} for month in range(13, 32))]
    assert "at most 19" in complaint({**FAMILY, "beneficiaries": many})


def test_an_expired_card_takes_its_dates_from_the_clock() -> None:
    data = changed("card.state", "expired")
    data["card"]["valid"] = {"start": -3, "end": -1}
    assert "card.valid" in complaint(data)


def test_two_files_with_one_serial_are_told(tmp_path: Path) -> None:
    folder = Path(str(Path(__file__).parents[3] / "simulator/cards/vitale/templates"))
    text = (folder / "assure-seul.yaml").read_text(encoding="utf-8")
    copied = tmp_path / "copy.yaml"
    copied.write_text(text.replace("id: assure-seul", "id: copy"), encoding="utf-8")
    with pytest.raises(TemplateError, match=r"card\.serial: 999000001 is already used by .*assure-seul"):
        load_vitale([folder / "assure-seul.yaml", copied])


# -- the cards of the laboratory ---------------------------------------------------------------------------------------


def test_the_cards_that_come_with_the_bench() -> None:
    assert set(shipped_vitale()) == NAMES
    assert not NAMES & set(shipped_templates())


def test_no_card_of_any_kind_shares_a_serial() -> None:
    professionals = [template.card.serial for template in shipped_templates().values()]
    vitale = [template.card.serial for template in shipped_vitale().values()]
    assert len({*professionals, *vitale}) == len(professionals) + len(vitale)
    assert family_of({"family": "vitale1"}).name == "vitale1"
    assert family_of({"family": "vitale3"}, "vitale2").name == "vitale2"
    assert family_of({"family": "cps4"}, "vitale2").name == "cps4"
    assert family_of({}).name == family_of([]).name == family_of({"family": ["vitale1"]}).name == "cps3"


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize("at", [date(2020, 2, 29), AT, date(2040, 12, 31)])
def test_every_card_says_test_whatever_the_day(vitale: Maker, name: str, at: date) -> None:
    card = vitale(name, at)
    check_order(card.groups)
    fields = [(group.id, named(group)) for group in card.groups]
    head = fields[0][1]
    assert head["card-type"] == ("R" if name == "marquee-reelle" else "T")
    assert (head["caisse"], head["centre"]) in {("349", "0349"), ("999", "0999")}
    assert len(head["serial-number"]) == (8 if name == "vitale-1" else 9)
    for number, values in fields:
        if number == 104:
            assert "TEST" in values["usual-name"] or "SPECIMEN" in values["usual-name"]
            nir = values["certified-nir"]
            assert NIR.check(nir + values["certified-nir-key"]) if nir else values["certified-nir-key"] == "00"
    NIR.check(head["nir"] + head["nir-key"])


@pytest.mark.parametrize("name", sorted(NAMES))
def test_rights_and_validity_do_not_rot(vitale: Maker, name: str) -> None:
    for at in (date(2021, 1, 1), date(2026, 12, 31), date(2044, 7, 1)):
        card = vitale(name, at)
        assert all(card.facts()["rights"]) is (name != "droits-fermes")
        assert card.valid.holds(at) is (name != "carte-expiree")


def files(card: PersonalisedVitale) -> dict[str, bytes]:
    assert isinstance(card.image, CardImage)

    def under(folder: DedicatedFile) -> dict[str, bytes]:
        return {file.name: file.content for file in folder.walk() if isinstance(file, ElementaryFile)}

    return under(card.image.volumes["vitale"])


@pytest.mark.parametrize("name", sorted(NAMES - {"vitale-1"}))
def test_the_files_hold_the_groups_and_the_coverage_apart(vitale: Maker, name: str) -> None:
    card = vitale(name)
    found = files(card)
    assert card_contents.read_rights(found["EF.RIGHTS"], found["EF.COVERAGE"]) == card.groups
    free = decode(found["EF.RIGHTS"])
    assert 106 not in {group.id for group in free}
    assert free == tuple(group for group in card.groups if group.id != 106)
    holders = card_contents.read_holders(found["EF.HOLDERS"])
    assert len(holders) == len(card_contents.read_numbers(found["EF.NIR"])) == len(card.template.beneficiaries)
    assert found["EF.C.ICC"] == card.certificates["authentication"].public_bytes(Encoding.DER)


def test_each_holder_has_the_own_number_or_that_of_the_insured(vitale: Maker) -> None:
    numbers = card_contents.read_numbers(files(vitale("famille-trois"))["EF.NIR"])
    assert numbers == ("180197534900236", "282197534900381", "180197534900236")
    assert [person["number"] for person in vitale("famille-trois").facts()["beneficiaries"]] == list(numbers)


def test_the_same_template_and_year_give_the_same_card(vitale: Maker) -> None:
    assert files(vitale(at=date(2026, 1, 1))) == files(vitale(at=date(2026, 12, 31)))
    assert files(vitale(at=date(2027, 1, 1))) != files(vitale(at=date(2026, 12, 31)))


def test_the_old_generation_has_a_memory_and_no_certificate(vitale: Maker) -> None:
    card = vitale("vitale-1")
    assert isinstance(card.image, MemoryImage)
    assert card.certificates == {}


def test_overrides_are_checked_as_the_template_is(vitale: Maker) -> None:
    assert vitale(card={"atr": "4C"}).image.atr.hex() == "3b751300004c09ea9000"
    with pytest.raises(TemplateError, match="could be a real one"):
        vitale(insured={"nir": "1800175349002"})


def test_the_certificate_of_a_card_says_laboratory_and_is_its_authority_s(vitale: Maker) -> None:
    card = vitale()
    own = card.certificates["authentication"]
    own.verify_directly_issued_by(card.authority.certificate)
    assert own.serial_number == int(card.serial)
    for name in (own.subject, own.issuer):
        assert "LABORATOIRE" in name.rfc4514_string()
        assert "ASIP" not in name.rfc4514_string()
    with pytest.raises(x509.ExtensionNotFound):
        own.extensions.get_extension_for_class(x509.CertificatePolicies)


# -- what a desk sees --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("famille-trois", ["TESTFAMILLE (TESTNAISSANCE) ANNE", "Enfant", "ouverts"]),
        ("droits-fermes", ["fermés (2024-12-31)"]),
        ("c2s", ["C2S gérée par l'AMO"]),
        ("ald", ["ALD, exonéré"]),
        ("amc-dre", ["rectification possible"]),
        ("jumeaux", ["08/08/2015, rang 2"]),
        ("date-lunaire", ["14/19/1954"]),
        ("carte-opposee", ["en opposition"]),
        ("carte-expiree", ["expirée"]),
        ("marquee-reelle", ["marquée réelle"]),
        ("accident-du-travail", ["013490349"]),
    ],
)
def test_a_card_in_words(vitale: Maker, name: str, words: list[str]) -> None:
    text = "\n".join(f"{label} {value}" for label, value in describe(vitale(name), "fr"))
    for word in words:
        assert word in text
    assert {*describe(vitale(name), "en")} != {*describe(vitale(name), "fr")}


def test_an_exoneration_that_is_over_is_not_shown(vitale: Maker) -> None:
    later = dict(describe(vitale("ald"), "en"))
    assert later["  Exoneration"] == "ALD, exonerated (0100)"
    ended = vitale(
        "assure-seul",
        beneficiaries=[
            {
                **FAMILY["beneficiaries"][0],
                "born": "19700119",
                "coverage": [{"period": {"start": -3, "end": -1}, "ald": "1", "situation": "0100"}],
            }
        ],
    )
    assert "  Exoneration" not in dict(describe(ended, "en"))


# -- the list of opposed cards -----------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_the_list_holds_the_opposed_cards_only(vitale: Maker) -> None:
    cards = [vitale(name) for name in sorted(NAMES)]
    authority = cards[0].authority
    found = OppositionList.parse(opposition(authority, cards, NOW), authority.certificate)
    assert [card.template.id for card in cards if found.holds(card.serial)] == ["carte-opposee"]
    assert found.published == NOW < found.renewed


def test_a_card_is_not_listed_before_it_was_opposed(vitale: Maker) -> None:
    card = vitale("carte-opposee")
    early = datetime(2024, 1, 15, tzinfo=UTC)
    assert not OppositionList.parse(opposition(card.authority, [card], early), card.authority.certificate).holds(
        card.serial
    )


def test_a_list_that_the_authority_did_not_sign_is_refused(vitale: Maker, pki: Pki) -> None:
    card = vitale("carte-opposee")
    good = opposition(card.authority, [card], NOW)
    for data, authority in (
        (good[:-1] + bytes((good[-1] ^ 1,)), card.authority.certificate),
        (good[:-1], card.authority.certificate),
        (b"", card.authority.certificate),
        (good, pki.authority(CertificateLevel.FORT, Branch.PERSONNES).certificate),
    ):
        with pytest.raises(OppositionError):
            OppositionList.parse(data, authority)


# -- periods and contents ----------------------------------------------------------------------------------------------


@given(st.integers(-25, 25), st.integers(0, 25), st.dates(date(2000, 1, 1), date(2060, 12, 31)))
def test_a_span_of_years_holds_the_days_of_its_years(start: int, more: int, day: date) -> None:
    end = min(25, start + more)
    period = TemplatePeriod(start=start, end=end).at(day)
    assert period.holds(day) is (start <= 0 <= end)
    assert (period.start.month, period.start.day) == (1, 1)


def test_a_span_without_end_goes_on() -> None:
    period = TemplatePeriod(start=date(2020, 5, 1)).at(AT)
    assert period.end is None
    assert period.holds(date(2099, 1, 1))
    assert not period.holds(date(2020, 4, 30))


COVERAGE = Group(106, (b"", b"", b"0", b"0100"))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7)), min_size=1, max_size=19))
def test_the_coverage_comes_back_to_its_beneficiary(people: list[tuple[int, int]]) -> None:
    person, right = Group(104, (b"",) * 18), Group(105, (b"", b""))
    groups = tuple(group for rights, covered in people for group in (person, *[right] * rights, *[COVERAGE] * covered))
    assert card_contents.read_rights(card_contents.rights(groups), card_contents.coverage(groups)) == groups


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_files_are_groups_or_one_error(free: bytes, protected: bytes) -> None:
    for reading in (
        lambda: card_contents.read_rights(free, protected),
        lambda: card_contents.read_rights(encode([]), protected),
        lambda: card_contents.read_holders(free),
        lambda: card_contents.read_numbers(free),
    ):
        try:
            reading()
        except card_contents.ContentError:
            continue


@pytest.mark.parametrize(
    "protected",
    ["7103800101", "71028101", "700380010181", "71058001018100" * 2, "7106800200018100", "71058001058100"],
)
def test_a_coverage_that_is_nobody_s_is_told(protected: str) -> None:
    free = card_contents.rights([Group(104, (b"",) * 18)])
    if protected == "71058001058100":
        # An empty zone of a fifth beneficiary, on a card with one.
        with pytest.raises(card_contents.ContentError, match="beneficiary 5"):
            card_contents.read_rights(free, bytes.fromhex(protected))
        return
    with pytest.raises(card_contents.ContentError):
        card_contents.read_rights(free, bytes.fromhex(protected))


def test_pointers_name_the_files_as_public_clients_read_them() -> None:
    raw = card_contents.pointers([(b"\xaa\xbb", [("DIR", 0x2F00)]), (b"\xcc", [("A-LONG-NAME", 0x2001)])])
    assert raw.hex().upper() == (
        "E02D"
        + "A00F"
        + "8206"
        + "00010000AABB"
        + "8205"
        + "00020000CC"
        + "800C"
        + "4449522020202020"
        + "0001"
        + "2F00"
        "800C" + "412D4C4F4E472D4E" + "0002" + "2001"
    )
