"""``bifente faults``: the list, the search by words, one fault in full, and the table of the documentation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conformance_cli import Cli

from bifente.ground.shipped import shipped
from bifente.simulator.faults import catalogue, everyday_causes
from bifente.simulator.faults.client_codes import client_codes, function_leads

FUNCTIONS = shipped("bifente.simulator.faults", "client_codes.yaml")["functions"]
DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_every_fault_is_listed(cli: Cli) -> None:
    told = cli("faults", "list", "--lang", "en").ok()
    assert [line.split()[0] for line in told.splitlines()] == list(catalogue())
    assert cli("faults", "--lang", "en").ok() == told


def test_the_words_of_a_customer_give_the_likeliest_first(cli: Cli) -> None:
    told = cli("faults", "list", "carte", "bloquée", "--lang", "fr").ok().splitlines()
    assert told[0].startswith("code-blocked")
    assert "SW 6983 SSV F002" in told[0]
    assert len(told) <= 9
    assert told[-1].startswith("-- ")
    assert "bifente faults show code-blocked" in told[-1]


def test_a_code_counts_for_more_than_any_word(cli: Cli) -> None:
    told = cli("faults", "list", "GALSS", "erreur", "61441", "--lang", "fr").ok().splitlines()
    assert told
    assert all("SSV F001" in line for line in told[:3])


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("CKR_PIN_LOCKED", "code-blocked"),
        ("CKR_TOKEN_NOT_PRESENT", "card-absent"),
        ("SCARD_E_SHARING_VIOLATION", "exclusivity-held"),
        ("SCARD_W_RESET_CARD", "reset-by-another-application"),
        ("SCardTransmit: 0x80100016", "card-mute"),
        ("0x80100068", "reset-by-another-application"),
        ("80100068", "reset-by-another-application"),
        ("-2146434968", "reset-by-another-application"),
        ("2148532328", "reset-by-another-application"),
        ("0x8010000B", "exclusivity-held"),
        ("0xA4", "code-blocked"),
        ("63C2", "code-wrong"),
        ("6983", "code-blocked"),
        ("F 101", "reader-lost"),
        ("tables binaires des SSV est absent", "sesam-ini-incomplete"),
        ("Section MGC absente", "sesam-ini-incomplete"),
        ("getPcscResourcesList", "service-stopped"),
        ("la carte est muette", "card-mute"),
        ("erreur 777", "association-777"),
        ("DMP ne marche pas", "dmp-refused"),
        ("code faux", "code-wrong"),
        ("carte perimee", "card-expired"),
        ("la carte a été volée", "card-revoked"),
        ("carte opposée", "card-revoked"),
        ("droits fermes", "rights-closed"),
        ("lot rejeté", "lot-rejected"),
        ("pas d'ARL", "no-arl"),
        ("mise à jour de Windows", "system-updated"),
        ("Bluetooth", "bluetooth-link"),
        ("carte bloqée", "code-blocked"),
        ("la carte Vitale n'est plus reconnue", "slots-swapped"),
        ("carte inconnue", "card-unknown"),
        ("le frontal ne répond", "front-end-down"),
    ],
)
def test_what_logs_and_people_say_finds_its_entry(cli: Cli, said: str, first: str) -> None:
    assert cli("faults", "list", *said.split(), "--lang", "fr").ok().split()[0] == first


def test_small_words_alone_find_nothing(cli: Cli) -> None:
    cli("faults", "list", "la", "ne", "marche", "pas").fails(2, "nothing fits")


def test_a_number_that_no_source_knows_is_said_so(cli: Cli) -> None:
    cli("faults", "list", "erreur", "778").fails(2, "nothing fits")
    told = cli("faults", "list", "erreur", "778", "carte", "muette", "--lang", "fr").ok().splitlines()
    assert told[0].startswith("card-mute")
    assert "aucune source ne parle de 778" in told[-1]


def test_scripts_get_the_same_as_json(cli: Cli) -> None:
    found = json.loads(cli("faults", "list", "code", "faux", "--json", "--lang", "fr").ok())
    assert found[0]["id"] == "code-wrong"
    assert found[0]["kind"] == "everyday-cause"
    assert "63C2" in found[0]["codes"]
    assert found[0] == json.loads(cli("faults", "show", "code-wrong", "--json", "--lang", "fr").ok())


def test_every_lead_is_an_entry() -> None:
    known = {*catalogue(), *everyday_causes()}
    assert [code.name for code in client_codes() if not known.issuperset(code.leads)] == []
    assert [name for name in FUNCTIONS if not known.issuperset(function_leads(name))] == []


def test_an_everyday_cause_bears_no_id_of_a_fault() -> None:
    assert not catalogue().keys() & everyday_causes().keys()


def test_a_place_narrows_the_list(cli: Cli) -> None:
    told = cli("faults", "list", "--place", "wireless").ok().splitlines()
    assert {line.split()[0] for line in told} == {one.id for one in catalogue().values() if one.place == "wireless"}


def test_words_that_fit_nothing_are_bad_input(cli: Cli) -> None:
    cli("faults", "list", "zzzz").fails(2, "nothing fits 'zzzz'")


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        ("fr", ["« le voyant clignote", "NOT_TRANSACTED (80100016)", "GALSS 0200", "SSV FF30/F014", "vpcd montre"]),
        ("en", ['"the light blinks', "remedy", "UNREADABLE_ANSWER (vpcd has no time limit", "[modelled]"]),
    ],
)
def test_one_fault_in_full(cli: Cli, lang: str, parts: list[str]) -> None:
    told = cli("faults", "show", "card-mute", "--lang", lang).ok()
    for part in parts:
        assert part in told


def test_an_unknown_fault_suggests_the_near_one(cli: Cli) -> None:
    cli("faults", "show", "card-mutt").fails(2, "did you mean 'card-mute'?")


@pytest.mark.parametrize(("lang", "page"), [("fr", "faults.md"), ("en", "en/faults.md")])
def test_the_documentation_has_the_catalogue_of_today(cli: Cli, lang: str, page: str) -> None:
    table = cli("faults", "list", "--markdown", "--lang", lang).ok().strip()
    written = f"bifente faults list --markdown --lang {lang} goes into docs/{page}"
    assert table in (DOCS / page).read_text(encoding="utf-8"), written
