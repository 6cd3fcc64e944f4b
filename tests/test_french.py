"""Help, errors and reports speak French first: every help has its French, and what changes in a sentence stays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_group

from bifente.conformance.cli.app import COMMANDS, app
from bifente.conformance.cli.speaking import spoken
from bifente.conformance.loading import Problem
from bifente.ground.french import SAID, SHOWN, in_french, known, sentences, shown

PLAIN = st.text(alphabet="abcxyz0189-_/.", min_size=1, max_size=8)


def helps(command: Any) -> Iterator[str]:
    if command.help:
        yield command.help
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter.help
    for inner in getattr(command, "commands", {}).values():
        yield from helps(inner)


def test_every_help_has_its_french() -> None:
    group: Any = get_group(app)
    group.get_command(None, "none-of-them")  # imports them all
    said = {" ".join(text.split()) for text in helps(group)} | {does for _module, does in COMMANDS.values()}
    # A help that is filled in (Reports to write, out of ...) is known by its form.
    missing = sorted(text for text in said if not known(text) and in_french(text) == text)
    assert missing == [], "put them into src/bifente/ground/french/help.json"


@pytest.mark.parametrize("files", [SAID, SHOWN])
def test_what_changes_in_a_sentence_is_in_both_languages(files: tuple[str, ...]) -> None:
    for english, french in sentences(files).items():
        assert english.count("{}") == french.count("{}"), english
        assert french.strip()


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("unknown key 'kode'", "clé inconnue 'kode'"),
        ("verify-code: unknown key 'kode'", "verify-code : clé inconnue 'kode'"),
        ("a.yaml:3:5: unknown key 'x' (did you mean 'y'?)", "a.yaml:3:5: clé inconnue 'x' (vouliez-vous 'y' ?)"),
        ("code: a text is expected, not 3", "code : un texte est attendu, et non 3"),
        ("nobody has put this into French", "nobody has put this into French"),
    ],
)
def test_an_error_is_said_in_french(english: str, french: str) -> None:
    assert in_french(english) == french


def test_a_problem_keeps_its_place() -> None:
    problem = Problem("a.yaml", 3, 5, "unknown key 'x'", "did you mean 'y'?")
    assert problem.say("fr") == "a.yaml:3:5: clé inconnue 'x' (vouliez-vous 'y' ?)"
    assert problem.say("en") == str(problem) == "a.yaml:3:5: unknown key 'x' (did you mean 'y'?)"


@given(
    st.sampled_from(sorted(text for text in sentences(SAID) if "{}" in text)), st.lists(PLAIN, min_size=9, max_size=9)
)
def test_nothing_that_changes_is_lost(form: str, parts: list[str]) -> None:
    filled = form
    given_parts = parts[: form.count("{}")]
    for part in given_parts:
        filled = filled.replace("{}", part, 1)
    said = in_french(filled)
    for part in given_parts:
        assert part in said


@given(st.text(max_size=200))
def test_any_text_is_said_somehow(text: str) -> None:
    assert isinstance(in_french(text), str)
    assert shown(text, "en") == text


def test_what_a_matcher_shows_is_in_the_language_of_the_report() -> None:
    assert shown("9000 or 6282", "fr") == "9000 ou 6282"
    assert shown("101, 104; missing: 106", "fr") == "101, 104 ; il manque : 106"
    assert shown("6F 1A (2 bytes)", "fr") == "6F 1A (2 octets)"


@pytest.mark.parametrize(
    ("arguments", "locale", "lang"),
    [
        (["run"], "C.UTF-8", "fr"),
        (["run"], "en_US.UTF-8", "en"),
        (["run", "--lang", "fr"], "en_US.UTF-8", "fr"),
        (["--lang=en", "run"], "fr_FR.UTF-8", "en"),
        (["run", "--lang", "de"], "C.UTF-8", "fr"),
        (["exec", "--", "mine", "--lang", "en"], "C.UTF-8", "fr"),
    ],
)
def test_the_language_is_known_before_any_option_is_read(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], locale: str, lang: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["bifente", *arguments])
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    assert spoken() == lang


@pytest.mark.parametrize(("lang", "said"), [("fr", "Valider un modèle"), ("en", "Validate a template")])
def test_a_command_of_a_group_is_listed_whole_in_the_language_spoken(
    monkeypatch: pytest.MonkeyPatch, lang: str, said: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["bifente", "--lang", lang, "cards", "--help"])
    group: Any = get_group(app)
    show = group.get_command(None, "cards").commands["show"]
    assert show.get_short_help_str(45).startswith(said)
    assert not show.get_short_help_str(20).endswith("...")
