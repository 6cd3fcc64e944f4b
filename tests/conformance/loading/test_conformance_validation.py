from __future__ import annotations

from pathlib import Path

import pytest
from conformance_bench import ANY, complaints, place, scenario_text, steps_text, suite_text

from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.loading import InputError, load_document, nearest, validation
from bifente.conformance.model import SuiteModel

GOOD = steps_text("- code-status")


def test_a_good_suite_has_nothing_to_say(tmp_path: Path) -> None:
    assert complaints(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "at", "said"),
    [
        ("fidelity: observed", "fidelty: observed", "fidelty", "unknown key 'fidelty' (did you mean 'fidelity'?)"),
        ("fidelity: observed\n", "", "suite", "the key 'fidelity' is missing"),
        (
            "fidelity: observed",
            "fidelity: seen",
            "fidelity",
            "fidelity: one of documented, observed, modelled is expected",
        ),
        ("suite: t.one", "suite: T One", "suite", "suite: lower-case words joined by"),
        (
            "title: {fr: Essai, en: Test}",
            "title: [Essai]",
            "title",
            "title: a title is a text, or one for each language",
        ),
        ("title: {fr: Essai, en: Test}", "title: {}", "title", "the key 'title.fr' is missing"),
        ("title: {fr: Un, en: One}", "title: {fr: Un, en: One, de: Eins}", "de:", "unknown key 'de'"),
        (
            "title: {fr: Un, en: One}",
            "title: {fr: 1, en: One}",
            "fr: 1",
            "scenarios.0.title.fr: a text is expected, not 1",
        ),
        ("id: only", "id: Only", "id: Only", "scenarios.0.id: lower-case words joined by"),
        ("    steps:", "    stpes:", "stpes", "unknown key 'stpes' (did you mean 'steps'?)"),
        (ANY, "requirements: CARD-CPS3-16", "requirements", "scenarios.0.requirements: a list is expected"),
        (
            ANY,
            f"{ANY}\n    destructive: maybe",
            "destructive",
            "scenarios.0.destructive: true or false is expected",
        ),
        (ANY, f"{ANY}\n    requires: [clok]", "clok", "scenarios.0.requires.0: no reader offers 'clok'"),
        ("bench:", "bnech:", "bnech", "unknown key 'bnech' (did you mean 'bench'?)"),
        ("{cps: medecin", "{CPS: medecin", "CPS", "bench.cards.CPS: lower-case words joined by"),
        ("cps: medecin-generaliste", "cps: []", "cps", "bench.cards.cps: at least 1 entries are expected"),
        ("cps: medecin-generaliste", "cps: 3", "cps", "bench.cards.cps: a text is expected, not 3"),
        (
            "cps: medecin-generaliste",
            "cps: {lifecycle: expired}",
            "cps",
            "the key 'bench.cards.cps.template' is missing",
        ),
        (
            "{cards: {cps: medecin-generaliste}}",
            "{profile: [], cards: {cps: cpa}}",
            "profile",
            "bench.profile: at least 1 entries",
        ),
    ],
)
def test_a_mistake_is_shown_at_its_line_and_column(tmp_path: Path, old: str, new: str, at: str, said: str) -> None:
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    found = complaints(tmp_path, text)
    assert any(line.startswith(f"{place(text, at)}: {said}") for line in found), found


def test_a_message_names_keys_of_the_file_and_never_the_inside_of_the_model(tmp_path: Path) -> None:
    for cards in ("{cps: 3}", "{cps: [3]}", "{cps: [[a]]}", "[cps]", "{cps: {template: 3}}"):
        found = complaints(tmp_path, steps_text("- code-status", head=f"bench: {{cards: {cards}}}"))
        assert len(found) == 1
        for line in found:
            assert "union" not in line
            assert "CardChoice" not in line
            assert "function" not in line
            assert "[" not in line.split("(")[0].partition(": ")[2].split(":")[0]


def test_two_scenarios_of_one_id_are_refused(tmp_path: Path) -> None:
    one = scenario_text("steps: [code-status: ]")
    (found,) = complaints(tmp_path, suite_text(one, one))
    assert "two scenarios bear the id 'only'" in found


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("fidelity: observed", "fidelity: seen").replace("    steps:", "    stpes:")
    assert len(complaints(tmp_path, text)) == 3  # the misspelt key, the key missing for it, the fidelity


def test_a_suite_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    for text in ("- a\n", "just words\n", "12\n"):
        (found,) = complaints(tmp_path, text)
        assert found.startswith("1:1: ")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "slots:\n  - {role: cps, name: A, capabilities: [contacts]}",
            ":6:41: slots.0.capabilities.0: no reader offers 'contacts', did you mean 'contact'?",
        ),
        (
            "slots:\n  - {role: cps, nmae: A, capabilities: [contact]}",
            ":6:17: unknown key 'nmae' (did you mean 'name'?)",
        ),
        ("slots: []", ":5:1: slots: at least 1 entries are expected"),
    ],
)
def test_a_profile_is_checked_as_a_suite_is(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "profile: readers/mine\ntitle: {fr: a, en: a}\nfidelity: modelled\nsource: x\n" + line + "\ndevice: D\n"
    )
    with pytest.raises(InputError) as raised:
        load_profile(str(path))
    assert any(str(problem).startswith(f"{path}{said}") for problem in raised.value.problems), str(raised.value)


def test_the_nearest_word_or_the_list_of_words() -> None:
    assert nearest("sgin", ["sign", "read"]) == "did you mean 'sign'?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", []) == "none is known here"
    assert nearest("zzz", [f"n{i:02}" for i in range(14)]).endswith("n11, …")


def test_mistakes_without_number_cost_a_search_each_only_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []
    monkeypatch.setattr(validation, "nearest", lambda word, known: str(searched.append(word)))
    path = tmp_path / "suite.yaml"
    path.write_text("".join(f"unknown{number}: 1\n" for number in range(10_000)), encoding="utf-8")
    document = load_document(path)
    with pytest.raises(InputError):
        validation.validate(SuiteModel, document.data, document)
    assert 0 < len(searched) <= validation.MAX_PROBLEMS
