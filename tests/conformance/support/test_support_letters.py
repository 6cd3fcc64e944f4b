"""The letters that a desk sends: whole, plain, no wider than a terminal; and the commands that write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conformance_cli import Cli
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from bifente.conformance.domains.support.letter import (
    LetterSection,
    SupportLetter,
    TriedJourney,
    letter_html,
    letter_text,
)
from bifente.conformance.domains.support.said import could_say, says
from bifente.ground.text import Text

pytestmark = pytest.mark.long

JARGON = ("PKCS#11", "CKR_", "APDU", "0x", "token", "slot", "traceback", "LIBRARY_")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_the_letter_of_the_error_says_what_why_and_what_to_do(cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "letter.html"
    told = cli("reproduce", "bonjour,", "j'ai l'erreur 777 depuis hier", "--html", str(page)).ok()
    for heading in ("CE QUE VOUS VOYEZ", "POURQUOI", "CE QU'IL FAUT FAIRE", "COMMENT LE CONFIRMER", "SÛRS"):
        assert heading in told
    for words in ("« erreur 777 »", "ATSAM 4.41", "5.1.8 → 5.1.5", "Mojave", "Le serveur du DMP n'est pas en cause"):
        assert words in " ".join(told.split()), words
    assert "hypothèse à confirmer" in " ".join(told.split())
    assert "(1) échoue : « erreur 777 », (2) marche" in told
    assert max(map(len, told.splitlines())) <= 80
    assert not [word for word in JARGON if word in told]
    shown = html.fromstring(page.read_text("utf-8"))
    assert len(shown.findall(".//tr")) == 9
    assert "erreur 777" in shown.findtext(".//h1", "")


def test_the_same_in_english_and_for_scripts(cli: Cli) -> None:
    assert "WHAT TO DO" in cli("reproduce", "code", "bloqué", "--lang", "en").ok()
    found = json.loads(cli("reproduce", "777", "--json").ok())
    assert found["server-excluded"]
    assert found["cures"]
    assert found["changes"]["cryptolib"] == ["5.1.8", "5.1.5"]
    assert [one["id"] for one in found["causes"]] == ["cryptolib-macos-64-bits-only"]
    assert found["before"]["association"] == "erreur 777"
    assert not any(found["after"].values())


def test_a_fault_of_the_catalogue_is_reproduced_by_the_customer_s_words(cli: Cli) -> None:
    found = json.loads(cli("reproduce", "carte", "muette", "--json").ok())
    assert found["fault"] == "card-mute"
    assert found["played"]
    assert found["before"]["lecture-cps"]
    assert not any(found["after"].values())


def test_a_fault_of_another_room_is_played_by_its_scenario(cli: Cli) -> None:
    found = json.loads(cli("reproduce", "Pro Santé Connect ne répond plus", "--json").ok())
    assert not found["played"]
    assert found["scenario"].startswith("authentication.psc")


@pytest.mark.parametrize(
    ("code", "cause", "played"),
    [("PORT_CONFLICT", "port-conflict", "ameli-pro"), ("0xc0e90002", "mica-blocked", "lecture-cps")],
)
def test_a_finding_code_of_the_field_is_reproduced(cli: Cli, code: str, cause: str, played: str) -> None:
    found = json.loads(cli("reproduce", code, "--json").ok())
    assert [one["id"] for one in found["causes"]] == [cause]
    assert found["before"][played]
    assert not found["after"][played]
    assert not found["server-excluded"]


def test_words_that_fit_nothing_are_refused(cli: Cli) -> None:
    cli("reproduce", "zzzz").fails(2, "nothing fits")
    cli("reproduce", "--nonsense", "777").fails(2, "no option")
    assert cli("reproduce").code == 2


def test_the_search_points_to_the_reproduction(cli: Cli) -> None:
    assert "bifente reproduce erreur 777" in cli("faults", "list", "erreur 777").ok()
    assert "bifente reproduce" not in cli("faults", "list", "carte", "muette").ok()
    assert "bifente reproduce 777" in cli("faults", "show", "association-777").ok()


SOUND = "poste: cabinet\nsystem: {os: windows, os-version: 11}\n"


def test_a_sound_workstation_is_told_with_care(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "poste.yaml"
    file.write_text(SOUND)
    told = " ".join(cli("diagnose", str(file)).ok().split())
    assert "aucune panne vue dans ce qui a été regardé" in told
    assert "Ce n'est pas la preuve que tout va bien" in told


def test_a_fault_is_exit_one_and_a_server_s_fault_says_hands_off(cli: Cli) -> None:
    file = Path(__file__).parents[3] / "vendor_profiles" / "workstations" / "decembre-2019.yaml"
    said = cli("diagnose", str(file))
    assert said.code == 1
    told = " ".join(said.out.split())
    assert "côté serveur : ne touchez pas au poste" in told
    assert "N'installez, ne désinstallez et ne mettez rien à jour" in told
    assert "Ce qui n'a pas pu être regardé".upper() in told
    assert "microprogramme du lecteur non relevés" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("system: {}\n", "'poste' is missing"),
        ("poste: x\nsystems: {}\n", "did you mean 'system'"),
        ("poste: x\nsystem: {oss: windows}\n", "did you mean 'os'"),
        ("poste: x\nsystem: {os: beos}\n", "none of macos"),
        ("poste: x\ncomponents: {cryptolib: five}\n", "no version"),
        ("poste: x\ncomponents: {cryptolib: [1]}\n", "one word"),
        ("poste: x\ncomponents: 3\n", "mapping"),
        ("poste: x\ncomponents: {cryptolib: 5.1.8}\nunseen: {cryptolib: why}\n", "unseen as well"),
        ("poste: x\nunseen: {nonsense: why}\n", "no fact"),
        ("poste: x\nfiles: {win.ini: a}\n", "unknown file"),
        ("poste: x\nfiles: {galss.ini: nowhere.ini}\n", "no such file"),
        ("poste: x\nfiles: {galss.ini: .}\n", "cannot be read"),
        ("poste: x\ntold: {dance: works}\n", "no journey"),
        ("poste: x\ntold: {fse: }\n", "words that are read"),
        ("poste: x\nsoftware: {software: software/none}\n", "no known software profile"),
        ("poste: [\n", "not valid YAML"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(cli: Cli, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "poste.yaml"
    file.write_text(text)
    cli("diagnose", str(file)).fails(2, words)


def test_a_file_that_is_none_is_refused(cli: Cli, tmp_path: Path) -> None:
    cli("diagnose", str(tmp_path / "none.yaml")).fails(2, "no such file")


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ("777", True),
        ("erreur 777", True),
        ("l'ERREUR 777 revient", True),
        ("erreur 77", False),
        ("erreur 7770", False),
        ("erreur", False),
        ("bonjour", False),
        ("", False),
    ],
)
def test_a_sentence_repeats_a_message_or_does_not(said: str, fits: bool) -> None:
    assert says(Text("erreur 777", "error 777"), said) is fits


def test_a_message_with_a_code_may_be_told_without_it_and_a_code_without_it() -> None:
    shown = Text("Erreur SSV {code}", "SSV error {code}")
    assert could_say(shown, "F680", code_alone=True)
    assert not could_say(shown, "F680")
    assert not could_say(shown, "bonjour F680", code_alone=True)
    assert could_say(shown, "j'ai une erreur ssv F002")
    assert could_say(shown, "j'ai une erreur ssv")
    assert not could_say(shown, "j'ai une erreur")
    assert not could_say(Text("erreur {code}", "error {code}"), "j'ai une erreur")


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=50)
def test_any_words_can_be_held_against_any(one: str, other: str) -> None:
    assert says(Text.same(one), other) in (True, False)


@given(st.text(alphabet="<>&\"'{}% aé\u00a0\n", max_size=80))
@settings(max_examples=40)
def test_words_of_others_stay_words(text: str) -> None:
    said = Text.same(text)
    row = TriedJourney(said, (said,), (False,))
    letter = SupportLetter(said, (LetterSection(said, (said,), listed=True),), (said,), (row,), (said,))
    page = html.fromstring(letter_html(letter, "fr"))
    assert not page.findall(".//script")
    assert page.find(".//h1").text_content() == text or not text.strip()
    assert letter_text(letter, "fr")
